"""Kinds of codes: declaring them, reading what coders give, combining coders."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from framing.codebook.codebook import load_codebook
from framing.codebook.codes import Code, Level
from framing.codebook.kinds import KINDS, YES_NO
from framing.codebook.page import render_markdown
from framing.coding.codings import combine_coders, read_codings
from framing.coding.combinations import combined_codes
from framing.coding.variables import (
    code_table,
    read_variables,
    traits,
    variable_of,
    variables_of,
)
from framing.common.config import SCHEMAS
from framing.common.problems import InputError

BOOK: dict[str, Any] = {
    "name": "The rate",
    "version": "1",
    "question": "Which way?",
    "unit": "A sentence.",
    "codes": {
        "risk": {
            "label": "Risk", "definition": "A risk is named.", "present": ["a risk"],
            "exemplars": {},
        },
        "stance": {
            "kind": "one of", "label": "Stance", "definition": "Where rates should go.",
            "levels": [
                {
                    "level": "hawkish", "label": "Hawkish", "present": ["higher rates", "prices"],
                    "not_enough": ["rates are named"],
                    "exemplars": {"carrying": [{"text": "Rates must rise.", "reason": "Rise."}]},
                },
                {"level": "dovish"},
                {"level": "neutral", "definition": "Neither."},
            ],
            "ties": ["neutral"],
        },
        "tone": {
            "kind": "ordinal", "label": "Tone", "definition": "How bright.",
            "levels": [{"level": -2}, {"level": 0}, {"level": "high", "number": 1.5}],
        },
    },
    "cues": [
        {"name": "rise", "description": "It rises.", "for": ["stance.hawkish"], "pattern": "rise~"}
    ],
}  # fmt: skip


def book(tmp_path: Path, change: Any = None) -> Any:
    data = copy.deepcopy(BOOK)
    if change is not None:
        change(data["codes"])
    path = tmp_path / "codebook.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return load_codebook(path)


def test_a_codebook_declares_codes_of_every_kind(tmp_path):
    found = book(tmp_path)
    assert [code.kind.name for code in found.codes.values()] == ["yes/no", "one of", "ordinal"]
    assert list(found.indicators) == [
        "risk", "stance.hawkish", "stance.dovish", "stance.neutral", "tone.-2", "tone.0",
        "tone.high",
    ]  # fmt: skip
    assert found.codes["tone"].cells == ("-2", "0", "high")
    assert [level.number for level in found.codes["tone"].levels] == [-2, 0, 1.5]
    assert found.codes["stance"].ties == (2, 0, 1)
    assert found.labels["stance.hawkish"] == "Stance: Hawkish"
    assert list(found.rules) == [
        "risk/present/1", "stance.hawkish/present/1", "stance.hawkish/present/2",
        "stance.hawkish/not_enough/1",
    ]  # fmt: skip
    page = render_markdown(found)
    assert "### Hawkish (`hawkish`)" in page and "#### Exemplars that carry it" in page


def _rename(codes: Any, name: str) -> None:
    codes["stance"]["levels"][1]["level"] = name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda codes: _rename(codes, "hawkish"), "has the level 'hawkish' twice"),
        (lambda codes: codes["stance"].update(ties=["hawk"]), "'ties' names 'hawk'"),
        (lambda codes: codes["stance"].update(present=["x"]), "has 'present', but is of the kind"),
        (lambda codes: codes["risk"].update(levels=[{"level": 1}, {"level": 2}]),
         "has 'levels', which a code of the kind yes/no has not"),
        (lambda codes: codes["tone"]["levels"][2].pop("number"), "level 'high' has no number"),
        (lambda codes: codes["tone"]["levels"].reverse(), "the level '0' is not above 'high'"),
        (lambda codes: codes["tone"].pop("levels"), "levels"),
        (lambda codes: codes["risk"].pop("present"), "present"),
        (lambda codes: codes["stance"].update(kind="one-of"), "one-of"),
        (lambda codes: codes["stance"]["levels"].__delitem__(slice(1, 3)), "levels"),
        (lambda codes: _rename(codes, "Dov ish"), "Dov ish"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_a_kind_is_said(tmp_path, change, said):
    with pytest.raises(InputError) as error:
        book(tmp_path, change)
    assert said in str(error.value)


def test_a_cue_cannot_vote_for_a_level_that_there_is_not(tmp_path):
    def change(codes: Any) -> None:
        codes["stance"]["levels"][0]["level"] = "hawk"

    with pytest.raises(InputError, match=r"votes on unknown code 'stance\.hawkish'"):
        book(tmp_path, change)


# --- reading --------------------------------------------------------------------------------------

SAMPLE = pd.DataFrame({"passage_id": ["p1", "p2"]})


def sheet(tmp_path: Path, *cells: tuple[str, str, str]) -> Path:
    rows = ["passage_id\tcoder\trisk\tstance\ttone\tunsure"]
    rows += ["\t".join((f"p{n}", "ann", *own, "0")) for n, own in enumerate(cells, start=1)]
    folder = tmp_path / "codings"
    folder.mkdir()
    (folder / "ann.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_a_level_is_read_as_one_indicator_of_its_code(tmp_path):
    codes = list(book(tmp_path).codes.values())
    folder = sheet(tmp_path, ("1", "dovish", "-2"), ("0", "neutral", "high"))
    long = read_codings(folder, ["ann"], codes, SAMPLE)
    wide = long.pivot(index="passage_id", columns="code", values="value")
    assert wide.loc["p1"].to_dict() == {
        "risk": 1, "stance.hawkish": 0, "stance.dovish": 1, "stance.neutral": 0, "tone.-2": 1,
        "tone.0": 0, "tone.high": 0,
    }  # fmt: skip
    assert list(long["code"].drop_duplicates()) == list(book(tmp_path).indicators)
    for variable in variables_of(book(tmp_path).codes):
        own = wide[list(variable.indicators)].sum(axis=1)
        assert variable.kind.present or (own == 1).all()
    tone = variables_of(book(tmp_path).codes)[2]
    assert tone.values(wide).tolist() == [0, 2]


def test_a_passage_may_be_left_open_on_one_code_alone(tmp_path):
    codes = list(book(tmp_path).codes.values())
    folder = sheet(tmp_path, ("1", "NA", "0"), ("0", "neutral", "0"))
    with pytest.raises(InputError, match="1 drawn passages have no coding of 'stance': p1"):
        read_codings(folder, ["ann"], codes, SAMPLE)
    long = read_codings(folder, ["ann"], codes, SAMPLE, {"p1"})
    assert set(long.loc[long["passage_id"] == "p1", "code"]) == {
        "risk", "tone.-2", "tone.0", "tone.high",
    }  # fmt: skip


@pytest.mark.parametrize("cell", ["-1", "1.5", "hawkish", "", "HIGH"])
def test_a_cell_that_is_no_level_is_refused(tmp_path, cell):
    codes = list(book(tmp_path).codes.values())
    folder = sheet(tmp_path, ("1", "dovish", cell), ("0", "neutral", "0"))
    with pytest.raises(InputError) as error:
        read_codings(folder, ["ann"], codes, SAMPLE)
    assert f"passage 'p1' has tone '{cell}'" in str(error.value)
    assert "Write -2 or 0 or high or NA" in str(error.value)


# --- combining ------------------------------------------------------------------------------------


def said(variable: Any, *levels: str) -> pd.DataFrame:
    """What coders say of one passage, one level each, as indicators."""
    rows = [
        ("p1", f"c{n}", indicator, int(level == own), 0)
        for indicator, own in zip(variable.indicators, variable.levels, strict=True)
        for n, level in enumerate(levels)
    ]
    return pd.DataFrame(rows, columns=["passage_id", "coder", "code", "value", "unsure"])


RULE = {"rule": "majority", "tie": "absent"}


@pytest.mark.parametrize(
    ("levels", "label", "tied"),
    [
        (["hawkish", "hawkish", "dovish"], "hawkish", 0),
        (["dovish"], "dovish", 0),
        (["hawkish", "dovish"], "hawkish", 1),
        (["hawkish", "neutral"], "neutral", 1),
        (["hawkish", "dovish", "neutral"], "neutral", 1),
        (["hawkish", "hawkish", "dovish", "dovish", "neutral"], "hawkish", 1),
        (["dovish", "dovish", "hawkish", "neutral"], "dovish", 0),
    ],
)
def test_of_categories_the_most_given_counts(tmp_path, levels, label, tied):
    stance = variables_of(book(tmp_path).codes)[1]
    combined = combine_coders(said(stance, *levels), RULE, [stance]).set_index("code")
    assert combined.index[combined["label"] == 1].tolist() == [f"stance.{label}"]
    assert (combined["tied"] == tied).all()
    assert (combined["coders"] == len(levels)).all()
    shares = [levels.count(level) / len(levels) for level in stance.levels]
    assert combined["share"].tolist() == pytest.approx(shares)


@pytest.mark.parametrize(
    ("levels", "label", "tied"),
    [
        (["-2", "0", "high"], "0", 0),
        (["-2", "-2", "high"], "-2", 0),
        (["-2", "high"], "-2", 1),
        (["-2", "-2", "high", "high"], "-2", 1),
        (["-2", "0", "0", "high"], "0", 0),
        (["0", "0", "high", "high", "high"], "high", 0),
    ],
)
def test_of_ordered_levels_the_median_counts(tmp_path, levels, label, tied):
    tone = variables_of(book(tmp_path).codes)[2]
    combined = combine_coders(said(tone, *levels), RULE, [tone]).set_index("code")
    assert combined.index[combined["label"] == 1].tolist() == [f"tone.{label}"]
    assert (combined["tied"] == tied).all()


def test_a_standard_gives_the_level_alone(tmp_path):
    stance = variables_of(book(tmp_path).codes)[1]
    rule = {"rule": "standard", "standard": "c1"}
    combined = combine_coders(said(stance, "hawkish", "dovish", "hawkish"), rule, [stance])
    assert combined.loc[combined["label"] == 1, "code"].tolist() == ["stance.dovish"]


@given(
    st.sampled_from([kind for kind in KINDS.values() if not kind.present]),
    st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=1, max_size=6),
    st.permutations(range(5)),
)
def test_every_passage_gets_a_level_that_someone_gave_and_ties_are_told(kind, counts, ties):
    table = np.array(counts)
    table[:, 0] += table.sum(axis=1) == 0
    level, tied = kind.combine(table, "majority", ties)
    rows = np.arange(len(table))
    assert (table[rows, level] > 0).all()
    other, again = kind.combine(table, "majority", list(reversed(ties)))
    # Which level a rule for ties prefers matters where there is a tie, and nowhere else.
    assert (tied == again).all()
    assert (level == other)[~tied].all()


@given(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["present", "absent"]))
def test_of_two_levels_plurality_is_the_majority_of_a_yes_no_code(absent, present, tie):
    counts = np.array([[absent, present + (absent + present == 0)]])
    yes = YES_NO.combine(counts, "majority", tie)
    order = (1, 0) if tie == "present" else (0, 1)
    one = KINDS["one of"].combine(counts, "majority", order)
    assert [part.tolist() for part in yes] == [part.tolist() for part in one]


# --- what passes on -------------------------------------------------------------------------------


def test_variables_come_back_from_the_table_of_codes(tmp_path):
    found = book(tmp_path)
    made = code_table(found, {"both": {"label": "Both"}})
    path = tmp_path / "codes.tsv"
    made.to_csv(path, sep="\t", index=False)
    again = read_variables(pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False))
    for one, other in zip(again, variables_of(found.codes), strict=True):
        numbers = np.array_equal(one.numbers, other.numbers, equal_nan=True)
        assert numbers and one.ties == other.ties and one.indicators == other.indicators
        assert (one.name, one.label, one.kind, one.levels, one.labels) == (
            other.name, other.label, other.kind, other.levels, other.labels,
        )  # fmt: skip
    assert traits(again) == {"levels", "order"}
    assert traits(again[:1]) == frozenset()
    assert variable_of("tone.-2") == "tone" and variable_of("risk") == "risk"


def test_a_yes_no_code_is_the_case_of_two_levels():
    code = Code("risk", "Risk", "", YES_NO, (Level("0", "absent", ""), Level("1", "x", "risk")))
    (variable,) = variables_of({"risk": code})
    assert code.cells == ("0", "1")
    assert variable.indicators == ("risk",) and variable.places == (1,)
    counts = variable.counts({"risk": np.array([2, 0])}, np.array([3, 1]))
    assert counts.tolist() == [[1, 2], [1, 0]]


def test_levels_of_one_code_combine_as_what_excludes_each_other():
    of_code = {
        "risk": np.array([0.5, 1.0]), "stance.hawkish": np.array([0.2, 1.0]),
        "stance.dovish": np.array([0.3, 0.0]), "stance.neutral": np.array([0.5, 0.0]),
    }  # fmt: skip
    either, both = ["stance.hawkish", "stance.dovish"], ["stance.hawkish", "risk"]
    made = combined_codes(
        of_code,
        {"either": {"any": either}, "neither": {"none": either}, "never": {"all": either},
         "both": {"all": both}, "some": {"any": [*either, "risk"]}},
    )  # fmt: skip
    assert made["either"].tolist() == pytest.approx([0.5, 1])
    assert made["neither"].tolist() == pytest.approx([0.5, 0])
    assert made["never"].tolist() == [0, 0]
    assert made["both"].tolist() == pytest.approx([0.1, 1])
    assert made["some"].tolist() == pytest.approx([0.75, 1])


def test_the_schema_knows_the_kinds_there_are():
    schema = yaml.safe_load((SCHEMAS / "codebook.schema.yaml").read_text(encoding="utf-8"))
    code = schema["properties"]["codes"]["additionalProperties"]
    assert code["properties"]["kind"]["enum"] == list(KINDS)
