"""Why results moved: parts of the inputs, and what differs between two records of them."""

from __future__ import annotations

import ast
import copy
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from framing.common.config import load_config, read_yaml
from framing.common.files import json_text, write_text
from framing.corpus.derived import Facts
from framing.corpus.store import changed_shards, read_facts, shard_paths
from framing.release.causes import IDLE_SETTINGS, causes
from framing.release.changelog import account
from framing.release.manifest import provenance
from framing.release.provenance_inputs import folder_digest, input_details
from framing.release.read_release import Grid, Results
from framing.workflow import software
from tests.unit.words_read import load_specs

Record = dict[str, Any]


def record() -> Record:
    """What results of an invented project were made from."""
    return {
        "inputs": {
            "corpus": {
                "files": 9, "sha256": "c0",
                "sources": {"letter-1": "aa", "letter-2": "bb"},
                "draws": {"sample": {"passages": 40, "sha256": "dd"}},
                "lists": {},
            },
            "codebook": {
                "files": 1, "sha256": "b0", "version": "1.0",
                "codes": {"cost": "k1"}, "cues": {"price-words": "q1", "who-pays": "q2"},
            },
            "codings": {
                "files": 2, "sha256": "g0",
                "coders": {
                    "ada": {"kind": "human", "passages": 40, "present": {"cost": 8}, "sha256": "h1"}
                },
            },
            "models": {"files": 1, "sha256": "m0"},
        },
        "config": {
            "sha256": "s0",
            "settings": {
                "inference": {"confidence": 0.95},
                "periods": [{"id": "early", "first": 1990, "last": 1999}],
                "project": {"title": "Who pays?"},
                "report": {"decimals": 3, "changes_listed": 50},
            },
        },
        "packages": {"framing": "0.1.0", "matplotlib": "3.10", "numpy": "2.0"},
        "code": {"inference": "i1", "model": "n1"},
    }  # fmt: skip


def after(change: Callable[[Record], None]) -> Record:
    made = record()
    change(made)
    return made


def said(new: Record, old: Record | None = None) -> list[str]:
    found = causes(old or record(), new).found
    assert found is not None
    return [cause.text for cause in found]


def test_equal_records_name_nothing():
    assert causes(record(), record()) == causes(record(), copy.deepcopy(record()))
    assert said(record()) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda r: r["inputs"]["corpus"]["sources"].update({"letter-3": "cc"}),
         "Sources added: 1 (letter-3)"),
        (lambda r: r["inputs"]["corpus"]["sources"].pop("letter-1"),
         "Sources removed: 1 (letter-1)"),
        (lambda r: r["inputs"]["corpus"]["sources"].update({"letter-2": "zz"}),
         "Sources changed (their row, their passages or their words): 1 (letter-2)"),
        (lambda r: r["inputs"]["corpus"]["draws"].update(
            {"draw 2": {"passages": 12, "sha256": "ee"}}), "Draw 2 added: 12 passages drawn"),
        (lambda r: r["inputs"]["corpus"]["draws"]["sample"].update(passages=41, sha256="ef"),
         "Sample changed: 40 → 41 passages"),
        (lambda r: r["inputs"]["corpus"]["lists"].update({"corpus/kept_back.tsv": "ff"}),
         "Tables of the corpus added: 1 (corpus/kept_back.tsv)"),
        (lambda r: r["inputs"]["codings"]["coders"].update(
            {"bo": {"kind": "machine", "passages": 1, "present": {}, "sha256": "h2"}}),
         "Coder added: bo (machine, 1 passage)"),
        (lambda r: r["inputs"]["codings"]["coders"]["ada"].update(
            sha256="h3", present={"cost": 9}),
         "Codings of ada changed: 40 passages, cost in 8 → 9"),
        (lambda r: r["inputs"]["codings"]["coders"]["ada"].update(kind="machine"),
         "Codings of ada changed: 40 passages, kind human → machine"),
        (lambda r: r["inputs"]["codebook"]["cues"].update({"who-pays": "q9"}),
         "Cues changed (patterns, conditions or votes): 1 (who-pays)"),
        (lambda r: r["inputs"]["codebook"]["codes"].update({"fairness": "k2"}),
         "Codes added: 1 (fairness)"),
        (lambda r: r["inputs"]["codebook"].update(sha256="b1"),
         "Files of the codebook changed: its words, but no code and no cue"),
        (lambda r: r["inputs"]["codings"].update(sha256="g1"),
         "Files of the codings changed: what is said of the coders, no code"),
        (lambda r: r["inputs"]["corpus"].update(sha256="c1"),
         "Files of the corpus changed: its facts, but no source and no draw"),
        (lambda r: r["config"]["settings"]["inference"].update(confidence=0.9),
         "Setting inference.confidence: 0.95 → 0.9"),
        (lambda r: r["config"]["settings"]["periods"][0].update(last=2001),
         "Setting periods.early.last: 1999 → 2001"),
        (lambda r: r["config"]["settings"].update(case_study="letter-1"),
         "Setting case_study: not set → letter-1"),
        (lambda r: r["packages"].update(numpy="2.1"), "Package numpy: 2.0 → 2.1"),
        (lambda r: r["code"].update(model="n2"),
         "Code of the workflow changed, below workflow/: model"),
    ],
)  # fmt: skip
def test_each_change_of_an_input_is_named(change: Callable[[Record], None], expected: str):
    new = after(change)
    assert said(new) == [expected]
    assert [cause.text for cause in causes(record(), new).at_work] == [expected]


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["config"]["settings"]["project"].update(title="Who pays now?"),
        lambda r: r["config"]["settings"]["report"].update(changes_listed=9),
        lambda r: r["packages"].update(matplotlib="3.11"),
        lambda r: r["inputs"]["codebook"].update(sha256="b1", version="1.1"),
    ],
)
def test_what_no_cell_is_made_from_is_set_apart(change: Callable[[Record], None]):
    found = causes(record(), after(change))
    assert (len(found.idle), found.at_work) == (1, [])


