"""The configuration: every analytic choice of a project, read once and checked whole."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from framing.common.files import read_text, repeated
from framing.common.problems import InputError, Problem, raise_if_any

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
OURS = "words and cues"
"""What the project's own classifier is called among those it is compared with."""
_CALLED = {"without": "code"}  # what a key of a comparison names, where it is not called that
_LARGEST = 1_000_000  # values in a YAML file: aliases of aliases can stand for any number
_DEEPEST = 100  # values inside values that the fast reader of YAML is trusted with
ALL = "all"
"""The id under which tables give totals over groups or periods; no group may take it."""


class _UniqueKeys:
    """Makes a YAML loader refuse a key given twice, which YAML would let pass in silence."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return what ``node`` says; name its line where it looks like a date and is none."""
        try:
            return super().construct_object(node, deep=deep)  # type: ignore[misc]
        except ValueError as error:
            raise yaml.constructor.ConstructorError(
                None, None, str(error), node.start_mark
            ) from None


def _unique_mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in repeated(str(key) for key in keys):
        raise yaml.constructor.ConstructorError(None, None, f"key {key!r} twice", node.start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


class _Loader(_UniqueKeys, yaml.SafeLoader):
    """Reads YAML, slowly, and says well what is wrong with it."""


# PyYAML has it where it was built with libyaml, as its wheels are.
class _FastLoader(_UniqueKeys, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads YAML six times as fast."""


for _each in (_Loader, _FastLoader):
    _each.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file; raise :class:`InputError` naming the line of a defect."""
    text = read_text(path)
    try:
        data = _load(text)
        if _size(data, {}) <= _LARGEST:
            return data
        line, what = None, "its aliases stand for too much"
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        what = str(error.problem)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"the character {chr(error.character)!r} is not allowed"
    except RecursionError:
        line, what = None, "it is nested too deeply"
    raise InputError(Problem(path, f"is not valid YAML: {what}", "Correct this line.", line))


def _load(text: str) -> Any:
    """Return what YAML says, by the fast loader where it can be; the slow one says what is wrong.

    The fast one knows no limit to how deeply values may be nested but that of the memory of its
    process, so that depth is asked for first.
    """
    try:
        if not _is_deep(text):
            return yaml.load(text, Loader=_FastLoader)
    except yaml.YAMLError:
        pass
    return yaml.load(text, Loader=_Loader)


def _is_deep(text: str) -> bool:
    """Return whether values of a YAML text are nested more deeply than the fast loader may go."""
    depth = 0
    for event in yaml.parse(text, Loader=_FastLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                return True
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return False


def _size(data: Any, known: dict[int, int]) -> int:
    """Return how many values ``data`` holds, aliases written out, each looked at once."""
    if not isinstance(data, (dict, list)):
        return 1
    if id(data) not in known:
        parts = data.values() if isinstance(data, dict) else data
        known[id(data)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(data)]


@cache
def read_schema(name: str) -> dict[str, Any]:
    """Return the JSON schema ``workflow/schemas/<name>``, read once: it is not to be changed."""
    found: dict[str, Any] = _load((SCHEMAS / name).read_text(encoding="utf-8"))
    return found


def schema_problems(data: Any, schema_name: str, place: Path) -> list[Problem]:
    """Return where ``data`` breaks the JSON schema ``workflow/schemas/<schema_name>``."""
    validator = _Validator(read_schema(schema_name))
    errors = sorted(validator.iter_errors(data), key=lambda e: [str(p) for p in e.path])
    problems = [problem for error in errors for problem in _explain(error, place)]
    return problems + list(_control_characters(data, place))


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(value, str):
        return
    longer = pattern.endswith("$") and value.endswith("\n")  # "$" also fits before a line end
    if longer or not re.search(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


# JSON schemas take 4.0 for an integer and infinity for a number, which break what uses them.
_Validator = extend(
    Draft202012Validator,
    {"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
        }
    ),
)


def _control_characters(data: Any, place: Path, where: str = "") -> Iterator[Problem]:
    """Yield the strings in ``data`` that hold what cannot be shown; line ends and tabs can be."""
    if isinstance(data, str):
        bad = [sign for sign in data if unicodedata.category(sign) in ("Cc", "Cs")]
        if odd := sorted(set(bad) - {"\n", "\t"}):
            yield Problem(place, f"{where}: holds the character {odd[0]!r}", "Remove it.")
    elif isinstance(data, Mapping):
        for key, value in data.items():
            below = f"{where}.{key}" if where else str(key)
            yield from _control_characters(key, place, f"the key {key!r}")
            yield from _control_characters(value, place, below)
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _control_characters(value, place, f"{where}.{number}")


def _explain(error: ValidationError, place: Path) -> list[Problem]:
    if error.validator in ("oneOf", "anyOf"):
        error = best_match([error])  # which of the alternatives was meant
    where = ".".join(str(part) for part in error.absolute_path) or "top level"
    schema: Any = error.schema
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(schema.get("properties", {}))
        unknown = [key for key in error.instance if key not in known]
        return [
            Problem(
                place,
                f"{where}: unknown key {key!r}",
                f"Did you mean {close[0]!r}?"
                if (close := get_close_matches(str(key), known))
                else f"Known keys: {', '.join(known)}.",
            )
            for key in unknown
        ]
    return [Problem(place, f"{where}: {error.message}", "Correct the setting.")]


def load_config(path: Path) -> dict[str, Any]:
    """Read and check a configuration; return it as plain data.

    Raises :class:`InputError` with every misspelt key, missing setting, wrong type, repeated id
    and period out of order.
    """
    return check_config(read_yaml(path), path)


def check_config(config: Any, path: Path) -> dict[str, Any]:
    """Check a configuration that has been read (see :func:`load_config`); return it."""
    raise_if_any(schema_problems(config, "config.schema.yaml", path))
    problems = _label_problems(config, path)
    units = config["units"]
    if units["min_words"] > units["max_words"]:
        problems.append(
            Problem(
                path, "units: min_words is above max_words", "No text could be cut: correct it."
            )
        )
    periods = config["periods"]
    for before, after in pairwise(periods):
        if after["first"] <= before["last"]:
            problems.append(
                Problem(path, f"periods: {after['id']!r} begins before {before['id']!r} ends",
                        "Give periods in order and without overlap.")
            )  # fmt: skip
    for period in periods:
        if period["first"] > period["last"]:
            problems.append(
                Problem(path, f"periods: {period['id']!r} ends before it begins", "Correct it.")
            )
    names = [period["id"] for period in periods] + [config["undated"]]
    ids = {
        "periods": names,
        "contrasts": [contrast["id"] for contrast in config["contrasts"]],
        "regression.models": [model["id"] for model in config["regression"]["models"]],
        "keyness.comparisons": [one["id"] for one in config["keyness"]["comparisons"]],
    }
    problems += [
        Problem(path, f"{section}: the id {name!r} is used twice", "Rename one of them.")
        for section, given in ids.items()
        for name in repeated(given)
    ]
    methods = [OURS, *config["evaluation"]["ablations"]]
    problems += [
        Problem(path, f"robustness.classifiers: unknown classifier {name!r}",
                f"Known: {', '.join(methods)}.")
        for name in config["robustness"]["classifiers"]
        if name not in methods
    ]  # fmt: skip
    problems += _standard_problems(config["coders"], path)
    if ALL in config["groups"] or ALL in names:
        problems.append(Problem(path, f"the id {ALL!r} is kept for totals", "Rename it."))
    raise_if_any(problems)
    return dict(config)


def _standard_problems(rule: Mapping[str, Any], path: Path) -> list[Problem]:
    """Return whether a standard is named where there is none, or not where there is one."""
    if "adjudicator" in rule and rule["rule"] == "standard":
        what = "coders: names an adjudicator, but under `rule: standard` the standard's code counts"
        return [Problem(path, what, "Take one of the two out.")]
    named = "standard" in rule
    if named == (rule["rule"] == "standard"):
        return []
    if named:
        what = f"coders.standard: {rule['standard']!r} is named, but the rule is {rule['rule']!r}"
        return [Problem(path, what, "Set `rule: standard`, or take the coder out.")]
    what = "coders: the rule is 'standard', but no coder is named"
    return [Problem(path, what, "Add `standard:` and the coder whose codes count.")]


def _label_problems(config: Mapping[str, Any], path: Path) -> list[Problem]:
    """Return the labels that would break a table: blank ones, and those of several lines."""
    labels = {f"groups.{name}": label for name, label in config["groups"].items()}
    labels |= {
        f"combinations.{name}.label": rule["label"] for name, rule in config["combinations"].items()
    }
    labels |= {f"contrasts.{each['id']}.thesis": each["thesis"] for each in config["contrasts"]}
    labels |= {
        f"evaluation.ablations, {name!r}": name for name in config["evaluation"]["ablations"]
    }
    labels["project.title"] = config["project"]["title"]
    return [
        Problem(path, f"{where}: is not one line of text ({label!r})", "Write it on one line.")
        for where, label in labels.items()
        if label.splitlines() != [label] or "\t" in label or not label.strip()
    ]


def cross_check(
    config: Mapping[str, Any],
    codes: Collection[str],
    sources: Collection[str],
    path: Path,
    coders: Collection[str] | None = None,
    means: Collection[str] = (),
) -> list[Problem]:
    """Return where the configuration names codes, groups, sources … that do not exist.

    Coders are checked where they are given. ``codes`` are what tables have shares of; of ``means``,
    ordinal codes, a contrast may compare mean levels, on both sides of the same one.
    """
    problems = []
    rules = ["majority", "any", "all", "each", *(coders or ())]
    problems += [
        Problem(path, f"robustness.coders: unknown rule or coder {name!r}",
                f"Known: {', '.join(rules)}.")
        for name in config["robustness"]["coders"]
        if coders is not None and name not in rules
    ]  # fmt: skip
    standard = config["coders"].get("standard")
    if coders is not None and standard is not None and standard not in coders:
        problems.append(
            Problem(path, f"coders.standard: unknown coder {standard!r}",
                    f"Coders of coders.tsv: {', '.join(coders) or 'none'}.")
        )  # fmt: skip
    combinations = config["combinations"]
    for name, combination in combinations.items():
        if name in codes or "." in name:
            what = "is also a code" if name in codes else "has a point, as levels of codes have"
            problems.append(
                Problem(path, f"combinations: {name!r} {what}", "Rename the combination.")
            )
        for key in ("all", "any", "none"):
            problems += [
                Problem(path, f"combinations.{name}: unknown code {code!r}",
                        f"Codes of the codebook: {', '.join(codes)}.")
                for code in combination.get(key, [])
                if code not in codes
            ]  # fmt: skip
    known = _known(config, codes)
    with_means = {**known, "code": {*known["code"], *means}}
    for model in config["regression"]["models"]:
        linear = model["family"] == "linear"
        able = with_means["code"] if linear else known["code"]
        for code in model["codes"]:
            if code not in able:
                what = "has a mean, which only a linear model explains" if code in means else ""
                problems.append(
                    Problem(path, f"regression.models.{model['id']}.codes: "
                            + (f"{code!r} {what}" if what else f"unknown code {code!r}"),
                            f"Known: {', '.join(sorted(able))}.")
                )  # fmt: skip
    problems += _side_problems("contrasts", config["contrasts"], with_means, path)
    problems += [
        Problem(path, f"contrasts.{entry['id']}: compares {a!r} with {b!r}, of which only one, or "
                "each of another code, is a mean level",
                "Let both sides name the same ordinal code, or both a share.")
        for entry in config["contrasts"]
        for a, b in [(entry["a"]["code"], entry["b"]["code"])]
        if a != b and {a, b} & {*means}
    ]  # fmt: skip
    problems += comparison_problems(config, codes, path)
    if config["case_study"] and config["case_study"] not in sources:
        problems.append(
            Problem(path, f"case_study: unknown source {config['case_study']!r}",
                    "Name a source_id of sources.tsv, or leave it empty ('').")
        )  # fmt: skip
    return problems


def comparison_problems(
    config: Mapping[str, Any], codes: Collection[str], path: str | Path = "config/config.yaml"
) -> list[Problem]:
    """Return where ``keyness`` names codes, groups or periods that do not exist.

    ``codes`` are those of the codebook; combinations are codes too.
    """
    known = _known(config, codes)
    known["without"] = known["code"]
    comparisons = config["keyness"]["comparisons"]
    return _side_problems("keyness.comparisons", comparisons, known, path)


def _known(config: Mapping[str, Any], codes: Collection[str]) -> dict[str, set[str]]:
    """Return what sides of contrasts and comparisons can name, by the key that names it."""
    periods = {period["id"] for period in config["periods"]} | {config["undated"]}
    every = {*codes, *config["combinations"]}
    return {"code": every, "group": {*config["groups"]}, "period": periods}


def _side_problems(
    section: str,
    entries: Sequence[Mapping[str, Any]],
    known: Mapping[str, Collection[str]],
    path: str | Path,
) -> list[Problem]:
    return [
        Problem(path, f"{section}.{entry['id']}.{side}: unknown {_CALLED.get(key, key)} {value!r}",
                f"Known: {', '.join(sorted(known[key]))}.")
        for entry in entries
        for side in ("a", "b")
        for key, value in entry[side].items()
        if value not in known[key]
    ]  # fmt: skip
