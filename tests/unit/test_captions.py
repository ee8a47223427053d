"""Titles, captions, notes and column descriptions: complete, filled, and checked when read."""

from __future__ import annotations

import shutil
from copy import deepcopy
from dataclasses import replace
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from framing.coding.variables import yes_no_variables
from framing.common.problems import InputError
from framing.tables import jobs
from framing.tables.captions import edition, plain
from framing.tables.inputs import Inputs
from framing.tables.jobs import check_jobs, job_files, resolve, steps
from framing.tables.specs import FOLDER, Making, spec_files
from tests.unit.output_samples import context, tables
from tests.unit.words_read import load_specs


@cache
def written() -> dict[str, Any]:
    """Return what the files of words and tables hold, by name, read once."""
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in spec_files()}


def broken(tmp_path: Path, change) -> Path:
    """Return a folder of words and tables that ``change`` was made to, by name of the file."""
    data = deepcopy(written())
    change(data)
    for path in spec_files():
        target = tmp_path / path.relative_to(FOLDER)
        target.parent.mkdir(exist_ok=True)
        if data[path.stem] == written()[path.stem]:
            shutil.copy(path, target)
            continue
        text = yaml.safe_dump(data[path.stem], allow_unicode=True, sort_keys=False)
        target.write_text(text, encoding="utf-8")
    return tmp_path


def test_every_column_of_every_table_is_described_in_order():
    specs = load_specs()
    frames = tables()
    assert list(specs.tables) == list(frames)
    for name, frame in frames.items():
        assert list(specs.tables[name].columns) == list(frame.columns)


def test_all_placeholders_are_filled():
    words = edition(load_specs(), context())
    texts = [words.standing]
    for table in words.specs.tables.values():
        texts += [table.title, table.caption, table.note]
    for figure in words.specs.figures.values():
        texts += [figure.title, figure.caption, figure.alt]
    assert not [text for text in texts if "{" in text or "}" in text]
    assert "difference" in words.specs.tables["T5-trend"].caption


def test_figures_of_quality_say_on_which_passages_and_that_read_ones_are_optimistic():
    named = ["T11-errors", "T13-ablations", "T14-learning", "T15-calibration"]
    for n_unread, words in ((120, "unread passages"), (0, "read passages (optimistic)")):
        specs = edition(load_specs(), context(n_unread=n_unread)).specs
        told = [specs.tables[name].caption for name in named]
        told += [specs.figures[name].caption for name in ("learning", "calibration")]
        assert all(words in caption for caption in told)
        assert n_unread == 0 or not any("optimistic" in caption for caption in told)


def test_phrases_within_sentences_begin_as_they_are_written():
    words = edition(load_specs(), context())
    phrases = words.specs.phrases
    assert phrases["brackets"]["coders"] == "whoever codes"
    assert phrases["reading"]["mixed"].startswith("180 of the 300 coded passages are read")
    assert "{code}" in phrases["warnings"]["tied"]  # filled where a warning is due


def test_standing_note_says_n_machine_coders_and_digests():
    words = edition(load_specs(), context())
    assert "N = 1,850 passages from 40 sources" in words.standing
    assert "three machine coders" in words.standing
    assert "not people" in words.standing
    digest = context()["digests"]["corpus"]
    assert f"corpus {digest[:12]}" in words.standing
    assert digest not in words.standing


def test_agreement_of_runs_of_one_model_is_called_stability():
    specs = load_specs()
    for shown, other in (("stability", "reliability"), ("reliability", "stability")):
        words = edition(specs, context(agreement_shows=shown)).specs
        captions = [words.figures["agreement"].caption] + [
            f"{words.tables[name].title} {words.tables[name].caption} {words.tables[name].note}"
            for name in ("T2-agreement", "T17-disagreements", "T18-coder-shares")
        ]
        for caption in captions:
            assert shown in caption.lower()
            without = caption.replace(words.phrases["stability"], "")
            assert other not in without.lower()
    assert (
        "mistake"
        in edition(specs, context(agreement_shows="stability")).specs.figures["agreement"].caption
    )


def test_human_coders_are_not_called_machines():
    words = edition(load_specs(), context(machine_coders=False, coders="two human coders"))
    assert "two human coders" in words.standing
    assert "achine" not in words.standing


def test_braces_in_a_title_are_left_alone():
    words = edition(load_specs(), context(case_study={"source_id": "x", "title": "A {coders} B"}))
    assert "A {coders} B" in words.specs.figures["essay"].caption


def test_years_are_joined_by_a_dash_and_other_ids_are_not():
    words = edition(load_specs(), context(periods=["1988-1999", "mid-war", "undated"]))
    assert [words.label("period", period) for period in words.context["periods"]] == [
        "1988–1999", "mid-war", "undated",
    ]  # fmt: skip