def test_a_changed_cue_is_one_cause_though_it_changes_every_file_of_facts():
    def change(made: Record) -> None:
        made["inputs"]["codebook"].update(sha256="b1")
        made["inputs"]["codebook"]["cues"]["who-pays"] = "q9"
        made["inputs"]["corpus"]["sha256"] = "c1"
        made["inputs"]["models"]["sha256"] = "m1"

    assert said(after(change)) == ["Cues changed (patterns, conditions or votes): 1 (who-pays)"]


def test_of_many_names_some_are_given_and_the_others_counted():
    new = after(
        lambda r: r["inputs"]["corpus"]["sources"].update({f"s-{n:02}": "x" for n in range(15)})
    )
    (text,) = said(new)
    assert text.startswith("Sources added: 15 (s-00, s-01,")
    assert text.endswith("s-11 and 3 more)")


def test_a_record_of_the_earlier_form_is_compared_as_a_whole():
    def coarse(made: Record) -> None:
        for entry in made["inputs"].values():
            for key in set(entry) - {"files", "sha256"}:
                del entry[key]
        del made["code"]

    old = after(coarse)
    new = after(lambda r: r["inputs"]["corpus"].update(files=10, sha256="c1"))
    assert said(new, old) == [
        "Files of the corpus differ (9 → 10 files); the older record does not say which"
    ]
    assert "which code made it" in causes(old, new).unknown[0]
    assert causes(record(), record()).unknown == ()


# --- what the account makes of it -----------------------------------------------------------------


def reported(new: Record | None, old: Record | None) -> str:
    tables = [{"T1-corpus": Grid(("group", "period", "sources"), (("all", "all", n),))}
              for n in ("1", "2")]  # fmt: skip
    pair = (Results("1.0", tables[0], old), Results("", tables[1], new))
    return account(*pair, load_specs()).markdown(50)


def test_one_cause_is_behind_every_move():
    text = reported(after(lambda r: r["packages"].update(numpy="2.1")), record())
    assert "- Package numpy: 2.0 → 2.1" in text
    assert "every move below comes from it" in text
    assert "no cell can be put down" not in text


def test_of_several_causes_none_can_be_told_from_another():
    def change(made: Record) -> None:
        made["packages"]["numpy"] = "2.1"
        made["inputs"]["corpus"]["sources"]["letter-3"] = "cc"
        made["config"]["settings"]["project"]["title"] = "Other"

    text = reported(after(change), record())
    assert "These 2 changes came together, so that no cell can be put down to one of" in text
    assert "- Sources added: 1 (letter-3)" in text
    assert "every move below" not in text
    apart = text.index("Changed as well, though no cell")
    assert text.index("- Setting project.title") > apart > text.index("- Package numpy")


def test_results_that_moved_without_a_cause_are_alarming():
    text = reported(record(), record())
    assert "**Nothing that results are made from has changed, and yet they have.**" in text
    assert "or the code of the workflow changed" not in text  # its digest is on record
    bare = {name: part for name, part in record().items() if name != "code"}
    assert "or the code of the workflow changed" in reported(bare, bare)


