"""The syntax of patterns and the search for cues, on sentences written for the purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.codebook.codebook import Codebook, Cue
from framing.codebook.codes import yes_no_code
from framing.codebook.cues import (
    CompiledCue,
    compile_cues,
    cue_digest,
    cue_spans,
    fold,
    pattern_hits,
)
from framing.codebook.hits import cue_and_pattern, hits_by_cue
from framing.codebook.pattern_syntax import PatternError
from framing.codebook.patterns import compile_any, expand
from framing.codebook.sentences import sentence_spans
from framing.common.problems import InputError

TERMS = {"bird": "swift~|swallow~", "far": "<bird> ..2 away"}


def cue(pattern, **changes):
    patterns = (pattern,) if isinstance(pattern, str) else tuple(pattern)
    plain = Cue("the-cue", "A cue.", {"song": 1}, patterns, (), (), "sentence", "ignore", "any")
    return replace(plain, **changes)


def book(*cues, **changes):
    code = yes_no_code("song", "Song", "It sings.", present=("singing",))
    plain = Codebook(
        "book.yaml", "n", "1", "q", "u", "", "", "", "", "", ("dr",), TERMS,
        ("not", "never", r"\w+n't"), 3, {"song": code}, tuple(cues),
    )  # fmt: skip
    return replace(plain, **changes)


def found(text, pattern, **changes):
    """Return the pieces of ``text`` that a cue hits."""
    hits = cue_spans(compile_cues(book(cue(pattern, **changes))), text)
    return [text[start:end] for _, start, end in hits]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("swift", "Swift swifts are not swiftly", ["Swift"]),
        (r"swift\w*", "A swiftly swift", ["swiftly", "swift"]),
        (
            "tree top",
            "tree top, tree-top, tree \u2013 top, treetop",
            ["tree top", "tree-top", "tree \u2013 top"],
        ),
        ("nest|egg", "An egg in a nest", ["egg", "nest"]),
        ("nest | egg", "An egg in a nest", ["egg", "nest"]),
        (["nest", "egg"], "An egg in a nest", ["egg", "nest"]),
        ("(?:red|blue) egg", "a red egg, a blue egg, an egg", ["red egg", "blue egg"]),
        ("(red|blue) egg", "a red egg", ["red egg"]),
        ("[bn]est", "best nest, rest", ["best", "nest"]),
        ("<bird>", "Swallows, a swift's nest", ["Swallows", "swift's"]),
        ("<far>", "Swifts fly far away. Swifts. Away", ["Swifts fly far away"]),
        ("bird's", "the bird\u2019s nest", ["bird\u2019s"]),
        ("^the nest", "The nest fell. Then the nest rose. The nest", ["The nest", "The nest"]),
    ],
)  # fmt: skip
def test_the_syntax_finds_what_the_guide_says(pattern, text, expected):
    assert found(text, pattern) == expected


def test_followed_within_so_many_words_of_the_same_sentence():
    text = "The nest we saw was empty. Nest. Empty."
    assert found(text, "nest ..3 empty") == ["nest we saw was empty"]
    assert found(text, "nest ..2 empty") == []
    assert found("empty, so we left the nest", "nest ..9 empty") == []
    assert found("It didn't, won't stay", "it ..1 won't") == ["It didn't, won't"]


def test_near_each_other_in_either_order():
    assert found("nest so empty; empty of eggs, a nest", "nest &2 empty") == ["nest so empty"]
    assert found("empty the nest", "nest &1 empty") == ["empty the nest"]
    chain = "egg &1 nest ..1 tree"
    assert found("nest, egg in tree", chain) == ["nest, egg in tree"]
    assert found("tree nest egg", chain) == []


def test_neighbours_need_a_gap_and_the_gap_stays_in_the_sentence():
    assert found("nestegg", "nest ..3 egg") == []
    assert found("A nest. Egg", "nest &3 egg") == []


@pytest.mark.parametrize(
    ("word", "forms", "others"),
    [
        ("partner", "partner partners partner's partners' partnered partnering", "partnership"),
        ("ignore", "ignore ignores ignored ignoring ignore's", "ignorance ignor"),
        ("deny", "deny denies denied denying", "denyed denial"),
        ("play", "play plays played playing", "plaies"),
        ("veto", "veto vetoes vetos vetoed vetoing", "vetoo"),
        ("stop", "stop stops stopped stopping", "stopp"),
        ("bless", "bless blesses blessed blessing", "blessen"),
        ("agree", "agree agrees agreed agreeing", "agreement"),
        ("tie", "tie ties tied tying", "tieing"),
    ],
)
def test_regular_inflections(word, forms, others):
    compiled = compile_any([f"{word}~"], {})
    assert all(compiled.fullmatch(form) for form in forms.split())
    assert not any(compiled.fullmatch(other) for other in others.split())
    assert compiled.fullmatch(word.upper())


def test_case_matters_only_where_it_is_asked_for():
    assert found("A WEST wind, the West", "West") == ["WEST", "West"]
    assert found("A WEST wind, the West, west", "West", case="match") == ["West"]


def test_negation_looks_back_so_many_words_within_the_sentence():
    text = "Birds sing. They never really sing. Cats do not, as all of us know, sing."
    assert len(found(text, "sing")) == 3
    compiled = compile_cues(book(cue("sing", negated="only")))
    assert [text[:start].count(".") for _, start, _ in cue_spans(compiled, text)] == [1]
    compiled = compile_cues(book(cue("sing", negated="never")))
    assert [text[:start].count(".") for _, start, _ in cue_spans(compiled, text)] == [0, 2]
    assert found("It doesn\u2019t sing", "sing", negated="only") == ["sing"]
    assert found("Not one. It sings", "sing~", negated="only") == []


def test_the_window_counts_words_exactly():
    for words, expected in ((2, ["sing"]), (3, [])):
        text = "Not " + "so " * words + "sing"
        assert found(text, "sing", negated="only") == expected


def test_with_and_unless_hold_in_the_sentence_or_the_passage():
    text = "The nest fell. An owl called. The nest of the owl stayed."
    assert len(found(text, "nest", required=("owl",))) == 1
    assert len(found(text, "nest", required=("owl",), within="passage")) == 2
    assert len(found(text, "nest", forbidden=("owl",))) == 1
    assert found(text, "nest", forbidden=("owl", "cat"), within="passage") == []


def test_hits_are_counted_and_missing_cues_left_out():
    cues = (cue("egg", name="b"), cue("nest~", name="a"), cue("cat", name="c"))
    hits = pattern_hits(compile_cues(book(*cues)), "An egg, two nests; a nest.")
    assert hits_by_cue(hits) == {"a": 2, "b": 1}


@given(st.text(alphabet="aA. \u2019\u2013\u201c!?1\n\t\u00a0xX'(", max_size=60))
def test_folding_and_sentences_keep_every_offset(text):
    assert len(fold(text)) == len(text)
    spans = sentence_spans(text)
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    flat = [edge for span in spans for edge in span]
    assert flat == sorted(flat)
    assert "".join(text.split()) == "".join("".join(text[a:b].split()) for a, b in spans)


def test_sentences_end_where_they_should():
    text = (
        "We met Dr. Grau in the U.S. Senate. \u201cYes!\u201d "
        "He left\u2026 at 3.5 p.m. exactly? No. 5 came."
    )
    pieces = [text[a:b] for a, b in sentence_spans(text, ["Dr."])]
    assert pieces == [
        "We met Dr. Grau in the U.S. Senate.", "\u201cYes!\u201d",
        "He left\u2026 at 3.5 p.m. exactly?", "No.", "5 came.",
    ]  # fmt: skip


@settings(max_examples=50)
@given(st.text(alphabet="nest g\u2019.-", max_size=40))
def test_spans_lie_where_the_text_says(text):
    compiled = compile_cues(book(cue("nest|egg")))
    for _, start, end in cue_spans(compiled, text):
        assert text[start:end].lower() in ("nest", "egg")
    assert sum(pattern_hits(compiled, text).values()) == len(cue_spans(compiled, text))


def test_each_hit_belongs_to_the_first_pattern_that_fits():
    patterns = cue(["nest", "nest ..2 egg", "(egg|eggs) (laid|hatched)", "eggs?"])
    compiled = compile_cues(book(patterns))
    text = "A nest with an egg. Eggs hatched. No egg."
    assert pattern_hits(compiled, text) == {"the-cue/1": 1, "the-cue/3": 1, "the-cue/4": 2}
    turned = compile_cues(book(cue(patterns.pattern[::-1])))
    assert pattern_hits(turned, text) == {"the-cue/1": 2, "the-cue/3": 1}


PIECES = [
    "nest",
    "egg~",
    "nest ..1 egg",
    "egg &1 nest",
    "(a|an) (nest|egg)",
    "n\\w+(?=s)",
    "[ae]gg",
]


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=4, unique=True),
    st.lists(st.sampled_from(["a nest", "eggs", "an egg", "nests", "the", "."]), max_size=8),
)
def test_hits_of_patterns_add_up_to_those_of_any_of_them(patterns, words):
    text = " ".join(words)
    compiled = compile_cues(book(cue(patterns)))
    # What "any of them" is, without groups that tell patterns apart.
    whole = "|".join(f"(?:{expand([one], TERMS)[1:-1]})" for one in patterns)
    found = [match.span() for a, b in sentence_spans(text)
             for match in regex.finditer(whole, text[a:b], regex.IGNORECASE)]  # fmt: skip
    assert sum(pattern_hits(compiled, text).values()) == len(found)
    for key, number in pattern_hits(compiled, text).items():
        alone = cue(patterns[cue_and_pattern(key)[1] - 1])
        assert number <= sum(pattern_hits(compile_cues(book(alone)), text).values())


@pytest.mark.parametrize(
    ("pattern", "says", "position"),
    [
        ("(nest", "missing )", None),
        ("nest)", "unbalanced", 4),
        ("ne[st", "'[' is not closed", 2),
        ("*nest", "nothing to repeat", 0),
        ("a <cat>", "unknown term <cat>", 2),
        ("(?:nest ..3 egg)", "inside brackets", 7),
        ("nest ..3 ", "is empty", 4),
        (" &3 egg", "is empty", 0),
        ("nest ~", "must follow a word", 5),
        (r"(n)est\1", "not part of the syntax", 6),
        ("(?P<n>nest)", "special brackets", 0),
        (r"so (\w+\s*)+x", "repetition inside a repetition", 11),
        ("(.*a){20}", "repetition inside a repetition", 5),
        ("<bird> (?:a+)+", "repetition inside a repetition", 13),
        ("(a|a)*b", "takes too long", None),
        ("(?:a|aa)+b", "takes too long", None),
        ("n*", "match nothing", None),
        ("nest|", "match nothing", None),
    ],
)
def test_broken_patterns_are_refused_with_their_place(pattern, says, position):
    with pytest.raises(PatternError) as error:
        compile_any([pattern], TERMS)
    assert says in str(error.value)
    if position is not None:
        assert error.value.position == position
        assert f"character {position + 1}" in str(error.value)


@pytest.mark.parametrize(
    "pattern", [r"\d+(?:[.,]\d+)*", r"(?:\w+ )*nest", r"(?:\w++ ?)*+egg", "(?:very ){1,3}far"]
)
def test_harmless_repetitions_are_let_pass(pattern):
    assert compile_any([pattern], {})


def test_terms_may_not_go_in_circles():
    with pytest.raises(PatternError, match="leads back to itself"):
        compile_any(["<a>"], {"a": "x <b>", "b": "y|<a>"})


def test_a_defect_in_one_of_several_patterns_names_it():
    with pytest.raises(PatternError, match="pattern 'b\\[', character 2"):
        compile_any(["a", "b["], {})


def test_all_broken_cues_are_named_at_once():
    broken = book(cue("(", name="one"), cue("x", name="two", required=("a*",)))
    with pytest.raises(InputError) as error:
        compile_cues(broken)
    places = [str(problem.place) for problem in error.value.problems]
    assert places == ["book.yaml: cue 'one'", "book.yaml: cue 'two'"]
    assert "docs/cues.md" in str(error.value)


def test_a_search_that_takes_too_long_names_the_cue():
    for pattern in ("nest", r"\w*nest"):  # searched from its word, and searched for everywhere
        compiled = compile_cues(book(cue(pattern)))
        slow = SlowCue(**{**vars(compiled.cues[0]), "hit": Slow()})
        with pytest.raises(InputError, match="cue 'the-cue': takes too long"):
            pattern_hits(replace(compiled, cues=(slow,)), "A nest.")


class Slow:
    def finditer(self, text, timeout):
        raise TimeoutError

    def match(self, text, at, timeout):
        raise TimeoutError


class SlowCue(CompiledCue):
    def one(self, number):
        return Slow()


def test_the_digest_changes_exactly_when_hits_can():
    plain = cue("nest <bird>")
    digest = cue_digest(book(plain), plain)
    assert len(digest) == 8 and set(digest) <= set("0123456789abcdef")
    same = [
        (book(plain), replace(plain, name="other", description="Other.", votes={"song": -1})),
        (book(plain), replace(plain, within="passage")),
        (book(plain, negators=("nor",), negation_window=9), plain),
        (book(plain, terms={**TERMS, "far": "x"}, name="Other", version="2"), plain),
        (book(plain, abbreviations=("DR.",)), plain),
    ]
    other = [
        (book(plain), cue("nests <bird>")),
        (book(plain), cue(["nest <bird>", "egg"])),
        (book(plain, terms={**TERMS, "bird": "owl"}), plain),
        (book(plain), replace(plain, case="match")),
        (book(plain), replace(plain, negated="never")),
        (book(plain), replace(plain, required=("x",))),
        (book(plain), replace(plain, forbidden=("x",))),
        (book(plain, abbreviations=("mr",)), plain),
    ]
    assert {cue_digest(*each) for each in same} == {digest}
    assert digest not in {cue_digest(*each) for each in other}
    two = cue(["nest", "egg"])
    assert cue_digest(book(), two) != cue_digest(book(), cue(["egg", "nest"]))
    assert cue_digest(book(), two) != cue_digest(book(), cue("nest|egg"))
    negated = replace(plain, negated="only")
    assert cue_digest(book(), negated) != cue_digest(book(negators=("nor",)), negated)
    assert cue_digest(book(), negated) != cue_digest(book(negation_window=9), negated)
    held = replace(plain, required=("x",))
    assert cue_digest(book(), held) != cue_digest(book(), replace(held, within="passage"))
