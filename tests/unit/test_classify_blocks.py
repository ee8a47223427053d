"""Passages coded by blocks: the same numbers as one by one, in one process or in several."""

from __future__ import annotations

import csv
import io
import json
from contextlib import chdir, closing
from dataclasses import replace
from itertools import chain, count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.classifier import blocks as module
from framing.classifier.apply import Instrument, code_text, load_instrument
from framing.classifier.blocks import BlockCoder
from framing.classifier.features import stem
from framing.classifier.model_file import predictions, read_model
from framing.classifier.processes import coded_by
from framing.classifier.rounding import unsure
from framing.cli import classify
from framing.cli.classify import SeenIds, code_rows
from framing.cli.formats import Row
from framing.codebook import cues
from framing.common.problems import InputError
from tests.unit.test_classify import FIRST, SECOND, command, make_project, rows_of
from tests.unit.test_levels_commands import make_levels_project

ODD = [
    "", " ", "...", "1,300 and 5.3, or 5\u2032 3",
    "don\u2019t \u2018do\u2019 it\u02bcs a\u201bb a\u201ab",
    "\u039f\u0394\u039f\u03a3 \u03a3 \u039f\u0394\u039f\u03a3.\u0391",
    "\u0130stanbul \u0131", "e\u0301t\u00e9 na\u00efve",
    "\u0378\ua7cb", "tunnel " * 128, "under_score a_1", "a\x00b\x1cc\x85d",
    "\u00a0euros\u2014cost\u2013",
    "word" * 50, "The Old Bridge. It must be kept! Costs 5 euros; \u20ac 7.",
]  # fmt: skip
WORDS = st.sampled_from(
    ["tunnel", "costs", "euros", "million", "fair", "everybody", "old", "bridge", "town", "kept",
     "the", "of", "river", "bank", "asked", "should", "unfair", "zyx", "Saint", "1,300", "not"]
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(WORDS, WORDS, st.sampled_from(["\u2019s", ".", ". And", ",", "-", "\u2014", *ODD])),
    max_size=60,
).map(" ".join)


@pytest.fixture(scope="module", params=["yes-no", "levels"])
def instrument(request, tmp_path_factory) -> Instrument:
    make = make_project if request.param == "yes-no" else make_levels_project
    with chdir(make(tmp_path_factory.mktemp("blocks") / "project")):
        return load_instrument()


def without_parts(said):
    return {code: replace(one, parts=()) for code, one in said.items()}


def alone(instrument, texts):
    return [without_parts(code_text(instrument, text)) for text in texts]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXTS, max_size=8))
def test_numbers_are_those_of_one_passage_at_a_time(instrument, texts):
    found = BlockCoder(instrument).code([*texts, *ODD, FIRST, SECOND])
    assert list(map(without_parts, found)) == alone(instrument, [*texts, *ODD, FIRST, SECOND])


def test_what_hangs_on_last_bits_is_coded_again(instrument, monkeypatch):
    coder, again = BlockCoder(instrument), []
    monkeypatch.setattr(module, "code_text", lambda _, text: again.append(text) or {})
    known = next(iter(instrument.models.values()))["words"]
    word = next(word for word in sorted(known) if word.isalpha() and stem(word) == word)
    text = "zyx " * 127 + word  # 1 - 1/128 lies between two printed numbers
    coder.code([FIRST, text, SECOND])
    assert again == [text]


def test_doubt_is_for_what_lies_between_two_printed_numbers():
    values = np.array([0.0000005, 0.1234565000000001, 0.123456, 0.12345649, -0.0000015, np.nan])
    assert unsure(values).tolist() == [True, True, False, False, True, True]


def test_extreme_scores_are_answered_without_a_word(instrument):
    model = next(iter(instrument.models.values()))
    zero = np.zeros(2)
    with np.errstate(all="raise", under="ignore"):
        found, _ = predictions(model, np.array([[1e6], [-1e6]]), zero, zero)
    assert {one.probability for one in found} == {0.0, 1.0}


def test_a_cue_that_takes_too_long_is_a_problem_of_its_text_alone(instrument, monkeypatch):
    plain = BlockCoder(instrument).code([FIRST])
    spans = module.spans_in

    def slow(compiled, folded, sentences):
        if "never" in folded:
            raise InputError(cues.cue_problem("book", "some-cue", "takes too long"))
        return spans(compiled, folded, sentences)

    monkeypatch.setattr(module, "spans_in", slow)
    found = BlockCoder(instrument).code(["never", FIRST])
    assert isinstance(found[0], InputError)
    assert found[1:] == plain
    assert BlockCoder(instrument).code([]) == []


