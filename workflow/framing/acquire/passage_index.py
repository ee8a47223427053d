"""An index of the passages of a corpus by their words, so that those alike are found quickly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

from framing.corpus.derived import Facts

Ints = npt.NDArray[np.intp]
# Words in more than `_COMMON` of the passages would only make everything a candidate.
_COMMON = 0.05
_COMMON_LEAST = 1000


@dataclass(frozen=True)
class Index:
    """Passages of a corpus (N) so that those alike are found quickly: see :func:`index_of`.

    ``counts`` is N × V, ``postings`` V × N and only has words that are not common; ``rare`` is
    the number of such words of each passage; ``follows`` the N' × N sums of passages that follow
    each other, ``first`` (N') the first of each.
    """

    passages: tuple[str, ...]
    sources: tuple[str, ...]
    words: Ints
    sizes: Ints
    digests: Mapping[str, tuple[int, ...]]
    texts: Mapping[str, tuple[str, ...]]
    vocabulary: Mapping[str, int]
    common: npt.NDArray[np.bool_]
    counts: sparse.csr_array
    postings: sparse.csr_array
    rare: Ints
    follows: sparse.csr_array
    first: Ints


def index_of(corpus: Iterable[Facts]) -> Index:
    """Return the index of the derived facts of a corpus; the new sources of a batch may be in it.

    Of each source its ``source_id``, ``text_sha256`` and, for each of ``passages``, ``passage_id``,
    ``words``, ``sha256`` and ``counts`` are used.
    """
    corpus = list(corpus)
    rows = [(facts["source_id"], row) for facts in corpus for row in facts["passages"]]
    digests: dict[str, list[int]] = defaultdict(list)
    for place, (_, row) in enumerate(rows):
        digests[row["sha256"]].append(place)
    texts: dict[str, list[str]] = defaultdict(list)
    for facts in corpus:
        texts[facts["text_sha256"]].append(facts["source_id"])
    vocabulary: dict[str, int] = {}
    for _, row in rows:
        for word in row["counts"]:
            vocabulary.setdefault(word, len(vocabulary))
    counts = count_matrix([row["counts"] for _, row in rows], vocabulary)
    sources = tuple(source for source, _ in rows)
    present = presence(counts)
    often = np.asarray(present.sum(axis=0), dtype=int).ravel()
    common = often > max(_COMMON_LEAST, _COMMON * len(rows))
    postings = (sparse.diags_array((~common).astype(np.int32), dtype=np.int32) @ present.T).tocsr()
    postings.eliminate_zeros()
    first = np.array(
        [place for place, (a, b) in enumerate(pairwise(sources)) if a == b],
        dtype=np.intp,
    )
    return Index(
        passages=tuple(row["passage_id"] for _, row in rows),
        sources=sources,
        words=np.array([row["words"] for _, row in rows], dtype=np.intp),
        sizes=np.asarray(counts.sum(axis=1), dtype=np.intp).ravel(),
        digests={digest: tuple(places) for digest, places in digests.items()},
        texts={digest: tuple(sorted(names)) for digest, names in texts.items()},
        vocabulary=vocabulary,
        common=common,
        counts=counts,
        postings=postings,
        rare=np.asarray(present @ (~common).astype(np.intp), dtype=np.intp),
        follows=_sums_of_two(first, len(rows)),
        first=first,
    )


def count_matrix(
    bags: Sequence[Mapping[str, int]], vocabulary: Mapping[str, int]
) -> sparse.csr_array:
    """Return the counts of the words of ``vocabulary`` in each bag (bags × vocabulary)."""
    columns: list[int] = []
    values: list[int] = []
    ends = [0]
    for bag in bags:
        for word, count in bag.items():
            column = vocabulary.get(word)
            if column is not None:
                columns.append(column)
                values.append(count)
        ends.append(len(columns))
    shape = (len(bags), len(vocabulary))
    return sparse.csr_array(
        (np.array(values, dtype=np.int32), np.array(columns, dtype=np.int32), np.array(ends)), shape
    )


def presence(counts: sparse.csr_array) -> sparse.csr_array:
    """Return 1 where a count is above 0, else 0."""
    return counts.astype(bool).astype(np.int32)


def _sums_of_two(first: Ints, total: int) -> sparse.csr_array:
    """Return the matrix that adds up row ``n`` and the next, for each ``n`` of ``first``."""
    rows = np.repeat(np.arange(len(first)), 2)
    columns = np.stack([first, first + 1], axis=1).ravel()
    ones = np.ones(len(rows), dtype=np.int32)
    return sparse.csr_array((ones, (rows, columns)), (len(first), total))
