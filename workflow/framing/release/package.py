"""The package for a repository: results and all they are made from, each file with its digest.

In: the files of a project, the descriptions of its tables. Out: the texts of `datapackage.json`
(Data Package v2), `ro-crate-metadata.json` (RO-Crate), `SHA256SUMS`, a README with the headings
of the social science data editors, and the bytes of one zip file. The same files give the same
bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from framing.common.extras import library
from framing.common.files import archive, json_text, sha256
from framing.common.problems import InputError, Problem
from framing.tables.captions import Edition
from framing.tables.specs import Specs

FOLDER = Path(__file__).resolve().parents[2] / "report"
README, DATAPACKAGE, CRATE, SUMS = (
    "README.md", "datapackage.json", "ro-crate-metadata.json", "SHA256SUMS",
)  # fmt: skip
CITATION, GUIDE = "CITATION.cff", "corpus/DATA.md"
FREEZES = "corpus/freeze/"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"

_KINDS = {"integer": "integer", "share": "number", "number": "number", "p": "number"}
_MEDIA = {
    ".csv": "text/csv", ".tsv": "text/tab-separated-values", ".json": "application/json",
    ".html": "text/html", ".svg": "image/svg+xml", ".tex": "application/x-tex",
    ".md": "text/markdown", ".yaml": "application/yaml", ".pdf": "application/pdf",
    ".png": "image/png", ".cff": "application/yaml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


def packed(
    files: Mapping[str, bytes],
    words: Edition,
    corpus: Mapping[str, Mapping[str, Any]],
    others: Sequence[Mapping[str, str]],
    config: Mapping[str, Any],
    provenance: Mapping[str, Any],
    programs: Sequence[Mapping[str, str]],
) -> dict[str, bytes]:
    """Return the files of the package by path: ``files`` and four that describe them, sums last.

    ``words`` are those of the project, ``corpus`` describes the tables of a corpus
    (``workflow/report/corpus.yaml``) and ``others`` what else there is (``files.yaml`` beside it),
    ``config`` and ``provenance`` are the project's, ``programs`` (``path script``) say which script
    makes which result. Raises :class:`InputError` where the configuration has no section
    ``release``, and as :func:`datapackage` and :func:`crate` do.
    """
    if "release" not in config:
        raise InputError(
            Problem("config/config.yaml", "has no section release", "Say name and licence of the "
                    "package there: the comments of this workflow's own have an example.")
        )  # fmt: skip
    release, context = config["release"], words.context
    authors = authors_of(files.get(CITATION, b"").decode("utf-8"))
    about = {
        "name": release["name"], "title": f"Replication package: {context['title']}",
        "description": context["question"], "version": provenance["packages"]["framing"],
        "licence": release["licence"], "created": str(release["date"]), "authors": authors,
    }  # fmt: skip
    package = datapackage(files, words.specs, corpus, about)
    titles = {one["path"]: one["title"] for one in package["resources"] if "title" in one}
    tables = {f"results/tables/{name}.csv": spec.title for name, spec in words.specs.tables.items()}
    figures = {
        f"results/figures/{name}.svg": spec.title for name, spec in words.specs.figures.items()
    }
    made = dict(files)
    made[DATAPACKAGE] = json_text(package).encode("utf-8")
    made[README] = readme(
        {
            **context, "version": about["version"], "n_tables": len(tables),
            "n_figures": len(figures), "machine_note": words.specs.phrases["machine_coders"],
            "n_with_url": _with_address(files["corpus/sources.tsv"]),
            "licences": [
                f"Everything in this package: {release['licence']['title']} "
                f"({release['licence']['path']}).",
                "The code of the workflow, which is published apart: MIT.",
            ],
            "data_guide": GUIDE if GUIDE in files else "",
            "freezes": any(path.startswith(FREEZES) for path in files),
            "datasets": datasets(package, files), "python": release["python"],
            "packages": provenance["packages"], "seeds": seeds(config),
            "runtime": release["runtime"],
            "megabytes": max(1, round(sum(map(len, files.values())) / 2**20)),
            "programs": [
                {"name": (tables | figures)[one["path"]], **one}
                for one in programs if one["path"] in tables | figures
            ],
        }
    ).encode("utf-8")  # fmt: skip
    described = descriptions(made, words.specs, corpus, others)
    made[CRATE] = crate(made, titles | tables | figures, described, about).encode("utf-8")
    return dict(sorted(made.items())) | {SUMS: checksums(made).encode("utf-8")}


def _with_address(sources: bytes) -> int:
    head, *rows = (line.split("\t") for line in sources.decode("utf-8").splitlines())
    return sum(bool(row[head.index("url")]) for row in rows)


def media_type(path: str) -> str:
    """Return the media type of a file by its ending."""
    return _MEDIA.get(PurePosixPath(path).suffix, "text/plain")


def datapackage(
    files: Mapping[str, bytes],
    specs: Specs,
    corpus: Mapping[str, Mapping[str, Any]],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the descriptor of a data package: every CSV and TSV table with all its columns.

    ``files`` are the package's by path; ``specs`` describe result tables, ``corpus`` the tables of
    the corpus (``workflow/report/corpus.yaml``); ``about`` has ``name title description version
    licence`` (name, title, path) ``created``. What is no table stands in the crate only. Raises
    :class:`InputError` where a table of the corpus has a column that nobody described.
    """
    resources = []
    for path in sorted(files):
        found = _described(path, corpus)
        table = PurePosixPath(path)
        if path.startswith("results/tables/") and table.suffix == ".csv":
            said = _result_table(table.stem, specs)
        elif found:
            said = _corpus_table(path, files[path], found, corpus)
        else:
            continue
        resources.append(
            {
                "name": _resource_name(path), "path": path, "mediatype": media_type(path),
                "bytes": len(files[path]), "hash": f"sha256:{sha256(files[path])}", **said,
            }
        )  # fmt: skip
    made = {
        "$schema": PROFILE,
        "name": about["name"],
        "title": about["title"],
        "description": about["description"],
        "version": about["version"],
        "licenses": [about["licence"]],
        "resources": resources,
    }
    return made | {"created": f"{about['created']}T00:00:00Z"}


