"""The commands ``framing plan`` and ``framing sample`` on the example project."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from framing.cli import plan, sample
from framing.cli.passage_frame import load_design
from framing.common.config import load_config
from framing.common.files import read_table, write_table
from framing.common.problems import InputError
from framing.corpus.tables import read_sources
from framing.sampling.combine import combined_design, is_convenience
from framing.sampling.draw import DRAWS
from framing.sampling.records import read_draws

Command = Callable[..., int]
SAMPLE = Path("corpus/sample.tsv")
CODES = ("cost", "fairness", "heritage", "any-frame", "cost-and-fairness", "cost-alone")


def parser() -> argparse.ArgumentParser:
    """A command line with the two commands, as framing.cli.main has them."""
    made = argparse.ArgumentParser(prog="framing")
    commands = made.add_subparsers(required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--directory")
    for module in (plan, sample):
        module.register(commands, common)
    return made


@pytest.fixture(scope="module")
def configured(mini: Path) -> dict[str, Any]:
    """The configuration of the example, which no test changes, read once."""
    return load_config(mini / "config" / "config.yaml")


@pytest.fixture
def framing(configured: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Command:
    for module in (plan, sample):
        monkeypatch.setattr(module, "load_config", lambda path: configured)

    def run(*arguments: str, role: str = "development") -> int:
        """Run a command; a draw is for development unless it is said otherwise, or not at all."""
        told = not role or {"--role", "--convenience"} & set(arguments)
        given = ["--role", role] if arguments[0] == "sample" and not told else []
        parsed = parser().parse_args([*(str(one) for one in arguments), *given])
        return int(parsed.run(parsed))

    return run


@pytest.fixture
def project(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example project, with scores that are right most of the time."""
    monkeypatch.setattr("sys.stdin", None)
    unused = shutil.ignore_patterns("texts", "derived", "codings", "codebook")
    for part in ("config", "corpus"):
        shutil.copytree(mini / part, tmp_path / part, ignore=unused)
    monkeypatch.chdir(tmp_path)
    passages = read_table(Path("corpus/passages.tsv"), [], extra=True)["passage_id"]
    write_scores(passages, read_table(SAMPLE, [], extra=True)["passage_id"])
    return tmp_path


_plan: list[bytes] = []


@pytest.fixture
def planned(project: Path, framing: Command) -> Path:
    """The example project with a plan for the code ``cost`` in plan.tsv, made once."""
    if not _plan:
        framing("plan", "--code", "cost", "--half-width", ".015", "--output", "plan.tsv")
        _plan.append(Path("plan.tsv").read_bytes())
    Path("plan.tsv").write_bytes(_plan[0])
    return project


def write_scores(passages: pd.Series, drawn: pd.Series) -> None:
    random = np.random.default_rng(5)
    parts = []
    for code in CODES:
        truth = random.random(len(passages)) < 0.35
        noise = random.uniform(-0.14, 0.29, len(truth))
        probability = np.round(np.where(truth, 0.7, 0.15) + noise, 6)
        label = pd.Series(truth.astype(int)).astype("Int64").where(passages.isin(drawn))
        parts.append(
            pd.DataFrame(
                {"passage_id": passages, "code": code, "fold": np.arange(len(truth)) % 4,
                 "label": label, "probability": probability,
                 "decision": (probability >= 0.5).astype(int), "unfamiliar": 0}
            )
        )  # fmt: skip
    write_table(Path("build/scores.tsv"), pd.concat(parts, ignore_index=True))


