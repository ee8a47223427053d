"""Tables after further draws, with groups nobody sampled, and with passages chosen by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from framing.cli.main import main
from framing.common.files import sha256
from framing.inference.estimators import COUNT
from framing.inference.estimators.counting import ONLY_CLASSIFIER
from framing.sampling.draw import CONVENIENCE_CAVEAT, NOT_BY_DESIGN
from framing.workflow.results import Results

from .conftest import Run, as_csv, contents, edit, rows, write_rows

pytestmark = pytest.mark.slow

TABLES = Results(["machines"]).tables


CODERS = ("machine-1", "machine-2", "machine-3")


def table(project: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(
        project / "results" / "tables" / f"{name}.csv", dtype=str, keep_default_na=False
    )


def said(passage: str) -> str:
    """What the coders of these tests say of a passage: decided by its id, half of them yes."""
    return str(int(passage, 16) % 2)


def code(project: Path, passages: list[str]) -> None:
    for coder in CODERS:
        path = project / "corpus" / "codings" / f"{coder}.tsv"
        given = rows(path)
        write_rows(path, [*given, *([one, coder, said(one), "0", "0", "0"] for one in passages)])


def drawn(project: Path, number: int) -> list[str]:
    head, *body = rows(project / "corpus" / "draws" / str(number) / "passages.tsv")
    return [row[0] for row in body if row[head.index("status")] == "drawn"]


def codes(project: Path) -> dict[str, int]:
    """Return the majority's code `cost` by passage."""
    found: dict[str, int] = {}
    for coder in CODERS:
        head, *body = rows(project / "corpus" / "codings" / f"{coder}.tsv")
        for row in body:
            found[row[0]] = found.get(row[0], 0) + int(row[head.index("cost")])
    return {name: int(votes >= 2) for name, votes in found.items()}


def by_hand(project: Path) -> float:
    """Return the share of `cost` by the formulas at the head of framing.sampling.combine."""
    folder = project / "corpus" / "draws" / "1"
    strata = json.loads((folder / "draw.json").read_text("utf-8"))["strata"]
    head, *body = rows(folder / "passages.tsv")
    _, *sample = rows(project / "corpus" / "sample.tsv")
    first = {row[0]: int(row[2]) / int(row[3]) for row in sample}
    label, total, size = codes(project), 0.0, 0.0
    for row in body:
        name, status = row[0], row[head.index("status")]
        stratum = strata[row[head.index("stratum")]]
        share = stratum["earlier_share"]
        if status == "left":
            continue
        if status == "earlier":
            weight = share * first[name] + 1 - share
        else:
            weight = (1 - share) * stratum["size"] / stratum["drawn"]
        total, size = total + weight * label[name], size + weight
    return total / size


