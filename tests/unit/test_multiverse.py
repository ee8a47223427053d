"""The multiverse: every choice does what it says; the main one is that of the other tables."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from framing.inference.estimator import EXPLORATORY, NOT_CONFIRMED, PARTLY_CONFIRMED
from framing.inference.intervals import Settings
from framing.tables import tallies
from framing.tables.contrasts import HELD, NO_COMMON_PERIOD, RAW, contrast_table
from framing.tables.robustness import (
    ANY,
    MAIN_UNKNOWN,
    NO_EVIDENCE,
    T9_COLUMNS,
    T16_COLUMNS,
    robustness_table,
    specification_table,
)
from framing.tables.specifications import (
    CHOICES,
    LARGEST,
    NONE,
    WITH,
    WITHOUT,
    Specification,
    main_specification,
    material,
    specifications,
)
from framing.tables.specified import (
    NOT_ESTIMABLE,
    THIN,
    can_hold_period,
    contrast_under,
    left_out_in_turn,
    side_of,
)
from framing.tables.tallies import UNTUNED, selection, tally

OURS = "ours"
CORRECTED = ["labels only", "post-stratified", "difference"]
PERIODS = ["2001-2005", "2006-2010"]
PLAN = {
    "coders": ["majority", "any", "all", "each"],
    "unsure": ["with", "without"],
    "weighting": ["passage", "words", "source"],
    "classifiers": [OURS, "coin"],
    "thresholds": ["trained", 0.5],
    "estimators": ["classify-and-count", *CORRECTED],
    "basis": ["raw", "period held"],
    "left_out": ["none", "largest", "each"],
}
CONFIG = {
    "groups": {"g": "One", "h": "Other", "i": "Neither"},
    "periods": [{"id": name, "first": 0, "last": 0} for name in PERIODS],
    "undated": "undated",
    "case_study": "",
    "coders": {"rule": "majority", "tie": "absent"},
    "combinations": {"a-alone": {"label": "A alone", "all": ["a"], "none": ["b"]}},
    "inference": {
        "confidence": 0.95, "tuning_minimum": 20, "cell_minimum": 3, "wilson_below": 10,
        "gain_discount": 0, "few_coded": 0, "coder_interval": "none", "source_correlation": 0.2,
        "headline": {"estimator": "difference", "target": "texts"},
    },
    "standardisation": {"weights": "pooled", "minimum": 5},
    "report": {"decimals": 3},
    "contrasts": [
        {"id": "a-g-h", "thesis": "g has more", "a": {"code": "a", "group": "g"},
         "b": {"code": "a", "group": "h"}, "expected": "greater"},
        {"id": "alone-g-h", "thesis": "g has more", "a": {"code": "a-alone", "group": "g"},
         "b": {"code": "a-alone", "group": "h"}, "expected": "greater"},
    ],
    "robustness": PLAN,
}  # fmt: skip
ENTRY = CONFIG["contrasts"][0]
RULES = Settings.of(CONFIG)


def invented(rarely: float = 0.2):
    """Passages of 36 sources, true codes, what three coders and two classifiers say; no draw."""
    rng = np.random.default_rng(8)
    rows = []
    for source in range(36):
        group = "ghi"[source % 3]
        period = [*PERIODS, "undated"][source // 3 % 3]
        for _ in range(int(rng.integers(3, 12))):
            rows.append((f"s{source}", group, period, int(rng.integers(20, 120))))
    frame = pd.DataFrame(rows, columns=["source_id", "group", "period", "words"])
    frame["passage_id"] = [f"p{n}" for n in range(len(frame))]
    codings, scores, coin = [], [], []
    for code, high, low in (("a", 0.5, rarely), ("b", 0.3, 0.3)):
        truth = (rng.random(len(frame)) < np.where(frame["group"] == "g", high, low)).astype(int)
        seen = {}
        for coder in ("x", "y", "z"):
            wrong = rng.random(len(frame)) < 0.1
            seen[coder] = np.where(wrong, 1 - truth, truth)
            if not rarely:
                seen[coder] = np.where(frame["group"] == "g", seen[coder], 0)
            codings.append(
                pd.DataFrame(
                    {"passage_id": frame["passage_id"], "coder": coder, "code": code,
                     "value": seen[coder], "unsure": wrong.astype(int)}
                )
            )  # fmt: skip
        chance = np.round(np.clip(0.15 + 0.5 * truth + rng.normal(0, 0.15, len(frame)), 0, 1), 6)
        toss = np.round(rng.random(len(frame)), 6)
        scores.append(
            pd.DataFrame(
                {"passage_id": frame["passage_id"], "code": code,
                 "fold": frame["source_id"].str[1:].astype(int) % 4,
                 "label": (sum(seen.values()) > 1).astype(int), "probability": chance,
                 "decision": (chance >= 0.4).astype(int)}
            )
        )  # fmt: skip
        coin.append(
            pd.DataFrame(
                {"passage_id": frame["passage_id"], "code": code, "method": "coin",
                 "probability": toss, "decision": (toss >= 0.5).astype(int)}
            )
        )  # fmt: skip
    return frame, pd.concat(codings), pd.concat(scores, ignore_index=True), pd.concat(coin)


def drawn_alone(parts, drawn):
    """Leave codes of drawn passages alone."""
    frame, codings, scores, coin = parts
    names = set(frame.loc[drawn, "passage_id"])
    label = scores["label"].astype("Int64").where(scores["passage_id"].isin(names))
    return frame, codings[codings["passage_id"].isin(names)], scores.assign(label=label), coin


@pytest.fixture(scope="module")
def corpus():
    """One draw, stratified by group; nothing is said of who read what."""
    frame, *rest = invented()
    rng = np.random.default_rng(9)
    drawn = np.zeros(len(frame), dtype=bool)
    for group in ("g", "h", "i"):
        rows = np.flatnonzero((frame["group"] == group).to_numpy())
        drawn[rng.choice(rows, len(rows) * 2 // 3, replace=False)] = True
        inside = drawn & (frame["group"] == group).to_numpy()
        frame.loc[inside, "stratum"] = group
        frame.loc[inside, "stratum_size"] = len(rows)
        frame.loc[inside, "stratum_sampled"] = int(inside.sum())
    frame["weight"] = frame["stratum_size"] / frame["stratum_sampled"]
    frame = frame.astype({"stratum_size": "Int64", "stratum_sampled": "Int64"})
    return drawn_alone((frame, *rest), drawn)


def read_and_unread(reached, rarely=0.2, share=(0.3, 0.4)):
    """A development draw over all, and an unread draw from what it left of the groups reached."""
    frame, *rest = invented(rarely)
    rng = np.random.default_rng(10)
    number, group = len(frame), frame["group"].to_numpy()
    read = np.zeros(number, dtype=bool)
    read[rng.choice(number, int(share[0] * number), replace=False)] = True
    frame = frame.assign(
        stratum=pd.Series(np.where(read, "first", None), dtype=object),
        stratum_size=np.where(read, number, np.nan),
        stratum_sampled=np.where(read, read.sum(), np.nan),
        read_weight=np.where(read, number / read.sum(), np.nan),
        role=np.where(read, "development", ""), unread_frame=np.isin(group, list(reached)),
        estimable=True,
    )  # fmt: skip
    known = read & frame["unread_frame"].to_numpy()
    frame["weight"] = frame["read_weight"].mask(known, 1.0)
    frame["random_share"] = np.where(known, 0.0, np.where(read, 1.0, np.nan))
    drawn = read.copy()
    for name in reached:
        left = np.flatnonzero((group == name) & ~read)
        rows = rng.choice(left, int(share[1] * len(left)), replace=False)
        frame.loc[rows, "stratum"] = f"later: {name}"
        frame.loc[rows, ["stratum_size", "stratum_sampled"]] = (len(left), len(rows))
        frame.loc[rows, "weight"] = len(left) / len(rows)
        frame.loc[rows, ["role", "random_share"]] = ("confirmation", 1.0)
        drawn[rows] = True
    frame = frame.astype({"stratum_size": "Int64", "stratum_sampled": "Int64"})
    return drawn_alone((frame, *rest), drawn)


@pytest.fixture(scope="module")
def given(corpus):
    return material(*corpus, CONFIG, OURS)


def with_lead(config, estimator):
    lead = {"estimator": estimator, "target": "texts"}
    return config | {"inference": config["inference"] | {"headline": lead}}


def test_choices_an_estimator_does_not_use_are_not_multiplied():
    every = list(specifications(PLAN, ["x", "y", "z"]))
    assert len(set(every)) == len(every)
    number = {
        name: sum(one.estimator == name for one in every) for name in PLAN["estimators"]
    }  # fmt: skip
    assert number == {
        "classify-and-count": 3 * 2 * 2 * 2 * 2,
        "labels only": 6 * 2 * 3 * 2 * 2,
        "post-stratified": 6 * 2 * 3 * 2 * 2 * 2 * 2,
        "difference": 6 * 2 * 3 * 2 * 2 * 2,
    }
    assert all(one.coders == "-" for one in every if one.estimator == "classify-and-count")


# --- as in T6 -------------------------------------------------------------------------------------


KINDS = {
    "read by all": ({"reached": "ghi"}, {}),
    "one group reached": ({"reached": "g"}, {}),
    "nothing unread": ({"reached": ""}, {}),
    "a case study": ({"reached": "ghi"}, {"case_study": "s3"}),
    "a side without positives": ({"reached": "ghi", "rarely": 0.0}, {}),
    "nearly all coded": ({"reached": "ghi", "share": (0.3, 0.95)}, {}),
    "all of a group coded": ({"reached": "ghi", "share": (0.3, 1.0)}, {}),
}
"""Surveys of several kinds: how :func:`read_and_unread` makes them, and changed settings."""


@cache
def survey(kind):
    return read_and_unread(**KINDS[kind][0])


@pytest.fixture(scope="module")
def compared(corpus):
    """Return settings, T6 and material of a kind of survey; either basis asks for the same."""

    @cache
    def _compared(kind, estimator):
        parts, changes = (corpus, {}) if kind is None else (survey(kind), KINDS[kind][1])
        config = with_lead(CONFIG | changes | {"contrasts": [ENTRY]}, estimator)
        table = contrast_table(parts[0], parts[2], config, {"a": "A"})
        return config, table, material(*parts, config, OURS)

    return _compared


@pytest.mark.slow
@pytest.mark.parametrize("kind", [None, *KINDS])
@pytest.mark.parametrize("estimator", CORRECTED)
@pytest.mark.parametrize("basis", [RAW, HELD])
def test_the_main_choices_give_the_contrasts_of_the_other_table(compared, kind, estimator, basis):
    config, table, given = compared(kind, estimator)
    other = table.set_index(["estimator", "target", "basis"]).loc[(estimator, "texts", basis)]
    main = main_specification(config, OURS, confirmed=True)
    assert (main.estimator, main.basis) == (estimator, RAW)
    found, left_out = contrast_under(given, replace(main, basis=basis), ENTRY, config)
    assert left_out == ""
    for ours, theirs in (
        (found.estimate_a, "estimate_a"), (found.difference, "difference"), (found.se, "se"),
        (found.low, "ci_low"), (found.high, "ci_high"), (found.p_value, "p_value"),
    ):  # fmt: skip
        assert ours == pytest.approx(other[theirs], abs=1e-9), theirs
    # What is said of a side is said here as well.
    for note in (EXPLORATORY, NOT_CONFIRMED):
        assert (note in found.status) == (note in other["status"])
    if kind == "nothing unread":
        assert (EXPLORATORY in found.status) == (estimator != "labels only")
    if kind == "one group reached" and estimator != "labels only":
        assert f"side B: {NOT_CONFIRMED}" in found.status
        assert f"side A: {NOT_CONFIRMED}" not in found.status


@pytest.mark.slow
def test_the_case_study_is_no_source_of_its_group():
    parts, settings = survey("a case study"), CONFIG | {"case_study": "s3"}
    main = main_specification(settings, OURS, confirmed=True)
    found, _ = contrast_under(material(*parts, settings, OURS), main, ENTRY, settings)
    plain = material(*parts, CONFIG, OURS)
    number = plain.sources.index("s3")
    without, name = contrast_under(plain, main, ENTRY, CONFIG, number)
    assert name == "s3" and found == without
    assert found.difference != contrast_under(plain, main, ENTRY, CONFIG)[0].difference
    turns = [name for _, name in left_out_in_turn(material(*parts, settings, OURS), main, ENTRY,
                                                  settings)]  # fmt: skip
    assert "s3" not in turns and len(turns) == 23


@pytest.mark.slow
def test_without_an_unread_coding_labels_only_lead():
    assert main_specification(CONFIG, OURS, confirmed=False).estimator == "labels only"
    parts = survey("nothing unread")
    table = specification_table(material(*parts, CONFIG, OURS), CONFIG, OURS)
    assert set(table.loc[table["main"] == "yes", "estimator"]) == {"labels only"}
    marked = table["status"].str.contains(EXPLORATORY, regex=False)
    estimable = table["difference"].notna()
    corrected = table["estimator"].isin(["post-stratified", "difference"])
    assert (marked == (corrected & estimable)).all()


def test_read_codes_have_no_say_in_how_far_the_classifier_is_trusted():
    """Turning all read codes round moves what is known, and no prediction."""
    parts = survey("read by all")
    frame, codings, scores, coin = parts
    read = set(frame.loc[frame["role"] == "development", "passage_id"])
    turned = codings.assign(
        value=codings["value"].where(~codings["passage_id"].isin(read), 1 - codings["value"])
    )
    one = Specification("x", WITH, "passage", OURS, "trained", "difference", RAW, NONE)
    first, second = (
        tally(material(frame, said, scores, coin, CONFIG, OURS), one, "a", RULES)
        for said in (codings, turned)
    )
    assert not np.array_equal(first.sums[0], second.sums[0])
    assert np.array_equal(first.sums[1:], second.sums[1:])
    assert first.sums[0, 1].sum() == 0 and first.sums[1, 1].any()  # known: no predictions


def test_known_passages_count_as_they_are():
    """Labels only by hand: the known as they are, the rest by the unread passages' mean."""
    parts = survey("read by all")
    frame, _, scores, _ = parts
    given = material(*parts, CONFIG, OURS)
    one = Specification("majority", WITH, "words", "-", "-", "labels only", RAW, NONE)
    label = scores[scores["code"] == "a"].set_index("passage_id")["label"]
    value = label.loc[frame["passage_id"]].to_numpy(dtype=float, na_value=np.nan)
    words = frame["words"].to_numpy(dtype=float)
    role, group = frame["role"].to_numpy(), frame["group"].to_numpy()
    shares = []
    for name in "gh":
        known, unread = ((role == which) & (group == name) for which in
                         ("development", "confirmation"))  # fmt: skip
        rest = (group == name) & ~known
        mean = np.average(value[unread], weights=words[unread])  # one stratum: weights are alike
        total = (value[known] * words[known]).sum() + words[rest].sum() * mean
        shares.append(total / words[group == name].sum())
    found, _ = contrast_under(given, one, ENTRY, CONFIG)
    assert found.difference == pytest.approx(shares[0] - shares[1])


