"""Freezing: what a draw counts as, what spends it and what does not, and records unedited."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from framing.cli.main import main
from framing.codebook.codebook import written_codebook
from framing.codebook.codes import yes_no_code
from framing.coding.codings import coded_passages, first_coding, read_codings
from framing.common import settings
from framing.common.config import load_config
from framing.common.files import sha256
from framing.common.paths import CODEBOOK, CODINGS, CONFIG, SOURCES
from framing.common.problems import InputError
from framing.corpus.tables import read_sources
from framing.project import freeze
from framing.project.freeze import ASSIGNED, FREEZES, PAGE, RECORD, Freeze, components, folded
from framing.project.freeze_changes import Change, briefly, changes
from framing.project.freeze_records import contradictions, freeze_texts, read_freezes
from framing.project.load import load_project, project_reading
from framing.project.lock import commit
from framing.project.reading import Reading, tallies
from framing.sampling.draw import DRAWS
from framing.sampling.records import read_draws
from framing.sampling.roles import (
    CONFIRMATION,
    DEVELOPMENT,
    PENDING,
    SPENT,
    UNREAD,
    Frozen,
    Status,
    Tally,
    caveat,
    sentence,
    status_of,
    unfrozen,
)

RED = yes_no_code("red", "Red", "It is red.")
CODERS = ("machine-1", "machine-2", "machine-3")
SOURCE = "resident-park-2022"  # the case study of the example

# --- what a draw counts as ------------------------------------------------------------------------


def expected(role: str, coded: int, freeze: int | None, frozen: Frozen | None) -> str:
    """The rules in the words of their table, told apart from how they are worked out."""
    if role == DEVELOPMENT:
        return DEVELOPMENT
    if coded == 0:
        return PENDING
    if frozen is None or frozen.changes:
        return SPENT
    known_without_codings = 3 in frozen.coded and frozen.coded[3] == 0
    made_under_it = 3 not in frozen.coded and freeze == frozen.number
    return UNREAD if known_without_codings or made_under_it else SPENT


def test_every_state_follows_from_role_codings_and_the_latest_freeze() -> None:
    known: list[dict[int, int]] = [{}, {1: 5}, {3: 0}, {3: 4}]
    frozen = [None, *(Frozen(2, "2026-11-30", one, changed)
                      for one, changed in product(known, ("", "cue 'veto' changed")))]  # fmt: skip
    seen = set()
    for role, coded, made, last in product((DEVELOPMENT, CONFIRMATION), (0, 4, 9), (None, 1, 2),
                                           frozen):  # fmt: skip
        if made == 2 and (last is None or 3 in last.coded):
            continue  # a contradiction, which is refused before
        found = status_of(Tally(3, role, 9, coded, made), last)
        assert found.state == expected(role, coded, made, last), (role, coded, made, last)
        assert bool(found.why) == (found.state == SPENT)
        assert "None" not in sentence(found, last)
        seen.add(found.state)
    assert seen == {DEVELOPMENT, PENDING, UNREAD, SPENT}


def test_codings_before_any_freeze_are_told() -> None:
    draws = [
        Tally(1, DEVELOPMENT, 9, 9),
        Tally(2, CONFIRMATION, 9, 0),
        Tally(3, CONFIRMATION, 9, 1),
    ]
    assert unfrozen(draws, None) == [draws[2]]
    assert unfrozen(draws, Frozen(1, "2026-11-30", {})) == []


def test_sentences_say_what_was_read_and_marks_what_tables_rest_on() -> None:
    stands = Frozen(1, "2026-11-30", {1: 0})
    moved = replace(stands, changes="cue 'veto' changed")
    whole, half = Tally(1, CONFIRMATION, 626, 626), Tally(1, CONFIRMATION, 626, 314)
    assert sentence(status_of(whole, stands), stands) == (
        "draw 1 (confirmation, 626 passages): unread, frozen on 2026-11-30 by freeze 1"
    )
    assert sentence(status_of(whole, moved), moved) == (
        "draw 1 (confirmation, 626 passages): spent, cue 'veto' changed since freeze 1; "
        "its codings count as read"
    )
    assert sentence(Status(Tally(0, DEVELOPMENT, 513, 513), DEVELOPMENT), None) == (
        "sample of corpus/sample.tsv (development, 513 passages): read"
    )
    pending = status_of(Tally(1, CONFIRMATION, 626, 0), None)
    assert "`framing freeze` comes before its codings" in sentence(pending, None)
    assert "freeze anew first" in sentence(pending, moved)
    assert "freeze 1 of 2026-11-30 stands" in sentence(pending, stands)
    strange = status_of(Tally(2, CONFIRMATION, 626, 0), stands)
    assert "freeze 1 does not know it" in sentence(strange, stands)
    assert caveat(status_of(whole, stands)) == caveat(pending) == []
    assert caveat(status_of(half, stands)) == [
        "draw 1: 312 of 626 drawn passages have no codings yet; treated as missing at random "
        "within strata"
    ]
    assert caveat(status_of(whole, moved)) == [
        "draw 1 is spent: cue 'veto' changed since freeze 1; its codings count as read"
    ]
    assert len(caveat(status_of(half, moved))) == 2


# --- a project ------------------------------------------------------------------------------------


def copy_project(source: Path, target: Path) -> None:
    for part in ("config", "corpus"):
        shutil.copytree(source / part, target / part)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for a project, which tests are in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", None)
    return tmp_path


@pytest.fixture
def project(mini: Path, empty: Path) -> Path:
    copy_project(mini, empty)
    return empty


def parts() -> tuple[dict[str, Any], Any, pd.DataFrame]:
    config = load_config(CONFIG)
    return config, written_codebook(CODEBOOK), read_sources(SOURCES, config["groups"])


def frozen_now(day: str = "2026-11-30") -> Freeze:
    """Freeze the project as it is; return the record."""
    config, codebook, sources = parts()
    draws, number = read_draws(DRAWS), len(read_freezes()) + 1
    known = tallies(draws, 62, coded_passages(CODINGS))
    texts = freeze_texts(
        number, day, "0.1", config, codebook, sources, ["b", "a"], draws, known
    )  # fmt: skip
    commit(texts)
    return read_freezes()[-1]


@pytest.fixture(scope="module")
def frozen_once(mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project, frozen; tests have copies of it."""
    folder = tmp_path_factory.mktemp("frozen")
    copy_project(mini, folder)
    with chdir(folder):
        frozen_now()
    return folder


