"""``framing cite``: a sentence, an entry for BibTeX or CSL and a key for tables, or one number."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.common.config import ALL, load_config, read_yaml
from framing.common.files import read_bytes, sha256
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.versions import versions
from framing.release.cite import (
    CITATION,
    Citation,
    Work,
    cell_text,
    csl_text,
    main_column,
    pairs,
    picked,
    read_work,
    year_of,
)
from framing.release.compare import key_columns
from framing.release.read_release import TABLES, read_results
from framing.release.reproduce import listed_tables
from framing.tables.captions import YEARS, Edition, plain
from framing.tables.keys import key_of, short, table_named
from framing.tables.specs import Specs, load_specs

RESULTS = Path("results")
CHECKOUT = Path(__file__).resolve().parents[3]
_FORMATS = ("text", "bibtex", "csl", "key")
_EPILOG = """\
examples:
  framing cite T4                                    sentence, BibTeX entry and key
  framing cite T4 T6 --format bibtex >> paper.bib    entries for two tables
  framing cite T4 --cell code=equality,group=all,estimator=difference,target=texts
                                                     one number with its interval

Title, authors and date of release come from the project's CITATION.cff, or else from that of
framing itself. A key names these very numbers: `framing verify --key KEY` finds them again.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``cite`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "cite", parents=[common], help="how to cite a table, or one number of it",
        description="Print a sentence for the paper, an entry for BibTeX and a key that names the "
        "very numbers of a table; or one number in words. Only tables that are those of "
        "results/manifest.tsv are cited.",
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("tables", nargs="+", metavar="TABLE", help="T4, or T4-prevalence")
    parser.add_argument(
        "--format", choices=_FORMATS,
        help="print only this (default: text, bibtex and key)",
    )  # fmt: skip
    parser.add_argument(
        "--cell", action="append", metavar="COLUMN=VALUE,...",
        help="print one number: that of the row with these values, as many as single it out",
    )  # fmt: skip
    parser.add_argument(
        "--column", metavar="COLUMN",
        help="with --cell: the column of the number (default: what the table is about)",
    )  # fmt: skip
    parser.add_argument("--year", type=int, help="year of release, where CITATION.cff has none")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for, of the project in the working directory; return 0."""
    raise_if_any(_usage_problems(arguments))
    listed = listed_tables(RESULTS)
    specs = load_specs()
    names = list(dict.fromkeys(table_named(name, listed) for name in arguments.tables))
    contents = {name: _contents(name, listed[name], specs) for name in names}
    if arguments.cell:
        print(_cell(arguments, names[0], contents[names[0]], specs))
        return 0
    work = _work()
    citations = [
        Citation(
            table=short(name),
            title=plain(specs.tables[name].title),
            key=key_of(name, data),
            project=_project_title(),
            work=work,
            software=f"framing {versions(['framing'])['framing']}",
            year=str(arguments.year or year_of(work)),
        )
        for name, data in contents.items()
    ]
    if arguments.format == "csl":
        print(csl_text(citations), end="")
        return 0
    shown = {
        "text": [one.text() for one in citations],
        "bibtex": [one.bibtex() for one in citations],
        "key": [one.key for one in citations],
    }
    if arguments.format:
        print("\n".join(shown[arguments.format]))
    else:
        parts = zip(*shown.values(), strict=True)
        print("\n\n".join("\n\n".join(part) for part in parts))
    return 0


def _usage_problems(arguments: argparse.Namespace) -> list[Problem]:
    problems = []
    if arguments.cell and len(arguments.tables) > 1:
        problems.append(Problem("--cell", "is one number of one table", "Name one table."))
    if arguments.cell and arguments.format not in (None, "text"):
        problems.append(Problem("--format", "has no say in one number", "Leave it out."))
    if arguments.column and not arguments.cell:
        problems.append(Problem("--column", "is given without --cell", "Say which row, too."))
    if arguments.year is not None and not 1000 <= arguments.year <= 9999:
        problems.append(Problem("--year", f"is {arguments.year}", "Give a year of four digits."))
    return problems


def _contents(name: str, digest: str, specs: Specs) -> bytes:
    """Return the CSV file of a table; raise :class:`InputError` where it is not to be cited."""
    path = RESULTS / TABLES / f"{name}.csv"
    data = read_bytes(path)
    if sha256(data) != digest:
        raise InputError(
            Problem(path, f"is not the table that {RESULTS}/manifest.tsv lists",
                    "Run `snakemake` to make results anew, then cite.")
        )  # fmt: skip
    if name not in specs.tables:
        raise InputError(
            Problem(path, "is not described in workflow/report/tables",
                    "It was made by another version of framing: cite it with that one.")
        )  # fmt: skip
    return data


def _work() -> Work:
    if CITATION.is_file():
        return read_work(CITATION)
    print(
        f"note: this project has no {CITATION}; authors are those of framing. Write one to be "
        "cited yourself.",
        file=sys.stderr,
    )
    return read_work(CHECKOUT / CITATION)


def _project_title() -> str:
    """Return what the configuration calls the project, nothing where it does not say."""
    from framing.common.paths import CONFIG

    try:
        title = read_yaml(CONFIG)["project"]["title"]
    except (InputError, LookupError, TypeError):
        return ""  # a table can be cited while the configuration is being mended
    return plain(title) if isinstance(title, str) else ""


# --- one number -----------------------------------------------------------------------------------


def _cell(arguments: argparse.Namespace, name: str, data: bytes, specs: Specs) -> str:
    """Return one number of a table in words."""
    path = RESULTS / TABLES / f"{name}.csv"
    spec = specs.tables[name]
    grid = read_results({f"{TABLES}/{name}.csv": data}, RESULTS, "").tables[name]
    if grid.columns != tuple(spec.columns):
        raise InputError(
            Problem(path, "has not the columns described in workflow/report/tables",
                    "Run `snakemake` to make results anew, then cite.")
        )  # fmt: skip
    row = picked(grid, pairs(arguments.cell, grid.columns), spec)
    column = arguments.column or main_column(spec)
    if column not in spec.columns:
        remedy = f"Columns: {', '.join(grid.columns)}."
        raise InputError(Problem("--column", f"{column!r} is no column of {name}", remedy))
    keys = [one for one in key_columns(grid, grid, spec) if one != column]
    return cell_text(row, column, keys, spec, _words(specs), key_of(name, data))


def _words(specs: Specs) -> Edition:
    """Return the labels and settings by which the project's numbers are said in words."""
    from framing.codebook.codebook import load_codebook
    from framing.common.paths import CODEBOOK, CONFIG

    config = load_config(CONFIG)
    codes = {name: code.label for name, code in load_codebook(CODEBOOK).codes.items()}
    codes |= {name: rule["label"] for name, rule in config["combinations"].items()}
    named: Mapping[str, Mapping[str, Any]] = {
        "code": codes,
        "group": {ALL: specs.phrases["all"]["group"], **config["groups"]},
        "period": {
            ALL: specs.phrases["all"]["period"],
            **{str(one["id"]): YEARS.sub("–", str(one["id"])) for one in config["periods"]},
        },
        "contrast": {one["id"]: one["thesis"] for one in config["contrasts"]},
    }
    labels = {
        vocabulary: {key: entry["label"] for key, entry in entries.items()}
        for vocabulary, entries in specs.vocabularies.items()
    } | {
        vocabulary: {key: plain(str(label)) for key, label in entries.items()}
        for vocabulary, entries in named.items()
    }
    context = {
        "decimals": config["report"]["decimals"],
        "confidence": config["inference"]["confidence"],
    }
    return Edition(specs, labels, "", context)