def test_inputs_that_moved_nothing_are_told_too():
    grid = {"T1-corpus": Grid(("group", "period", "sources"), (("all", "all", "1"),))}
    new = after(lambda r: r["packages"].update(numpy="2.1"))
    pair = (Results("1.0", grid, record()), Results("", grid, new))
    text = account(*pair, load_specs()).markdown(50)
    assert text.startswith("# Nothing changed since 1.0\n")
    assert "without moving any cell:\n\n- Package numpy: 2.0 → 2.1\n" in text


def test_without_a_record_no_cause_is_made_up():
    assert "what caused the change cannot be said" in reported(None, record())


# --- parts of a project on disk -------------------------------------------------------------------


@pytest.fixture
def project(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(mini / "corpus", tmp_path / "corpus")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made_from() -> Record:
    corpus = Path("corpus")
    derived = shard_paths()
    codings = sorted((corpus / "codings").glob("*.tsv"))
    book = corpus / "codebook" / "codebook.yaml"
    tables = [corpus / f"{name}.tsv" for name in ("sources", "passages", "sample")]
    inputs = {
        "corpus": [*tables, *derived], "codebook": [book],
        "codings": [corpus / "coders.tsv", *codings],
    }  # fmt: skip
    details = input_details(
        sources=tables[0], passages=tables[1], sample=tables[2], draws=[], lists=[],
        derived=derived, codebook=book, coders=corpus / "coders.tsv", codings=codings,
    )  # fmt: skip
    return provenance(inputs, {}, [], details=details)


def edit(path: str, old: str, new: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    write_text(Path(path), text.replace(old, new, 1))


def store(facts: Facts) -> None:
    for path, text in changed_shards({facts["source_id"]: facts})[0].items():
        write_text(path, text)


def test_the_parts_of_the_example_are_named_and_always_the_same(project: Path):
    before = made_from()
    assert json_text(before) == json_text(made_from())
    corpus = before["inputs"]["corpus"]
    rows = Path("corpus/sources.tsv").read_text("utf-8").splitlines()[1:]
    assert set(corpus["sources"]) == {row.split("\t")[0] for row in rows}
    assert corpus["draws"]["sample"]["passages"] == 62
    assert set(before["inputs"]["codebook"]["codes"]) == {"cost", "fairness", "heritage"}
    coder = before["inputs"]["codings"]["coders"]["machine-1"]
    assert (coder["kind"], coder["passages"], coder["present"]["cost"]) == ("machine", 62, 19)
    assert str(project) not in json_text(before)


def test_a_source_is_named_by_its_row_and_by_its_facts_but_not_by_its_hits(project: Path):
    before = made_from()
    row = Path("corpus/sources.tsv").read_text("utf-8").splitlines()[1]
    source = row.split("\t")[0]
    edit("corpus/sources.tsv", f"{source}\t", f"{source}\tAbout: ")
    assert said(made_from(), before)[0].endswith(f": 1 ({source})")
    edit("corpus/sources.tsv", f"{source}\tAbout: ", f"{source}\t")
    whole = read_facts(source)
    passage = whole["passages"][0]
    cue = next(iter(whole["cues"]))
    store({**whole, "passages": [{**passage, "hits": {f"{cue}/1": 1}}, *whole["passages"][1:]]})
    assert said(made_from(), before) == [
        "Files of the corpus changed: its facts, but no source and no draw"
    ]
    counts = dict(sorted({**passage["counts"], "aaa": 1}.items()))
    store({**whole, "passages": [{**passage, "counts": counts}, *whole["passages"][1:]]})
    assert said(made_from(), before)[0].endswith(f": 1 ({source})")


def test_a_source_added_with_its_passages_is_named(project: Path):
    before = made_from()
    lines = Path("corpus/sources.tsv").read_text("utf-8").splitlines()
    fields = ["letter-new", *lines[1].split("\t")[1:]]
    write_text(Path("corpus/sources.tsv"), "\n".join([*lines, "\t".join(fields)]) + "\n")
    with Path("corpus/passages.tsv").open("a", encoding="utf-8") as table:
        table.write("0123456789\tletter-new\t0\t9\t12\n")
    assert said(made_from(), before) == ["Sources added: 1 (letter-new)"]


def test_cues_are_named_by_pattern_and_vote_but_not_by_description(project: Path):
    before = made_from()
    book = Path("corpus/codebook/codebook.yaml")
    data = yaml.safe_load(book.read_text(encoding="utf-8"))
    cue = next(cue for cue in data["cues"] if cue.get("for"))
    name = cue["name"]

    def changed(**values: Any) -> list[str]:
        cues = [one | values if one is cue else one for one in data["cues"]]
        write_text(book, yaml.safe_dump(data | {"cues": cues}, allow_unicode=True))
        return said(made_from(), before)

    words = ["Files of the codebook changed: its words, but no code and no cue"]
    assert changed(description="Said in other words.") == words
    named = [f"Cues changed (patterns, conditions or votes): 1 ({name})"]
    assert changed(pattern="ducats") == named
    other = next(code for code in data["codes"] if code not in cue["for"])
    assert changed(**{"for": [other]}) == named


def test_changed_codings_are_named_by_coder(project: Path):
    before = made_from()
    path = "corpus/codings/machine-2.tsv"
    lines = Path(path).read_text("utf-8").splitlines()
    at = lines[0].split("\t").index("cost")
    row = lines[1].split("\t")
    row[at] = "0" if row[at] == "1" else "1"
    write_text(Path(path), "\n".join([lines[0], "\t".join(row), *lines[2:]]) + "\n")
    (text,) = said(made_from(), before)
    assert text.startswith("Codings of machine-2 changed: 62 passages, cost in 17 → 1")


def test_the_encoder_is_known_by_its_files_wherever_they_lie(tmp_path: Path):
    digests = []
    for place in ("here", "there"):
        folder = tmp_path / place
        write_text(folder / "sub" / "weights", "1")
        digests.append(folder_digest([folder / "sub" / "weights"], folder))
    assert digests[0] == digests[1]
    write_text(folder / "sub" / "weights", "2")
    assert folder_digest([folder / "sub" / "weights"], folder) != digests[0]


# --- the code -------------------------------------------------------------------------------------


def test_the_digest_of_the_code_covers_what_tables_are_made_by(monkeypatch: pytest.MonkeyPatch):
    found = software.software()
    rooms = {"corpus", "coding", "classifier", "inference", "tables", "scripts", "rules"}
    assert rooms <= set(found)
    read = Path.read_bytes
    for name, room in (
        ("estimators/difference.py", "inference"), ("make_tables.py", "scripts"),
        ("model.smk", "rules"), ("changelog.py", None), ("render.py.j2", None),
    ):  # fmt: skip

        def edited(path: Path, name: str = name) -> bytes:
            return read(path) + (b"#" if path.as_posix().endswith(name) else b"")

        monkeypatch.setattr(Path, "read_bytes", edited)
        changed = {key for key, value in software.software().items() if value != found[key]}
        assert changed == ({room} if room else set()), name
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path).replace(b"\n", b"\r\n"))
    assert software.software() == found


