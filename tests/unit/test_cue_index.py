"""The index of cues: the same hits as by trying every expression everywhere."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from framing.codebook import cue_index
from framing.codebook.codebook import load_codebook
from framing.codebook.cue_index import CueIndex
from framing.codebook.cues import compile_cues, cue_spans, pattern_hits, spans_in
from framing.codebook.pattern_syntax import PatternError, fold
from framing.codebook.pattern_trees import (
    UnreadableError,
    in_word,
    plain,
    plain_sign,
    tree_of,
    unassigned,
)
from framing.codebook.patterns import compile_any, expand
from framing.codebook.required_words import NOTHING, required
from framing.codebook.sentences import chunks_of, sentence_spans, sentences_of
from framing.common.problems import InputError
from tests.unit.exhaustive_cues import every_hit, spans_of_sentences
from tests.unit.test_cues import book, cue

ROOT = Path(__file__).resolve().parents[2]
TERMS = {"bird": "swift~|swallow~", "far": "<bird> ..2 away", "end": r"\w+n't|no"}


def indexed(compiled, text):
    folded = fold(text)
    return sorted(spans_in(compiled, folded, sentences_of(folded, compiled.abbreviations)))


# --- what is required -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "words", "first"),
    [
        ("nest", ["nest"], "nest"),
        ("tree top", ["tree", "top"], "tree"),
        ("(?:red|blue) egg", ["egg", "blue red"], "blue red"),
        (r"swift\w*", ["swift*"], "swift*"),
        (r"19\d\d", ["19*"], "19*"),
        ("defen[cs]e", ["defence defense"], "defence defense"),
        ("bird's", ["bird", "s"], "bird"),
        ("(?:an? )?egg", ["a an egg"], "a an egg"),
        ("(?:an? )?egg cup", ["a an egg", "cup"], "a an egg"),
        ("nest ..3 empty", ["empty", "nest"], "nest"),
        ("nest &3 empty", ["empty nest", "empty", "nest"], "empty nest"),
        ("re-?build", ["build", "rebuild re"], None),
        (r"\w*egg", [], None),
        (r"\w+ nest", ["nest"], None),
        ('"egg', ["egg"], None),
        ("(?=e)egg(?! cup)", ["egg"], "egg"),
        ("(?-i:WHO) said", ["who", "said"], "who"),
        ("(?:one|two|[^x]y)", [], None),
        ("egg{2}", ["egggg egg"], None),
        ("a{7}b", ["aaaa*"], "aaaa*"),
        ("(?:ab)+c", ["ab*"], None),
        ("[a-z]egg", None, None),
        (r"€ \d+", [], None),
        (r"\x41b", [], None),
    ],
)  # fmt: skip
def test_what_a_hit_must_contain(pattern, words, first):
    def shown(one):
        return " ".join(sorted(word + ("" if whole else "*") for word, whole in one))

    found = required(expand([pattern], {}))
    if words is not None and first is not None:
        assert {shown(one) for one in found.words} == set(words)
        assert shown(found.first) == first
    elif words is not None:
        assert bool(found.words) == bool(words)


def test_the_rarest_looking_requirement_comes_first():
    assert required(expand(["the ..3 parliament"], {})).words[0] == {("parliament", True)}


def test_nothing_is_derived_of_what_is_not_understood():
    for source in (r"\L<a>", "a{e<=1}b", "[[:alpha:]]x", "(?|a)", "(a", "a)", "*a", r"\x41"):
        with pytest.raises(UnreadableError):
            tree_of(source)
        assert required(source) == NOTHING


@pytest.mark.slow
def test_signs_that_a_search_takes_for_one_are_one():
    """Compare with the engine, over every sign that has cases."""
    every = "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    cased = [sign for sign in every if sign.swapcase() != sign or sign.casefold() != sign]
    cased += regex.findall(r"\p{Changes_When_Casemapped}", every)
    text = "".join(dict.fromkeys([*cased, "\u0130", "\u0131"]))
    for sign in text:
        for other in regex.findall(regex.escape(sign), text, regex.IGNORECASE):
            # What this Python does not know yet is let through by `unassigned`.
            if not unassigned(sign + other):
                assert plain_sign(other) == plain_sign(sign), (hex(ord(sign)), hex(ord(other)))
    for sign in text:
        assert in_word(sign) == in_word(plain_sign(sign))


# --- the same hits --------------------------------------------------------------------------------

LETTERS = st.sampled_from(["egg", "nest", "a", "ab", "Ei", "ss", "kis", "straße", "ΣΑΣ", "é", "no"])
ATOMS = st.one_of(
    LETTERS,
    LETTERS.map(lambda word: word + "~"),
    st.sampled_from(
        ["<bird>", "<far>", "<end>", "[ae]", "[^a]", r"[\s\-]", r"[\w']", "[a-f]", r"\w", r"\d",
         r"\W", r"\p{L}", ".", r"\.", "'", "-", "(?=a)", "(?!e)", "(?<=a)", "(?<!s)", r"\b", "^",
         "$", "19", "(?-i:Egg)", '"', r"\s", "İ", "ſ"]
    ),
)  # fmt: skip
TIMES = st.sampled_from(["", "", "", "", "?", "*", "+", "{2}", "{0,2}", "{6}", "??", "*+", "{0}"])


@st.composite
def pieces(draw, depth=2):
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        if depth and draw(st.booleans()):
            inner = "|".join(draw(st.lists(pieces(depth - 1), min_size=1, max_size=3)))
            part = f"(?:{inner})"
        else:
            part = draw(ATOMS)
        parts.append(part + draw(TIMES) if not part.endswith("~") else part)
        parts.append(draw(st.sampled_from(["", "", " ", "-", " ..1 " if depth == 2 else " "])))
    if parts[-1].strip(" ") == "" or ".." in parts[-1]:
        parts.pop()
    return "".join(parts)


TEXTS = st.lists(
    st.sampled_from(
        ["egg", "Egg", "eggs", "nest", "nests", "a", "ab", "aba", "ei", "EI", "STRASSE", "straße",
         "σας", "ΣΑΣ", "é", "É", "swift", "swallows", "away", "don't", "no", "19", "1999", "kıs",
         "KİS", "ſs", "\u212ais", "s", "x", "_a", "eggnest", "e\u0301", "\u0378", "\ua7cb", "aegg",
         " ", " ", " ", " ", " ", " ", "-", "\u2013", ", ", ". ", "\u2019", "'", '"', "\n",
         "\u00a0",
         ". E", "... A", "!", "?\u201d N", ".) 1", "\u1e9e", "²", "\r", "\x1c", "\u200d"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


def compiled_of(patterns, **changes):
    """Compile a cue of those patterns that are right in themselves, or None."""
    good = []
    for pattern in patterns:
        try:
            compile_any([pattern], TERMS)
        except PatternError:
            continue
        good.append(pattern)
    if not good:
        return None
    try:
        return compile_cues(book(cue(good, **changes), terms=TERMS))
    except InputError:
        return None


@pytest.mark.slow
@settings(max_examples=int(os.environ.get("CUE_EXAMPLES", "400")), deadline=None)
@given(
    st.lists(pieces(), min_size=1, max_size=3),
    st.lists(TEXTS, min_size=1, max_size=6),
    st.sampled_from(["match", "ignore"]),
    st.sampled_from(["any", "never", "only"]),
    st.sampled_from([(), ("egg",), ("no ..1 a", "nest")]),
    st.sampled_from(["sentence", "passage"]),
)
@example(["egg|(?=a)", "a"], ["a egg a"], "ignore", "any", (), "sentence")
@example(["kis"], ["\u212ais KİS"], "ignore", "any", (), "sentence")
@example(
    ["egg", "egg nest", "nest"], ["egg nest nest egg egg nest"], "ignore", "any", (), "sentence"
)
@example(["egg nest", "egg", r"\w+ a"], ["egg nest egg a"], "ignore", "any", (), "sentence")
def test_hits_of_random_patterns_are_those_of_the_exhaustive_search(
    patterns, texts, case, negated, required, within
):
    compiled = compiled_of(patterns, case=case, negated=negated, required=required, within=within)
    if compiled is None:
        return
    for text in texts:
        assert indexed(compiled, text) == every_hit(compiled, text)


def passages(folder: Path, length: int = 600):
    """Yield pieces of the texts in a folder, cut wherever so many signs are over."""
    for path in sorted(folder.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        yield from (text[at : at + length] for at in range(0, len(text), length))


@pytest.mark.slow
def test_hits_in_the_texts_of_the_example_project():
    compiled = compile_cues(load_codebook(ROOT / "examples/mini/corpus/codebook/codebook.yaml"))
    texts = list(passages(ROOT / "examples/mini/corpus/texts"))
    found = [indexed(compiled, text) for text in texts]
    assert sum(map(len, found)) > 50
    assert found == [every_hit(compiled, text) for text in texts]


@pytest.mark.slow
def test_hits_in_the_texts_of_the_corpus():
    folder = ROOT / "corpus" / "texts"
    texts = list(passages(Path(os.environ.get("FRAMING_TEXTS", folder))))
    if not texts:
        pytest.skip("the corpus' texts are not at hand (FRAMING_TEXTS may name their folder)")
    texts = random.Random(1).sample(texts, min(len(texts), int(os.environ.get("CUE_TEXTS", "500"))))
    compiled = compile_cues(load_codebook(ROOT / "corpus/codebook/codebook.yaml"), tried=True)
    assert [indexed(compiled, text) for text in texts] == [
        every_hit(compiled, text) for text in texts
    ]


@pytest.mark.slow
def test_hits_of_the_committed_codebook_in_sentences_of_its_own_words():
    """Sentences thrown together from the words of the patterns have hits by the dozen."""
    codebook = load_codebook(ROOT / "corpus/codebook/codebook.yaml")
    compiled, chance = compile_cues(codebook, tried=True), random.Random(2)
    words = [
        word
        for one in codebook.cues
        for pattern in one.pattern
        for word in regex.findall(r"[\p{L}']+", expand([pattern], codebook.terms))
    ]
    total = 0
    for _ in range(150):
        text = " ".join(
            chance.choice(words) + chance.choice(["", "", "", "", ",", "s", "ing", ". A", "’s"])
            for _ in range(60)
        )
        found = indexed(compiled, text)
        total += len(found)
        assert found == every_hit(compiled, text)
    assert total > 150


# --- sentences and chunks -------------------------------------------------------------------------


@settings(max_examples=300)
@given(TEXTS, st.lists(TEXTS, max_size=3))
@example("He left. (The end.) 'No.' 5 came... Then U.S. A", [])
def test_sentences_are_those_of_the_rule(first, more):
    text = ". ".join([first, *more])
    assert sentence_spans(text, ["egg", "a.b"]) == spans_of_sentences(text, ["egg", "a.b"])


@settings(max_examples=300)
@given(TEXTS)
def test_no_word_reaches_over_the_end_of_a_chunk(text):
    folded = fold(text)
    chunks = [chunk.decode() for one in sentences_of(folded, ()) for chunk in one.chunks]
    runs = [run for chunk in chunks for run in regex.findall(r"\w+", chunk)]
    assert list(map(plain, runs)) == list(map(plain, regex.findall(r"\w+", folded)))
    assert chunks_of("") == []


# --- size -----------------------------------------------------------------------------------------


def tries(compiled, text):
    """Return how many patterns are tried in all sentences of a text."""
    return sum(len(compiled.index.wanted(one.chunks)) for one in sentences_of(fold(text), ("dr",)))


def test_only_what_can_be_there_is_tried():
    compiled = compile_cues(book(cue(["old nest", "egg"]), cue(r"\w*x", name="b"), terms=TERMS))
    assert compiled.vague() == ["b/1"]
    assert tries(compiled, "The nest is new. An old tree.") == 2
    assert tries(compiled, "The nest is old. Eggs.") == 3


@pytest.mark.slow
def test_two_thousand_cues():
    cues = [cue([f"w{n} ..3 v{n % 7}", f"u{n}"], name=f"c{n}") for n in range(2000)]
    compiled = compile_cues(book(*cues), tried=True)
    text = "W5 and v5. U1999 or w6 and v0 x w1999 v4."
    assert pattern_hits(compiled, text) == {"c1999/1": 1, "c1999/2": 1, "c5/1": 1}
    assert tries(compiled, text) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "egg " * 250_000, "no egg. " * 125_000, "egg" * 333_000, "." * 1_000_000,
        "egg. A " * 140_000,
        "a" * 999_000 + "1. A", "." * 500_000 + " " * 500_000 + "a", "no" + " " * 999_000 + "egg",
        "egg" + "'" * 999_000, "é" * 1_000_000, ". " * 500_000 + "A",
    ],
    ids=range(11),
)  # fmt: skip
def test_a_passage_of_a_million_signs(text):
    """Every rule that could look at the same signs again and again would run for hours here."""
    cues = [cue("egg", negated="never", required=("egg",), within="passage"), cue("a", name="b")]
    assert len(cue_spans(compile_cues(book(*cues)), text)) <= 300_000


def test_what_chunks_say_is_not_remembered_for_ever(monkeypatch):
    monkeypatch.setattr(cue_index, "_REMEMBERED", 10)
    index = CueIndex([["(egg)"]])
    for n in range(1000):
        assert len(index.wanted([b"egg", b"%d" % n, b"x" * 1000 + b"%d" % n])) == 1
    assert len(index._entries) <= 10