@pytest.fixture
def frozen(frozen_once: Path, empty: Path) -> Freeze:
    """The freeze of the project as it is, which tests are in."""
    copy_project(frozen_once, empty)
    return read_freezes()[-1]


def changed(latest: Freeze) -> list[str]:
    return [change.line for change in changes(latest, *parts())]


def reading() -> Reading:
    config, codebook, sources = parts()
    return project_reading(config, codebook, sources, read_draws(DRAWS))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


def draw(role: str, size: int = 9, seed: int = 4) -> list[str]:
    """Draw some more passages; return their ids."""
    arguments = ["--supplement", "--size", str(size), "--seed", str(seed), "--role", role]
    assert main(["sample", *arguments]) == 0
    return list(read_draws(DRAWS)[-1].drawn["passage_id"])


def code(passages: list[str], cells: str = "1\t0\t0\t0") -> None:
    for coder in CODERS:
        with (CODINGS / f"{coder}.tsv").open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{name}\t{coder}\t{cells}\n" for name in passages)


def uncode(passages: list[str]) -> None:
    for coder in CODERS:
        path = CODINGS / f"{coder}.tsv"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.split("\t")[0] not in passages]
        path.write_text("".join(kept), encoding="utf-8", newline="\n")


# --- what spends, and what does not ---------------------------------------------------------------


def in_codebook(old: str, new: str) -> Callable[[], None]:
    return lambda: edit(CODEBOOK, old, new)


def in_config(old: str, new: str) -> Callable[[], None]:
    return lambda: edit(CONFIG, old, new)


def renamed_source() -> None:
    assert main(["rename", SOURCE, "park"]) == 0
    assert load_config(CONFIG)["case_study"] == "park"


def joined() -> None:
    row = SOURCES.read_text(encoding="utf-8").splitlines()[1].split("\t")
    row[0], row[-1] = "newcomer", sha256("another text")
    with SOURCES.open("a", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(row) + "\n")