# --- choices --------------------------------------------------------------------------------------


def labels_only(**changes):
    base = Specification("majority", WITH, "passage", "-", "-", "labels only", RAW, NONE)
    return Specification(**{**base.__dict__, **changes})


def hajek(values, weight):
    return float((values * weight).sum() / weight.sum())


@pytest.mark.parametrize("weighting", ["passage", "words", "source"])
def test_a_passage_weighs_what_it_should(corpus, given, weighting):
    frame, _, scores, _ = corpus
    own = scores[scores["code"] == "a"].merge(
        frame.drop(columns="period"), on="passage_id"
    ).dropna(subset=["label"])  # fmt: skip
    size = frame.groupby("source_id")["passage_id"].count()
    mass = {
        "passage": 1.0, "words": own["words"].to_numpy(dtype=float),
        "source": 1 / own["source_id"].map(size).to_numpy(dtype=float),
    }[weighting]  # fmt: skip
    weight = own["weight"].to_numpy(dtype=float) * mass
    value = own["label"].to_numpy(dtype=float)
    g, h = ((own["group"] == name).to_numpy() for name in "gh")
    expected = hajek(value[g], weight[g]) - hajek(value[h], weight[h])
    found, _ = contrast_under(given, labels_only(weighting=weighting), ENTRY, CONFIG)
    assert found.difference == pytest.approx(expected)


