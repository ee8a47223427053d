"""The package for a repository: described, complete, the same on every build."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from framing.common.files import read_table
from framing.release.package import authors_of, checksums, seeds, zipped
from tests.workflow.conftest import Run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(finished: tuple[Path, str], run: Run) -> Path:
    pytest.importorskip("rocrate", reason="needs the extra `release`")
    project, _ = finished
    done = run(project, "release")
    assert done.returncode == 0, done.stdout + done.stderr
    return project / "dist" / "replication"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_package_holds_results_and_all_they_are_made_from_but_no_text(package, finished):
    project, _ = finished
    held = files_of(package)
    listed = read_table(project / "results" / "manifest.tsv", ["path", "bytes", "sha256"])
    for row in listed.itertuples():
        assert hashlib.sha256(held[f"results/{row.path}"]).hexdigest() == row.sha256
    for name in ("corpus/sources.tsv", "corpus/passages.tsv", "corpus/sample.tsv",
                 "corpus/codebook/codebook.yaml", "config/config.yaml"):  # fmt: skip
        assert held[name] == (project / name).read_bytes()
    derived = {f"corpus/derived/{path.name}" for path in (project / "corpus/derived").iterdir()}
    assert derived <= set(held)
    assert not any(name.startswith("corpus/texts") for name in held)
    prose = (project / "corpus/texts").iterdir()
    everything = b"\n".join(held.values()).decode("utf-8", "replace")
    for path in prose:
        longest = max(path.read_text(encoding="utf-8").split("\n"), key=len)
        assert longest not in everything, path.name


def test_checksums_are_those_of_all_files(package):
    held = files_of(package)
    lines = held.pop("SHA256SUMS").decode("utf-8").splitlines()
    assert {line[66:]: line[:64] for line in lines} == {
        name: hashlib.sha256(data).hexdigest() for name, data in held.items()
    }


def test_every_table_is_valid_and_every_column_described(package):
    frictionless = pytest.importorskip("frictionless", reason="needs the extra `test`")
    descriptor = json.loads((package / "datapackage.json").read_text("utf-8"))
    assert descriptor["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    tables = {one["path"]: one for one in descriptor["resources"] if one.get("type") == "table"}
    held = files_of(package)
    for name, data in held.items():
        if not name.endswith((".csv", ".tsv")):
            continue
        separator = "," if name.endswith(".csv") else "\t"
        header = data.decode("utf-8").split("\n")[0].split(separator)
        fields = tables[name]["schema"]["fields"]
        assert [field["name"] for field in fields] == header, name
        assert all(field["description"] for field in fields), name
    report = frictionless.Package(str(package / "datapackage.json")).validate()
    assert report.valid, report.flatten(["title", "rowNumber", "fieldName", "message"])[:5]
    assert set(tables) == {name for name in held if name.endswith((".csv", ".tsv"))}
    names = [one["name"] for one in descriptor["resources"]]
    assert len(set(names)) == len(names) == len(tables)


def test_the_crate_can_be_read_and_describes_every_file(package):
    from rocrate.rocrate import ROCrate

    made = ROCrate(str(package))
    described = {entity.id for entity in made.data_entities}
    held = set(files_of(package)) - {"ro-crate-metadata.json", "SHA256SUMS"}
    assert {"README.md", "datapackage.json", "results/report.html"} <= held
    assert described == held
    graph = json.loads((package / "ro-crate-metadata.json").read_text("utf-8"))["@graph"]
    root = next(entity for entity in graph if entity["@id"] == "./")
    for name in ("name", "description", "license", "datePublished"):
        assert root[name], name
    assert root["@type"] == "Dataset"
    assert {part["@id"] for part in root["hasPart"]} == held
    told = {entity["@id"] for entity in graph if entity.get("description")}
    assert held <= told, held - told
    assert root["license"]["@id"] in told


def test_the_readme_has_the_headings_of_the_data_editors_and_no_gap(package):
    text = (package / "README.md").read_text(encoding="utf-8")
    for heading in (
        "## Overview", "## Data availability and provenance", "### Statement about rights",
        "### Licences", "### Summary of availability", "### Details on each data source",
        "## Dataset list", "## Computational requirements", "### Software",
        "### Controlled randomness", "### Memory, runtime, storage",
        "## Description of programs", "## Instructions to replicators",
        "## List of tables and programs", "## References",
    ):  # fmt: skip
        assert f"\n{heading}\n" in text, heading
    assert "machine coders" in text
    shares = "`workflow/framing/tables/shares.py (prevalence_table)`"
    assert f"| {shares} | `results/tables/T4-prevalence.csv` |" in text
    both = (
        "`workflow/framing/tables/quality.py (methods_table), then "
        "workflow/framing/tables/outside_frame.py (with_unfamiliar)`"
    )
    assert f"| {both} | `results/tables/T3-classifier.csv` |" in text
    assert "{{" not in text and "None" not in text


def test_the_same_bytes_come_out_again(package, finished, run, tmp_path):
    project, _ = finished
    archive = project / "dist" / "replication.zip"
    first = archive.read_bytes()
    done = run(project, "release", "--forcerun", "release")
    assert done.returncode == 0
    assert archive.read_bytes() == first
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        opened.extractall(tmp_path)
    assert files_of(tmp_path / "replication") == files_of(package)


def test_a_zip_file_knows_no_time_and_no_order() -> None:
    one = zipped({"b": b"2", "a/c": b"1"}, "pack")
    assert one == zipped({"a/c": b"1", "b": b"2"}, "pack")
    import io

    with zipfile.ZipFile(io.BytesIO(one)) as opened:
        assert [entry.filename for entry in opened.infolist()] == ["pack/a/c", "pack/b"]
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_seeds_are_found_wherever_they_stand() -> None:
    settings = {"a": {"seed": 1, "b": {"seed": 2, "draws": 3}}, "c": [{"seed": 9}], "seed": 4}
    assert seeds(settings) == {"a.seed": 1, "a.b.seed": 2, "seed": 4}


def test_checksums_have_the_form_of_the_usual_tool() -> None:
    assert checksums({"a": b""}) == f"{hashlib.sha256(b'').hexdigest()}  a\n"


def test_authors_of_a_citation_file_are_people_or_names() -> None:
    text = "authors:\n- {given-names: Ada, family-names: Beck}\n- {name: The project}\n"
    assert authors_of(text) == ["Ada Beck", "The project"]
    assert authors_of("") == []
