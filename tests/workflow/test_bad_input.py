"""Bad input is refused with file, row and remedy before any result is touched, or marks a cell."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from framing.cli.main import main
from framing.codebook.codebook import load_codebook
from framing.common.config import load_config
from framing.common.files import sha256
from framing.common.problems import InputError
from framing.corpus.store import (
    Shard,
    facts_in,
    read_facts,
    read_shard,
    shard_path,
)

from .conftest import contents, edit, rows, write_rows

pytestmark = pytest.mark.slow

Spoil = Callable[[Path], object]

CONFIG = "config/config.yaml"
SOURCES, PASSAGES = "corpus/sources.tsv", "corpus/passages.tsv"
SAMPLE, CODERS = "corpus/sample.tsv", "corpus/coders.tsv"
CODING, CODEBOOK = "corpus/codings/machine-2.tsv", "corpus/codebook/codebook.yaml"
FACTS = shard_path("council-minutes-2015").as_posix()
TEXT = "corpus/texts/council-minutes-2015.txt"
LAST = 42  # line of the last passage of that source in passages.tsv


def check(project: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run `framing check`, which must write nothing; return exit status and what it said."""
    before = contents(project)
    status = main(["check", "--directory", str(project)])
    assert contents(project) == before
    said = capsys.readouterr()
    return status, said.out + said.err


# --- tables ----------------------------------------------------------------------------------


def cell(path: str, line: int, column: str, value: str) -> Spoil:
    """Return what puts a value into a table; lines count from 1, the header's."""

    def spoil(project: Path) -> None:
        table = rows(project / path)
        table[line - 1][table[0].index(column)] = value
        write_rows(project / path, table)

    return spoil


def header_only(*paths: str) -> Spoil:
    def spoil(project: Path) -> None:
        for path in paths:
            write_rows(project / path, rows(project / path)[:1])

    return spoil


def replaced(path: str, old: str, new: str) -> Spoil:
    return lambda project: edit(project / path, old, new)


def both(first: Spoil, second: Spoil) -> Spoil:
    return lambda project: (first(project), second(project))


def wrong_stratum_size(project: Path) -> None:
    text = (project / SAMPLE).read_text(encoding="utf-8")
    spoilt = text.replace("council/short\t5\t3\t0.600000", "council/short\t6\t3\t0.500000")
    (project / SAMPLE).write_text(spoilt, encoding="utf-8", newline="\n")


def without_texts(project: Path) -> None:
    shutil.rmtree(project / "corpus" / "texts")


STRAY = "corpus/derived/00.jsonl"


def strays(project: Path) -> None:
    """Put a source's facts into another's shard, and facts of a source that there is none of."""
    facts = read_facts("council-minutes-2015", project)
    shard = Shard()
    for name in ("council-minutes-2015", "stray"):
        shard.put({**facts, "source_id": name})
    (project / STRAY).write_text(shard.text(), encoding="utf-8")


