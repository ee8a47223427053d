"""Figures of merit of classifiers: T3 methods, T13 ablations, T14 learning, T15 calibration.

All predictions are out of fold by source. Measures weight coded passages by the inverse of their
inclusion probability; intervals resample whole sources (percentile bootstrap), with predictions
held fixed: they say how far the figure depends on which sources were collected, not on the fit.

Figures are those on unread passages where there are any; T3 has those on read ones apart, and calls
them optimistic. Who writes cues may have read them, and out-of-fold prediction keeps a passage's
code from the weights, not from the author's mind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.common.config import ALL, OURS
from framing.inference.agreement import resampling_counts
from framing.inference.classifier_quality import MEASURES, NO_CODED, quality
from framing.inference.design import Bools, Floats, Ints, is_confirmed
from framing.inference.intervals import DECIMALS, critical, wilson
from framing.sampling.roles import CONFIRMATION
from framing.tables.errors import OPTIMISTIC, said
from framing.tables.outside_frame import READ, UNFAMILIAR, UNREAD

T3_COLUMNS = (
    "code", "method", "part", "group", "passages", "positives", "base_rate", "average_precision",
    "ap_low", "ap_high", "roc_auc", "f1", "f1_low", "f1_high", "precision", "recall", "brier",
    "calibration_error", "unfamiliar", "unfamiliar_sources", "status",
)  # fmt: skip
BASE = "the classifier itself: changes are those of the other rows against it"
T13_COLUMNS = (
    "code", "variant", "average_precision", "ap_change", "ap_change_low", "ap_change_high", "f1",
    "f1_change", "f1_change_low", "f1_change_high", "status",
)  # fmt: skip
T14_COLUMNS = (
    "code", "share", "passages", "repeats", "average_precision", "ap_lowest", "ap_highest",
    "status",
)  # fmt: skip
T15_COLUMNS = (
    "code", "bin", "from", "to", "passages", "mean_probability", "share", "ci_low", "ci_high",
    "status",
)  # fmt: skip
ONE_SOURCE = "interval undefined: one source"


@dataclass(frozen=True)
class Coded:
    """Coded passages of one code with one method's predictions, aligned by position.

    ``label`` and ``decision`` 0/1, ``probability`` rounded, ``weight`` inverse inclusion
    probabilities (of read passages in the design of read draws alone), ``source`` numbers of
    sources, ``group`` ids, ``unread`` whether nobody has read the passage's code.
    """

    label: Ints
    probability: Floats
    decision: Ints
    weight: Floats
    source: Ints
    group: np.ndarray
    unread: Bools

    def take(self, member: Bools) -> Coded:
        """Return the passages for which ``member`` (n,) is true."""
        return Coded(**{name: values[member] for name, values in vars(self).items()})

    @property
    def leading(self) -> tuple[Coded, bool]:
        """Return the unread passages and true; the read ones and false where there are none."""
        unread = bool(self.unread.any())
        return self.take(self.unread == unread), unread


def coded_passages(
    passages: pd.DataFrame, labels: pd.DataFrame, predictions: pd.DataFrame
) -> Coded:
    """Return predictions joined with codes and design, in the order of the passage frame.

    ``labels`` (``passage_id label``), ``predictions`` (``passage_id probability decision``), both
    of one code. ``passages`` is the passage frame; where it has no column ``role``, all its coded
    passages count as unread.
    """
    frame = _by_reading(passages).merge(labels[["passage_id", "label"]].dropna(), on="passage_id")
    frame = frame.merge(predictions, on="passage_id", validate="one_to_one")
    source, _ = pd.factorize(frame["source_id"])
    return Coded(
        frame["label"].to_numpy(dtype=np.int64),
        frame["probability"].to_numpy(dtype=float),
        frame["decision"].to_numpy(dtype=np.int64),
        frame["weight"].to_numpy(dtype=float),
        source.astype(np.int64),
        frame["group"].to_numpy(dtype=object),
        frame["unread"].to_numpy(dtype=bool),
    )


def _by_reading(passages: pd.DataFrame) -> pd.DataFrame:
    """Return ``passage_id source_id group unread weight`` of a passage frame.

    Weights of unread passages are those of the whole design, of read ones those of the draws that
    were read.
    """
    kept = ["passage_id", "group"] + (["source_id"] if "source_id" in passages.columns else [])
    frame = passages[kept].assign(unread=True, weight=passages["weight"])
    if "role" in passages.columns:
        unread = passages["role"] == CONFIRMATION
        frame["unread"] = unread
        frame["weight"] = passages["weight"].where(unread, passages["read_weight"])
    return frame


def average_precisions(label: Ints, probability: Floats, weights: Floats) -> Floats:
    """Return average precision (draws,) under each row of ``weights`` (draws, n); NaN without hits.

    Σ (R_k − R_{k−1}) P_k over distinct probabilities, falling (as in scikit-learn).
    """
    order = np.argsort(-probability, kind="stable")
    ranked = probability[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    found = np.cumsum((weights * label)[:, order], axis=1)[:, ends]
    called = np.cumsum(weights[:, order], axis=1)[:, ends]
    gained = np.diff(found, axis=1, prepend=0)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    total = found[:, -1]
    sums = (gained * precision).sum(axis=1)
    result: Floats = np.divide(sums, total, out=np.full(len(total), nan), where=total > 0)
    return result


def f1_scores(label: Ints, decision: Ints, weights: Floats) -> Floats:
    """Return F1 (draws,) under each row of ``weights`` (draws, n); NaN without positives."""
    hit = weights @ (label * decision)
    marked, positive = weights @ decision, weights @ label
    result: Floats = np.divide(
        2 * hit, marked + positive, out=np.full(len(hit), nan), where=positive > 0
    )
    return result


def resampled_weights(weight: Floats, source: Ints, draws: int, seed: int) -> Floats:
    """Return weights (draws, n) under resampling of whole sources; no rows where there is one."""
    _, place = np.unique(source, return_inverse=True)
    number = int(place.max()) + 1 if len(place) else 0
    if number < 2:
        return np.zeros((0, len(weight)))
    counts = np.concatenate(list(resampling_counts(number, draws, seed)))
    result: Floats = counts[:, place] * weight
    return result


def percentiles(values: Floats, confidence: float) -> tuple[float, float]:
    """Return the percentile interval of the values that are defined; NaN where none is."""
    defined = np.round(values[~np.isnan(values)], 2 * DECIMALS)
    if not len(defined):
        return nan, nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def methods_table(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    predictions: pd.DataFrame,
    config: Mapping[str, Any],
    ours: str = OURS,
    baselines: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return T3-classifier: each method by code, on unread and on read passages, and by group.

    ``passages`` is the passage frame, ``scores`` the scores of the codes (``label``, our
    ``probability``, ``decision``), ``predictions`` the baselines' (``code method passage_id
    probability decision``), of sampled sources at least; by default all baselines that the
    configuration asks for. Unread passages come first, all of them
    and by group; then all read ones. Where nothing is unread, read passages stand alone, by group
    as well. Columns: :data:`T3_COLUMNS`, with nothing yet in those of
    :func:`framing.tables.outside_frame.with_unfamiliar`. With fewer coded passages than
    ``agreement.minimum_units`` nothing is computed; the status says so.
    """
    if baselines is None:
        baselines = _baselines(config)
    rows = []
    for code in scores["code"].drop_duplicates():
        own = scores[scores["code"] == code]
        for method in (ours, *baselines):
            made = own if method == ours else _of(predictions, code, method)
            data = coded_passages(passages, own, made[["passage_id", "probability", "decision"]])
            for part, group in _cells(config, data):
                member = data.unread == (part == UNREAD)
                if group != ALL:
                    member &= data.group == group
                cells = {"code": code, "method": method, "part": part, "group": group}
                cells |= _figures(data.take(member), config)
                if part == READ:
                    cells["status"] = said(OPTIMISTIC, cells["status"])
                rows.append(cells)
    frame = pd.DataFrame(rows, columns=list(T3_COLUMNS))
    return _settled(frame.astype(dict.fromkeys(UNFAMILIAR, "Int64")))