def test_coders_and_unsure_codings_are_used_as_declared(corpus, given):
    _, codings, _, _ = corpus
    own = codings[codings["code"] == "a"]
    ids = list(given.frame.passages[given.frame.drawn])
    by_coder = own.pivot(index="passage_id", columns="coder", values="value").loc[ids]
    assert given.labels["any", WITH, "a"].tolist() == by_coder.max(axis=1).tolist()
    assert given.labels["all", WITH, "a"].tolist() == by_coder.min(axis=1).tolist()
    assert given.labels["y", WITH, "a"].tolist() == by_coder["y"].tolist()
    sure = own[own["unsure"] == 0]
    left = given.labels["x", WITHOUT, "a"]
    assert np.isnan(left).sum() == len(ids) - (sure["coder"] == "x").sum()
    alone = given.labels["x", WITH, "a-alone"]
    b = codings[(codings["code"] == "b") & (codings["coder"] == "x")].set_index("passage_id")
    expected = by_coder["x"].to_numpy() * (1 - b.loc[ids, "value"].to_numpy())
    assert alone.tolist() == expected.tolist()


def test_passages_without_a_coding_left_are_stood_for_by_the_others():
    """Known ones too: the part that is known keeps its size, by the mean of those left."""
    parts = survey("read by all")
    given = material(*parts, CONFIG, OURS)
    found = tally(given, labels_only(coders="x", unsure=WITHOUT), "a", RULES)
    whole = tally(given, labels_only(coders="x"), "a", RULES)
    for piece, other in zip(found.sums[:2], whole.sums[:2], strict=True):
        assert piece[0].sum() == other[0].sum()
        assert piece[2].sum() == pytest.approx(other[2].sum())  # Σ w m over strata
        assert piece[7].sum() < other[7].sum()
    side = side_of(given, found, selection(given.bins, given.bins.chosen("g")), RULES)
    known, rest = (found.sums[n][:, given.bins.chosen("g")].sum(axis=1) for n in (0, 1))
    by_hand = sum(piece[0] * piece[4] / piece[2] for piece in (known, rest)) / (known[0] + rest[0])
    assert side.value == pytest.approx(by_hand)


