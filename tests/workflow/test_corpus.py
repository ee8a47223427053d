"""The committed corpus: what it holds, and that it holds no prose."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from framing.cli.main import main
from framing.common.files import read_table, sha256
from framing.corpus.store import read_facts

pytestmark = pytest.mark.slow

SHARED = Path("..") / "shared"
FOLDERS = ("corpus", "growth")


@pytest.fixture(scope="module")
def shared(root: Path) -> Path:
    folder = root / SHARED
    if not all((folder / name).is_dir() for name in FOLDERS):
        pytest.skip("the folder with the original tables and texts is not beside the repository")
    return folder


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3)


def same(left: pd.DataFrame, right: pd.DataFrame, key: list[str]) -> None:
    left = left.sort_values(key, ignore_index=True)
    right = right.sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(left, right)


def test_the_corpus_is_complete_and_checks_out(root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    assert main(["check"]) == 0
    said = capsys.readouterr().out
    assert "1735 sources, 3263 passages, 1139 drawn for coding, 3 coders" in said


def test_the_essay_comes_first(root):
    assert read(root / "corpus" / "sources.tsv")["source_id"][0] == "pouliot-2011"


def test_ids_of_passages_are_made_from_source_and_offsets(root):
    passages = read(root / "corpus" / "passages.tsv")
    made = [
        sha256(f"{row.source_id}:{row.start}-{row.end}")[:10]
        for row in passages.itertuples(index=False)
    ]
    assert made == passages["passage_id"].tolist()


def test_all_coders_are_machine_coders(root):
    coders = read(root / "corpus" / "coders.tsv")
    assert coders["coder"].tolist() == ["coder-a", "coder-b", "coder-c"]
    assert set(coders["kind"]) == {"machine"}


def test_tables_equal_the_ones_handed_over(root, shared):
    corpus, first, later = root / "corpus", shared / "corpus", shared / "growth"
    for name, key in (("sources.tsv", "source_id"), ("passages.tsv", "passage_id")):
        both = pd.concat([read(first / name), read(later / name)], ignore_index=True)
        same(read(corpus / name), both, [key])
    same(read(corpus / "sample.tsv"), read(first / "sample.tsv"), ["passage_id"])
    codings = pd.concat(read(path) for path in sorted((corpus / "codings").glob("*.tsv")))
    given = read(first / "codings.tsv")
    old = codings[codings["passage_id"].isin(given["passage_id"])]
    same(old, given, ["passage_id", "coder"])


def test_the_confirmation_draw_is_the_one_that_its_rule_gives(root):
    """In each stratum, Python's own generator, seeded as the record says, takes just these."""
    draw = read(root / "corpus/draws/1/passages.tsv")
    record = json.loads((root / "corpus/draws/1/draw.json").read_text("utf-8"))
    assert record["role"] == "confirmation"
    taken = 0
    for name, rows in draw[draw["status"] != "earlier"].groupby("stratum"):
        ids = sorted(rows["passage_id"])
        size = record["strata"][name]["drawn"]
        random.Random(f"confirmation-20261130/{name}").shuffle(ids)
        assert set(ids[-size:]) == set(rows.loc[rows["status"] == "drawn", "passage_id"]), name
        taken += size
    assert taken == 626


def test_what_the_first_sample_could_not_draw_is_what_joined_later(root):
    sample, passages = read(root / "corpus/sample.tsv"), read(root / "corpus/passages.tsv")
    joined = read(root / "corpus/unsampled.tsv")["passage_id"]
    assert len(passages) - len(joined) == 850
    assert not set(sample["passage_id"]) & set(joined)


def test_the_freeze_knew_the_draw_without_a_coding(root):
    record = json.loads((root / "corpus/freeze/1/freeze.json").read_text("utf-8"))
    assert record["draws"]["1"]["role"] == "confirmation"
    assert record["draws"]["1"]["coded"] == 0


def runs_of_words(text: str, length: int = 9) -> Iterator[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9']+", text.lower())
    return (tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def test_no_prose_of_a_source_stands_in_the_repository(root, shared):
    # Of the texts' six million runs only hashes are kept: the tuples would take gigabytes.
    known: set[int] = set()
    for path in (text for name in FOLDERS for text in (shared / name / "texts").glob("*.txt")):
        known.update(map(hash, runs_of_words(path.read_text(encoding="utf-8"))))
    assert known
    # Bibliographic facts, which stand in some texts: a title, then who speaks.
    for row in (root / "corpus" / "sources.tsv").read_text(encoding="utf-8").splitlines():
        known.difference_update(map(hash, runs_of_words(row)))
    leaks = []
    folders = ("corpus", "examples", "docs", "tests", "workflow", "config", "results")
    for folder in folders:
        for path in (root / folder).rglob("*"):
            if path.suffix in (".yaml", ".md", ".py", ".tsv", ".html", ".tex", ".csv", ".svg"):
                # What stands in two strings of a page's data is no run of words.
                pieces = path.read_text(encoding="utf-8").split('","')
                runs = (run for piece in pieces for run in runs_of_words(piece))
                found = [run for run in runs if hash(run) in known]
                leaks += [(path.relative_to(root).as_posix(), " ".join(run)) for run in found]
    assert leaks == []


def test_derived_facts_hold_sorted_words_only(root):
    for source in read_table(root / "corpus" / "sources.tsv", [], extra=True)["source_id"]:
        for passage in read_facts(source, root)["passages"]:
            assert list(passage["counts"]) == sorted(passage["counts"])
            assert list(passage["hits"]) == sorted(passage["hits"])
            assert set(passage) == {
                "passage_id", "start", "end", "words", "sha256", "counts", "hits",
            }  # fmt: skip


def test_exemplars_are_enough(root):
    codebook = yaml.safe_load((root / "corpus/codebook/codebook.yaml").read_text("utf-8"))
    for code in codebook["codes"].values():
        carrying = code["exemplars"]["carrying"]
        named = {number for each in carrying for number in re.findall(r"\d", each["reason"])}
        assert named >= {str(number) for number in range(1, len(code["present"]) + 1)}
        assert len(code["exemplars"]["near_misses"]) >= len(code["not_enough"])
        assert all(each["reason"] for kind in code["exemplars"].values() for each in kind)


def test_no_name_of_the_first_case_stands_in_the_code(root):
    config = yaml.safe_load((root / "config/config.yaml").read_text("utf-8"))
    codebook = yaml.safe_load((root / "corpus/codebook/codebook.yaml").read_text("utf-8"))
    names = {*codebook["codes"], *config["groups"], *(p["id"] for p in config["periods"])}
    # Plain words that are also group ids: only their use as a literal would tie the code to them.
    literal = re.compile("|".join(rf"[\"']{re.escape(name)}[\"']" for name in sorted(names)))
    workflow = root / "workflow"
    files = [root / "Snakefile", workflow / "Snakefile"]
    files += [*workflow.rglob("*.py"), *workflow.rglob("*.smk")]
    found = [(path.name, literal.findall(path.read_text("utf-8"))) for path in files]
    assert [each for each in found if each[1]] == []


def test_readme_and_ci_use_the_same_test_line(root):
    ci = (root / ".ci" / "run").read_text(encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    line = next(line for line in ci.splitlines() if line.endswith("pytest"))
    assert line in readme.splitlines()
    main_line = next(line for line in readme.splitlines() if line.endswith("bin/snakemake"))
    assert main_line.startswith("python3 -m venv .venv")