TABLES: list[tuple[Spoil, str]] = [
    (cell(SOURCES, 3, "source_id", ""), f"{SOURCES}, line 3: has no usable source_id ('')"),
    (cell(SOURCES, 3, "source_id", "a/b"), f"{SOURCES}, line 3: has no usable source_id"),
    (cell(SOURCES, 3, "source_id", "resident-ferrier-2015"), f"{SOURCES}, line 3: repeats"),
    (cell(SOURCES, 3, "group", "nobody"), f"{SOURCES}, line 3: source 'resident-novak-2016' has"),
    (cell(SOURCES, 3, "date", "2015-02-30"), f"{SOURCES}, line 3: source"),
    (cell(SOURCES, 3, "title", "\x07"), f"{SOURCES}, line 3: holds the control character '\\x07'"),
    (cell(SOURCES, 3, "sha256", "0" * 64), "was made from a text with another digest"),
    (header_only(SOURCES), f"{SOURCES}: names no source"),
    (cell(PASSAGES, 3, "passage_id", ""), f"{PASSAGES}, line 3: has no usable passage_id"),
    (cell(PASSAGES, 3, "passage_id", "2c851ce59e"), f"{PASSAGES}, line 3: repeats the passage_id"),
    (cell(PASSAGES, 3, "passage_id", "new"), "'f93bf606c3' is not in passages.tsv"),
    (cell(PASSAGES, 3, "source_id", "nowhere"), f"{PASSAGES}, line 3: passage"),
    (cell(PASSAGES, 3, "start", "-1"), f"{PASSAGES}, line 3: 'f93bf606c3' has start '-1'"),
    (cell(PASSAGES, 3, "start", "٣"), f"{PASSAGES}, line 3: 'f93bf606c3' has start"),
    (cell(PASSAGES, 3, "start", "40"), f"{PASSAGES}, line 3: passage 'f93bf606c3' overlaps"),
    (cell(PASSAGES, 3, "start", "282"), f"{PASSAGES}, line 3: passage f93bf606c3 has other"),
    (cell(PASSAGES, 3, "words", "9"), f"{PASSAGES}, line 3: passage f93bf606c3 has other"),
    (cell(PASSAGES, LAST, "end", "99999"), f"{PASSAGES}, line {LAST}: passage 35a24cf987 "
     "ends at 99999, the text has 1550 characters. Correct its offsets."),
    (header_only(PASSAGES), f"{PASSAGES}: names no passage. Run `framing derive`"),
    (header_only(PASSAGES, SAMPLE, CODING), f"{PASSAGES}: names no passage"),
    (cell(SAMPLE, 3, "passage_id", ""), f"{SAMPLE}, line 3: has no usable passage_id"),
    (cell(SAMPLE, 3, "passage_id", "52321ac1a4"), f"{SAMPLE}, line 3: repeats the passage_id"),
    (cell(SAMPLE, 3, "passage_id", "new"), f"{SAMPLE}, line 3: drawn passage 'new' is not in"),
    (cell(SAMPLE, 3, "stratum", ""), f"{SAMPLE}, line 3: passage '68843f128e' has no stratum"),
    (cell(SAMPLE, 3, "inclusion_probability", "0"), f"{SAMPLE}, line 3: passage"),
    (cell(SAMPLE, 3, "inclusion_probability", "1.2"), f"{SAMPLE}, line 3: passage"),
    (cell(SAMPLE, 3, "inclusion_probability", "0.5"), f"{SAMPLE}, line 3: passage"),
    (cell(SAMPLE, 3, "stratum_size", "0"), f"{SAMPLE}, line 3: '68843f128e' has stratum_size '0'"),
    (wrong_stratum_size, f"{SAMPLE}: the strata add up to 89 passages, passages.tsv has 88"),
    (header_only(SAMPLE), f"{SAMPLE}: names no passage"),
    (cell(CODERS, 3, "coder", ""), f"{CODERS}, line 3: has no usable coder"),
    (cell(CODERS, 3, "coder", "machine-1"), f"{CODERS}, line 3: repeats the coder"),
    (cell(CODERS, 3, "kind", "robot"), f"{CODERS}, line 3: coder 'machine-2' is of the kind"),
    (header_only(CODERS), f"{CODERS}: names no coder"),
    (cell(CODING, 5, "cost", "3"), f"{CODING}, line 5: passage '92d881295e' has cost '3'. Write 0"),
    (cell(CODING, 5, "passage_id", "new"), f"{CODING}, line 5: codes the passage 'new', which"),
    (cell(CODING, 5, "coder", "machine-1"), f"{CODING}, line 5: names the coder 'machine-1'"),
    (header_only(CODING), f"{CODING}: holds no coding"),
    (replaced(PASSAGES, "\t", " "), f"{PASSAGES}, line 1: lacks the column 'passage_id'"),
    (strays, f"{STRAY}, line 3: holds facts of council-minutes-2015, which belong in {FACTS}"),
    (strays, f"{STRAY}, line 10: holds facts of a source that sources.tsv lacks: stray"),
    (replaced(FACTS, '"at": 1', '"at": 2'), f"{FACTS}: differs from the text of source"),
    (both(without_texts, replaced(FACTS, '"at": 1', '"at": 0')), 
     f"{FACTS}, line 4: source 'council-minutes-2015': passage"),
    (replaced(TEXT, "e", "a"), f"{TEXT}: has the digest"),
    (replaced(CONFIG, "coders: [majority, any", "coders: [majority, eve"),
     f"{CONFIG}: robustness.coders: unknown rule or coder 'eve'"),
    (replaced(CONFIG, "case_study: resident", "case_study: president"), "case_study: unknown"),
    (replaced(CONFIG, '"~ group"', '"~ grup"'), "unknown column 'grup'. Did you mean 'group'?"),
    (replaced(CONFIG, "codes: [cost, fairness]}", "codes: [kost]}"),
     f"{CONFIG}: regression.models.group.codes: unknown code 'kost'. Known: any-frame"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), TABLES, ids=[said[:60] for _, said in TABLES])
