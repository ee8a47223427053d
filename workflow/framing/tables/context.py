"""What a project says of itself in tables and report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from framing.coding.codings import RELIABILITY, STABILITY, coders_phrase, runs_of_one_model
from framing.coding.instruments import instrument_phrase, instruments_of
from framing.coding.variables import mean_labels, read_variables, traits
from framing.common.build import read_build
from framing.common.files import read_text
from framing.common.settings import settled
from framing.inference.design import is_confirmed
from framing.inference.estimators import leading
from framing.sampling.draw import CONVENIENCE_CAVEAT
from framing.sampling.roles import CONFIRMATION
from framing.tables.captions import Edition, edition
from framing.tables.contrasts import HELD
from framing.tables.specs import load_specs

RERUN = (
    "Clone the repository and run the first of the two lines in its README: the results come out "
    "byte for byte, with or without the texts. The command “framing verify” does the same in a "
    "scratch directory and compares with results/manifest.tsv."
)
NO_LICENCE = "of which the project says nothing (release in config/config.yaml)"


def named(config: Mapping[str, Any], codes: pd.DataFrame, confirmed: bool) -> dict[str, Any]:
    """Return what figures need of the context: names, and settings that they show.

    It hangs on no passage and no text. ``codes`` (``code label``, combinations last); ``confirmed``
    says whether any coded passage is unread, by which it is decided what is led with
    (:func:`framing.inference.estimators.leading`; contrasts with the period held).
    """
    variables = read_variables(codes)
    return {
        "groups": config["groups"],
        "periods": [*(str(period["id"]) for period in config["periods"]), str(config["undated"])],
        "undated": str(config["undated"]),
        "codes": dict(zip(codes["code"], codes["label"], strict=True)),
        "variables": {one.name: one.label for one in variables},
        "means": mean_labels(variables),
        "levels": {
            name: label
            for one in variables
            for name, label in zip(one.indicators, one.labels, strict=True)
        },
        "contrasts": {entry["id"]: entry["thesis"] for entry in config["contrasts"]},
        "agreement_marks": config["agreement"]["marks"],
        "headline": {**leading(config, confirmed), "basis": HELD},
    }


def project_context(
    config: Mapping[str, Any],
    sources: pd.DataFrame,
    passages: pd.DataFrame,
    codes: pd.DataFrame,
    coders: pd.DataFrame,
    provenance: Mapping[str, Any],
    caveat: str = "",
    reading: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the context that :func:`framing.tables.captions.edition` describes.

    ``sources`` (``source_id title speaker date``), ``passages`` (the frame), ``codes`` (``code
    label``, combinations last), ``coders`` (``coder kind model``), ``provenance`` (see
    :func:`framing.release.manifest.provenance`). ``caveat`` says what holds of all tables, such as
    that passages were not drawn at random.
    ``reading`` are sentences on what each draw counts as and why, ``warnings`` on what no reader
    must miss; both are shown as they are.
    """
    case = config["case_study"]
    own = sources[sources["source_id"] == case].to_dict("records")
    digests = {name: entry["sha256"] for name, entry in provenance["inputs"].items()}
    coded = passages["weight"].notna()
    unread = coded
    if "role" in passages.columns:
        unread = coded & (passages["role"] == CONFIRMATION)
    return named(config, codes, is_confirmed(passages)) | {
        "title": config["project"]["title"],
        "question": config["project"]["question"],
        "limits": config["project"].get("limits", []),
        "combinations": list(config["combinations"]),
        "coders": coders_phrase(coders),
        "instrument": instrument_phrase(
            instruments_of(settled("inference", config["inference"])["instrument"]), coders
        ),
        "machine_coders": bool((coders["kind"] == "machine").any()),
        "agreement_shows": STABILITY if runs_of_one_model(coders) else RELIABILITY,
        "n_sources": int(passages["source_id"].nunique()),
        "n_passages": len(passages),
        "n_coded": int(coded.sum()),
        "n_read": int((coded & ~unread).sum()),
        "n_unread": int(unread.sum()),
        "n_outside": int((~passages["estimable"]).sum()),
        "convenience": CONVENIENCE_CAVEAT in caveat,
        "licence": config["release"]["licence"]["title"] if "release" in config else NO_LICENCE,
        "confidence": config["inference"]["confidence"],
        "decimals": config["report"]["decimals"],
        "case_study": {"source_id": case, "title": cited(own[0])} if case else None,
        "digests": digests | {"config": provenance["config"]["sha256"]},
        "how_to_rerun": RERUN,
        "reading": list(reading),
        "warnings": list(warnings),
    }


def read_edition(
    given: Mapping[str, Any],
    config: Mapping[str, Any],
    sources: pd.DataFrame,
    passages: pd.DataFrame,
    caveat: str = "",
    reading: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> Edition:
    """Return the project's words (:func:`framing.tables.captions.edition`).

    ``given`` has the paths of ``codes coders provenance``; all else is as in
    :func:`project_context`.
    """
    provenance = json.loads(read_text(Path(given["provenance"])))
    codes, coders = read_build(given["codes"]), read_build(given["coders"])
    context = project_context(
        config, sources, passages, codes, coders, provenance, caveat, reading, warnings
    )
    return edition(load_specs().of(traits(read_variables(codes), set(coders["kind"]))), context)


def cited(source: Mapping[str, Any]) -> str:
    """Return a source as it is named in running text: "Speaker, Title (year)", as far as known."""
    speaker, year = str(source["speaker"]), str(source["date"])[:4]
    return f"{f'{speaker}, ' if speaker else ''}{source['title']}{f' ({year})' if year else ''}"