def _baselines(config: Mapping[str, Any]) -> tuple[str, ...]:
    # Here, as they bring scikit-learn, which takes a second to load.
    from framing.classifier.baselines import BASELINES
    from framing.classifier.comparison import WITH_ENCODER

    return (WITH_ENCODER, *BASELINES) if config["classifier"].get("encoder") else BASELINES


def _of(predictions: pd.DataFrame, code: str, method: str) -> pd.DataFrame:
    return predictions[(predictions["code"] == code) & (predictions["method"] == method)]


def _cells(config: Mapping[str, Any], data: Coded) -> list[tuple[str, str]]:
    lead = UNREAD if data.unread.any() else READ
    apart = [(READ, ALL)] if lead == UNREAD and not data.unread.all() else []
    return [(lead, ALL), *apart, *((lead, group) for group in config["groups"])]


def _figures(data: Coded, config: Mapping[str, Any]) -> dict[str, Any]:
    minimum, plan = config["agreement"]["minimum_units"], config["evaluation"]
    label = data.label
    cells: dict[str, Any] = {"passages": len(label), "positives": int(label.sum())}
    if len(label) < minimum:
        few = f"undefined: fewer than {minimum} coded passages"
        return cells | dict.fromkeys(MEASURES, nan) | {"status": few if len(label) else NO_CODED}
    probability, decision, weight = data.probability, data.decision, data.weight
    cells |= quality(label, probability, decision, weight, config["classifier"]["calibration_bins"])
    weights = resampled_weights(weight, data.source, plan["draws"], plan["seed"])
    confidence = config["inference"]["confidence"]
    if not len(weights):
        cells["status"] = "; ".join(filter(None, [cells["status"], ONE_SOURCE]))
    if label.any():
        low, high = percentiles(average_precisions(label, probability, weights), confidence)
        cells |= {"ap_low": low, "ap_high": high}
        low, high = percentiles(f1_scores(label, decision, weights), confidence)
        cells |= {"f1_low": low, "f1_high": high}
    return cells