def test_leaving_the_largest_source_out_is_computing_without_it(corpus, given):
    frame, _, scores, _ = corpus
    either = frame[frame["group"].isin(["g", "h"])]
    largest = either["source_id"].value_counts()
    found, name = contrast_under(given, labels_only(left_out=LARGEST), ENTRY, CONFIG)
    assert largest[name] == largest.max()
    rest = scores[scores["code"] == "a"].merge(frame.drop(columns="period"), on="passage_id")
    rest = rest[(rest["source_id"] != name) & rest["label"].notna()]
    value, weight = rest["label"].to_numpy(dtype=float), rest["weight"].to_numpy(dtype=float)
    g, h = ((rest["group"] == letter).to_numpy() for letter in "gh")
    expected = hajek(value[g], weight[g]) - hajek(value[h], weight[h])
    assert found.difference == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", PLAN["estimators"])
@pytest.mark.parametrize("basis", [RAW, HELD])
def test_leaving_out_in_turn_is_having_the_corpus_without_the_source(estimator, basis, monkeypatch):
    """Every sum is made before a source is left out; a corpus without it says the same.

    But for λ, which is tuned on all sources, and is given here.
    """
    monkeypatch.setattr(tallies, "fold_slopes", lambda *given: np.full(given[4], 0.5))
    parts = survey("read by all")
    given = material(*parts, CONFIG, OURS)
    one = Specification("any", WITH, "words", OURS, "trained", estimator, basis, NONE)
    turns = {name: found for found, name in left_out_in_turn(given, one, ENTRY, CONFIG)}
    frame = parts[0]
    assert set(turns) == set(frame.loc[frame["group"] != "i", "source_id"])
    for name in ("s0", "s13", "s30"):
        kept = frame["source_id"] != name
        left = frame[kept].reset_index(drop=True)
        # The design stays that of the whole corpus: strata are as large as drawn.
        for _, rows in left.groupby("stratum"):
            left.loc[rows.index, "stratum_sampled"] = len(rows)
        ids = set(left["passage_id"])
        smaller = [table[table["passage_id"].isin(ids)] for table in parts[1:]]
        other, _ = contrast_under(material(left, *smaller, CONFIG, OURS), one, ENTRY, CONFIG)
        for figure in ("difference", "se", "low", "high", "p_value"):
            expected = pytest.approx(getattr(other, figure), abs=1e-9, nan_ok=True)
            assert getattr(turns[name], figure) == expected, (name, figure)


