"""T22: what looking did. Is the classifier better where authors of cues could read, or more eager?

Two things part where cues were made to fit passages that were read:

- *Quality* is higher on read passages than on unread ones. Both are measured out of fold by source,
  weighted by design; the interval of their difference resamples whole sources, of which the same
  ones count on both sides (percentile bootstrap).
- The *marking rate*, the share of passages that the classifier decides carry the code, is higher
  among the passages drawn than among all from which they were drawn. The second, p, is known, the
  first a weighted mean over a random draw, whose variance is p(1 − p)(1/n − 1/N), with Kish's
  effective number n of the N passages: a score test, z = (p̂ − p)/√V. So a z value far from 0 is not
  the draw's doing. No code is needed, and so it can be asked where nothing is unread. The same rate
  is compared between passages of sources with a read passage and of the others that a read draw
  could have reached, with sources as clusters; these may differ for other reasons as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd

from framing.common.config import ALL
from framing.inference.design import Bools, Floats, Population, members, population
from framing.inference.intervals import DECIMALS, critical, is_zero
from framing.inference.outcomes import aligned, by_code
from framing.inference.variances import cluster_deviations, effective_size, sums
from framing.tables.quality import (
    Coded,
    average_precisions,
    coded_passages,
    f1_scores,
    percentiles,
    resampled_weights,
)

QUALITY, MARKED = "quality", "marking rate"
AVERAGE_PRECISION, F1, PRECISION, RECALL = "average precision", "F1", "precision", "recall"
SHARE_MARKED = "share marked"
READ_PASSAGES, UNREAD_PASSAGES = "read passages", "unread passages"
READ_SOURCES = "passages of read sources"
ALL_OF_READ = "all that could be drawn to be read"
ALL_OF_UNREAD = "all that could be drawn unread"
OTHER_SOURCES = "passages of other sources"
T22_COLUMNS = (
    "code", "comparison", "measure", "group", "of", "against", "passages_of", "passages_against",
    "value_of", "value_against", "difference", "se", "ci_low", "ci_high", "z", "reading", "status",
)  # fmt: skip
PARTED = "they part: figures and corrections that rest on read passages are too good"
MORE, LESS = "the classifier marks these more often than chance would", (
    "the classifier marks these less often than chance would"
)  # fmt: skip
OTHERWISE = "they differ, for which there may be other reasons as well"
NO_CODED = "undefined: fewer than {} coded passages on a side"
NO_PASSAGE = "undefined: no passage on a side"
NO_SPREAD = "no interval: nothing varies"
NOTHING_UNREAD = "undefined: nothing is unread"


def looking_table(
    passages: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T22-looking: quality on read and unread passages, and marking rates, by code.

    ``passages`` is the passage frame with the roles of its draws, ``scores`` the codes' scores. A
    row compares ``of`` with ``against``; where their difference has an interval that excludes 0,
    ``reading`` is a plain warning. Columns: :data:`T22_COLUMNS`. Empty where no coding can have
    been read.
    """
    frame = population(passages)
    if frame.read is None or frame.read_weight is None or not frame.read.any():
        return pd.DataFrame(columns=list(T22_COLUMNS))
    could = passages.get("read_frame", passages["estimable"]).to_numpy(dtype=bool)
    rows: list[dict[str, Any]] = []
    for code, part in by_code(scores):
        own = aligned(frame, part, code)
        columns = ["passage_id", "probability", "decision"]
        data = coded_passages(passages, own, own[columns])
        rows += [{"code": code, **row} for row in _quality_rows(data, config)]
        marked = own["decision"].to_numpy(dtype=float)
        for group in [ALL, *config["groups"]]:
            inside = members(frame, group)
            rows += [
                {"code": code, "group": group, **row}
                for row in _marking_rows(frame, marked, inside, could, config)
            ]
    table = pd.DataFrame(rows, columns=list(T22_COLUMNS))
    floats = table.select_dtypes("float").columns
    table = table.assign(**{name: table[name].round(12) + 0.0 for name in floats})
    return table.astype({"passages_of": "Int64", "passages_against": "Int64"})


# --- quality --------------------------------------------------------------------------------------