def ablation_table(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    predictions: pd.DataFrame,
    config: Mapping[str, Any],
    ours: str = OURS,
) -> pd.DataFrame:
    """Return T13-ablations: our method with one ingredient changed, against itself unchanged.

    Changes are variant less ``ours``, their intervals from the same resamples of sources (paired),
    on unread passages where there are any; otherwise the status calls them optimistic. Arguments as
    in :func:`methods_table`; columns :data:`T13_COLUMNS`.
    """
    plan, confidence = config["evaluation"], config["inference"]["confidence"]
    rows = []
    for code in scores["code"].drop_duplicates():
        own = scores[scores["code"] == code]
        columns = ["passage_id", "probability", "decision"]
        whole, unread = coded_passages(passages, own, own[columns]).leading
        status = "" if unread else OPTIMISTIC
        if not whole.label.any():
            status = said(status, "undefined: no coded passage carries the code")
        empty = dict.fromkeys(T13_COLUMNS[2:-1], nan) | {"status": status}
        weights = np.concatenate(
            [
                whole.weight[None, :],
                resampled_weights(whole.weight, whole.source, plan["draws"], plan["seed"]),
            ]
        )
        for variant in (ours, *plan["ablations"]):
            made = own if variant == ours else _of(predictions, code, variant)
            row = {"code": code, "variant": variant} | empty
            if variant == ours and whole.label.any():
                row["status"] = said(status, BASE)
            if whole.label.any():
                data, _ = coded_passages(passages, own, made[columns]).leading
                row |= _changes(data, whole, weights, confidence, changed=variant != ours)
            rows.append(row)
    return _settled(pd.DataFrame(rows, columns=list(T13_COLUMNS)))