def test_the_code_of_a_script_is_found_again_when_asked_twice():
    first = software.job_code("prevalence")
    software.software()
    assert software.job_code("prevalence") == first
    assert len(first) > 10


@pytest.mark.slow
def test_imports_are_those_that_python_sees(root: Path):
    """They are looked for line by line, which is quick; here each file is read as Python does."""
    for path in sorted((root / "workflow").rglob("*.py")):
        names = set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        modules = [name.split(".") for name in names]
        expected = {
            file
            for parts in modules
            if parts[0] == "framing"
            for end in range(1, len(parts) + 1)
            for file in (
                software.PACKAGE.joinpath(*parts[1:end], "__init__.py"),
                software.PACKAGE.joinpath(*parts[1:end]).with_suffix(".py"),
            )
            if file.is_file()
        }
        assert software._imported(path) == expected, path


def test_settings_held_to_be_idle_are_read_by_no_rule_that_makes_tables(root: Path, mini: Path):
    files = (root / "workflow" / "rules").glob("*.smk")
    # The first steps of a project are no result.
    rules = "".join(path.read_text("utf-8") for path in files if path.stem != "begin")
    read = {
        section
        for call in re.findall(r"PLAN\.settings\(([^)]*)\)", rules)
        for section in re.findall(r'"(\w+)"', call)
    }
    assert "inference" in read
    # Of the corpus only the folders of texts, which say where, not what.
    assert read.isdisjoint(set(IDLE_SETTINGS) - {"corpus"})
    config = load_config(mini / "config" / "config.yaml")
    assert list(config["corpus"]) == ["texts"]
    schema = read_yaml(root / "workflow" / "schemas" / "config.schema.yaml")
    assert {setting.split(".")[0] for setting in IDLE_SETTINGS} <= set(schema["properties"])


def test_passages_that_no_draw_could_take_follow_from_a_source_and_are_no_cause_beside_it():
    old, new = record(), record()
    new["inputs"]["corpus"]["lists"]["corpus/unsampled.tsv"] = "ff"
    alone = causes(old, new)
    assert [cause.text for cause in alone.at_work] == [
        "Tables of the corpus added: 1 (corpus/unsampled.tsv)"
    ]
    new["inputs"]["corpus"]["sources"]["new-one"] = "aa"
    both = causes(old, new)
    assert [cause.text for cause in both.at_work] == ["Sources added: 1 (new-one)"]