def other_title() -> None:
    edit(SOURCES, "One hundred and twelve trees", "A hundred and twelve trees")


def turned_groups() -> None:
    data = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    data["groups"] = {name: f"The {name}" for name in reversed(data["groups"])}
    CONFIG.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


HARMLESS = {
    "label of a code": in_codebook("label: Cost", "label: What it costs"),
    "version": in_codebook('version: "1.0"', 'version: "1.0a"'),
    "case and punctuation of a rule": in_codebook(
        "- Savings, waste and value for money.", "- savings – waste, and value for MONEY"
    ),
    "quotes in the guidance": in_codebook('("nobody is', "(“nobody is"),
    "white space in an exemplar": in_codebook("not fall with them.", "not fall\u00a0with them."),
    "reason of an exemplar": in_codebook("An idiom; no money is weighed.", "A mere idiom."),
    "project": in_config("  title: ", "  title: New "),
    "report": in_config("report:\n  decimals: ", "report:\n  decimals: 1 #"),
    "thesis in other type": in_config(
        "Business brings up cost more than residents do", "Business brings up “cost” more than "
        "residents do!"
    ),
    "id of a contrast": in_config("id: cost-business-residents", "id: dearer"),
    "a float that is whole": in_config("C: 1.0", "C: 1"),
    "labels and order of groups": turned_groups,
    "name of a source": renamed_source,
    "a new source": joined,
    "title of a source": other_title,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS.keys())
def test_a_freeze_stands_whatever_this(frozen: Freeze, change: Callable[[], None]) -> None:
    before = {path: path.read_bytes() for path in Path().rglob("*.*") if path.is_file()}
    change()
    assert {path: path.read_bytes() for path in Path().rglob("*.*") if path.is_file()} != before
    assert changed(frozen) == []
    found = reading().frozen
    assert found is not None and found.stands


def renamed_cue() -> tuple[str, str]:
    name = written_codebook(CODEBOOK).cues[0].name
    return name, "called-anew"


def test_the_name_of_a_cue_does_not_count_but_its_pattern_and_votes_do(project: Path) -> None:
    latest = frozen_now()
    old, new = renamed_cue()
    text = CODEBOOK.read_text(encoding="utf-8")
    edit(CODEBOOK, f"name: {old}", f"name: {new}")
    assert changed(latest) == []
    CODEBOOK.write_text(text, encoding="utf-8")
    edit(CODEBOOK, "too much money", "far too much money")
    (line,) = changed(latest)
    assert line == "cues: cue 'price-words' changed"
    # Another pattern and another name: one cue is gone, one has come.
    edit(CODEBOOK, "name: price-words", "name: dear-words")
    (line,) = changed(latest)
    assert line == "cues: cue 'price-words' dropped; cue 'dear-words' added"


def other_group() -> None:
    lines = SOURCES.read_text(encoding="utf-8").splitlines()
    row = lines[1].split("\t")
    row[4] = "council"
    SOURCES.write_text("\n".join([lines[0], "\t".join(row), *lines[2:]]) + "\n", encoding="utf-8")


def without_first_source() -> None:
    lines = SOURCES.read_text(encoding="utf-8").splitlines()
    SOURCES.write_text("\n".join([lines[0], *lines[2:]]) + "\n", encoding="utf-8")


