"""Words of a passage: the counts that may be published because they hold no word order."""

from __future__ import annotations

import re
from collections import Counter

WORDS_VERSION = "words/1"
"""Names the tokenisation below; stored with derived facts, so that a change shows as stale."""

# Letters with inner apostrophes ("don't"), or digits with inner points and commas ("1,300").
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+(?:[.,]\d+)*")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})


def words_of(text: str) -> list[str]:
    """Return the lower-cased words of ``text`` in their order (:func:`word_counts`)."""
    return _WORD.findall(text.translate(_APOSTROPHES).lower())


def word_counts(text: str) -> dict[str, int]:
    """Return how often each lower-cased word occurs in ``text``, in code point order of words.

    A word is a run of letters, with apostrophes inside, or a number.
    """
    words = Counter(words_of(text))
    return {word: words[word] for word in sorted(words)}
