"""The codebook: codes, cues and exemplars as data, read once and checked whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from framing.codebook.codes import Code, Level, code_problems, one_line, read_code
from framing.codebook.cues import compile_cues, cue_problem
from framing.codebook.pattern_syntax import PatternError, translate
from framing.common.config import read_yaml, schema_problems
from framing.common.files import repeated
from framing.common.problems import InputError, Problem, raise_if_any

_LISTED_CUE = re.compile(r"^cues\.(\d+)(?:\.([^:]*))?: (.*)$", re.DOTALL)


@dataclass(frozen=True)
class Cue:
    """A named pattern and the codes it votes on.

    ``votes`` maps codes to 1 (for) or -1 (against). A hit of any of the patterns in ``pattern``
    counts where any of ``required`` and none of ``forbidden`` is found in the same sentence, or in
    the same passage by ``within``; ``case`` is ignore or match; ``negated`` is any (a negator
    does not matter), never or only.
    """

    name: str
    description: str
    votes: Mapping[str, int]
    pattern: tuple[str, ...]
    required: tuple[str, ...]
    forbidden: tuple[str, ...]
    within: str
    case: str
    negated: str


@dataclass(frozen=True)
class Codebook:
    """A whole codebook; ``place`` is the file it comes from. Texts that it lacks are empty."""

    place: str
    name: str
    version: str
    question: str
    unit: str
    context: str
    principle: str
    decision_rule: str
    neither: str
    together: str
    abbreviations: tuple[str, ...]
    terms: Mapping[str, str]
    negators: tuple[str, ...]
    negation_window: int
    codes: Mapping[str, Code]
    cues: tuple[Cue, ...]

    @property
    def guidance(self) -> list[tuple[str, str]]:
        """Return how to code, whichever the code, part by part, as ``(title, text)``."""
        parts = [
            ("Unit", self.unit), ("Context", self.context), ("What is coded", self.principle),
            ("Decision rule", self.decision_rule),
            ("Several codes together", self.together), ("None of the codes", self.neither),
        ]  # fmt: skip
        return [(title, text) for title, text in parts if text]

    @property
    def rules(self) -> dict[str, str]:
        """Return the text of every rule of every code by a name of its own.

        ``CODE/present/2`` is the second entry under ``present``, ``CODE/not_enough/1`` the first
        under ``not_enough``; CODE is an indicator (:attr:`indicators`).
        """
        return {
            f"{name}/{kind}/{number}": text
            for name, level in self.indicators.items()
            for kind, texts in (("present", level.present), ("not_enough", level.not_enough))
            for number, text in enumerate(texts, start=1)
        }

    @property
    def indicators(self) -> dict[str, Level]:
        """Return the levels that are counted, of all codes, by the yes/no code that says so.

        What comes after the coders are combined knows these: a yes/no code by its own name, a level
        of any other code as ``CODE.LEVEL``.
        """
        return {level.indicator: level for code in self.codes.values() for level in code.counted}

    @property
    def labels(self) -> dict[str, str]:
        """Return how a reader knows each of :attr:`indicators`."""
        return {
            level.indicator: code.label if code.kind.present else f"{code.label}: {level.label}"
            for code in self.codes.values()
            for level in code.counted
        }


def load_codebook(path: Path) -> Codebook:
    """Read and check a codebook.

    Raises :class:`InputError` with every key that is unknown, missing, repeated or of the wrong
    type; every repeated cue, vote on an unknown code, term that is unknown or circular, empty or
    repeated exemplar; every pattern that is broken, can match nothing, or would take for ever.
    """
    data, codebook = _read(path)
    problems = [
        cue_problem(path, cue["name"], f"votes both for and against {code!r}", "Decide for one.")
        for cue in data["cues"]
        for code in cue.get("for", ())
        if code in cue.get("against", ())
    ]
    problems += code_problems(data["codes"], path)
    problems += _vote_problems(codebook) + _exemplar_problems(codebook) + _term_problems(codebook)
    try:
        compile_cues(codebook)
    except InputError as error:
        problems += error.problems
    raise_if_any(problems)
    return codebook


def written_codebook(path: Path) -> Codebook:
    """Return a codebook that :func:`load_codebook` has checked before: its cues stay untried.

    Raises :class:`InputError` as :func:`read_codebook` does.
    """
    return _read(path)[1]


def _read(path: Path) -> tuple[dict[str, Any], Codebook]:
    data = read_codebook(path)
    return data, _codebook(data, str(path))


def read_codebook(path: Path) -> dict[str, Any]:
    """Return a codebook as it is written, its keys and types checked but not what it says."""
    data = read_yaml(path)
    raise_if_any(
        _named(problem, data) for problem in schema_problems(data, "codebook.schema.yaml", path)
    )
    return dict(data)


def _named(problem: Problem, data: Any) -> Problem:
    """Say a cue by its name where the schema could only say its number."""
    match = _LISTED_CUE.match(problem.what)
    if not match:
        return problem
    cue = data["cues"][int(match.group(1))]
    name = cue.get("name") if isinstance(cue, dict) else None
    name = name if isinstance(name, str) else f"number {int(match.group(1)) + 1}"
    key = f"{match.group(2)}: " if match.group(2) else ""
    return cue_problem(problem.place, name, key + match.group(3), problem.remedy)


def _codebook(data: Mapping[str, Any], place: str) -> Codebook:
    return Codebook(
        place=place,
        **{key: one_line(data[key]) for key in ("name", "version", "question", "unit")},
        **{
            key: one_line(data.get(key, ""))
            for key in ("context", "principle", "decision_rule", "neither", "together")
        },
        abbreviations=tuple(data.get("abbreviations", ())),
        terms=dict(data.get("terms", {})),
        negators=tuple(data.get("negators", ())),
        negation_window=data.get("negation_window", 0),
        codes={name: read_code(name, code) for name, code in data["codes"].items()},
        cues=tuple(_cue(cue) for cue in data["cues"]),
    )


def _cue(cue: Mapping[str, Any]) -> Cue:
    votes = {**dict.fromkeys(cue.get("against", ()), -1), **dict.fromkeys(cue.get("for", ()), 1)}
    return Cue(
        name=cue["name"],
        description=one_line(cue["description"]),
        votes=votes,
        pattern=_patterns(cue["pattern"]),
        required=_patterns(cue.get("with", ())),
        forbidden=_patterns(cue.get("unless", ())),
        within=cue.get("within", "sentence"),
        case=cue.get("case", "ignore"),
        negated=cue.get("negated", "any"),
    )


def _patterns(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _vote_problems(codebook: Codebook) -> list[Problem]:
    place, known = codebook.place, list(codebook.indicators)
    problems = [
        cue_problem(place, name, "stands twice", "Rename one of them.")
        for name in repeated(cue.name for cue in codebook.cues)
    ]
    for cue in codebook.cues:
        if not cue.votes:
            problems.append(
                cue_problem(place, cue.name, "votes on no code", "Give it 'for' or 'against'.")
            )
        for code in cue.votes:
            if code not in known:
                close = get_close_matches(code, known)
                remedy = f"Did you mean {close[0]!r}?" if close else f"Codes: {', '.join(known)}."
                problems.append(
                    cue_problem(place, cue.name, f"votes on unknown code {code!r}", remedy)
                )
        if cue.negated != "any" and not (codebook.negators and codebook.negation_window):
            problems.append(
                cue_problem(
                    place,
                    cue.name,
                    f"has 'negated: {cue.negated}', but nothing says what negates",
                    "Give the codebook 'negators' and a 'negation_window'.",
                )
            )
        if cue.within == "passage" and not (cue.required or cue.forbidden):
            problems.append(
                cue_problem(
                    place,
                    cue.name,
                    "has 'within: passage', but neither 'with' nor 'unless'",
                    "Remove it: patterns themselves always lie in one sentence.",
                )
            )
    return problems


def _exemplar_problems(codebook: Codebook) -> list[Problem]:
    texts = [
        exemplar.text
        for level in codebook.indicators.values()
        for exemplar in (*level.carrying, *level.near_misses)
    ]
    return [
        Problem(codebook.place, f"the exemplar {text[:50]!r} stands twice", "Remove one of them.")
        for text in repeated(texts)
    ]


def _term_problems(codebook: Codebook) -> list[Problem]:
    problems = []
    for name in codebook.terms:
        try:
            translate(f"<{name}>", codebook.terms)
        except PatternError as error:
            problems.append(
                Problem(f"{codebook.place}: term {name!r}", str(error), "See docs/cues.md.")
            )
    return problems