SPENDING = {
    "a rule": (in_codebook("Savings, waste and", "Savings and"),
               "rules of the codebook: code 'cost' changed"),
    "guidance": (in_codebook("A bare word does not count", "A bare word counts"),
                 "rules of the codebook: the guidance for all codes changed"),
    "a term of cues": (in_codebook("residents?|tenants?", "residents?"), "cues: cue "),
    "votes": (in_codebook("    for: [cost]", "    against: [cost]"), "cues: cue "),
    "an exemplar": (in_codebook("eleven million more", "twelve million more"),
                    "exemplars: exemplars of 'cost' changed"),
    "a full stop in an exemplar": (in_codebook("not fall with them.", "not fall. With them."),
                                   "exemplars: exemplars of 'cost' changed"),
    "a setting": (in_config("C: 1.0", "C: 2.0"), "settings: classifier.C is 2, frozen as 1"),
    "a seed": (in_config("seed: 20150312", "seed: 1"), "settings: classifier.seed is 1, frozen as"),
    "what is expected": (in_config("expected: greater", "expected: different"),
                         "theses: contrast 'cost-business-residents' changed"),
    "the words of a thesis": (in_config("brings up cost more", "brings up cost less"),
                              "theses: contrast 'cost-business-residents' changed"),
    "the case study": (in_config(f"case_study: {SOURCE}", "case_study: ''"),
                       f"case study: none, frozen as {SOURCE}"),
    "a source's group": (other_group, "sources: source 'resident-ferrier-2015': group or date"),
    "a source's date": (lambda: edit(SOURCES, "2015-03-12\tday", "2015-03-13\tday"),
                        "sources: source 'resident-ferrier-2015': group or date"),
    "a source that left": (without_first_source, "sources: a source that was there is gone"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), SPENDING.values(), ids=SPENDING.keys())
def test_a_freeze_falls_by_this_and_says_so(
    frozen: Freeze, change: Callable[[], None], said: str
) -> None:
    change()
    (line,) = changed(frozen)
    assert line.startswith(said)


def test_columns_that_regressions_use_are_frozen_too(project: Path) -> None:
    config, codebook, sources = parts()
    config["regression"]["models"] = [{"id": "m", "formula": "~ group + C(actor)"}]
    table = freeze.assigned(config, sources)
    assert list(table) == ["text", "group", "date", "actor"]
    assert len(table) == len(sources) and table["text"].is_monotonic_increasing
    latest = Freeze(1, "2026-11-30", "0", components(config, codebook, sources), {}, table)
    assert changes(latest, config, codebook, sources) == ()
    sources.loc[0, "actor"] = "somebody"
    (change,) = changes(latest, config, codebook, sources)
    assert "group or date or actor changed" in change.line


