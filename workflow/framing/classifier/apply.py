"""The stored models applied to text that is none of the corpus."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framing.common.problems import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    from framing.classifier.stored import Said
    from framing.codebook.codebook import Codebook
    from framing.codebook.cues import CompiledCues


MODELS = Path("results/models")


# --- coding one passage ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Instrument:
    """What codes a passage: a codebook, its cues ready to search, and a stored model a code."""

    codebook: Codebook
    compiled: CompiledCues
    models: Mapping[str, Mapping[str, Any]]


def load_instrument() -> Instrument:
    """Return codebook and models of the project in the working directory.

    Raises :class:`InputError` where the codebook is broken or a model missing, changed by hand, or
    trained with other levels, other cues or another number of their patterns than the codebook has.
    """
    from framing.classifier.model_file import read_model
    from framing.codebook.codebook import load_codebook
    from framing.codebook.cues import compile_cues
    from framing.common.paths import CODEBOOK

    codebook = load_codebook(CODEBOOK)
    models: dict[str, Mapping[str, Any]] = {}
    problems: list[Problem] = []
    for code in codebook.codes:
        path = MODELS / f"{code}.json"
        if not path.is_file():
            problems.append(
                Problem(path, f"does not exist, so {code!r} cannot be coded", "Run `snakemake`.")
            )
            continue
        try:
            models[code] = read_model(path)
        except InputError as error:
            problems += error.problems
    problems += stale_models(codebook, models)
    raise_if_any(problems)
    return Instrument(codebook, compile_cues(codebook), models)


def stale_models(codebook: Codebook, models: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Return the models (by code) trained with other levels, cues, or numbers of their patterns."""
    from framing.classifier.stored import reader_of

    problems = []
    for code, model in models.items():
        place = MODELS / f"{code}.json"
        if model["code"] != code:
            problems.append(Problem(place, f"is a model of {model['code']!r}", "Run `snakemake`."))
            continue
        levels = [level.indicator for level in codebook.codes[code].counted]
        found = reader_of(model).indicators(model)
        if found != levels:
            problems.append(
                Problem(
                    place,
                    f"was trained with another codebook: there it was coded by {', '.join(found)}, "
                    f"here by {', '.join(levels)}",
                    "Run `snakemake`.",
                )
            )
            continue
        if model["constant"] is not None:
            continue  # it knows no cues
        trained = {name: len(entry["patterns"]) for name, entry in model["cues"].items()}
        wanted = {cue.name: len(cue.pattern) for cue in codebook.cues}
        unlike = sorted(
            name for name in {*trained, *wanted} if trained.get(name) != wanted.get(name)
        )
        if unlike:
            problems.append(
                Problem(
                    place,
                    "was trained with another codebook: cues or their patterns differ for "
                    f"{', '.join(unlike[:8])}{' …' if len(unlike) > 8 else ''}",
                    "Run `framing derive` where the texts are at hand, then `snakemake`.",
                )
            )
    return problems


def prose(text: str) -> str:
    """Return a text as canonical texts are: normal form C, LF, no space around it.

    >>> prose(" Cafe\u0301\\r\\nnoir ")
    'Café\\nnoir'
    """
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").strip()


def code_text(instrument: Instrument, text: str) -> dict[str, Said]:
    """Return each code's prediction for a text, by the workflow's own words and cues.

    Raises :class:`InputError` naming a cue that takes too long.
    """
    from framing.classifier.stored import predict
    from framing.codebook.cues import pattern_hits
    from framing.corpus.words import word_counts

    passage = prose(text)
    counts, hits = word_counts(passage), pattern_hits(instrument.compiled, passage)
    return {code: predict(model, counts, hits) for code, model in instrument.models.items()}