def _quality_rows(data: Coded, config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row a measure: read passages against unread ones."""
    plan, confidence = config["evaluation"], config["inference"]["confidence"]
    sizes = [int((~data.unread).sum()), int(data.unread.sum())]
    base = {
        "comparison": QUALITY, "group": ALL, "of": READ_PASSAGES, "against": UNREAD_PASSAGES,
        "passages_of": sizes[0], "passages_against": sizes[1], "value_of": nan,
        "value_against": nan, "difference": nan, "se": nan, "ci_low": nan, "ci_high": nan, "z": nan,
        "reading": "", "status": "",
    }  # fmt: skip
    enough = min(sizes) >= config["agreement"]["minimum_units"]
    if not enough:
        few = NO_CODED.format(config["agreement"]["minimum_units"])
        base["status"] = few if sizes[1] else NOTHING_UNREAD
        yield from ({"measure": name, **base} for name in _MEASURES)
        return
    weights = np.concatenate(
        [
            data.weight[None, :],
            resampled_weights(data.weight, data.source, plan["draws"], plan["seed"]),
        ]
    )
    for name, measure in _MEASURES.items():
        read, unread = (measure(data.take(side), weights[:, side])
                        for side in (~data.unread, data.unread))  # fmt: skip
        row = {"measure": name, **base, "value_of": read[0], "value_against": unread[0]}
        gaps = read - unread
        row["difference"] = gaps[0]
        low, high = percentiles(gaps[1:], confidence)
        row |= {"ci_low": low, "ci_high": high}
        if gaps[0] != gaps[0]:
            row["status"] = "undefined: no passage carries the code, or none is marked, on a side"
        elif round(low, DECIMALS) > 0:
            row["reading"] = PARTED
        yield row


def _precisions(data: Coded, weights: Floats) -> Floats:
    return _ratio(weights @ (data.label * data.decision), weights @ data.decision)


def _recalls(data: Coded, weights: Floats) -> Floats:
    return _ratio(weights @ (data.label * data.decision), weights @ data.label)


def _ratio(above: Floats, below: Floats) -> Floats:
    found: Floats = np.divide(above, below, out=np.full(len(above), nan), where=below > 0)
    return found


_MEASURES = {
    AVERAGE_PRECISION: lambda data, weights: average_precisions(
        data.label, data.probability, weights
    ),
    F1: lambda data, weights: f1_scores(data.label, data.decision, weights),
    PRECISION: _precisions,
    RECALL: _recalls,
}


# --- marking rates --------------------------------------------------------------------------------


def _marking_rows(
    frame: Population, marked: Floats, inside: Bools, could: Bools, config: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield a row a comparison of marking rates among the passages ``inside`` (N,).

    ``marked`` (N,) are decisions, ``could`` (N,) says what draws that were read could have drawn.
    """
    assert frame.read is not None and frame.read_weight is not None
    confidence = config["inference"]["confidence"]
    weight = np.nan_to_num(frame.read_weight)
    yield _drawn_row(frame, marked, frame.read, weight, inside & could,
                     (READ_PASSAGES, ALL_OF_READ), confidence)  # fmt: skip
    unread = frame.unread
    if unread.any() and frame.unread_frame is not None:
        left = inside & frame.unread_frame
        left[frame.drawn[frame.read]] = False
        yield _drawn_row(frame, marked, unread, frame.weight, left,
                         (UNREAD_PASSAGES, ALL_OF_UNREAD), confidence)  # fmt: skip
    yield _sources_row(frame, marked, inside & could, confidence)


def _row(names: tuple[str, str], sizes: tuple[int, int]) -> dict[str, Any]:
    return {
        "comparison": MARKED, "measure": SHARE_MARKED, "of": names[0], "against": names[1],
        "passages_of": sizes[0], "passages_against": sizes[1], "value_of": nan,
        "value_against": nan, "difference": nan, "se": nan, "ci_low": nan, "ci_high": nan, "z": nan,
        "reading": "", "status": "",
    }  # fmt: skip


def _finished(row: dict[str, Any], se: float, confidence: float) -> dict[str, Any]:
    if is_zero(se):
        return row | {"status": NO_SPREAD}
    gap, quantile = row["difference"], critical(confidence)
    row |= {"se": se, "ci_low": gap - quantile * se, "ci_high": gap + quantile * se, "z": gap / se}
    if abs(row["z"]) > quantile:
        row["reading"] = MORE if gap > 0 else LESS
    return row


def _drawn_row(
    frame: Population,
    marked: Floats,
    chosen: Bools,
    weight: Floats,
    among: Bools,
    names: tuple[str, str],
    confidence: float,
) -> dict[str, Any]:
    """Return drawn passages against all from which they were drawn, by the score test.

    ``chosen`` (n,) are the drawn passages asked about and ``weight`` (n,) their weights; ``among``
    (N,) are all that could have been drawn.
    """
    taken = chosen & among[frame.drawn]
    row = _row(names, (int(taken.sum()), int(among.sum())))
    if not taken.any():
        return row | {"status": NO_PASSAGE}
    value = marked[frame.drawn]
    total = float(weight[taken].sum())
    rate = float((weight[taken] * value[taken]).sum()) / total
    known = float(marked[among].mean())
    left = max(0.0, 1 / effective_size(weight[taken]) - 1 / int(among.sum()))
    row |= {"value_of": rate, "value_against": known, "difference": rate - known}
    return _finished(row, sqrt(known * (1 - known) * left), confidence)


def _sources_row(
    frame: Population, marked: Floats, inside: Bools, confidence: float
) -> dict[str, Any]:
    """Return passages of sources with a read passage against those of all other sources."""
    assert frame.read is not None
    read = np.bincount(frame.source[frame.drawn[frame.read]], minlength=frame.sources) > 0
    sides = [inside & read[frame.source], inside & ~read[frame.source]]
    row = _row((READ_SOURCES, OTHER_SOURCES), (int(sides[0].sum()), int(sides[1].sum())))
    if not all(side.any() for side in sides):
        return row | {"status": NO_PASSAGE}
    rates, variance = [], 0.0
    for side in sides:
        rate = float(marked[side].mean())
        source = frame.source[side]
        of_source = sums(source, (marked[side] - rate) / side.sum(), frame.sources)
        taking_part = np.bincount(source, minlength=frame.sources) > 0
        variance += float(np.square(cluster_deviations(of_source, taking_part)).sum())
        rates.append(rate)
    row |= {"value_of": rates[0], "value_against": rates[1], "difference": rates[0] - rates[1]}
    row = _finished(row, sqrt(variance), confidence)
    return row | {"reading": OTHERWISE if row["reading"] else ""}