def test_a_setting_of_a_later_version_spends_only_if_it_is_not_the_default(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = frozen_now()
    schema = json.loads(json.dumps(freeze.schema()))
    own = schema["properties"]["inference"]["properties"]
    own["novelty"] = {"type": "number", "default": 0.5}
    schema["$defs"]["cell"]["properties"]["held"] = {"type": "boolean", "default": False}
    schema["properties"]["foresight"] = {"type": "object", "default": {"steps": 3}}
    for module in (freeze, settings):
        monkeypatch.setattr(module, "schema", lambda: schema)
    config, codebook, sources = parts_unchecked()
    assert changes(latest, config, codebook, sources) == ()
    config["inference"]["novelty"] = 0.5
    config["contrasts"][0]["a"]["held"] = False
    config["foresight"] = {"steps": 3}
    assert changes(latest, config, codebook, sources) == ()
    config["inference"]["novelty"] = 0.7
    config["foresight"] = {"steps": 4}
    (change,) = changes(latest, config, codebook, sources)
    assert change.parts == (
        "foresight.steps is 4, frozen as 3", "inference.novelty is 0.7, frozen as 0.5",
    )  # fmt: skip
    del own["novelty"]["default"]
    found = changes(latest, config, codebook, sources)[0].parts
    assert "inference.novelty is 0.7, frozen without it" in found


def parts_unchecked() -> tuple[dict[str, Any], Any, pd.DataFrame]:
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    return config, written_codebook(CODEBOOK), read_sources(SOURCES, config["groups"])


def test_texts_are_folded_to_their_words() -> None:
    assert folded("“Red – lines”, the  Alliance\u2019s; co\u00adoperation!") == (
        "red lines the alliance s cooperation"
    )
    assert folded("3 % more") != folded("3 more")


def test_many_changes_are_told_in_a_few_words() -> None:
    change = Change("cues", tuple(f"cue 'c{n}' changed" for n in range(6)))
    assert briefly([change]) == (
        "cue 'c0' changed, cue 'c1' changed, cue 'c2' changed, 3 other things changed"
    )
    settings = Change("settings", ("classifier.C is 2, frozen as 1",))
    assert briefly([settings]) == "setting classifier.C is 2, frozen as 1"
    assert briefly([]) == ""


# --- the life of a draw ---------------------------------------------------------------------------


@pytest.mark.slow
def test_a_confirmation_draw_is_pending_then_unread_then_spent_then_unread_again(
    project: Path,
) -> None:
    passages = draw(CONFIRMATION)
    assert reading().states == [PENDING]
    frozen_now()
    assert reading().states == [PENDING] and reading().caveats == []
    loaded = load_project(load_config(CONFIG))
    assert set(loaded.frame["role"]) == {DEVELOPMENT, ""} and loaded.states == [PENDING]
    code(passages)
    assert reading().states == [UNREAD]
    loaded = load_project(load_config(CONFIG))
    assert set(loaded.frame.loc[loaded.frame["role"] == CONFIRMATION, "passage_id"]) == {*passages}
    assert len(loaded.codings["passage_id"].unique()) == 71
    in_codebook("too much money", "far too much money")()
    found = reading()
    assert found.states == [SPENT]
    assert found.caveats == [
        "draw 1 is spent: cue 'price-words' changed since freeze 1; its codings count as read"
    ]
    assert "  cues: cue 'price-words' changed" in found.notes
    assert "framing plan" in found.notes[-1]
    frame = load_project(load_config(CONFIG)).frame
    assert set(frame["role"]) == {DEVELOPMENT, ""} and frame["weight"].notna().sum() == 71
    in_codebook("far too much money", "too much money")()
    assert reading().states == [UNREAD] and reading().notes == []


@pytest.mark.slow
def test_who_freezes_anew_after_codings_came_has_read_them(project: Path) -> None:
    passages = draw(CONFIRMATION)
    frozen_now()
    code(passages)
    in_config("C: 1.0", "C: 2.0")()
    frozen_now()
    assert reading().states == [SPENT]
    assert "9 of its passages had codings when freeze 2 was made" in reading().caveats[0]
    # Even where everything is as the first freeze has it.
    in_config("C: 2.0", "C: 1.0")()
    assert reading().states == [SPENT]
    later = draw(CONFIRMATION, seed=5)
    frozen_now()
    code(later)
    assert reading().states == [SPENT, UNREAD]


@pytest.mark.slow
def test_a_draw_made_under_a_freeze_names_it(project: Path) -> None:
    frozen_now()
    passages = draw(CONFIRMATION)
    assert read_draws(DRAWS)[0].freeze == 1
    code(passages)
    assert reading().states == [UNREAD]


@pytest.mark.slow
def test_confirmation_codings_before_any_freeze_are_refused(project: Path) -> None:
    passages = draw(CONFIRMATION)
    code(passages[:1])
    with pytest.raises(InputError) as error:
        reading()
    (problem,) = error.value.problems
    assert problem.place == CODINGS / "machine-1.tsv" and problem.row == 64
    assert "confirmation draw 1, but nothing has been frozen" in problem.what
    assert "framing freeze" in problem.remedy
    with pytest.raises(InputError, match="nothing has been frozen"):
        load_project(load_config(CONFIG))
    assert main(["freeze"]) == 1
    assert not FREEZES.exists()
    uncode(passages)
    assert reading().states == [PENDING]


@pytest.mark.slow
def test_half_a_confirmation_draw_counts_with_a_mark_and_half_of_another_does_not(
    project: Path,
) -> None:
    passages = draw(CONFIRMATION)
    frozen_now()
    code(passages[:5])
    code(passages[5:6], "NA\tNA\tNA\tNA")  # a row that says nothing is no coding
    assert reading().caveats == [
        "draw 1: 4 of 9 drawn passages have no codings yet; treated as missing at random within "
        "strata"
    ]
    loaded = load_project(load_config(CONFIG))
    assert (loaded.frame["role"] == CONFIRMATION).sum() == 5
    more = draw(DEVELOPMENT, seed=6)
    code(more[:4])
    with pytest.raises(InputError, match="5 drawn passages have no coding of 'cost'"):
        load_project(load_config(CONFIG))


def test_codings_that_do_not_say_whether_they_are_sure_count_as_sure(tmp_path: Path) -> None:
    text = "passage_id\tcoder\tred\tunsure\np1\tann\t1\tNA\np2\tann\tNA\t1\n"
    (tmp_path / "ann.tsv").write_text(text, encoding="utf-8")
    sample = pd.DataFrame({"passage_id": ["p1", "p2", "p3"]})
    long = read_codings(tmp_path, ["ann"], [RED], sample, {"p2", "p3"})
    assert long.to_numpy().tolist() == [["p1", "ann", "red", 1, 0]]
    assert coded_passages(tmp_path) == {"p1"}
    assert first_coding(tmp_path, {"p2"}) == (tmp_path / "ann.tsv", 3)
    assert first_coding(tmp_path, {"p9"}) is None
    with pytest.raises(InputError, match="1 drawn passages have no coding of 'red': p3"):
        read_codings(tmp_path, ["ann"], [RED], sample, {"p2"})


# --- records --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn_and_frozen(mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project with a confirmation draw, frozen; tests have copies of it."""
    folder = tmp_path_factory.mktemp("drawn-and-frozen")
    copy_project(mini, folder)
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", None)
        draw(CONFIRMATION)
        frozen_now()
    return folder


@pytest.fixture
def record(drawn_and_frozen: Path, empty: Path) -> Path:
    copy_project(drawn_and_frozen, empty)
    return FREEZES / "1"


def test_a_freeze_comes_back_as_it_was_written(record: Path) -> None:
    (found,) = read_freezes()
    assert (found.number, found.date, found.version) == (1, "2026-11-30", "0.1")
    assert found.components == components(*parts())
    assert found.draws[1] == {
        "role": CONFIRMATION, "drawn": 9, "coded": 0, "passages": found.draws[1]["passages"],
    }  # fmt: skip
    assert found.draws[0] == {"role": DEVELOPMENT, "drawn": 62, "coded": 62}
    assert len(found.sources) == 16
    data = json.loads((record / RECORD).read_text(encoding="utf-8"))
    assert data["frame"] == {"passages": 2, "sha256": sha256("a\nb\n")}
    assert set(data["digests"]) == set(data["components"])
    page = (record / PAGE).read_text(encoding="utf-8")
    for said in (
        "# Freeze 1 of", "Made on 2026-11-30", "Business brings up cost more than residents do",
        "Expected: a − b is above 0", "too much money", "Savings, waste and value for money",
        "draw 1: confirmation, 9 passages, 0 of them with codings: frozen before any coding",
        "sample of corpus/sample.tsv: development, 62 passages, 62 of them with codings",
        "adjusted by Holm", "  C: 1\n", "## Digests",
    ):  # fmt: skip
        assert said in page, said
    assert sum(line.startswith("# ") for line in page.splitlines()) == 1


def rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def spoil(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    return lambda folder: rewrite(folder / RECORD, change)


@pytest.mark.parametrize(
    ("damage", "place", "words"),
    [
        (spoil(lambda r: r["components"]["cues"].update({"price-words": "0"})), RECORD,
         "was edited: its digest"),
        (spoil(lambda r: r.update(date="2020-01-01")), RECORD, "was edited: its digest"),
        (spoil(lambda r: r["draws"]["1"].update(coded=9)), RECORD, "was edited: its digest"),
        (spoil(lambda r: r.update(sha256="0" * 64)), RECORD, "was edited: its digest"),
        (spoil(lambda r: r.update(freeze=2)), RECORD, "is freeze 2 in the directory of 1"),
        (spoil(lambda r: r.update(format=7)), RECORD, "has the format 7"),
        (spoil(lambda r: r.pop("components")), RECORD, "lacks a usable 'components'"),
        (lambda folder: (folder / RECORD).write_text("{", encoding="utf-8"), RECORD,
         "is not valid JSON"),
        (lambda folder: (folder / RECORD).write_text("[]", encoding="utf-8"), RECORD,
         "is no record"),
        (lambda folder: edit(folder / PAGE, "above 0", "below 0"), PAGE, "was edited"),
        (lambda folder: edit(folder / ASSIGNED, "residents", "council"), ASSIGNED, "was edited"),
        (lambda folder: (folder / PAGE).unlink(), PAGE, "does not exist"),
        (lambda folder: folder.rename(folder.with_name("2")), "1", "does not exist"),
        (lambda folder: folder.rename(folder.with_name("first")), "first", "is not a freeze"),
    ],
)  # fmt: skip
def test_a_record_that_was_edited_is_found(
    record: Path, damage: Callable[[Path], object], place: str, words: str
) -> None:
    damage(record)
    with pytest.raises(InputError, match=words) as error:
        reading()
    assert all(Path(str(p.place)).name == place and p.remedy for p in error.value.problems)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": DEVELOPMENT}, "freeze 1 knew the draw as 'confirmation'"),
        ({"freeze": 1}, "says it was made under freeze 1, but freeze 1 knew it already"),
        ({"freeze": 2}, "was made under freeze 2, which is not on record"),
    ],
)
def test_draws_that_deny_what_a_freeze_knew_are_found(
    record: Path, changes: dict[str, Any], words: str
) -> None:
    rewrite(DRAWS / "1/draw.json", lambda head: head.update(changes))
    with pytest.raises(InputError, match=words) as error:
        reading()
    assert all(p.place == DRAWS / "1/draw.json" for p in error.value.problems)


