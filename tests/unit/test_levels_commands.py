"""``framing classify`` and ``framing explain`` where codes have several levels."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
from contextlib import chdir
from pathlib import Path

import pandas as pd
import pytest

from framing.classifier.apply import code_text, load_instrument
from framing.classifier.model_file import model_text, with_digest
from framing.classifier.stored import explain
from framing.classifier.training import train_code
from framing.cli import classify
from framing.cli import explain as explain_command
from framing.cli.explain import passage_of_text
from framing.common.files import write_text
from framing.common.problems import InputError
from framing.report.explanation import html_page, marked
from tests.levels_project import LEVELS, STANCE, STRENGTH, with_levels
from tests.unit.test_classify import MINI, command, mini_tables
from tests.unit.test_explain import SPOKEN, Page

TEXT = "The façade of the old town must be kept as it was, with its arcades."
OTHER = "The second tunnel would swallow eleven million more, said the auditor."
NAMES = {code: [f"{code}.{level}" for level in levels] for code, levels in LEVELS.items()}
ADDED = [
    name
    for code in LEVELS
    for name in (*(f"{one}_probability" for one in NAMES[code]), code)
]  # fmt: skip


def make_levels_project(folder: Path) -> Path:
    """Make a project with a three-way and an ordinal code, its models trained."""
    for part in ("config", "corpus"):
        shutil.copytree(MINI / part, folder / part)
    with_levels(folder)
    project, tables = mini_tables(folder)
    for code in project.codebook.codes:
        model = train_code(code, tables, project.config["classifier"])[1]
        write_text(folder / "results" / "models" / f"{code}.json", model_text(model))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return make_levels_project(tmp_path_factory.mktemp("levels") / "project")


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """Return a project that a test may change."""
    return shutil.copytree(made, tmp_path / "own")


@pytest.fixture(scope="module")
def instrument(made):
    with chdir(made):
        return load_instrument()


def coded(project: Path, tmp_path: Path, name: str, data: bytes) -> bytes:
    (tmp_path / name).write_bytes(data)
    out = f"out{Path(name).suffix}"
    assert command(classify, project, name, "--output", out, here=tmp_path) == 0
    return (tmp_path / out).read_bytes()


# --- classify -------------------------------------------------------------------------------------

ROWS = f'id,text\n1,"{TEXT}"\n2,"{OTHER}"\n3,\n'.encode()


def test_a_table_gets_a_probability_a_level_and_the_level(made, instrument, tmp_path, capsys):
    found = list(csv.DictReader(io.StringIO(coded(made, tmp_path, "in.csv", ROWS).decode())))
    assert list(found[0]) == [
        "id", "text", "cost_probability", "cost", "fairness_probability", "fairness",
        "heritage_probability", "heritage", *ADDED, "unfamiliar", "problem",
    ]  # fmt: skip
    for row in found[:2]:
        said = code_text(instrument, row["text"])
        for code, names in NAMES.items():
            chances = [float(row[f"{name}_probability"]) for name in names]
            assert chances == list(said[code].probabilities)
            assert sum(chances) == pytest.approx(1, abs=2e-6)
            assert row[code] == LEVELS[code][chances.index(max(chances))]
        assert row["cost"] == str(said["cost"].decision)
    assert all(found[2][name] == "" for name in ADDED)
    assert (found[0]["stance"], found[1]["stance"]) == ("for", "against")
    told = capsys.readouterr().err
    for name, number in {"for": 1, "against": 1, "neutral": 0}.items():
        assert f"  stance.{name}: {number}\n" in told


def test_levels_are_texts_in_other_formats_too(made, tmp_path):
    rows = list(csv.DictReader(io.StringIO(ROWS.decode())))
    lines = "\n".join(map(json.dumps, rows)).encode()
    found = [json.loads(line) for line in coded(made, tmp_path, "in.jsonl", lines).splitlines()]
    table = coded(made, tmp_path, "again.csv", ROWS).decode()
    plain = pd.read_csv(io.StringIO(table), dtype=str, keep_default_na=False).to_dict("records")
    for row, other in zip(found, plain, strict=True):
        assert (row[STANCE] or "", row[STRENGTH] or "") == (other[STANCE], other[STRENGTH])
        for name in NAMES[STANCE]:
            given = other[f"{name}_probability"]
            assert row[f"{name}_probability"] == (float(given) if given else None)
    assert isinstance(found[0][STRENGTH], str)
    pytest.importorskip("pyarrow")
    pd.DataFrame(rows).to_parquet(tmp_path / "in.parquet")
    coded(made, tmp_path, "in.parquet", (tmp_path / "in.parquet").read_bytes())
    kept = pd.read_parquet(tmp_path / "out.parquet")
    assert kept[STRENGTH].iloc[:2].tolist() == [row[STRENGTH] for row in found[:2]]
    assert kept[STANCE].isna().tolist() == [False, False, True]
    assert kept["stance.for_probability"].dtype == float


def test_a_table_that_has_a_column_of_the_code_is_refused(made, tmp_path):
    for name in ("stance", "stance.for_probability"):
        (tmp_path / "in.csv").write_text(f"id,text,{name}\n1,a,b\n", encoding="utf-8")
        with pytest.raises(InputError, match=f"has a column '{name}', which coding would add"):
            command(classify, made, "in.csv", "-o", "out.csv", here=tmp_path)


def test_a_model_of_other_levels_is_stale(own):
    book = own / "corpus" / "codebook" / "codebook.yaml"
    text = book.read_text(encoding="utf-8")
    for old, new in (("level: neutral", "level: neither"), ("- neutral\n", "- neither\n")):
        assert old in text
        text = text.replace(old, new)
    book.write_text(text, encoding="utf-8")
    with (
        chdir(own),
        pytest.raises(
            InputError, match=r"stance\.json: was trained with another codebook.*neither"
        ),
    ):
        load_instrument()


def test_a_model_of_a_yes_no_code_is_stale_where_the_code_has_levels(own):
    models = own / "results" / "models"
    data = json.loads((models / "cost.json").read_text(encoding="utf-8"))
    data.pop("digest")
    write_text(models / "stance.json", model_text(with_digest({**data, "code": "stance"})))
    with chdir(own), pytest.raises(InputError, match=r"there it was coded by stance, here by"):
        load_instrument()


# --- explain --------------------------------------------------------------------------------------


def explained(instrument, text, code=STANCE, top=3, by_level=True):
    passage = passage_of_text(instrument, text)
    model = instrument.models[code]
    found = explain(
        model, passage.counts, passage.hits, instrument.codebook, top, by_level=by_level
    )
    return passage, found


@pytest.mark.parametrize("code", list(LEVELS))
@pytest.mark.parametrize("text", [TEXT, OTHER, "Hello to all of you, and to us."])
@pytest.mark.parametrize("top", [0, 2, 50])
def test_what_is_shown_adds_up_to_the_ratio_of_two_probabilities(instrument, code, text, top):
    _, one = explained(instrument, text, code, top)
    assert one.probabilities == code_text(instrument, text)[code].probabilities
    ranked = sorted(one.probabilities, reverse=True)
    assert [one.probabilities[n] for n in (one.decision, one.next)] == ranked[:2]
    assert math.fsum(row.amount for row in one.evidence) == pytest.approx(one.score)
    ratio = math.exp(one.slope * one.score + one.offset)
    assert ratio == pytest.approx(ranked[0] / ranked[1], rel=2e-4)
    # And level by level: each line is the difference of two, and all lines are the scores.
    scores = dict(one.of_levels)
    first, second = (one.levels[n] for n in (one.decision, one.next))
    for row in one.evidence:
        amounts = dict(row.of_levels)
        assert row.amount == pytest.approx(amounts[first] - amounts[second], abs=1e-12)
    for level in one.levels:
        added = math.fsum(dict(row.of_levels)[level] for row in one.evidence)
        assert added == pytest.approx(scores[level], abs=1e-12)


def test_levels_are_not_spelt_out_unless_asked_for(instrument):
    _, one = explained(instrument, TEXT, by_level=False)
    assert not one.of_levels and not any(row.of_levels for row in one.evidence)


def test_a_cue_says_for_which_level_it_is_meant(instrument):
    _, one = explained(instrument, OTHER)
    cues = {row.name: row.note for row in one.evidence if row.kind == "cue"}
    assert cues["sum-of-money"].startswith("1 hit (pattern 3), meant for stance.against: ")
    _, other = explained(instrument, OTHER, STRENGTH)
    cues = {row.name: row.note for row in other.evidence if row.kind == "cue"}
    assert "meant for other codes: " in cues["sum-of-money"]


def said_of(project, tmp_path, capsys, *argv: str) -> str:
    assert command(explain_command, project, *argv, here=tmp_path) == 0
    return " ".join(capsys.readouterr().out.split())


def test_the_lines_name_the_level_the_next_and_what_spoke(made, instrument, tmp_path, capsys):
    _, one = explained(instrument, OTHER)
    plain = said_of(made, tmp_path, capsys, "--text", OTHER, "--code", STANCE)
    chances = dict(zip(one.levels, one.probabilities, strict=True))
    assert (
        f"stance: against, probability {chances['against']:.3f} (for: {chances['for']:.3f}, "
        f"neutral: {chances['neutral']:.3f})"
    ) in plain
    assert "What speaks for 'against' rather than 'neutral', the next:" in plain
    assert "score; probability of 'against' / of 'neutral' = exp(" in plain
    assert "for: +" not in plain and "for: -" not in plain
    spelt = said_of(made, tmp_path, capsys, "--text", OTHER, "--code", STANCE, "--levels")
    scores = ", ".join(f"{name}: {value:+.3f}" for name, value in one.of_levels)
    assert spelt.endswith(scores)
    everything = said_of(made, tmp_path, capsys, "--text", OTHER)
    assert re.findall(r"(\w+): \S+, probability", everything) == [
        "cost", "fairness", "heritage", STANCE, STRENGTH,
    ]  # fmt: skip


def test_what_is_published_of_a_level_is_told_from_what_is_explained(own, tmp_path, capsys):
    scores = own / "build" / "scores.tsv"
    scores.parent.mkdir()
    head = "passage_id\tcode\tlabel\tprobability\tdecision\n"
    rows = [f"{SPOKEN}\tstance.for\t0\t0.300000\t0\n", f"{SPOKEN}\tstance.against\t1\t0.1\t0\n",
            f"{SPOKEN}\tstance.neutral\t0\t0.600000\t1\n"]  # fmt: skip
    scores.write_text(head + "".join(rows), encoding="utf-8")
    plain = said_of(own, tmp_path, capsys, SPOKEN, "--code", STANCE)
    assert (
        "Published: neutral, probability 0.600 (for: 0.300, against: 0.100), from the model of its "
        "source's fold (build/scores.tsv)"
    ) in plain
    assert "Coded against, and the final model has learned from that." in plain
    scores.write_text(head + "".join(rows[:2]), encoding="utf-8")  # of another codebook
    plain = said_of(own, tmp_path, capsys, SPOKEN, "--code", STANCE)
    assert "comes from the model of its source's fold and differs from this one" in plain
    assert "Published: " not in plain


def test_the_page_has_levels_escaped_and_whole(instrument):
    passage, one = explained(instrument, '<b onmouseover="x">The old façade costs millions.')
    descriptions = {cue.name: cue.description for cue in instrument.codebook.cues}
    text = html_page(passage, [one], marked(passage, [one], instrument.models), descriptions)
    page = Page(text)
    assert "b" not in {tag for tag, _ in page.tags}
    assert f"<h2>stance: {one.verdict}</h2>" in text
    assert f"What speaks for '{one.verdict}'" in page.words
    titles = [given["title"] for tag, given in page.tags if tag == "u" and "title" in given]
    assert titles and all(
        title.startswith(f"stance {one.verdict} rather than ") for title in titles
    )


def test_a_constant_model_of_levels_says_why_it_is_one(instrument):
    model = {**instrument.models[STANCE], "constant": [0.1, 0.2, 0.7],
             "reason": "every coded passage has the same level"}  # fmt: skip
    one = explain(model, {"a": 1}, {}, instrument.codebook, 3, by_level=True)
    assert (one.verdict, one.evidence, one.of_levels) == ("neutral", (), ())
    passage = passage_of_text(instrument, "All of us.")
    page = Page(html_page(passage, [one], [], {}))
    assert "Every passage gets these probabilities: every coded passage has" in page.words
    assert "table" not in {tag for tag, _ in page.tags}
    assert "What speaks" not in page.words
