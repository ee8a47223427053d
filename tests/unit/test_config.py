"""The configuration: accepted as committed, refused when wrong."""

from __future__ import annotations

import copy
import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from framing.common import settings
from framing.common.config import check_config, cross_check, load_config, read_yaml
from framing.common.problems import InputError


@pytest.fixture(scope="module")
def config(root):
    return load_config(root / "config" / "config.yaml")


def broken(config, change):
    data = copy.deepcopy(config)
    change(data)
    return data


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["classifier"].update(fold=3), "classifier: unknown key 'fold'.*'folds'"),
        (lambda c: c.update(grups={}), "top level: unknown key 'grups'.*'groups'"),
        (lambda c: c["classifier"].pop("C"), "'C' is a required property"),
        (lambda c: c["inference"].update(confidence=95), "inference.confidence"),
        (lambda c: c["coders"].update(rule="most"), "coders.rule"),
        (
            lambda c: c["coders"].update(rule="standard"),
            "rule is 'standard', but no coder is named",
        ),
        (
            lambda c: c["coders"].update(standard="ann"),
            "'ann' is named, but the rule is 'majority'",
        ),
        (lambda c: c["agreement"].pop("minimum_sources"), "'minimum_sources' is a required"),
        (lambda c: c["agreement"].update(minimum_sources=1), "agreement.minimum_sources"),
        (lambda c: c["periods"].reverse(), "in order and without overlap"),
        (lambda c: c["periods"][0].update(first=2030), "ends before it begins"),
        (lambda c: c["periods"][0].update(id=c["undated"]), "used twice"),
        (lambda c: c["groups"].update(all="All"), "kept for totals"),
        (lambda c: c["contrasts"].append(c["contrasts"][0]), "contrasts: the id .* twice"),
    ],
)
def test_wrong_settings_are_named(config, tmp_path, change, said):
    with pytest.raises(InputError, match=said):
        check_config(broken(config, change), tmp_path / "config.yaml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["contrasts"][0]["a"].update(code="x"), "unknown code 'x'"),
        (lambda c: c["contrasts"][0]["a"].update(group="x"), "unknown group 'x'"),
        (lambda c: c["contrasts"][0]["a"].update(period="x"), "unknown period 'x'"),
        (lambda c: c.update(case_study="x"), "unknown source 'x'"),
        (lambda c: c["combinations"].update(z={"label": "Z", "all": ["x"]}), "unknown code 'x'"),
    ],
)
def test_names_that_do_not_exist(config, change, said, root):
    codes = {code for rule in config["combinations"].values() for key in ("all", "any", "none")
             for code in rule.get(key, [])}  # fmt: skip
    place = root / "config.yaml"
    assert cross_check(config, codes, {config["case_study"]}, place) == []
    problems = cross_check(broken(config, change), codes, {config["case_study"]}, place)
    assert any(said in str(problem) for problem in problems)


def test_a_standard_must_be_a_coder(config, root):
    named = broken(config, lambda c: c["coders"].update(rule="standard", standard="ann"))
    named["robustness"] = {**named["robustness"], "coders": ["majority"]}
    place, codes = root / "config.yaml", ["equality", "control"]
    problems = cross_check(named, codes, {config["case_study"]}, place, ["ann", "bob"])
    assert not any("standard" in str(problem) for problem in problems)
    problems = cross_check(named, codes, {config["case_study"]}, place, ["bob", "eve"])
    (said,) = (str(problem) for problem in problems if "standard" in str(problem))
    assert "coders.standard: unknown coder 'ann'. Coders of coders.tsv: bob, eve." in said


def test_broken_yaml_and_doubled_keys_name_their_line(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("a: 1\nb: [1\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 3: is not valid YAML"):
        read_yaml(path)
    path.write_text("a:\n  b: 1\n  b: 2\n", encoding="utf-8")
    with pytest.raises(InputError, match="key 'b' twice"):
        read_yaml(path)


@pytest.mark.parametrize("name", ["workflow/report/words.yaml", "config/config.yaml",
                                  "corpus/codebook/codebook.yaml"])  # fmt: skip
def test_the_fast_reader_of_yaml_reads_what_the_slow_one_reads(root, name):
    assert read_yaml(root / name) == yaml.safe_load((root / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("depth", [99, 101, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", ["flow", "block"])
def test_values_nested_deeply_are_read_or_refused_but_crash_nothing(tmp_path, depth, form):
    path = tmp_path / "c.yaml"
    path.write_text("[" * depth + "]" * depth if form == "flow" else "- " * depth + "1\n")
    if depth > 1000:
        with pytest.raises(InputError, match="nested too deeply"):
            read_yaml(path)
    else:
        found = read_yaml(path)
        for _ in range(depth - 1):
            (found,) = found
        assert found in ([], [1])


def test_every_schema_is_a_schema(root):
    from jsonschema import Draft202012Validator

    for path in (root / "workflow" / "schemas").glob("*.yaml"):
        Draft202012Validator.check_schema(yaml.safe_load(path.read_text(encoding="utf-8")))


# --- settings from their one home -----------------------------------------------------------------


def _nodes(node, path=""):
    for name, below in node.get("properties", {}).items():
        whole = f"{path}.{name}" if path else name
        yield whole, below
        yield from _nodes(below, whole)


def test_every_setting_says_what_it_changes_and_starts_within_its_own_limits():
    known = settings.schema()
    for path, node in _nodes(known):
        assert node.get("description", "").strip(), path
        for key in ("default", "start"):
            if key in node:
                plain = Draft202012Validator({**node, "$defs": known["$defs"]})
                assert not list(plain.iter_errors(node[key])), f"{path}: {key}"


def test_what_must_be_set_has_a_start_and_what_need_not_be_has_a_default():
    given = ("project.title", "project.question")
    for path, node in _nodes(settings.schema()):
        if path.startswith("release") or "properties" not in node:
            continue
        for name in node.get("required", ()):
            below = node["properties"][name]
            held = {"start", "default", "properties"} & set(below) or "start" in node
            assert held or f"{path}.{name}" in given, f"{path}.{name}"


def test_the_page_of_settings_is_made_from_the_schema(root):
    assert (root / "docs" / "settings.md").read_text(encoding="utf-8") == settings.settings_page()


def test_a_new_configuration_has_a_comment_for_each_setting_and_holds_its_starts():
    text = settings.starting_text({"project.title": "A: b", "project.question": "#?"}, {})
    found = yaml.safe_load(text)
    assert found["project"] == {"title": "A: b", "question": "#?", "limits": []}
    assert found["inference"]["headline"] == {"estimator": "difference", "target": "texts"}
    assert max(map(len, text.splitlines())) <= 100
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"[a-z_]+:", line):
            assert lines[number - 1].startswith("# "), line


def test_what_a_project_sets_stands_in_place_of_the_default_key_by_key():
    found = settings.settled("reading", {"limits": {"pages": 3}, "encodings": ["latin-1"]})
    assert (found["limits"]["pages"], found["limits"]["members"]) == (3, 5000)
    assert found["encodings"] == ["latin-1"]
    assert settings.settled("units")["turns"]["least"] == 3
