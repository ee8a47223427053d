"""Result tables of an invented project, for the tests of the output room."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import cache
from itertools import cycle, islice
from typing import Any

import numpy as np
import pandas as pd

from framing.codebook.codebook import Codebook, Cue
from framing.codebook.codes import Exemplar, yes_no_code
from framing.report.draw_figures import drawing
from framing.report.figures import svg_text
from framing.report.report import render_tables, report_html
from framing.tables.captions import edition
from framing.tables.specs import Specs, TableSpec, load_specs

GROUPS = {"council": "Council", "residents": "Residents' letters", "press": "Press"}
CODES = {"cost": "Cost", "fairness": "Fairness", "both": "Both", "either": "Either"}
PERIODS = ["2001-2005", "2006-2010", "2011-2015", "undated"]
ESTIMATORS = ["classify-and-count", "labels only", "post-stratified", "difference"]
TARGETS = ["corpus", "texts"]
EMPTY_CELL = "not estimable: no coded passage"


def context(**changes: Any) -> dict[str, Any]:
    base = {
        "title": "Who pays for the park?",
        "question": "How often do texts on the park speak of cost, and how often of fairness?",
        "groups": GROUPS,
        "periods": PERIODS,
        "undated": "undated",
        "codes": CODES,
        "variables": {"cost": "Cost", "fairness": "Fairness"},
        "levels": {},
        "means": {},
        "instrument": "",
        "combinations": ["both", "either"],
        "contrasts": {"c0": "Council texts speak of cost more than residents do"},
        "coders": "three machine coders",
        "machine_coders": True,
        "agreement_shows": "reliability",
        "n_sources": 40,
        "n_passages": 1850,
        "n_coded": 300,
        "n_read": 180,
        "n_unread": 120,
        "n_outside": 0,
        "convenience": False,
        "headline": {"estimator": "difference", "target": "texts", "basis": "period held"},
        "confidence": 0.95,
        "licence": "CC BY 4.0",
        "decimals": 3,
        "case_study": {"source_id": "letter-7", "title": "A letter to the council"},
        "digests": {
            name: hashlib.sha256(name.encode()).hexdigest()
            for name in ("corpus", "codebook", "codings", "config")
        },
        "how_to_rerun": "snakemake",
        "limits": ["The letters are few.", "Nobody dated the flyers."],
        "reading": [
            "sample of corpus/sample.tsv (development, 180 passages): read",
            "draw 1 (confirmation, 120 passages): unread, frozen on 2026-05-01 by freeze 1",
        ],
        "warnings": [],
    }
    return {**base, **changes}


def codebook(**changes: Any) -> Codebook:
    """Return a codebook of two codes and three cues."""
    example = Exemplar("The swings are dear.", "Rule 1.")
    codes = {
        name: yes_no_code(
            name, label, f"It speaks of *{name}*.", present=("a price & a sum", "a <bill>"),
            not_enough=("the word `money` alone",), carrying=(example,) * 2,
            near_misses=(example,),
        )
        for name, label in (("cost", "Cost"), ("fairness", "Fairness"))
    }  # fmt: skip
    cues = tuple(
        Cue(name, f"Says {name}.", votes, (name,), (), (), "sentence", "ignore", "any")
        for name, votes in (("price", {"cost": 1}), ("fair", {"fairness": 1, "cost": -1}),
                            ("dear", {"cost": 1}))
    )  # fmt: skip
    base = {
        "place": "codebook.yaml", "name": "The park", "version": "2.1", "question": "Who pays?",
        "unit": "One passage.", "context": "", "principle": "", "decision_rule": "", "neither": "",
        "together": "", "abbreviations": (), "terms": {}, "negators": (), "negation_window": 3,
        "codes": codes, "cues": cues,
    }  # fmt: skip
    return Codebook(**{**base, **changes})


def _estimates(with_period: bool) -> pd.DataFrame:
    random = np.random.default_rng(5)
    rows = []
    for code_place, code in enumerate(CODES):
        for group_place, group in enumerate(["all", *GROUPS]):
            for period in ["all", *PERIODS] if with_period else ["all"]:
                true = 0.06 + 0.07 * code_place + 0.04 * group_place
                empty = with_period and group == "press" and period == "2006-2010"
                for estimator in ESTIMATORS:
                    for target in TARGETS:
                        middle = true * (1.7 if estimator == "classify-and-count" else 1)
                        middle = float(middle + random.normal(0, 0.01))
                        se = 0.02 if target == "corpus" else 0.03
                        half = math.nan if empty else 1.96 * se
                        rows.append(
                            {
                                "code": code,
                                "group": group,
                                "period": period,
                                "estimator": estimator,
                                "target": target,
                                "passages": 0 if empty else 1200 if group == "all" else 400,
                                "coded": 0 if empty else 60,
                                "unread": 0 if empty else 24,
                                "positives": pd.NA if empty else 12,
                                "estimate": math.nan if empty else middle,
                                "se": math.nan if empty else se,
                                "ci_low": max(middle - half, 0.0) if not empty else math.nan,
                                "ci_high": middle + half,
                                "coder_low": _wider(middle, half, -1, estimator),
                                "coder_high": _wider(middle, half, 1, estimator),
                                "status": EMPTY_CELL if empty else "",
                            }
                        )
    frame = pd.DataFrame(rows)
    unused = ["coder_low", "coder_high"] if with_period else ["period"]
    return frame.drop(columns=unused)


def _wider(middle: float, half: float, side: int, estimator: str) -> float:
    """Return an end of the interval that also covers who coded; counting has none."""
    if estimator == "classify-and-count":
        return math.nan
    return min(max(middle + side * (half + 0.02), 0.0), 1.0)


def looking() -> pd.DataFrame:
    """Return T22: cost is read into, fairness is not."""
    rows: list[tuple[Any, ...]] = []
    for code, gap in (("cost", 0.2), ("fairness", 0.02)):
        parted = "they part" if gap > 0.1 else ""
        for measure, value in (("average precision", 0.8), ("F1", 0.72), ("precision", 0.7),
                               ("recall", 0.74)):  # fmt: skip
            rows.append((code, "quality", measure, "all", "read passages", "unread passages", 180,
                         120, value, value - gap, gap, math.nan, gap - 0.09, gap + 0.1, math.nan,
                         parted, ""))  # fmt: skip
        for group in ["all", *GROUPS]:
            for of, against, more in (
                ("read passages", "all that could be drawn to be read", gap / 6),
                ("unread passages", "all that could be drawn unread", 0.002),
                ("passages of read sources", "passages of other sources", gap / 10),
            ):
                reading = "marks these more often" if more > 0.03 and group == "all" else ""
                rows.append((code, "marking rate", "share marked", group, of, against, 60, 600,
                             0.25 + more, 0.25, more, 0.012, more - 0.024, more + 0.024,
                             more / 0.012, reading, ""))  # fmt: skip
    columns = (
        "code comparison measure group of against passages_of passages_against value_of "
        "value_against difference se ci_low ci_high z reading status"
    )
    return pd.DataFrame(rows, columns=columns.split())


def _essay(passages: int) -> pd.DataFrame:
    random = np.random.default_rng(6)
    rows, start = [], 0
    for position in range(1, passages + 1):
        words = int(random.integers(20, 110))
        drawn = position % 7 != 0
        for code in ("cost", "fairness"):
            votes = random.integers(0, 2, 3) if drawn else []
            probability = float(random.beta(0.5, 1.2))
            rows.append(
                {
                    "position": position,
                    "passage_id": hashlib.sha256(str(position).encode()).hexdigest()[:10],
                    "start": start,
                    "end": start + 6 * words,
                    "words": words,
                    "code": code,
                    "label": int(sum(votes) > 1) if drawn else pd.NA,
                    "coders_for": int(sum(votes)) if drawn else pd.NA,
                    "coders": 3 if drawn else pd.NA,
                    "coders_detail": " ".join(
                        f"coder-{name}={vote}" for name, vote in zip("abc", votes, strict=False)
                    ),
                    "probability": probability,
                    "decision": int(probability > 0.4),
                    "cues": "+pays_for ×2, -free_of_charge" if position % 3 == 0 else "",
                    "status": "" if drawn else "not drawn for coding",
                }
            )
        start += 6 * words + 2
    return pd.DataFrame(rows)


def tables(passages: int = 22) -> dict[str, pd.DataFrame]:
    """All tables, in the columns that are declared, to change as one likes."""
    return {name: frame.copy() for name, frame in _tables(passages).items()}


@cache
def _tables(passages: int) -> dict[str, pd.DataFrame]:
    t1 = [
        (group, "all", period, 4, 100, 12345, 20, 8, "2001", "2014-05-03", 1, 2, "")
        for group in ["all", *GROUPS]
        for period in ["all", *PERIODS]
    ]
    t1.append(("press", "The Herald", "all", 1, 9, 800, 3, 1, "2001", "2003", 0, 0, ""))
    t2: list[tuple[Any, ...]] = [
        (
            code,
            comparison,
            group,
            coders,
            60,
            24,
            0.91,
            0.8125,
            0.7,
            0.9,
            0.69,
            0.91,
            0.8,
            0.05,
            0.85,
            0.04,
            0.82,
            1.2 if comparison == "all coders" else math.nan,
            "",
        )
        for comparison, coders in (
            ("all coders", "coder-a coder-b coder-c"),
            ("pair of coders", "coder-a coder-b"),
            ("coder and classifier", "coder-a classifier"),
        )
        for code in ("cost", "fairness")
        for group in ["all", *GROUPS]
    ]
    few = (3, pd.NA, *[math.nan] * 12, "fewer than 10 units")
    t2.append(("cost", "all coders", "press", "coder-a", *few))
    t3 = [
        (code, method, part, group, 60, 12, 0.2, 0.7, 0.6, 0.8, 0.85, 0.6, 0.5, 0.7, 0.62, 0.58,
         0.1, 0.04, 5 if method == "words and cues" else pd.NA,
         1 if method == "words and cues" else pd.NA, "optimistic" if part == "read" else "")
        for code in ("cost", "fairness")
        for method in ("words and cues", "naive Bayes")
        for part, group in [("unread", "all"), ("read", "all"),
                            *(("unread", name) for name in GROUPS)]
    ]  # fmt: skip
    t17 = [
        (code, f"p{place}", "letter-7", "press", 1, 3, 2, "a=1 b=0? c=0", 0, 0.3, 0, "")
        for code in ("cost", "fairness")
        for place in range(3)
    ]
    t18 = [
        (
            code,
            group,
            coder,
            60,
            2 if coder == "combined" else pd.NA,
            0.2,
            0.03,
            0.15,
            0.27,
            *[math.nan] * 6,
            "",
        )
        for code in ("cost", "fairness")
        for group in ["all", *GROUPS]
        for coder in ("coder-a", "coder-b", "combined", "largest difference")
    ]
    t19 = [
        ("cost", "fairness", group, 60, 20, 0.1, 0.2, 0.2, 0.5, 0.09, 1.1, 1.25, 0.6, 2.6, 0.5,
         "not distinguishable from chance", "")
        for group in ["all", *GROUPS]
    ]  # fmt: skip
    t20 = [
        (code, group, estimator, target, 0.2, 0.03, 0.15, 0.27, "")
        for code in ("cost", "fairness")
        for group in ["all", *GROUPS]
        for estimator in ("Horvitz-Thompson", *ESTIMATORS)
        for target in TARGETS
    ]
    t21 = [
        (code, group, target, 60, 0.7, 1.9, 114, 0.02, 80, "worth 114", "")
        for code in ("cost", "fairness")
        for group in ["all", *GROUPS]
        for target in TARGETS
    ]
    t10 = [
        (model, "~ group", family, code, estimator, kind, term, 0.1, 0.04, 30.0, 0.02, 0.18, 0.01,
         60, 40, 20, "")
        for model, family in (("m", "linear"), ("n", "logistic"))
        for code in ("cost", "fairness")
        for kind, term in (("coefficient", "group[press]"), ("predicted share", "press"),
                           ("contrast", "press - council"))
        for estimator in ("dsl", "labels only", "naive")
    ]  # fmt: skip
    t12 = [
        (comparison, "Cost, council against Cost, press", "coders' combined code", side,
         f"Cost, {of}", word, rank, 20, 9, 9, 2, 4, 1, 3.2, 0.7, sign * (1.5 - 0.2 * rank), 0.5,
         sign * (1.5 - 0.2 * rank) - 0.98, sign * (1.5 - 0.2 * rank) + 0.98,
         sign * (3.0 - 0.4 * rank), sign * (2.1 - 0.4 * rank), "")
        for comparison in ("w0", "w1")
        for side, of, sign, words in (("a", "council", 1, ("budget", "loan")),
                                      ("b", "press", -1, ("fare", "tickets")))
        for rank, word in enumerate(words, start=1)
    ]  # fmt: skip
    t12 += [
        ("w2", "Cost against Without Cost", "coders' combined code", side, of, "", pd.NA, number,
         number, *[pd.NA] * 4, *[math.nan] * 8, "undefined: no passage of “Cost”")
        for side, of, number in (("a", "Cost", 0), ("b", "Without Cost", 12))
    ]  # fmt: skip
    t9 = [
        (contrast, choice, option, 40, 38, 0.95, 0.6, 0.0, -0.02, 0.08, 0.2, "")
        for contrast in ("c0", "c1")
        for choice, option in (("any choice", "any choice"), ("coders", "any"), ("coders", "all"))
    ]
    t11 = [
        (code, group, other, "all", measure, 60, 20, 0.7, 0.05, 0.6, 0.8, p, "")
        for code in ("cost", "fairness")
        for group, other, measure, p in (
            ("all", "", "sensitivity", math.nan),
            ("council", "", "bias of the naive share", 0.03),
            ("council", "press", "bias of the naive difference", 0.4),
        )
    ]
    t16 = [
        (contrast, coders, "with", "passage", "words and cues", "-", "difference", "raw", "none",
         main, 0.08, 0.03, 0.02, 0.14, 0.01, "supported", "")
        for contrast in ("c0", "c1")
        for coders, main in (("majority", "yes"), ("any", "no"))
    ]  # fmt: skip
    t13 = [
        (code, variant, 0.7, change, change - 0.05, change + 0.05, 0.6, change, change - 0.1,
         change + 0.1, "")
        for code in ("cost", "fairness")
        for variant, change in (("words and cues", math.nan), ("cues alone", -0.02))
    ]  # fmt: skip
    t14 = [
        (code, share, round(240 * share), 3, 0.4 + 0.3 * share, 0.35 + 0.3 * share,
         0.45 + 0.3 * share, "")
        for code in ("cost", "fairness")
        for share in (0.25, 0.5, 1.0)
    ]  # fmt: skip
    t15 = [
        (code, place + 1, place / 4, (place + 1) / 4, 0 if place == 2 else 15,
         *([math.nan] * 4 if place == 2 else [place / 4 + 0.1, place / 4 + 0.12, place / 4,
           place / 4 + 0.25]), "empty" if place == 2 else "")
        for code in ("cost", "fairness")
        for place in range(4)
    ]  # fmt: skip
    t6 = [
        (f"c{place}", thesis, code, group, "all", "cost", other, "all", estimator, target, basis,
         0.3, 0.2, sign * size, 0.04, sign * size - 0.08, sign * size + 0.08, sign * size - 0.1,
         sign * size + 0.1, p, 2 * p, 1.5, 1.1, 2.0, "greater", verdict, "A above B by 0.10",
         "" if basis == "raw" else "periods held: 2001-2005 (0.60), 2006-2010 (0.40)")
        for place, (thesis, code, group, other, sign, p, verdict) in enumerate(
            [
                ("Council texts speak of cost more than residents do", "cost", "council",
                 "residents", 1, 0.0121, "supported"),
                ("Residents bring up fairness more often than cost", "fairness", "residents",
                 "residents", -1, 0.00001, "contradicted"),
            ]
        )
        for estimator in ESTIMATORS
        for target in TARGETS
        for basis, size in (("raw", 0.12), ("period held", 0.1))
    ]  # fmt: skip
    t8 = [
        (f"pays_for_{number}", code, vote, 50, 61, 20, 12, 0.6, 0.2, 3.0, 1.25, "")
        for code in ("cost", "fairness")
        for number, vote in enumerate(["for"] * 12 + ["against"] * 3)
    ]
    t8.append(("never", "cost", "for", 0, 0, 0, 0, math.nan, 0.2, math.nan, 0.0, "no hit"))
    named = {
        "T1-corpus": (
            t1,
            "group actor period sources passages words coded unread first_date last_date "
            "approximate undated status",
        ),
        "T2-agreement": (
            t2,
            "code comparison group coders passages sources agreement alpha alpha_low alpha_high "
            "jackknife_low jackknife_high kappa kappa_se ac1 ac1_se brennan_prediger "
            "effective_coders status",
        ),
        "T3-classifier": (
            t3,
            "code method part group passages positives base_rate average_precision ap_low ap_high "
            "roc_auc f1 f1_low f1_high precision recall brier calibration_error unfamiliar "
            "unfamiliar_sources status",
        ),
        "T6-contrasts": (
            t6,
            "contrast thesis code_a group_a period_a code_b group_b period_b estimator target "
            "basis estimate_a estimate_b difference se ci_low ci_high coder_low coder_high p_value "
            "p_holm ratio ratio_low ratio_high expected verdict reading status",
        ),
        "T8-cues": (
            t8,
            "cue code vote passages hits coded carrying share base_rate lift weight status",
        ),
        "T17-disagreements": (
            t17,
            "code passage_id source_id group present coders unsure coders_detail label probability "
            "decision status",
        ),
        "T18-coder-shares": (
            t18,
            "code group coder coded tied estimate se ci_low ci_high sensitivity sensitivity_low "
            "sensitivity_high specificity specificity_low specificity_high status",
        ),
        "T19-association": (
            t19,
            "code_a code_b group passages sources both only_a only_b neither expected_both lift "
            "odds_ratio or_low or_high p_value reading status",
        ),
        "T20-estimators": (t20, "code group estimator target estimate se ci_low ci_high status"),
        "T21-gain": (
            t21,
            "code group target coded correlation gain effective_coded naive_bias "
            "labels_worth_counting reading status",
        ),
        "T10-regression": (
            t10,
            "model formula family code estimator kind term estimate se df ci_low ci_high p_value "
            "passages coded sources status",
        ),
        "T9-robustness": (
            t9,
            "contrast choice option specifications evidence agreeing supported contradicted "
            "lowest median highest status",
        ),
        "T11-errors": (
            t11,
            "code group against period measure passages sources estimate se ci_low ci_high p_value "
            "status",
        ),
        "T16-specifications": (
            t16,
            "contrast coders unsure weighting classifier threshold estimator basis left_out main "
            "difference se ci_low ci_high p_value verdict status",
        ),
        "T12-keyness": (
            t12,
            "comparison title basis side of word rank passages sources count_a count_b sources_a "
            "sources_b rate_a rate_b log_odds se ci_low ci_high z z_without status",
        ),
        "T13-ablations": (
            t13,
            "code variant average_precision ap_change ap_change_low ap_change_high f1 f1_change "
            "f1_change_low f1_change_high status",
        ),
        "T14-learning": (
            t14,
            "code share passages repeats average_precision ap_lowest ap_highest status",
        ),
        "T15-calibration": (
            t15,
            "code bin from to passages mean_probability share ci_low ci_high status",
        ),
    }
    result = {
        name: pd.DataFrame(rows, columns=columns.split()) for name, (rows, columns) in named.items()
    }
    result["T4-prevalence"] = _estimates(with_period=False)
    result["T5-trend"] = _estimates(with_period=True)
    result["T7-essay"] = _essay(passages)
    result["T22-looking"] = looking()
    for name, spec in load_specs().tables.items():
        if name not in result:
            result[name] = _invented(spec)
    return dict(sorted(result.items(), key=lambda item: int(item[0][1:].split("-")[0])))


def _invented(spec: TableSpec) -> pd.DataFrame:
    """Return three rows of a table that none was written for, each column by its kind."""
    labels = {"group": list(GROUPS), "code": list(CODES), "period": PERIODS, "target": TARGETS,
              "estimator": ESTIMATORS}  # fmt: skip
    values = {"integer": [3, 20, 1000], "share": [0.1, 0.25, 0.5], "number": [1.5, 2.0, -0.25],
              "p": [0.5, 0.04, 0.0000004]}  # fmt: skip
    return pd.DataFrame(
        {
            column.name: ["", "", "few"]
            if column.name == "status"
            else values.get(column.kind)
            or list(islice(cycle(labels.get(column.vocabulary, ["a", "b", "c"])), 3))
            for column in spec.columns.values()
        }
    )


def render_all(
    frames: Mapping[str, pd.DataFrame],
    context: Mapping[str, Any],
    specs: Specs,
    book: Codebook | None = None,
) -> dict[str, str]:
    """Return every text that the workflow makes of result tables, by path below ``results/``."""
    words = edition(specs, context)
    book = book or codebook()
    texts = render_tables(frames, words)
    drawn = {
        name: svg_text(drawing(name, frames, words), name)
        for name, figure in words.specs.figures.items()
    }
    texts |= {f"figures/{name}.svg": text for name, text in drawn.items()}
    return texts | {"report.html": report_html(frames, drawn, words, book)}