@pytest.mark.parametrize("estimator", PLAN["estimators"])
def test_a_side_without_two_sources_has_no_estimate(given, estimator):
    one = Specification("majority", WITH, "passage", OURS, "trained", estimator, RAW, NONE)
    found, source = tally(given, one, "a", RULES), given.bins.source
    for inside, there in ((source < 0, False), (source == 3, False), (source < 6, True)):
        assert (side_of(given, found, selection(given.bins, inside), RULES) is not None) == there
    entry = {"a": {"code": "a", "group": "nobody"}, "b": {"code": "a"}, "expected": "greater"}
    assert contrast_under(given, one, entry, CONFIG)[0].status == NOT_ESTIMABLE


def test_what_stands_in_for_an_estimator_is_said(given):
    one = Specification("majority", WITH, "passage", OURS, "trained", "post-stratified", RAW, NONE)
    many = CONFIG | {"inference": CONFIG["inference"] | {"cell_minimum": 500}}
    found, _ = contrast_under(given, one, ENTRY, many)
    labels, _ = contrast_under(given, labels_only(), ENTRY, many)
    assert found.difference == pytest.approx(labels.difference, abs=1e-12)
    assert found.se == pytest.approx(labels.se, abs=1e-12)
    assert f"side A: {THIN}" in found.status and f"side B: {THIN}" in found.status
    many = CONFIG | {"inference": CONFIG["inference"] | {"tuning_minimum": 5000}}
    found, _ = contrast_under(given, replace(one, estimator="difference"), ENTRY, many)
    assert found.difference == pytest.approx(labels.difference, abs=1e-12)
    assert UNTUNED in found.status