def test_what_was_seen_is_not_remembered_for_ever(instrument, monkeypatch):
    monkeypatch.setattr(module, "CHUNKS", 20)
    coder, number = BlockCoder(instrument), count()
    texts = [[f"w{next(number)}x tunnel" for _ in range(15)] for _ in range(20)]
    found = [one for block in texts for one in coder.code(block)]
    assert stem.cache_info().currsize <= 40
    assert list(map(without_parts, found)) == alone(instrument, chain(*texts))


def test_constant_models_stand_beside_others(instrument):
    for code, model in instrument.models.items():
        levels = len(model.get("levels", ()))
        constant = {**model, "constant": [1 / levels] * levels if levels else 0.25}
        mixed = replace(instrument, models={**instrument.models, code: constant})
        assert list(map(without_parts, BlockCoder(mixed).code([FIRST]))) == alone(mixed, [FIRST])
        only = replace(instrument, models={code: constant})
        assert BlockCoder(only).code([FIRST]) == [code_text(only, FIRST)]


# --- tables ---------------------------------------------------------------------------------------


def table(rows):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["id", "text"], *rows])
    return stream.getvalue().encode()


def broken(rows):
    """Return a table of which every hundredth row is broken, and the numbers of these."""
    lines, bad = [b"id,text\n"], []
    for number in range(1, rows + 1):
        if number % 100 == 7:
            bad.append(number)
            lines.append(
                [b"%d,\n", b"%d,a\xff\n", b"%d,a,b\n", b'%d,"a"b\n'][len(bad) % 4] % number
            )
        else:
            lines.append(f'{number},"{[FIRST, SECOND][number % 2]} {number}"\n'.encode())
    return b"".join(lines), bad


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_table_with_broken_rows(tmp_path, monkeypatch, capsys, jobs):
    project = make_project(tmp_path / "project")
    data, bad = broken(700)
    (tmp_path / "in.csv").write_bytes(data)
    monkeypatch.setattr(classify, "_BLOCK", 64)
    options = ["in.csv", "-o", "out.csv", "--jobs", str(jobs)]
    assert command(classify, project, *options, here=tmp_path) == 0
    rows = rows_of((tmp_path / "out.csv").read_bytes())
    said = capsys.readouterr().err
    assert [n for n, row in enumerate(rows, 1) if row["problem"]] == bad
    assert f"{len(bad)} rows with problems" in said
    assert f"coded {700 - len(bad)} of 700 rows" in said
    with chdir(project):
        instrument = load_instrument()
    for number in (1, 2, 64, 65, 699, 700):
        one = code_text(instrument, rows[number - 1]["text"])["cost"]
        assert rows[number - 1]["cost_probability"] == f"{one.probability:.6f}"
        assert rows[number - 1]["cost"] == str(one.decision)


def test_blocks_are_filled_by_rows_or_by_signs(monkeypatch):
    monkeypatch.setattr(classify, "_BLOCK", 3)
    monkeypatch.setattr(classify, "_BLOCK_SIGNS", 10)
    sizes = []

    def code(blocks):
        for block in blocks:
            sizes.append(len(block))
            yield [{} for _ in block]

    texts = ["a", "b", "c", "d", "", "e", "x" * 10, "f", "x" * 9, None, "g"]
    with closing(SeenIds()) as seen:
        rows = list(code_rows(code, (Row(n, n, n, t) for n, t in enumerate(texts)), seen))
    assert sizes == [3, 2, 1, 2, 1]
    assert [row.row.text for row in rows] == texts
    assert [row.row.number for row in rows if row.problem] == [4, 9]


@pytest.mark.slow
def test_a_process_that_is_killed_is_an_error_with_a_remedy(tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    monkeypatch.setattr("framing.classifier.processes._code", _end)
    with chdir(project), pytest.raises(InputError, match="lost one of its processes"):
        list(coded_by(2)([["a"], ["b"]]))


def _end(block):
    import os

    os._exit(1)


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "65", "1.5"])
def test_a_number_of_processes_that_is_none(tmp_path, capsys, jobs):
    with pytest.raises(SystemExit):
        command(classify, tmp_path, "a.csv", "-o", "b.csv", "--jobs", jobs)
    assert "is no whole number from 1 to 64" in capsys.readouterr().err


def test_models_are_read_as_they_are_written(tmp_path):
    """The rows of terms hold what the stored model says."""
    project = make_project(tmp_path / "project")
    model = read_model(project / "results/models/cost.json")
    terms = module._Terms(json.loads(json.dumps(model)))
    word = next(iter(model["words"]))
    entry = model["words"][word]
    row = terms.row(word)
    assert row[1] == 1.0 and row[4] == entry["idf"] * entry["weight"]
    assert terms.row("no such term") == [0.0] * terms.width
    assert Path(project / "results/models/cost.json").is_file()