def test_what_is_led_with_is_said_in_few_words():
    words = edition(load_specs(), context())
    for part in ("95 %", "corrected", "“difference”", "“texts like these”"):
        assert part in words.specs.phrases["answer"]
    assert words.brief("target", "corpus") == "exactly the passages collected"
    assert words.brief("vote", "for") == "for"  # has none: its label


def test_ids_without_a_label_are_shown_as_they_are():
    words = edition(load_specs(), context())
    assert words.label("group", "council") == "Council"
    assert words.label("group", "unheard-of") == "unheard-of"
    assert words.label("group", "all") == "All groups"


@pytest.mark.slow
def test_every_defect_of_the_file_is_told_at_once(tmp_path):
    def change(data):
        data["T1-corpus"]["note"] = "From {sources_n}."
        data["T2-agreement"]["print"]["columns"].append("omega")
        data["T2-agreement"]["print"]["lead"] = {"pair": "all"}
        data["T3-classifier"]["columns"]["code"]["vocabulary"] = "codes"
        data["T5-trend"]["section"] = "nowhere"

    path = broken(tmp_path, change)
    with pytest.raises(InputError) as caught:
        load_specs(path)
    message = str(caught.value)
    assert len(caught.value.problems) == 5
    for part in ("'sources_n'", "'omega'", "'pair'", "'codes'", "'nowhere'"):
        assert part in message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data["T1-corpus"].update(nots="x"), "nots"),
        (lambda data: data["T1-corpus"]["columns"]["words"].update(kind="float"), "kind"),
        (lambda data: data["words"]["phrases"].update(n="N = {n_passages"), "phrases.n"),
    ],
)
def test_wrong_form_is_an_input_error(tmp_path, change, said):
    with pytest.raises(InputError, match=said):
        load_specs(broken(tmp_path, change))


def test_plain_text_has_no_controls_or_direction_marks():
    assert plain("a\u202eb\x00c\n d\u200f\t e") == "abc d e"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data["T1-corpus"].update(job="nobody"), "unknown job 'nobody'"),
        (lambda data: data["T1-corpus"].update(inputs=["pages"]), "unknown input 'pages'"),
        (lambda data: data["T3-classifier"]["completed"].update(job="x"), "unknown job 'x'"),
    ],
)
def test_a_table_of_an_unknown_job_or_from_unknown_data_is_refused(tmp_path, change, said):
    specs = load_specs(broken(tmp_path, change))
    with pytest.raises(InputError, match=said):
        check_jobs(specs)


def test_every_table_names_a_function_and_parameters_that_it_has():
    for spec in load_specs().tables.values():
        for making in filter(None, (spec.making, spec.completed)):
            signature(resolve(making.build)).bind(**making.inputs)
    for figure in load_specs().figures.values():
        assert callable(resolve(figure.draw))


def test_a_table_is_made_after_those_it_is_made_from_and_completed_by_another_job():
    specs = load_specs()
    order = [step.table for step in steps(specs, "robustness")]
    assert order == ["T16-specifications", "T9-robustness"]
    (begun,) = [step for step in steps(specs, "regression") if step.table == "T10-regression"]
    (ended,) = [step for step in steps(specs, "describe") if step.table == "T10-regression"]
    assert (begun.path, begun.whole) == ("build/sampled/T10-regression.csv", False)
    assert (ended.path, ended.whole) == ("results/tables/T10-regression.csv", True)
    assert job_files(specs, "describe")["T10_regression"] == begun.path


def test_a_function_is_given_its_inputs_and_the_declared_settings_alone(monkeypatch):
    given = Inputs({}, {"groups": {"a": "A"}, "undated": "x"}, ["cost"])
    given.tables |= {"T1-corpus": pd.DataFrame({"n": [1]}), "variables": yes_no_variables(["cost"])}
    making = Making("describe", "m:f", {"config": "config", "codes": "codes", "t": "T1-corpus"},
                    ("groups",))  # fmt: skip
    seen = []
    monkeypatch.setattr(jobs, "resolve", lambda build: lambda **named: seen.append(named))
    jobs.make(jobs.Step("T9-x", making, "x.csv", whole=True), given)
    (named,) = seen
    assert named.pop("t")["n"].tolist() == [1]
    assert named == {"config": {"groups": {"a": "A"}}, "codes": ["cost"]}


def test_a_table_made_from_one_of_another_job_reads_it_whole():
    specs = load_specs()
    gain = specs.tables["T21-gain"]
    inputs = {"passages": "passages", "told": "T18-coder-shares", "grown": "T10-regression"}
    later = replace(gain, id="T99-later", making=Making("describe", gain.making.build, inputs))
    files = job_files(replace(specs, tables={**specs.tables, "T99-later": later}), "describe")
    assert files["T18_coder_shares"] == "results/tables/T18-coder-shares.csv"
    # That one waits for this very job, which completes it first.
    assert files["T10_regression"] == "build/sampled/T10-regression.csv"