def refused(run: Command, *arguments: str) -> str:
    """Return what a refusal says; it must name place and remedy and leave no trace."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    with pytest.raises(InputError) as error:
        run(*arguments)
    assert all(str(p.place) and p.remedy for p in error.value.problems)
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    return "\n".join(str(problem) for problem in error.value.problems)


def design() -> pd.DataFrame:
    config = load_config(Path("config/config.yaml"))
    sources = read_sources(Path("corpus/sources.tsv"), config["groups"])
    return load_design(config, sources, read_draws(DRAWS))


def without_sample() -> None:
    SAMPLE.unlink()
    shutil.rmtree("build")


# --- plan -----------------------------------------------------------------------------------------


def test_plan_says_how_many_for_both_targets_and_where(
    project: Path, framing: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert framing("plan", "--code", "cost", "--half-width", ".015", "--output", "plan.tsv") == 0
    said = capsys.readouterr().out
    assert "cost (all texts)" in said and "26 of 88 passages are not coded yet" in said
    assert "this corpus" in said and "texts like these" in said and "labels only" in said
    assert "what is left is how sources differ from one another" in " ".join(said.split())
    assert "framing sample --plan plan.tsv" in said
    assert all(ord(letter) < 128 for letter in said)
    rows = pd.read_csv("plan.tsv", sep="\t")
    assert rows["more"].sum() > 0 and (rows["more"] <= rows["left"]).all()
    assert set(rows["stratum"].str.split("/").str[0]) == {"residents", "council", "business"}
    assert list(Path().glob("corpus/draws")) == []


def test_plan_without_unread_codings_is_for_labels_only(
    project: Path, framing: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    framing("plan", "--code", "cost", "--half-width", ".015", "--estimator", "difference",
            "--output", "plan.tsv")  # fmt: skip
    said = " ".join(capsys.readouterr().out.split())
    assert "No coding is unread, so what the classifier would save is not known" in said
    assert " difference " not in said.split("Today's estimate")[1].split("this corpus")[1][:40]
    assert "--role confirmation" in said
    assert set(pd.read_csv("plan.tsv", sep="\t")["estimator"]) == {"labels only"}


@pytest.mark.slow
def test_plan_after_a_confirmation_draw_reckons_with_the_classifier(
    project: Path, framing: Command, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    found = design()
    role = np.where(found["weight"].notna(), "confirmation", "")
    unread = found.assign(role=role, read_weight=np.nan, unread_frame=True)
    monkeypatch.setattr(plan, "load_design", lambda *given: unread)
    for kind in ("confirmation", "development"):
        framing("plan", "--code", "cost", "--half-width", ".015", "--role", kind, "--output",
                "plan.tsv")  # fmt: skip
        said = " ".join(capsys.readouterr().out.split())
        assert "No coding is unread" not in said
        assert f"--role {kind}" in said
        assert set(pd.read_csv("plan.tsv", sep="\t")["estimator"]) == {"difference"}


def test_plan_of_a_contrast(
    project: Path, framing: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    framing("plan", "--contrast", "cost-business-residents", "--difference", ".2", "--power", ".9",
            "--target", "corpus", "--output", "plan.tsv")  # fmt: skip
    said = " ".join(capsys.readouterr().out.split())
    assert "find a difference of" in said and "with power 0.9 or more" in said
    scope = pd.read_csv("plan.tsv", sep="\t")["scope"].unique()
    assert list(scope) == ["business/all + residents/all"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--code", "noise"), "has no code 'noise'"),
        (("--code", "cost", "--group", "nobody"), "'nobody' is not configured"),
        (("--code", "cost", "--period", "1066"), "'1066' is not configured"),
        (("--code", "cost", "--half-width", "0"), "--half-width: is 0"),
        (("--code", "cost", "--power", ".8"), "--power: is not for --code"),
        (("--contrast", "nothing"), "'nothing' is not configured"),
        (("--contrast", "cost-business-residents", "--half-width", ".1"), "is not for --contrast"),
        (("--contrast", "cost-business-residents", "--power", "8"), "--power: is 8"),
        (("--code", "cost", "--strata", "colour"), "'colour' is not a column"),
        (("--code", "cost", "--half-width", ".02", "--output", "config/config.yaml/plan.tsv"),
         "cannot be written"),
    ],
)  # fmt: skip
def test_plans_that_make_no_sense_are_refused(
    project: Path, framing: Command, arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(framing, "plan", *arguments)


def test_plan_needs_scores_and_a_sample(project: Path, framing: Command) -> None:
    Path("build/scores.tsv").unlink()
    assert "build/scores.tsv" in refused(framing, "plan", "--code", "cost")
    without_sample()
    assert "Make a first draw" in refused(framing, "plan", "--code", "cost")


# --- sample ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_is_planned_can_be_drawn(
    project: Path, framing: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    framing("plan", "--code", "cost", "--half-width", ".015", "--output", "plan.tsv")
    wanted = pd.read_csv("plan.tsv", sep="\t").set_index("stratum")["more"]
    assert framing("sample", "--plan", "plan.tsv", "--seed", "7") == 0
    (draw,) = read_draws(DRAWS)
    assert draw.drawn["stratum"].value_counts().to_dict() == wanted[wanted > 0].to_dict()
    assert (draw.supplement, draw.seed, draw.even) == (True, 7, False)
    found = design()
    assert found["weight"].notna().sum() == 62 + wanted.sum()
    assert found["estimable"].all()
    said = capsys.readouterr().out
    assert "Draw 1 is a supplement for development by seed 7" in said
    # Not coded yet: planning on would take them for absent.
    assert "drawn passages have no code yet" in refused(framing, "plan", "--code", "cost")
    # The plan has been carried out; it does not fit a second time.
    assert "are left, there are" in refused(framing, "sample", "--plan", "plan.tsv", "--seed", "8")
    write_scores(found["passage_id"], found.loc[found["weight"].notna(), "passage_id"])
    assert framing("plan", "--code", "cost", "--half-width", ".01") == 0


@pytest.mark.slow
def test_the_same_seed_draws_the_same_and_dry_run_writes_nothing(
    project: Path, framing: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("sample", "--supplement", "--size", "9", "--strata", "group,decision", "--code",
                 "cost", "--seed", "3")  # fmt: skip
    framing(*arguments, "--dry-run")
    assert "would be a supplement" in capsys.readouterr().out
    assert not DRAWS.exists()
    framing(*arguments)
    first = (DRAWS / "1/passages.tsv").read_bytes()
    shutil.rmtree(DRAWS)
    # Another order of rows is the same frame.
    path = Path("corpus/passages.tsv")
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([head, *rows[::-1]]) + "\n", encoding="utf-8")
    framing(*arguments)
    assert (DRAWS / "1/passages.tsv").read_bytes() == first
    assert read_draws(DRAWS)[0].even


@pytest.mark.slow
def test_supplements_go_on_to_the_last_passage(project: Path, framing: Command) -> None:
    framing("sample", "--supplement", "--size", "10", "--seed", "1")
    framing("sample", "--supplement", "--size", "16", "--strata", "period", "--seed", "1")
    found = design()
    assert found["weight"].to_numpy() == pytest.approx(1)
    assert found["random_share"].min() == 0
    assert "where 0 are left" in refused(
        framing, "sample", "--supplement", "--size", "1", "--seed", "1"
    )


@pytest.mark.slow
def test_a_first_draw_writes_the_sample(
    project: Path, framing: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    without_sample()
    framing("sample", "--size", "30", "--strata", "group", "--seed", "5")
    table = read_table(SAMPLE, [], extra=True)
    assert len(table) == 30
    found = design()
    assert found["weight"].notna().sum() == 30 and found["estimable"].all()
    assert "corpus/sample.tsv" in capsys.readouterr().out
    assert "once" in refused(framing, "sample", "--size", "30", "--seed", "6")
    # A kill between the two files is mended by the next call.
    kept = SAMPLE.read_bytes()
    SAMPLE.unlink()
    framing("sample", "--supplement", "--size", "8", "--seed", "6")
    assert SAMPLE.read_bytes() == kept
    assert [draw.is_sample for draw in read_draws(DRAWS)] == [True, False]


def test_a_header_alone_is_no_sample(project: Path, framing: Command) -> None:
    head = SAMPLE.read_text(encoding="utf-8").split("\n")[0]
    SAMPLE.write_text(head + "\n", encoding="utf-8")
    assert "no sample to supplement" in refused(
        framing, "sample", "--supplement", "--size", "5", "--seed", "1"
    )
    assert "without a chance" in refused(
        framing, "sample", "--size", "5", "--group", "council", "--seed", "1"
    )
    framing("sample", "--size", "20", "--seed", "5")
    assert len(read_table(SAMPLE, [], extra=True)) == 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--supplement", "--size", "27"), "asks for 27 passages where 26 are left"),
        (("--supplement", "--size", "2"), "too few for 3 strata"),
        (("--supplement", "--size", "0"), "--size: is 0"),
        (("--size", "9"), "the project has a sample already"),
        (("--supplement", "--size", "9", "--strata", "colour"), "'colour' is not a column"),
        (("--supplement", "--size", "9", "--strata", "decision"), "which code is meant"),
        (("--supplement", "--size", "9", "--strata", "decision:x"), "has no code 'x'"),
        (("--supplement", "--size", "9", "--group", "nobody"), "'nobody' is not configured"),
        (("--supplement", "--size", "9", "--allow-convenience"), "without --convenience"),
        (("--plan", "nowhere.tsv"), "nowhere.tsv: does not exist"),
        (("--plan", "nowhere.tsv", "--strata", "group"), "given with --plan"),
    ],
)
def test_draws_that_make_no_sense_are_refused(
    project: Path, framing: Command, arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(framing, "sample", *arguments, "--seed", "4")


def test_a_script_must_give_a_seed_and_a_person_gets_one(
    project: Path,
    framing: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ("sample", "--supplement", "--size", "9")
    assert "--seed: is missing" in refused(framing, *arguments)
    assert "--seed: is -3" in refused(framing, *arguments, "--seed", "-3")

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    framing(*arguments)
    seed = json.loads((DRAWS / "1/draw.json").read_text(encoding="utf-8"))["seed"]
    assert f"by seed {seed}" in capsys.readouterr().out


def edit(path: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    change(table).to_csv(path, sep="\t", index=False)


def shift_sizes(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[0, "passages"] = str(int(table.loc[0, "passages"]) + 1)
    return table


def too_many(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[0, "more"] = "999"
    return table


def two_plans(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[1, "goal"] = "another"
    return table


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.assign(project="Trains"), "line 2: is a plan for the project 'Trains'"),
        (lambda t: t.assign(frame_sha256="0"), "made for another frame"),
        (lambda t: t.assign(strata_sha256="0"), "made with other strata"),
        (lambda t: t.assign(more="0"), "asks for no more passages"),
        (lambda t: t.assign(more="-1"), "has more '-1'"),
        (lambda t: t.iloc[:0], "holds no stratum"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "is given twice"),
        (lambda t: t.drop(columns="more"), "lacks the column 'more'"),
        (lambda t: t.assign(scope="council/all"), "made with other strata"),
        (shift_sizes, "line 2: stratum"),
        (too_many, "asks for more passages than it has left"),
        (two_plans, "line 3: stratum"),
    ],
)
def test_plans_that_do_not_fit_are_refused(
    planned: Path,
    framing: Command,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    words: str,
) -> None:
    edit("plan.tsv", change)
    said = refused(framing, "sample", "--plan", "plan.tsv", "--seed", "4")
    assert words in said and said.startswith("plan.tsv")


@pytest.mark.slow
def test_a_plan_is_void_once_decisions_or_passages_changed(planned: Path, framing: Command) -> None:
    scores = Path("build/scores.tsv")
    kept = scores.read_bytes()
    edit(str(scores), lambda t: t.assign(decision=[str(1 - int(d)) for d in t["decision"]]))
    arguments = ("sample", "--plan", "plan.tsv", "--seed", "4")
    assert "decisions, or settings, changed since" in refused(framing, *arguments)
    scores.write_bytes(kept)
    found = design()
    free = found.loc[found["weight"].isna(), "passage_id"].iloc[0]
    edit("corpus/passages.tsv", lambda t: t[t["passage_id"] != free])
    assert "add up to 88 passages" in refused(framing, *arguments)


@pytest.mark.slow
def test_a_convenience_sample_is_refused_unless_allowed_and_then_marked(
    project: Path, framing: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    found = design()
    free = found.loc[found["weight"].isna(), "passage_id"]
    Path("mine.tsv").write_text(
        "passage_id\twhy\n" + "".join(f"{name}\tnice\n" for name in free.iloc[:4]),
        encoding="utf-8",
    )
    arguments = ("sample", "--convenience", "mine.tsv")
    assert "mine.tsv: is a convenience sample" in refused(framing, *arguments)
    assert "has no say" in refused(framing, *arguments, "--allow-convenience", "--seed", "1")
    framing(*arguments, "--allow-convenience")
    assert "no inference holds for it" in capsys.readouterr().out
    draws = read_draws(DRAWS)
    assert is_convenience(draws)
    rows = read_table(DRAWS / "1/passages.tsv", [], extra=True)
    assert set(rows.loc[rows["status"] == "drawn", "inclusion_probability"]) == {""}
    assert combined_design(found[found.columns[:11]], draws)["weight"].notna().sum() == 66
    drawn = design()
    write_scores(drawn["passage_id"], drawn.loc[drawn["weight"].notna(), "passage_id"])
    capsys.readouterr()
    framing("plan", "--code", "cost")
    assert "nothing of this holds" in capsys.readouterr().out
    Path("mine.tsv").write_text(f"passage_id\n{free.iloc[0]}\nnobody\n", encoding="utf-8")
    said = refused(framing, *arguments, "--allow-convenience")
    assert "mine.tsv, line 2: lists as already drawn" in said
    assert "mine.tsv, line 3: lists as unknown" in said


def test_a_record_that_was_changed_stops_everything(project: Path, framing: Command) -> None:
    framing("sample", "--supplement", "--size", "9", "--seed", "1")
    edit(str(DRAWS / "1/passages.tsv"), lambda t: t.iloc[1:])
    for arguments in (
        ("plan", "--code", "cost"), ("sample", "--supplement", "--size", "5", "--seed", "2")
    ):  # fmt: skip
        assert "corpus/draws/1/passages.tsv" in refused(framing, *arguments)


def test_help_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("plan", "sample"):
        with pytest.raises(SystemExit):
            parser().parse_args([command, "--help"])
        said = capsys.readouterr().out
        assert "examples:" in said and all(ord(letter) < 128 for letter in said)


# --- roles, and draws made elsewhere --------------------------------------------------------------


def test_a_script_must_say_what_a_draw_is_for_and_a_person_is_asked(
    project: Path, framing: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("sample", "--supplement", "--size", "9", "--seed", "4")
    said = refused(lambda *given: framing(*given, role=""), *arguments)
    assert said.startswith("--role: is missing")
    assert "development if anybody" in said and "confirmation if nobody looks before" in said

    class Terminal:
        def isatty(self) -> bool:
            return True

    answers = iter(["perhaps", "Confirmation "])
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    framing(*arguments, role="")
    (draw,) = read_draws(DRAWS)
    assert (draw.role, draw.freeze) == ("confirmation", None)


def test_passages_chosen_by_hand_confirm_nothing(project: Path, framing: Command) -> None:
    free = design().loc[lambda t: t["weight"].isna(), "passage_id"]
    Path("mine.tsv").write_text(f"passage_id\n{free.iloc[0]}\n", encoding="utf-8")
    arguments = ("sample", "--convenience", "mine.tsv", "--allow-convenience")
    said = refused(framing, *arguments, "--role", "confirmation")
    assert "chosen by hand, which confirm nothing" in said
    framing(*arguments)
    assert read_draws(DRAWS)[0].role == "development"


OUTSIDE = ("sample", "--from", "drawn.tsv", "--strata-file", "strata.tsv", "--rule",
           "by lot, from a hat", "--role", "confirmation")  # fmt: skip


_design: list[pd.DataFrame] = []


@pytest.fixture
def outside(project: Path) -> pd.DataFrame:
    """A draw made elsewhere: two of what was left of each group, in drawn.tsv and strata.tsv."""
    if not _design:
        _design.append(design())  # of the project as it is, which all these tests begin with
    found = _design[0]
    found[["passage_id", "group"]].rename(columns={"group": "stratum"}).to_csv(
        "strata.tsv", sep="\t", index=False
    )
    left = found[found["weight"].isna()]
    size = left["group"].value_counts()
    drawn = left.groupby("group").head(2)[["passage_id", "group"]]
    drawn = drawn.rename(columns={"group": "stratum"})
    drawn = drawn.assign(stratum_size=drawn["stratum"].map(size), stratum_sampled=2)
    drawn["inclusion_probability"] = 2 / drawn["stratum_size"]
    write_table(Path("drawn.tsv"), drawn)
    return drawn


@pytest.mark.slow
def test_a_draw_made_elsewhere_is_registered_and_counts_as_what_it_is(
    outside: pd.DataFrame, framing: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    framing(*OUTSIDE)
    assert "for confirmation, made elsewhere" in capsys.readouterr().out
    (draw,) = read_draws(DRAWS)
    assert (draw.kind, draw.seed, draw.rule) == ("probability", None, "by lot, from a hat")
    assert draw.elsewhere and draw.supplement and draw.role == "confirmation"
    head = json.loads((DRAWS / "1/draw.json").read_text(encoding="utf-8"))
    assert head["replay"] == "not checked: the draw was made elsewhere"
    assert set(draw.drawn["passage_id"]) == set(outside["passage_id"])
    assert {name: (one.size, one.drawn) for name, one in draw.strata.items()} == {
        name: (size, 2) for name, size in zip(outside["stratum"], outside["stratum_size"],
                                              strict=True)
    }  # fmt: skip
    found = design().set_index("passage_id")
    assert found["weight"].notna().sum() == 62 + len(outside)


def spoil(path: str, column: str, value: str, row: int = 0) -> Callable[[pd.DataFrame], None]:
    def change(outside: pd.DataFrame) -> None:
        def put(table: pd.DataFrame) -> pd.DataFrame:
            table.loc[row, column] = value
            return table

        edit(path, put)

    return change


def drawn_before(outside: pd.DataFrame) -> None:
    old = read_table(SAMPLE, [], extra=True)["passage_id"].iloc[0]
    spoil("drawn.tsv", "passage_id", old)(outside)


def without_strata_of(status: str) -> Callable[[pd.DataFrame], None]:
    def change(outside: pd.DataFrame) -> None:
        found = design()
        some = found["weight"].notna() if status == "earlier" else found["weight"].isna()
        name = found.loc[some, "passage_id"].iloc[-1]
        edit("strata.tsv", lambda t: t[t["passage_id"] != name])

    return change


def larger(outside: pd.DataFrame) -> None:
    """One stratum is said to be larger than it is, in all its rows and with its probability."""

    def put(table: pd.DataFrame) -> pd.DataFrame:
        own = table["stratum"] == table["stratum"].iloc[0]
        table.loc[own, ["stratum_size", "inclusion_probability"]] = ["40", "0.050000"]
        return table

    edit("drawn.tsv", put)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (spoil("drawn.tsv", "passage_id", "nobody"), "line 2: drawn passage 'nobody' is not in"),
        (lambda _: edit("drawn.tsv", lambda t: pd.concat([t, t.iloc[:1]])), "repeats the pass"),
        (drawn_before, "drawn.tsv, line 2: holds the passage"),
        (spoil("drawn.tsv", "stratum_size", "99"), "is given with different sizes"),
        (spoil("drawn.tsv", "inclusion_probability", "0.9"), "inclusion probability that is not"),
        (larger, "had 40 passages, of those not drawn before it has"),
        (without_strata_of("left"), "strata.tsv: lacks 1 passages of the corpus"),
        (without_strata_of("earlier"), "Give every passage a row, those drawn earlier too"),
        (spoil("strata.tsv", "passage_id", "nobody"), "line 2: lists as unknown"),
        (lambda _: edit("strata.tsv", lambda t: pd.concat([t, t.iloc[:1]])), "lists twice"),
        (lambda one: edit("strata.tsv", lambda t: t.assign(
            stratum=t["stratum"].where(t["passage_id"] != one["passage_id"].iloc[0], "other"))),
         "drawn.tsv, line 2: has the passage"),
        (lambda _: edit("drawn.tsv", lambda t: t.iloc[:0]), "lists no passage"),
    ],
)  # fmt: skip
def test_draws_made_elsewhere_are_checked(
    outside: pd.DataFrame, framing: Command, change: Callable[[pd.DataFrame], None], words: str
) -> None:
    change(outside)
    assert words in refused(framing, *OUTSIDE)
    assert not DRAWS.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "drawn.tsv", "--rule", "x"), "--strata-file: is missing"),
        (("--from", "drawn.tsv", "--strata-file", "strata.tsv"), "--rule: is missing"),
        ((*OUTSIDE[1:], "--seed", "4"), "--seed: is given with --from"),
        ((*OUTSIDE[1:], "--strata", "group"), "--strata: is given with --from"),
        (("--supplement", "--size", "4", "--seed", "4", "--rule", "x"), "without --from"),
    ],
)  # fmt: skip
def test_options_of_draws_made_elsewhere(
    outside: pd.DataFrame, framing: Command, arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(framing, "sample", *arguments)


def test_a_passage_of_a_confirmation_draw_is_not_drawn_again(
    project: Path, framing: Command
) -> None:
    framing("sample", "--supplement", "--size", "9", "--seed", "1", role="confirmation")
    framing("sample", "--supplement", "--size", "9", "--seed", "2")
    first, second = read_draws(DRAWS)
    assert (first.role, second.role) == ("confirmation", "development")
    assert not set(first.drawn["passage_id"]) & set(second.drawn["passage_id"])