def test_a_draw_that_a_freeze_knew_stays_on_record_with_its_passages(record: Path) -> None:
    (found,), (one,) = read_freezes(), read_draws(DRAWS)
    assert contradictions([found], [one]) == []
    (problem,) = contradictions([found], [])
    assert "knows draw 1, which is no longer on record" in problem.what
    other = one.passages.assign(status=one.passages["status"].iloc[::-1].to_numpy())
    (problem,) = contradictions([found], [replace(one, passages=other)])
    assert "took other passages" in problem.what


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_freezing_by_command(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["freeze", "--check"]) == 1
    assert "Nothing has been frozen yet" in capsys.readouterr().out
    assert main(["freeze"]) == 0
    said = capsys.readouterr().out
    assert "Freeze 1 is in corpus/freeze/1/" in said and "commit it" in said
    assert sorted(path.name for path in (FREEZES / "1").iterdir()) == [RECORD, PAGE, ASSIGNED]
    before = {path: path.read_bytes() for path in Path("corpus").rglob("*.*") if path.is_file()}
    assert main(["freeze"]) == 1
    assert "freeze 1 still stands" in capsys.readouterr().err
    assert main(["freeze", "--check"]) == 0
    assert "stands." in capsys.readouterr().out
    assert main(["check"]) == 0
    assert before == {p: p.read_bytes() for p in Path("corpus").rglob("*.*") if p.is_file()}
    in_config("C: 1.0", "C: 2.0")()
    assert main(["freeze", "--check"]) == 1
    assert "settings: classifier.C is 2, frozen as 1" in capsys.readouterr().out
    assert main(["freeze"]) == 0
    assert [one.number for one in read_freezes()] == [1, 2]