def _resource_name(path: str) -> str:
    plain = "".join(char if char.isalnum() else "-" for char in path.lower())
    return plain.strip("-")


def _result_table(name: str, specs: Specs) -> dict[str, Any]:
    spec = specs.tables[name]
    return {
        "type": "table", "format": "csv", "encoding": "utf-8", "title": spec.title,
        "description": spec.caption,
        "schema": {
            "fields": [
                {"name": column.name, "type": _KINDS.get(column.kind, "string"),
                 "title": column.label, "description": column.description}
                for column in spec.columns.values()
            ],
            "missingValues": [""],
        },
    }  # fmt: skip


def _described(path: str, corpus: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return next((one for one in corpus.values() if fnmatchcase(path, one["path"])), None)


def _corpus_table(
    path: str, data: bytes, spec: Mapping[str, Any], corpus: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    header = data.split(b"\n", 1)[0].decode("utf-8").split("\t")
    unknown = [name for name in header if name not in spec["columns"] and "code" not in spec]
    if unknown:
        raise InputError(
            Problem(path, f"has columns that nobody described: {', '.join(unknown)}",
                    "Describe them in workflow/report/corpus.yaml.")
        )  # fmt: skip
    fields, keys = [], []
    for name in header:
        column = spec["columns"].get(name) or spec["code"]
        fields.append({"name": name, "type": column["type"], "description": column["description"]})
        if "refers" in column:
            table, field = column["refers"]
            target = _resource_name(corpus[table]["path"])
            keys.append({"fields": [name], "reference": {"resource": target, "fields": [field]}})
    schema: dict[str, Any] = {
        "fields": fields, "primaryKey": [spec["key"]],
        # In codings, and nowhere else, NA says that something was not coded.
        "missingValues": ["", "NA"] if "code" in spec else [""],
    }  # fmt: skip
    if keys:
        schema["foreignKeys"] = keys
    return {
        "type": "table", "format": "tsv", "encoding": "utf-8", "title": spec["title"],
        "description": spec["description"],
        # Fields of our tables are never quoted: a quotation mark is a character like any other.
        "dialect": {"delimiter": "\t", "quoteChar": "\x00"},
        "schema": schema,
    }  # fmt: skip


def descriptions(
    files: Iterable[str],
    specs: Specs,
    corpus: Mapping[str, Mapping[str, Any]],
    others: Sequence[Mapping[str, str]],
) -> dict[str, str]:
    """Return what each file is, by path, as far as tables, ``corpus`` and ``others`` say."""
    told, found = specs.results, {}
    for path in files:
        name = PurePosixPath(path)
        if (table := _described(path, corpus)) is not None:
            found[path] = str(table["description"])
        elif name.parts[0] == "results" and name.stem in told:
            found[path] = told[name.stem].caption
        elif says := next((one["says"] for one in others if fnmatchcase(path, one["path"])), ""):
            found[path] = says
    return found


def crate(
    files: Mapping[str, bytes],
    titles: Mapping[str, str],
    described: Mapping[str, str],
    about: Mapping[str, Any],
) -> str:
    """Return the text of `ro-crate-metadata.json`, made by the library rocrate.

    ``titles`` name files by path, ``described`` says what they are; ``about`` as for
    :func:`datapackage`, and ``authors`` (names). Raises :class:`InputError` where the library is
    not installed.
    """
    asked = ("release", "the package", "described")
    person = library("rocrate.model.person", *asked).Person
    entity = library("rocrate.model.contextentity", *asked).ContextEntity
    made = library("rocrate.rocrate", *asked).ROCrate(gen_preview=False)
    made.name, made.description = about["title"], about["description"]
    licence = about["licence"]
    said = {"@type": "CreativeWork", "name": licence["name"], "description": licence["title"]}
    made.license = made.add(entity(made, licence["path"], properties=said))
    made.root_dataset["version"] = about["version"]
    # Without it the library writes today, and the same files would give other bytes.
    made.datePublished = about["created"]
    creators = [
        made.add(person(made, f"#author-{number}", properties={"name": name}))
        for number, name in enumerate(about["authors"], start=1)
    ]
    made.creator = creators[0] if len(creators) == 1 else creators
    for path in sorted(files):
        said = {
            "encodingFormat": media_type(path), "contentSize": str(len(files[path])),
            "sha256": sha256(files[path]), "name": titles.get(path, PurePosixPath(path).name),
        }  # fmt: skip
        if path in described:
            said["description"] = described[path]
        made.add_file(io.BytesIO(files[path]), path, properties=said)
    data = made.metadata.generate()
    data["@graph"] = sorted(data["@graph"], key=lambda entity: str(entity["@id"]))
    return json_text(data)


def readme(about: Mapping[str, Any]) -> str:
    """Return the replication README; ``about`` has what ``replication.md.j2`` asks for."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER, encoding="utf-8"), undefined=StrictUndefined,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    return environment.get_template("replication.md.j2").render(**about)


def datasets(package: Mapping[str, Any], files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return path, title and number of rows of the tables of a corpus in a data package."""
    return [
        {"path": one["path"], "title": one["title"], "rows": files[one["path"]].count(b"\n") - 1}
        for one in package["resources"]
        if one.get("type") == "table" and one["path"].startswith("corpus/")
    ]


def seeds(settings: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Return all seeds of a configuration, by their place in it."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        place = f"{where}.{name}" if where else str(name)
        if isinstance(value, Mapping):
            found |= seeds(value, place)
        elif name == "seed":
            found[place] = value
    return found


def checksums(files: Mapping[str, bytes]) -> str:
    """Return digests in the form that `sha256sum --check` reads."""
    return "".join(f"{sha256(data)}  {path}\n" for path, data in sorted(files.items()))


def zipped(files: Mapping[str, bytes], folder: str) -> bytes:
    """Return a zip file of ``files`` below ``folder`` (:func:`framing.common.files.archive`)."""
    return archive({f"{folder}/{path}": files[path] for path in sorted(files)})


def authors_of(text: str) -> list[str]:
    """Return the names of the authors in the text of a `CITATION.cff`; none without one."""
    import yaml

    data = yaml.safe_load(text) or {}
    made = []
    for one in data.get("authors", []):
        person = " ".join(filter(None, [one.get("given-names"), one.get("family-names")]))
        made.append(str(one.get("name") or person))
    return made
