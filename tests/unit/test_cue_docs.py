"""Every example of docs/cues.md, read from the page and run."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from framing.codebook.codebook import load_codebook
from framing.codebook.cues import compile_cues, pattern_hits
from framing.codebook.hits import hits_by_cue
from framing.codebook.pattern_syntax import PatternError
from framing.codebook.patterns import compile_any
from framing.common.config import SCHEMAS

PAGE = (Path(__file__).parents[2] / "docs" / "cues.md").read_text(encoding="utf-8")


def read_blocks():
    """Return ("yaml", data) and ("table", rows) in the order of the page; rows[0] is the head."""
    found, lines = [], iter([*PAGE.splitlines(), ""])
    for line in lines:
        if line == "```yaml":
            found.append(("yaml", yaml.safe_load("\n".join(iter(lambda: next(lines), "```")))))
        elif line.startswith("|"):
            rows = [line, *iter(lambda: next(lines), "")]
            found.append(("table", [cells(row) for row in rows if not row.startswith("|---")]))
    return found


def cells(row):
    """Return the cells of a row of a Markdown table, whose \\| are pipes."""
    parts = re.split(r"(?<!\\)\|", row.strip())
    assert parts[0] == parts[-1] == ""
    return [part.strip().replace("\\|", "|") for part in parts[1:-1]]


def code(cell):
    """Return what stands in inline code."""
    assert re.fullmatch("`[^`]+`", cell), cell
    return cell[1:-1]


BLOCKS = read_blocks()
SETTINGS = next(data for kind, data in BLOCKS if kind == "yaml" and isinstance(data, dict))
CUES = [data for kind, data in BLOCKS if kind == "yaml" and isinstance(data, list)]
TABLES = [rows for kind, rows in BLOCKS if kind == "table"]


def tables_headed(first, *others):
    return [row for head, *rows in TABLES if head == [first, *others] for row in rows]


def pattern_cases():
    """Return (pattern, text, whether it matches)."""
    rows = tables_headed("pattern", "matches", "does not match")
    return [
        (code(pattern), text, expected)
        for pattern, *sides in rows
        for side, expected in zip(sides, (True, False), strict=True)
        for text in side.split(" · ")
        if text
    ]


def cue_cases():
    """Return (cue, text, hits): a table of hits belongs to the YAML block right before it."""
    found = []
    for (kind, data), (next_kind, rows) in pairwise(BLOCKS):
        if kind == "yaml" and isinstance(data, list):
            assert next_kind == "table" and rows[0][0] == "text", data
            for text, *numbers in rows[1:]:
                pairs = zip(data, numbers, strict=True)
                found += [(cue["name"], text, int(number)) for cue, number in pairs]
    return found


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Return the settings and cues of the page, read as a codebook is read."""
    cues = [cue for block in CUES for cue in block]
    codes = {code for cue in cues for code in [*cue.get("for", ()), *cue.get("against", ())]}
    blank = {"label": "L", "definition": "D", "present": ["p"], "exemplars": {}}
    texts = dict.fromkeys(["name", "version", "question", "unit"], "x")
    data = {**texts, **SETTINGS, "codes": dict.fromkeys(sorted(codes), blank), "cues": cues}
    path = tmp_path_factory.mktemp("page") / "codebook.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return load_codebook(path)


@pytest.mark.parametrize(("pattern", "text", "expected"), pattern_cases())
def test_a_pattern_matches_what_the_page_says(book, pattern, text, expected):
    plain = {"required": (), "forbidden": (), "within": "sentence", "case": "ignore"}
    cue = replace(book.cues[0], name="x", pattern=(pattern,), negated="any", **plain)
    hits = hits_by_cue(pattern_hits(compile_cues(replace(book, cues=(cue,))), text))
    assert bool(hits) is expected


@pytest.mark.parametrize(("name", "text", "number"), cue_cases())
def test_a_cue_hits_as_often_as_the_page_says(book, name, text, number):
    found = hits_by_cue(pattern_hits(compile_cues(book), text))
    assert found.get(name, 0) == number


@pytest.mark.parametrize(
    ("pattern", "error", "instead"), tables_headed("pattern", "error", "write instead")
)
def test_what_the_page_calls_refused_is_refused_and_mended(book, pattern, error, instead):
    with pytest.raises(PatternError, match=re.escape(code(error))):
        compile_any([code(pattern)], book.terms)
    assert compile_any([code(instead)], book.terms)


def test_every_pattern_and_cue_is_shown_at_both_sides():
    shown = {expected for _, _, expected in pattern_cases()}
    assert shown == {True, False}
    for _, _, misses in tables_headed("pattern", "matches", "does not match"):
        assert misses
    numbers = {}
    for name, _, number in cue_cases():
        numbers.setdefault(name, set()).add(number)
    assert set(numbers) == {cue["name"] for block in CUES for cue in block}
    assert all(max(found) > 0 for found in numbers.values())


def test_the_page_has_examples_and_all_of_them_are_read():
    heads = [tuple(head) for head, *_ in TABLES]
    known = ("pattern", "matches", "does not match"), ("pattern", "error", "write instead")
    assert all(head in known or head[0] == "text" for head in heads)
    assert len(tables_headed(*known[0])) >= 25
    assert len(tables_headed(*known[1])) >= 8
    assert len(cue_cases()) >= 20
    rows = sum(line.startswith("| ") for line in PAGE.splitlines())
    assert rows == sum(len(rows) for rows in TABLES)
    assert PAGE.count("```yaml") * 2 == PAGE.count("```")


def test_the_page_names_every_key_of_a_cue_and_of_what_cues_share():
    schema = yaml.safe_load((SCHEMAS / "codebook.schema.yaml").read_text(encoding="utf-8"))
    keys = [*schema["properties"]["cues"]["items"]["properties"], *SETTINGS]
    assert {"abbreviations", "terms", "negators", "negation_window"} == set(SETTINGS)
    assert [key for key in keys if not re.search(rf"`{key}[`:]", PAGE)] == []