def test_a_supplement_joins_the_sample_and_passages_chosen_by_hand_mark_every_table(
    copied: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = ["sample", "--directory", str(copied), "--supplement", "--size", "9", "--seed", "5"]
    draw += ["--role", "development"]
    assert main(draw) == 0
    done = run(copied)
    assert done.returncode == 1
    assert "9 drawn passages have no coding of 'cost'" in done.stdout + done.stderr
    code(copied, drawn(copied, 1))
    assert main(["check", "--directory", str(copied)]) == 0
    some = ("T2-agreement", "T4-prevalence", "T6-contrasts")  # all of them below
    done = run(copied, *as_csv(*some))
    assert done.returncode == 0, done.stdout + done.stderr
    t4 = table(copied, "T4-prevalence").set_index(["code", "group", "estimator", "target"])
    row = t4.loc[("cost", "all", "labels only", "corpus")]
    assert int(row["coded"]) == len(codes(copied))
    assert float(row["estimate"]) == pytest.approx(by_hand(copied), abs=1e-6)
    assert not any(table(copied, name)["status"].str.contains("convenience").any()
                   for name in some)  # fmt: skip

    picked = [row[0] for row in rows(copied / "corpus" / "passages.tsv")[1:]]
    picked = [name for name in picked if name not in codes(copied)][:2]
    hand = copied / "picked.tsv"
    write_rows(hand, [["passage_id"], *([name] for name in picked)])
    draw = ["sample", "--directory", str(copied), "--convenience", str(hand)]
    assert main(draw) == 1
    assert "is a convenience sample" in capsys.readouterr().err
    assert main([*draw, "--allow-convenience"]) == 0
    code(copied, picked)
    done = run(copied, "results/tables.xlsx")  # all tables in all forms
    assert done.returncode == 0, done.stdout + done.stderr
    for name in TABLES:
        status = table(copied, name)["status"]
        assert status.str.startswith(CONVENIENCE_CAVEAT).all(), name
        tex = (copied / "results" / "tables" / f"{name}.tex").read_text("utf-8")
        assert "passages chosen by hand" in " ".join(tex.split()), name


def test_a_group_that_nobody_sampled_is_not_estimable_and_leaves_the_others_alone(
    copied: Path, run: Run
) -> None:
    before = table(copied, "T4-prevalence")
    head, *sample = rows(copied / "corpus" / "sample.tsv")
    gone = {row[0] for row in sample if row[1].startswith("business/")}
    kept = [row for row in sample if row[0] not in gone]
    assert gone and kept
    write_rows(copied / "corpus" / "sample.tsv", [head, *kept])
    for coder in CODERS:
        path = copied / "corpus" / "codings" / f"{coder}.tsv"
        first, *given = rows(path)
        write_rows(path, [first, *(row for row in given if row[0] not in gone)])
    done = run(copied, "results/tables.xlsx")
    assert done.returncode == 0, done.stdout + done.stderr
    after = table(copied, "T4-prevalence")
    lost = after[after["group"] == "business"]
    counted = lost["estimator"] == COUNT
    assert (lost["status"][~counted] == NOT_BY_DESIGN).all()
    assert (lost["estimate"][~counted] == "").all()
    assert lost["status"][counted].str.contains(ONLY_CLASSIFIER, regex=False).all()
    assert (lost["passages"] != "0").all()
    everything = after[(after["group"] == "all") & (after["target"] == "corpus")]
    assert everything["status"].str.startswith("holds for the sampled frame").all()
    keys = ["code", "group", "estimator", "target"]
    same = (before["estimator"] == "labels only") & ~before["group"].isin(["all", "business"])
    pd.testing.assert_frame_equal(
        before[same].set_index(keys), after[same].set_index(keys), check_like=True
    )
    tex = (copied / "results" / "tables" / "T4-prevalence.tex").read_text("utf-8")
    assert "hold for the sampled frame" in " ".join(tex.split())


def test_passages_that_came_later_are_named_and_the_rest_stays_as_it_was(
    copied: Path, run: Run
) -> None:
    """Growth: a text joins a sampled group. Nothing about the sampled frame changes but scores."""
    corpus = copied / "corpus"
    sources = rows(corpus / "sources.tsv")
    column = sources[0].index("group")
    taken = next(row for row in sources[1:] if row[column] == "residents")
    text = (corpus / "texts" / f"{taken[0]}.txt").read_text("utf-8").replace("the", "this")
    (corpus / "texts" / "late.txt").write_text(text, encoding="utf-8", newline="\n")
    late = ["late", *taken[1:]]
    late[sources[0].index("sha256")] = sha256(text)
    write_rows(corpus / "sources.tsv", [*sources, late])
    before = {row[0] for row in rows(corpus / "passages.tsv")}
    assert main(["derive", "--directory", str(copied)]) == 0
    assert main(["derive", "--directory", str(copied)]) == 0
    new = [[row[0]] for row in rows(corpus / "passages.tsv") if row[0] not in before]
    assert rows(corpus / "unsampled.tsv") == [["passage_id"], *new]
    (corpus / "unsampled.tsv").unlink()
    done = run(copied)
    assert done.returncode == 1
    assert "corpus/unsampled.tsv" in done.stdout + done.stderr
    write_rows(corpus / "unsampled.tsv", [["passage_id"], *new])
    done = run(copied, *as_csv("T4-prevalence"))
    assert done.returncode == 0, done.stdout + done.stderr
    t4 = table(copied, "T4-prevalence").set_index(["code", "group", "estimator", "target"])
    row = t4.loc[("cost", "residents", "labels only", "texts")]
    assert f"sampled frame: {len(new)} passages are outside it" in row["status"]
    write_rows(corpus / "unsampled.tsv", [["passage_id"], *new, ["nowhere"]])
    assert "names the passage 'nowhere'" in run(copied).stderr
    edit(corpus / "unsampled.tsv", "nowhere", rows(corpus / "sample.tsv")[1][0])
    assert "was drawn, but unsampled.tsv says" in run(copied).stderr
    assert contents(corpus / "codings")