def test_broken_tables_are_named_with_row_and_remedy(project, capsys, spoil, said):
    spoil(project)
    status, errors = check(project, capsys)
    assert status == 1
    assert said in errors
    assert all(line.endswith((".", "?")) for line in errors.splitlines())


# --- files -----------------------------------------------------------------------------------


def with_mark(data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data


def with_crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


def in_latin_1(data: bytes) -> bytes:
    return data.replace(b"e", b"\xe9", 1)


@pytest.mark.parametrize("path", [CONFIG, CODEBOOK, SOURCES, PASSAGES, SAMPLE, CODERS, CODING,
                                  FACTS, TEXT])  # fmt: skip
def test_every_kind_of_file_must_be_plain_utf8(project, capsys, path):
    plain = (project / path).read_bytes()
    for spoil, said in (
        (with_mark, "line 1: starts with a byte order mark"),
        (with_crlf, "line 1: has carriage returns"),
        (in_latin_1, "is not UTF-8"),
    ):
        (project / path).write_bytes(spoil(plain))
        status, errors = check(project, capsys)
        assert status == 1
        assert any(line.startswith(path) and said in line for line in errors.splitlines())


@pytest.mark.parametrize("path", [CONFIG, CODEBOOK, SOURCES, PASSAGES, SAMPLE, CODERS, CODING,
                                  FACTS])  # fmt: skip
def test_files_that_are_missing_empty_or_no_files(project, capsys, path):
    for spoil in ((lambda file: file.write_bytes(b"")), Path.unlink, Path.mkdir):
        spoil(project / path)
        status = main(["check", "--directory", str(project)])
        assert status == 1
        assert path in capsys.readouterr().err


def test_all_that_is_wrong_is_said_at_once(project, capsys):
    spoilt = [
        (replaced(CONFIG, "inner_folds:", "inner_fold:"), "Did you mean 'inner_folds'?"),
        (replaced(CODEBOOK, "- too much money", "- '(unclosed'"), "cue 'price-words': pattern"),
        (cell(SAMPLE, 3, "stratum", ""), f"{SAMPLE}, line 3"),
        (cell(CODERS, 3, "kind", "robot"), f"{CODERS}, line 3"),
    ]
    for spoil, _ in spoilt:
        spoil(project)
    _, errors = check(project, capsys)
    assert all(said in errors for _, said in spoilt)


def test_codings_and_facts_are_both_checked_where_a_setting_is_wrong(project, capsys):
    edit(project / CONFIG, "case_study: resident", "case_studies: resident")
    cell(CODING, 5, "cost", "3")(project)
    (project / FACTS).write_text("{}\n", encoding="utf-8")
    _, errors = check(project, capsys)
    assert all(path in errors for path in (CONFIG, CODING, FACTS))


# --- configuration and codebook --------------------------------------------------------------

SETTINGS = [
    ("folds: 4\n", "fold: 4\n", "classifier: unknown key 'fold'. Did you mean 'folds'?"),
    ("estimator: diff", "estimater: diff", "inference.headline: unknown key 'estimater'"),
    ("first: 2015, last", "first: 2015, lasts", "periods.0: unknown key 'lasts'"),
    ("group: business", "grop: business", "contrasts.0.a: unknown key 'grop'"),
    ("all: [cost", "al: [cost", "combinations.cost-and-fairness: unknown key 'al'"),
    ("folds: 4\n", "folds: 4.0\n", "classifier.folds: 4.0 is not of type 'integer'"),
    ("C: 1.0", "C: .inf", "classifier.C: inf is not of type 'number'"),
    ("C: 1.0", "C: 2020-13-45", ": is not valid YAML: month must be in 1..12"),
    ("C: 1.0", "C: [", "is not valid YAML"),
    ("C: 1.0", "C: \x07", ": is not valid YAML: the character '\\x07' is not allowed"),
    ("C: 1.0", "C: 1.0\n  C: 2.0", "key 'C' twice"),
    (
        "title: A tram for Ardenport",
        'title: "\\ud800"',
        "project.title: holds the character '\\ud800'",
    ),
    ("residents: Residents", 'residents: "a\\tb"', "groups.residents: is not one line of text"),
    ("residents: Residents", 'residents: " "', "groups.residents: is not one line of text"),
    ("  residents: ", '  "residents\\n": ', "does not match"),
    ("min_words: 12", "min_words: 120", "units: min_words is above max_words"),
    ("cues alone]", "cues along]", "robustness.classifiers: unknown classifier 'cues along'"),
]


@pytest.mark.parametrize(("old", "new", "said"), SETTINGS)
def test_wrong_settings_are_named(project, old, new, said):
    edit(project / CONFIG, old, new)
    with pytest.raises(InputError) as caught:
        load_config(project / CONFIG)
    assert said in str(caught.value)


def bomb() -> str:
    """Return aliases of aliases, which stand for ten to the eleventh values."""
    steps = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(["a0: &a0 [x]", *steps, ""])


def test_yaml_that_would_use_up_the_machine_is_refused(tmp_path):
    path = tmp_path / "config.yaml"
    for text, said in ((bomb(), "aliases stand for too much"), ("[" * 9999, "nested too deeply")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=said):
            load_config(path)


CHAIN = "".join(f"  n{n}: '<n{n - 1}>|<n{n - 1}>'\n" for n in range(1, 30))

PATTERNS = [
    ("'(unclosed'", "", "pattern '(unclosed', character 2: missing )"),
    ("'<nowhere>'", "", "unknown term <nowhere>"),
    ("'x*'", "", "can match nothing at all"),
    ("'(a+)+b'", "", "an ambiguous repetition inside a repetition"),
    ("'(a|aa)+b'", "", "takes too long"),
    ("'((a{1000}){1000}){1000}'", "", "repeats more than 10000 times"),
    ("'a{20000,}'", "", "repeats more than 10000 times"),
    ("'a ..999999999 b'", "", "repeats more than 10000 times"),
    ("'" + "(" * 900 + "a" + ")" * 900 + "'", "", "brackets inside brackets are too deep"),
    ("'" + "a &2 " * 20 + "a'", "", "becomes too long"),
    ("'<n29>'", "  n0: q\n" + CHAIN, "becomes too long once its terms are taken in"),
]


@pytest.mark.parametrize(("pattern", "terms", "said"), PATTERNS, ids=[p[2] for p in PATTERNS])
def test_broken_and_catastrophic_patterns_are_named(project, pattern, terms, said):
    edit(project / CODEBOOK, "      - too much money", f"      - {pattern}")
    edit(project / CODEBOOK, "\nterms:\n", f"\nterms:\n{terms}")
    with pytest.raises(InputError) as caught:
        load_codebook(project / CODEBOOK)
    mine = [str(problem) for problem in caught.value.problems if "'price-words'" in str(problem)]
    assert len(mine) == 1
    assert said in mine[0]
    assert len(mine[0]) < 400


# --- derived facts ---------------------------------------------------------------------------


def first(change: dict[str, object]) -> Callable[[dict], object]:
    return lambda facts: facts["passages"][0].update(change)


def count(word: str, number: object) -> Callable[[dict], object]:
    return lambda facts: facts["passages"][0]["counts"].update({word: number})


def turned(facts: dict) -> None:
    facts["passages"][0]["counts"] = dict(reversed(facts["passages"][0]["counts"].items()))


DEFECTS: list[tuple[Callable[[dict], object], str]] = [
    (lambda f: f.update(source_id=""), "is no line on cues or a source"),
    (lambda f: f.update(characters="9"), "characters is '9'"),
    (lambda f: f.update(text_sha256="x"), "text_sha256 is no SHA-256"),
    (lambda f: f["passages"].__setitem__(0, [1]), ", line 4: is no line of facts"),
    (first({"text": "Some prose."}), ", line 4: source 'council-minutes-2015': is not a passage"),
    (first({"passage_id": 1}), ", line 4: source 'council-minutes-2015': is not a passage"),
    (first({"start": 60.0}), "start is 60.0, not a whole number"),
    (first({"end": 9999}), "runs from 60 to 9999, the text has 1550 characters"),
    (first({"sha256": "x"}), "sha256 is no SHA-256"),
    (first({"counts": ["a"]}), "counts is not a table"),
    (first({"hits": None}), "hits is not a table"),
    (first({"hits": {"unknown/1": 1}}), "has hits of 'unknown/1', whose cue is not among the cues"),
    (first({"hits": {"unknown": 1}}), "has hits of 'unknown', which names no cue and pattern"),
    (first({"words": 500}), "too few for its words and hits"),
    (count("the", -1), "counts of 'the' is -1"),
    (count("the", 0), "counts of 'the' is 0"),
    (count("the", 2.0), "counts of 'the' is 2.0"),
    (count("the", True), "counts of 'the' is True"),
    (count("the", "2"), "counts of 'the' is '2'"),
    (count("the", 900), "too few for its words and hits"),
    (count("~ two words", 1), "counts '~ two words', which is not a word"),
    (turned, "counts are not in alphabetical order"),
    (lambda f: f["passages"].append(f["passages"][0]), "has a passage twice"),
    (lambda f: f["passages"].reverse(), "is not as `framing derive` writes it"),
]


@pytest.mark.parametrize(("change", "said"), DEFECTS)
def test_derived_facts_of_another_shape_are_named(mini, tmp_path, change, said):
    facts = copy.deepcopy(read_facts("council-minutes-2015", mini))
    change(facts)
    shard, path = Shard(), tmp_path / Path(FACTS).name
    shard.put(facts)
    path.write_text(shard.text(), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        facts_in(read_shard(path), "council-minutes-2015", path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text[:3500], "is cut off: its last line has no end"),
        (lambda text: "", "is cut off"),
        (lambda text: "[" * 99_999 + "\n", "line 1: does not begin as a file of format"),
        (lambda text: text.replace("words/1", "words/0"), "line 1: does not begin as a file of"),
        (lambda text: text.replace('{"cues"', '{"other"'), "line 2: is no line on cues"),
        (lambda text: text.replace('"digests": {', '"digests": {"a": "b", '), "tells other cues"),
        (lambda text: text.replace('"cues": "', '"cues": "0', 2), "line 2: is no line on cues"),
        (lambda text: text.replace('"digests": {', '"digests": {,', 1), "tells other cues as"),
        (lambda text: cues_renamed(text), "line 3: does not tell the cues '01234567'"),
        (lambda text: text.replace("1550", "9" * 5000), "line 3: is no line of facts"),
        (lambda text: text.replace('"characters"', '"letters"'), "line 3: source .* does not beg"),
        (lambda text: lines_dropped(text, -1), "has 5 lines of passages, not 6"),
        (
            lambda text: text + text[text.index('{"source_id"') :],
            "line 10: has the source .* twice",
        ),
        (lambda text: text.replace('"4": 1', '"4": 2, "4": 1'), "is not as `framing derive`"),
        (lambda text: text.replace('"start": ', '"start":  '), "is not as `framing derive`"),
        (lambda text: text + "\n", "line 10: is no line of facts"),
    ],
)
def test_derived_facts_that_are_cut_off_or_doubled(mini, tmp_path, spoil, said):
    path = tmp_path / Path(FACTS).name
    path.write_text(spoil((mini / FACTS).read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        facts_in(read_shard(path), "council-minutes-2015", path)


def cues_renamed(text: str) -> str:
    head, cues, *rest = text.splitlines(keepends=True)
    return head + cues + re.sub('"cues": "[0-9a-f]{8}"', '"cues": "01234567"', "".join(rest))


def lines_dropped(text: str, end: int) -> str:
    return "".join(text.splitlines(keepends=True)[:end])


def new_cue(project: Path) -> None:
    edit(
        project / CODEBOOK,
        "\ncues:\n",
        "\ncues:\n  - {name: quite-new, description: New, for: [cost], pattern: quite new}\n",
    )


def test_a_changed_cue_names_the_sources_that_are_stale_and_whose_text_is_absent(project, capsys):
    (project / TEXT).unlink()
    new_cue(project)
    edit(project / CODEBOOK, "too much money", "far too much money")
    _, errors = check(project, capsys)
    assert "the derived facts of 16 sources (resident-ferrier-2015, " in errors
    assert "are stale: 2 cues (price-words, quite-new) changed" in errors
    assert "the text is absent of 1 source (council-minutes-2015). Run `framing derive`" in errors


def test_derive_brings_facts_up_to_date_and_leaves_frozen_passages(project, capsys):
    before = (project / PASSAGES).read_bytes()
    facts = contents(project / "corpus" / "derived")
    for number, path in enumerate(sorted((project / "corpus" / "derived").glob("*.jsonl"))):
        path.unlink() if number else path.write_bytes(b"\xff")
    assert main(["derive", "--directory", str(project)]) == 0
    assert contents(project / "corpus" / "derived") == facts
    assert (project / PASSAGES).read_bytes() == before
    assert check(project, capsys)[0] == 0


def test_derive_cuts_texts_without_passages_as_they_were_cut_before(project):
    """The example's passages are paragraphs: freeing one source's must give them back."""
    path = project / PASSAGES
    table = rows(path)
    chosen = table[1][1]
    freed = [row for row in table if row[1] == chosen]
    write_rows(path, [row for row in table if row[1] != chosen])
    assert main(["derive", "--directory", str(project)]) == 0
    assert [row for row in rows(path) if row[1] == chosen] == freed


def test_derive_names_the_row_of_a_passage_that_lies_outside_its_text(project, capsys):
    cell(PASSAGES, LAST, "end", "99999")(project)
    assert main(["derive", "--directory", str(project)]) == 1
    errors = capsys.readouterr().err
    assert f"{PASSAGES}, line {LAST}: passage 35a24cf987 of source council-minutes" in errors
    assert "ends at 99999" in errors


# --- through the whole workflow --------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (replaced(CONFIG, "inner_folds:", "inner_fold:"), "Did you mean 'inner_folds'?"),
        (cell(CODING, 5, "cost", "3"), f"{CODING}, line 5: passage '92d881295e' has cost '3'"),
        (both(without_texts, new_cue), "None of these texts is at hand"),
    ],
    ids=["before the first job", "in the first job", "in derived facts"],
)
def test_bad_input_stops_a_run_before_any_result_is_touched(mini, project, run, spoil, said):
    shutil.copytree(mini / "results", project / "results")
    spoil(project)
    before = contents(project / "corpus") | contents(project / "results")
    done = run(project)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert contents(project / "corpus") | contents(project / "results") == before