def test_part_of_a_side_that_unread_draws_do_not_reach_is_counted():
    parts = survey("one group reached")
    frame = parts[0]
    given = material(*parts, CONFIG, OURS)
    one = Specification("majority", WITH, "passage", OURS, "trained", "difference", RAW, NONE)
    entry = ENTRY | {"b": {"code": "a"}}
    found, _ = contrast_under(given, one, entry, CONFIG)
    beyond = int((frame["group"] != "g").sum())
    assert f"side B: {PARTLY_CONFIRMED.format(beyond)}" in found.status


@pytest.mark.slow
def test_period_is_held_only_where_there_is_one_to_hold(given):
    assert can_hold_period(ENTRY)
    same = ENTRY | {"b": {"code": "b", "group": "g"}}
    dated = ENTRY | {"a": {"code": "a", "group": "g", "period": PERIODS[0]}}
    assert not can_hold_period(same) and not can_hold_period(dated)
    table = specification_table(given, CONFIG | {"contrasts": [ENTRY | {"id": "s"} | same]}, OURS)
    assert set(table["basis"]) == {RAW}
    none = CONFIG | {"standardisation": {"weights": "equal", "minimum": 10**6}}
    found, _ = contrast_under(given, labels_only(basis=HELD), ENTRY, none)
    assert found.status == NO_COMMON_PERIOD and np.isnan(found.difference)


# --- tables ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table(given):
    return specification_table(given, CONFIG, OURS)


@pytest.mark.slow
def test_every_contrast_stands_under_every_specification(given, table):
    assert tuple(table.columns) == T16_COLUMNS
    own = table[table["contrast"] == "a-g-h"]
    every = list(specifications(PLAN, ["x", "y", "z"]))
    assert len(own) == len(every) + 24 - 1  # sources of g and h; the largest is one of them
    assert (own["main"] == "yes").sum() == 1
    assert own.iloc[0]["main"] == "yes"
    counting = table["estimator"] == "classify-and-count"
    assert table["status"].str.startswith(NO_EVIDENCE).equals(counting)