@pytest.mark.slow
def test_a_draw_that_the_latest_freeze_does_not_know_can_be_frozen(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["freeze"]) == 0
    draw(CONFIRMATION)
    rewrite(DRAWS / "1/draw.json", lambda head: head.update(freeze=None))
    assert "freeze 1 does not know it" in reading().sentences[-1]
    assert main(["freeze"]) == 0
    assert reading().waits == []


def emptied(kind: str) -> None:
    data = yaml.safe_load(CODEBOOK.read_text(encoding="utf-8"))
    if kind == "cues and exemplars":
        data["cues"] = []
        for one in data["codes"].values():
            one["exemplars"] = {}
    CODEBOOK.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


@pytest.mark.slow
def test_a_freeze_over_an_empty_codebook_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emptied("cues and exemplars")
    assert main(["derive"]) == 0
    capsys.readouterr()
    assert main(["freeze"]) == 1
    said = capsys.readouterr().err
    assert f"{CODEBOOK}: has neither a cue nor an exemplar" in said
    assert not FREEZES.exists()


@pytest.mark.slow
def test_a_source_that_a_freeze_assigned_cannot_leave(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    joined()
    Path("corpus/texts/newcomer.txt").write_text("another text", encoding="utf-8", newline="\n")
    assert main(["derive"]) == 0
    frozen_now()
    capsys.readouterr()
    assert main(["remove", "newcomer"]) == 1
    assert "corpus/freeze/1: was made with the source 'newcomer'" in capsys.readouterr().err
    shutil.rmtree(FREEZES)
    assert main(["remove", "newcomer"]) == 0