@pytest.fixture
def odd(project: Path) -> Path:
    """Return a project that is in order but poor.

    One coder only, a code that nobody found, a group and a period without sources, and a source
    without passages.
    """
    first_coder = rows(project / CODERS)[1][0]
    write_rows(project / CODERS, rows(project / CODERS)[:2])
    for path in (project / "corpus" / "codings").glob("*.tsv"):
        if path.stem != first_coder:
            path.unlink()
    path = project / "corpus" / "codings" / f"{first_coder}.tsv"
    codings = rows(path)
    for row in codings[1:]:
        row[2] = "0"
    write_rows(path, codings)
    edit(project / CONFIG, "groups:\n", "groups:\n  nobody: Nobody at all\n")
    edit(project / CONFIG, "periods:\n", "periods:\n  - {id: long-ago, first: 1500, last: 1599}\n")
    text = "Too short.\n"
    (project / "corpus" / "texts" / "silent.txt").write_text(text, encoding="utf-8", newline="\n")
    table = rows(project / SOURCES)
    write_rows(project / SOURCES, [*table, ["silent", *table[1][1:-1], sha256(text)]])
    assert main(["derive", "--directory", str(project)]) == 0
    return project


def test_empty_cells_are_marked_and_nothing_crashes(odd, run):
    done = run(odd)
    assert done.returncode == 0, done.stdout + done.stderr
    tables = odd / "results" / "tables"

    def read(name):
        return pd.read_csv(tables / f"{name}.csv", keep_default_na=False, dtype=str)

    prevalence = read("T4-prevalence")
    empty = prevalence[prevalence["group"] == "nobody"]
    assert len(empty)
    assert (empty["status"] != "").all()
    assert (empty["estimate"] == "").all()
    trend = read("T5-trend")
    assert (trend.loc[trend["period"] == "long-ago", "status"] != "").all()
    agreement = read("T2-agreement")
    among = agreement[agreement["comparison"].isin(["all coders", "pair of coders"])]
    assert (among["alpha"] == "").all()
    assert (among["status"] != "").all()
    code = next(iter(yaml.safe_load((odd / CODEBOOK).read_text(encoding="utf-8"))["codes"]))
    quality = read("T3-classifier")
    own = quality[quality["code"] == code]
    assert (own["average_precision"] == "").all()
    assert (own["status"] != "").all()
    labels = prevalence[(prevalence["code"] == code) & (prevalence["estimator"] == "labels only")
                        & (prevalence["group"] == "all")]  # fmt: skip
    assert (labels["estimate"].astype(float) == 0).all()
    assert (labels["ci_high"].astype(float) > 0).all()
    for path in tables.glob("*.csv"):
        assert not re.search(r"(?mi)(^|,)nan(,|$)", path.read_text(encoding="utf-8"))