def test_sources_of_neither_side_are_not_left_out(corpus, table):
    frame = corpus[0]
    group = frame.drop_duplicates("source_id").set_index("source_id")["group"]
    named = table.loc[table["left_out"] != NONE, "left_out"]
    assert set(named.map(group)) == {"g", "h"}


def test_shares_are_of_what_is_evidence(table):
    summary = robustness_table(table)
    assert tuple(summary.columns) == T9_COLUMNS
    ours = summary[summary["contrast"] == "a-g-h"].set_index(["choice", "option"])
    own = table[table["contrast"] == "a-g-h"]
    every = len(list(specifications(PLAN, ["x", "y", "z"])))
    counting = 3 * 2 * 2 * 2 * 2
    whole = ours.loc[(ANY, ANY)]
    assert (whole["specifications"], whole["evidence"]) == (every, every - counting)
    assert whole["status"] == ""
    largest = own.loc[(own["coders"] == "any") & (own["left_out"] != NONE), "left_out"].iloc[0]
    rest = own[own["estimator"] != "classify-and-count"]
    rest = rest[rest["left_out"].isin([NONE, largest])]
    # One source after the other has a row of its own, and a say in no other.
    assert len(rest) == every - counting
    assert whole["agreeing"] == pytest.approx((rest["difference"] > 0).mean())
    assert whole["supported"] == pytest.approx((rest["verdict"] == "supported").mean())
    assert whole["lowest"] == pytest.approx(rest["difference"].min(), abs=1e-6)
    assert whole["lowest"] <= whole["median"] <= whole["highest"]
    assert ours.loc[("left_out", "a source"), "specifications"] == 23
    assert set(ours.loc["left_out"].index) == {"none", "largest", "a source"}
    for choice in CHOICES[2:3] + CHOICES[5:7]:
        assert ours.loc[choice, "specifications"].sum() == every
    counted = ours.loc[("estimator", "classify-and-count")]
    assert (counted["specifications"], counted["evidence"]) == (counting, 0)
    assert counted[["agreeing", "supported", "contradicted"]].isna().all()
    assert counted["median"] == counted["median"] and counted["status"] == NO_EVIDENCE


@pytest.mark.slow
def test_counting_moves_no_share(table):
    summary = robustness_table(table)
    counting = table["estimator"] == "classify-and-count"
    turned = table.assign(
        difference=table["difference"].where(~counting, -9.0),
        verdict=table["verdict"].where(~counting, "contradicted"),
    )
    other = robustness_table(turned)
    shares = ["agreeing", "supported", "contradicted"]
    pd.testing.assert_frame_equal(summary[shares], other[shares])
    mixed = summary["evidence"] > 0
    assert summary[mixed].equals(other[mixed]) and not summary.equals(other)


@pytest.mark.slow
def test_what_cannot_be_estimated_is_counted_not_dropped(table):
    broken = table.assign(difference=np.nan, verdict="not estimable")
    assert (robustness_table(broken)["status"] == NOT_ESTIMABLE).all()
    broken.loc[broken["main"] == "yes", "difference"] = 0.1
    row = robustness_table(broken).iloc[0]
    assert (row["agreeing"], row["evidence"]) == (1, 1)
    assert "specifications are not estimable" in row["status"]
    # Without a main difference there is no sign to agree with.
    headless = table.assign(difference=table["difference"].mask(table["main"] == "yes"))
    row = robustness_table(headless).iloc[0]
    assert np.isnan(row["agreeing"]) and MAIN_UNKNOWN in row["status"] and row["supported"] >= 0


def test_no_specification_stands_twice(table):
    """The largest source is left out by `largest` and by `each`: once is enough."""
    assert not table.duplicated(["contrast", *CHOICES]).any()


def test_the_main_specification_names_the_standard_and_no_rule():
    config = {**CONFIG, "coders": {"rule": "standard", "tie": "absent", "standard": "c1"}}
    assert main_specification(config, OURS, confirmed=True).coders == "c1"