def _changes(
    data: Coded, whole: Coded, weights: Floats, confidence: float, *, changed: bool
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, key, values, base in (
        (
            "average_precision", "ap",
            average_precisions(data.label, data.probability, weights),
            average_precisions(whole.label, whole.probability, weights),
        ),
        (
            "f1", "f1",
            f1_scores(data.label, data.decision, weights),
            f1_scores(whole.label, whole.decision, weights),
        ),
    ):  # fmt: skip
        row[name] = float(values[0])
        if changed:
            low, high = percentiles((values - base)[1:], confidence)
            row |= {
                f"{key}_change": float(values[0] - base[0]),
                f"{key}_change_low": low,
                f"{key}_change_high": high,
            }
    return row


def learning_table(
    passages: pd.DataFrame, scores: pd.DataFrame, learning: pd.DataFrame
) -> pd.DataFrame:
    """Return T14-learning: average precision by how many coded passages taught the classifier.

    ``learning`` (``code share repeat passages passage_id score``); the mean over repeats, with the
    lowest and the highest, on unread passages where there are any. Columns: :data:`T14_COLUMNS`.
    """
    labelled = scores.dropna(subset=["label"])[["passage_id", "code", "label"]]
    unread = is_confirmed(passages)
    judging = _by_reading(passages)
    judging = judging.loc[judging["unread"] == unread, ["passage_id", "weight"]]
    frame = learning.merge(labelled, on=["passage_id", "code"]).merge(judging, on="passage_id")
    rows = []
    for code in scores["code"].drop_duplicates():
        for share, part in frame[frame["code"] == code].groupby("share", sort=True):
            found = [_learned(one.dropna(subset=["score"])) for _, one in part.groupby("repeat")]
            defined = [value for value in found if value == value]
            status = "" if defined else "undefined: too few passages to learn from"
            rows.append(
                {
                    "code": code,
                    "share": share,
                    "passages": round(float(part.drop_duplicates("repeat")["passages"].mean())),
                    "repeats": len(defined),
                    "average_precision": float(np.mean(defined)) if defined else nan,
                    "ap_lowest": min(defined, default=nan),
                    "ap_highest": max(defined, default=nan),
                    "status": status if unread else said(OPTIMISTIC, status),
                }
            )
    return _settled(pd.DataFrame(rows, columns=list(T14_COLUMNS)))


def _learned(part: pd.DataFrame) -> float:
    label = part["label"].to_numpy(dtype=np.int64)
    if not label.any():
        return nan
    weight = part["weight"].to_numpy(dtype=float)[None, :]
    return float(average_precisions(label, part["score"].to_numpy(dtype=float), weight)[0])


def calibration_table(
    passages: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T15-calibration: mean probability and share of positives by bin of probability.

    On unread passages where there are any; weighted by design; the share's interval is Wilson's
    with Kish's effective size. Columns: :data:`T15_COLUMNS`. Empty bins are kept and say so.
    """
    bins = config["classifier"]["calibration_bins"]
    quantile = critical(config["inference"]["confidence"])
    rows = []
    for code in scores["code"].drop_duplicates():
        own = scores[scores["code"] == code]
        columns = ["passage_id", "probability", "decision"]
        data, unread = coded_passages(passages, own, own[columns]).leading
        place = np.minimum(np.floor(np.round(data.probability * bins, DECIMALS)), bins - 1)
        for number in range(bins):
            inside = place == number
            weight = data.weight[inside]
            row = {
                "code": code, "bin": number + 1, "from": number / bins, "to": (number + 1) / bins,
                "passages": int(inside.sum()), "mean_probability": nan, "share": nan,
                "ci_low": nan, "ci_high": nan, "status": "" if inside.any() else "empty",
            }  # fmt: skip
            row["status"] = row["status"] if unread else said(OPTIMISTIC, row["status"])
            if inside.any():
                share = float((weight * data.label[inside]).sum() / weight.sum())
                size = float(weight.sum() ** 2 / np.square(weight).sum())
                low, high = wilson(share, size, quantile)
                row |= {
                    "mean_probability": float(
                        (weight * data.probability[inside]).sum() / weight.sum()
                    ),
                    "share": share,
                    "ci_low": low,
                    "ci_high": high,
                }
            rows.append(row)
    return _settled(pd.DataFrame(rows, columns=list(T15_COLUMNS)))


def _settled(frame: pd.DataFrame) -> pd.DataFrame:
    floats = frame.select_dtypes("float").columns
    return frame.assign(**{name: frame[name].round(12) + 0.0 for name in floats})
