"""Estimators of shares: known answers, exhaustive enumeration, identities, what is refused.

Known answers are those of the literature's formulas on two strata, A (6 of 40 drawn) and B (6 of
60); see ``inference_samples.known``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from framing.inference.contrasts import contrast
from framing.inference.corrected import (
    LONELY,
    NO_CODED,
    NO_PASSAGE,
    ONE_CODED_SOURCE,
    ONE_SOURCE,
    TOO_FEW,
    Estimate,
    corrected_mean,
)
from framing.inference.design import (
    CORPUS,
    TARGETS,
    TEXTS,
    Domain,
    Population,
    domain,
    is_confirmed,
    members,
    part_of,
    population,
)
from framing.inference.estimator import (
    EXPLORATORY,
    NOT_CONFIRMED,
    PARTLY_CONFIRMED,
    calibrate,
    cell_means,
)
from framing.inference.estimators import (
    CORRECTED,
    COUNT,
    DIFFERENCE,
    ESTIMATORS,
    LABELS,
    POST,
    estimate,
    leading,
)
from framing.inference.outcomes import Outcome, outcome, prediction_powered, weighted_slope
from framing.inference.variances import cluster_deviations, stratum_deviations
from tests.unit.inference_samples import (
    KNOWN_CODES,
    config,
    corpus,
    drawn_from,
    drawn_twice,
    free_of_sources,
    knowing_all,
    known,
    known_and_read,
    marks,
    read_surveys,
    roles,
    said,
    sampled,
    settings,
    surveys,
)

SIX = 5e-7  # six places are known
RULES = settings(cell_minimum=2, tuning_minimum=2)


def error(found: Estimate, target: str = CORPUS) -> float:
    return float(np.sqrt(found.variance[target]))


# --- known answers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slope", "share", "se"),
    [
        (COUNT, 1, 0.45, (0.45 * 0.55 / 100) ** 0.5),
        (LABELS, 1, 0.466667, 0.142984),
        (DIFFERENCE, 0, 0.466667, 0.142984),
        (DIFFERENCE, 1, 0.416667, 0.113039),
        (DIFFERENCE, 2 / 3, 0.433333, 0.101105),
    ],
)
def test_two_strata_have_their_known_answers(
    name: str, slope: float, share: float, se: float
) -> None:
    frame, data = known(slope)
    found = estimate(name, frame, domain(frame), data, RULES)
    assert found.value == pytest.approx(share, abs=SIX)
    assert error(found) == pytest.approx(se, abs=SIX)


def test_horvitz_and_thompson_equals_hajek_where_whole_strata_are_asked_about() -> None:
    frame, _ = known()
    found = corrected_mean(np.zeros(100), frame.drawn, KNOWN_CODES, frame.weight, total=100)
    assert found.value == pytest.approx(0.466667, abs=SIX)
    deviations = stratum_deviations(found.of_coded, frame.stratum, frame.size, frame.sampled)
    assert np.square(deviations).sum() ** 0.5 == pytest.approx(0.142984, abs=SIX)


def test_documents_as_sources_have_their_known_error() -> None:
    """Known: .128197 with documents drawn within A and B. The target ``texts`` knows no strata of
    sources, so it gets the sum of squares about 0 instead of about each stratum's mean, each
    divided by what the other documents have of the weight (documents are few, and unequal):
    .0755556²/(11/15) + .0044444²/(13/15) + .0933333²/.8 + .0133333²/.6 = .137813².
    """
    frame, data = known()
    source = np.r_[[0] * 4, [1] * 2, 10:44, [2] * 2, [3] * 4, 50:104]
    passages = pd.DataFrame({"passage_id": frame.passages, "source_id": source})
    passages = passages.assign(group="council", period="undated", weight=np.nan)
    passages[["stratum", "stratum_size", "stratum_sampled"]] = None
    for number, name in enumerate("AB"):
        rows = frame.drawn[frame.stratum == number]
        passages.loc[rows, "stratum"] = name
        passages.loc[rows, "stratum_size"] = frame.size[number]
        passages.loc[rows, "stratum_sampled"] = frame.sampled[number]
        passages.loc[rows, "weight"] = frame.size[number] / frame.sampled[number]
    documents = population(passages)
    found = estimate(LABELS, documents, domain(documents), data, RULES)
    by_hand = 0.0755556**2 / (11 / 15) + 0.0044444**2 / (13 / 15)
    by_hand += 0.0933333**2 / 0.8 + 0.0133333**2 / 0.6
    assert by_hand**0.5 == pytest.approx(0.137813, abs=SIX)
    assert error(found, TEXTS) == pytest.approx(0.137813, abs=SIX)
    weight = np.array([4 * 40 / 6, 2 * 40 / 6, 2 * 10, 4 * 10])
    squares = np.array([4 * (40 / 6) ** 2, 2 * (40 / 6) ** 2, 2 * 10**2, 4 * 10**2])
    assert found.df[TEXTS] == pytest.approx(free_of_sources(weight, squares))
    assert 2 < found.df[TEXTS] < 3
    mean = corrected_mean(np.zeros(100), frame.drawn, KNOWN_CODES, frame.weight)
    totals = np.bincount([0] * 4 + [1] * 2 + [2] * 2 + [3] * 4, weights=mean.of_coded)
    within = cluster_deviations(totals, np.ones(4, dtype=bool), np.array([0, 0, 1, 1]))
    assert np.square(within).sum() ** 0.5 == pytest.approx(0.128197, abs=SIX)


def test_post_stratification_has_its_known_answer() -> None:
    """Within strata known: A .6·1 + .4·1/3 = .733333, B .35·2/3 + .65·0 = .233333, both .433333.

    The code post-stratifies across strata. Among the drawn the classifier says yes to half in each
    stratum, so the answer is the same: .45·(3·40/6 + 2·60/6)/50 + .55·(1·40/6)/50 = .433333. Its
    error, from residuals .2/−.8 and 13/15/−2/15 with weights scaled by .9 and 1.1:
    1.02·(3·(−.08)² + 2·(−1.386667)² + 3.013333²)/60² + 1.08·(3·(−.08)² + 3.52² + 2·1.88²)/60²
    = .097526².
    """
    frame, data = known()
    shares = {"A": 11 / 15, "B": 7 / 30, "all": 13 / 30}
    for group, share in shares.items():
        found = estimate(POST, frame, domain(frame, group), data, RULES)
        assert found.value == pytest.approx(share)
        assert found.note == ""
    a = 1.02 * (3 * 0.08**2 + 2 * 1.386667**2 + 3.013333**2) / 60**2
    b = 1.08 * (3 * 0.08**2 + 3.52**2 + 2 * 1.88**2) / 60**2
    assert error(found) == pytest.approx((a + b) ** 0.5, abs=SIX)
    assert (a + b) ** 0.5 == pytest.approx(0.097526, abs=SIX)


def test_difference_of_two_groups_has_its_known_answer() -> None:
    frame, data = known()
    for name, share, se in ((COUNT, 0.25, None), (DIFFERENCE, 0.583333, 0.220479)):
        a, b = (estimate(name, frame, domain(frame, group), data, RULES) for group in "AB")
        assert a.value - b.value == pytest.approx(share, abs=SIX)
        if se is not None:
            assert contrast(a, b, CORPUS, 0.95).se == pytest.approx(se, abs=SIX)
            assert np.hypot(error(a), error(b)) == pytest.approx(se, abs=SIX)


POOL_CODES, POOL_SCORES = marks("1011010010"), marks("1010011010")
OTHERS = marks("1" * 55 + "0" * 35)


@pytest.mark.parametrize(
    ("slope", "used", "share", "se"),
    [
        (0.0, 0, 0.5, 0.158114),
        (1.0, 1, 0.611111, 0.150468),
        (None, 0.556875, 0.561875, 0.129867),
    ],
)
def test_prediction_powered_mean_is_that_of_ppi_py(
    slope: float | None, used: float, share: float, se: float
) -> None:
    found = prediction_powered(POOL_CODES, POOL_SCORES, OTHERS, slope)
    assert found == pytest.approx((share, se, used), abs=SIX)


def test_prediction_powered_slope_is_zero_where_scores_do_not_vary() -> None:
    # 0.06: the mean of nine of them is not 0.06 to the last bit.
    share, se, slope = prediction_powered(POOL_CODES[:9], np.full(9, 0.06), np.full(17, 0.06))
    assert slope == 0
    assert (share, se) == pytest.approx((5 / 9, (20 / 81 / 9) ** 0.5))


@pytest.mark.parametrize(("slope", "share"), [(0.6, 0.56), (1.0, 0.6), (-0.3, 0.47)])
def test_predictions_for_all_equal_those_for_the_others_with_a_smaller_slope(
    slope: float, share: float
) -> None:
    # f̄ over all 100 is .6, over the labelled .5: θ̂ = .5 + λ(.6 − .5).
    every = slope * np.concatenate([POOL_SCORES, OTHERS])
    found = corrected_mean(every, np.arange(10), POOL_CODES, np.full(10, 10.0))
    apart = prediction_powered(POOL_CODES, POOL_SCORES, OTHERS, slope * 90 / 100)
    assert found.value == pytest.approx(share)
    assert apart[0] == pytest.approx(share)


FOUR_SOURCES = "aaabbbcccddd"
HALF_DRAWN = np.flatnonzero(marks("101100101001"))
PREDICTED = marks("101001100010")
CARRYING = np.isin(np.arange(12), (0, 6, 8)).astype(float)


def test_sources_at_random_have_their_known_error() -> None:
    """Known: .209718 with one factor, 4/3, for all sources; it stands in the next test.

    Sources with 2, 1, 2 and 1 coded passages have 1/3, 1/6, 1/3 and 1/6 of the weight, and that
    much of their own deviations they hide: totals less 5/4 are (−5 −1 7 −1)/4, so
    V = (25/(2/3) + 1/(5/6) + 49/(2/3) + 1/(5/6))/16/12² = .221853².
    """
    frame = population(drawn_from("x" * 12, HALF_DRAWN, sources=FOUR_SOURCES))
    data = said(frame, CARRYING[HALF_DRAWN], PREDICTED)
    found = estimate(DIFFERENCE, frame, domain(frame), data, RULES)
    assert found.value == pytest.approx(0.416667, abs=SIX)
    by_hand = (25 / (2 / 3) + 1 / (5 / 6) + 49 / (2 / 3) + 1 / (5 / 6)) / 16 / 12**2
    assert error(found, TEXTS) == pytest.approx(by_hand**0.5)
    assert error(found, TEXTS) == pytest.approx(0.221853, abs=SIX)


@pytest.mark.parametrize("total", [None, 12.0])
@pytest.mark.parametrize(
    ("source", "se"), [(np.arange(12), 0.228908), (np.arange(12) // 3, 0.209718)]
)
def test_contributions_of_all_and_of_coded_have_their_known_error(
    source: np.ndarray, se: float, total: float | None
) -> None:
    # The weighted mean error is 0 here, so that both divisors give the same contributions.
    found = corrected_mean(PREDICTED, HALF_DRAWN, CARRYING[HALF_DRAWN], np.full(6, 2.0), total)
    totals = np.bincount(source, weights=found.of_all)
    totals += np.bincount(source[HALF_DRAWN], weights=found.of_coded, minlength=len(totals))
    deviations = cluster_deviations(totals, np.ones(len(totals), dtype=bool))
    assert np.square(deviations).sum() ** 0.5 == pytest.approx(se, abs=SIX)


def test_cell_coded_whole_leaves_nothing_to_chance() -> None:
    """24 passages, 10 drawn, the four yes among them: yes is 3/4 of 4/24 for certain.

    No: 2 of 6 drawn carry the code, 20/24 of all. Residuals r = y − 1/3 with weights 20/6 add up
    to 0, so V = (1 − 10/24) · 10/9 · (20/6)²/24² · Σr², Σr² = 4/3.
    """
    frame = population(drawn_from("x" * 24, range(10)))
    data = said(frame, marks("1110110000"), marks("1111" + "0" * 20))
    found = estimate(POST, frame, domain(frame), data, RULES)
    assert found.value == pytest.approx(3 / 24 + 20 / 24 / 3)
    expected = 14 / 24 * 10 / 9 * (20 / 6 / 24) ** 2 * 4 / 3
    assert found.variance[CORPUS] == pytest.approx(expected)


# --- exhaustive enumeration -----------------------------------------------------------------------

TWO_STRATA, TRUTH, SCORE = "xxxxyyy", marks("1011001"), marks("1001001")


def all_samples() -> Iterator[tuple[Population, np.ndarray]]:
    """Every way to draw two of four and two of three, all equally likely."""
    for pair in product(combinations(range(4), 2), combinations(range(4, 7), 2)):
        rows = np.array(sum(pair, ()))
        yield population(drawn_from(TWO_STRATA, rows)), rows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "slope", "variance"),
    [
        (LABELS, 1.0, 0.0306122),
        (DIFFERENCE, 1.0, 0.0204082),
        (DIFFERENCE, 0.4, None),
        (DIFFERENCE, -1.0, None),
    ],
)
def test_estimate_and_its_variance_are_unbiased_over_all_samples(
    name: str, slope: float, variance: float | None
) -> None:
    found = [
        estimate(name, frame, domain(frame), said(frame, TRUTH[rows], SCORE, slope), RULES)
        for frame, rows in all_samples()
    ]
    assert len(found) == 18
    values = [one.value for one in found]
    assert np.mean(values) == pytest.approx(4 / 7, abs=1e-12)
    assert np.mean([one.variance[CORPUS] for one in found]) == pytest.approx(np.var(values))
    if variance is not None:
        assert np.var(values) == pytest.approx(variance, abs=5e-8)


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_domain_across_strata_is_unbiased_with_its_known_size(slope: float) -> None:
    """How many draws fall into the domain is chance, and part of the variance."""
    member = np.array([1, 0, 1, 1, 1, 0, 1], dtype=bool)
    values, variances = [], []
    for frame, rows in all_samples():
        part = part_of(frame, member)
        mean = corrected_mean(
            slope * SCORE[member], part.place, TRUTH[rows][part.coded], frame.weight[part.coded],
            total=5,
        )  # fmt: skip
        contributions = np.zeros(4)
        contributions[part.coded] = mean.of_coded
        deviations = stratum_deviations(contributions, frame.stratum, frame.size, frame.sampled)
        values.append(mean.value)
        variances.append(np.square(deviations).sum())
    assert np.mean(values) == pytest.approx(TRUTH[member].mean(), abs=1e-12)
    assert np.var(values) > 0
    assert np.mean(variances) == pytest.approx(np.var(values))


@pytest.mark.slow
def test_variance_between_sources_is_unbiased_over_all_collections() -> None:
    """Three sources of two passages, each any of four with equal chance."""
    codes = ["11", "10", "00", "01"]
    values, variances = [], []
    for collected in product(codes, repeat=3):
        frame = population(drawn_from("x" * 6, range(6), sources="aabbcc"))
        data = said(frame, marks("".join(collected)), np.zeros(6))
        found = estimate(LABELS, frame, domain(frame), data, RULES)
        values.append(found.value)
        variances.append(found.variance[TEXTS])
    assert np.mean(values) == pytest.approx(0.5)
    assert np.mean(variances) == pytest.approx(np.var(values))


# --- linearisation --------------------------------------------------------------------------------


def shares_by_hand(
    name: str, label: np.ndarray, fitted: np.ndarray, decision: np.ndarray, rows: np.ndarray,
    every: np.ndarray, weight: np.ndarray,
) -> float:  # fmt: skip
    """An estimate as a plain function of weights: ``every`` of all passages, ``weight`` of coded.

    Passages of the domain have fitted values and decisions; ``rows`` of them are coded.
    """
    if name == POST:
        parts = 0.0
        for cell in (0, 1):
            mine = decision[rows] == cell
            mean = (weight * label)[mine].sum() / weight[mine].sum()
            parts += every[decision == cell].sum() / every.sum() * mean
        return float(parts)
    slope = 1.0 if name == DIFFERENCE else 0.0
    wrong = label - slope * fitted[rows]
    return float(
        slope * (every * fitted).sum() / every.sum() + (weight * wrong).sum() / weight.sum()
    )


@pytest.mark.parametrize("group", ["all", "press"])
@pytest.mark.parametrize("name", CORRECTED)
def test_variances_follow_from_the_derivatives_of_the_estimate(name: str, group: str) -> None:
    passages, table = sampled(corpus(5, sources=40), 6)
    frame = population(passages)
    part, data = domain(frame, group), outcome(frame, table, "cost", RULES)
    found = estimate(name, frame, part, data, RULES)
    label, weight = data.label[part.coded], frame.weight[part.coded]
    fitted, decision = data.fitted[part.rows], data.decision[part.rows]
    step, ones = 1e-6, np.ones(len(part.rows))

    def slope_of(every: np.ndarray, coded: np.ndarray) -> float:
        """How fast the estimate changes when these passages' weights grow by a share."""
        ends = [
            shares_by_hand(name, label, fitted, decision, part.place,
                           ones + sign * step * every, weight * (1 + sign * step * coded))
            for sign in (1, -1)
        ]  # fmt: skip
        return (ends[0] - ends[1]) / (2 * step)

    base = shares_by_hand(name, label, fitted, decision, part.place, ones, weight)
    assert found.value == pytest.approx(base, abs=1e-12)
    assert found.note == ""

    draws = np.zeros(len(frame.drawn))
    draws[part.coded] = [
        slope_of(np.zeros(len(ones)), np.eye(1, len(label), k=place)[0])
        for place in range(len(label))
    ]
    total = 0.0
    for number in range(len(frame.strata)):
        of_stratum = draws[frame.stratum == number]
        left = 1 - frame.sampled[number] / frame.size[number]
        total += left * len(of_stratum) * of_stratum.var(ddof=1) if left else 0.0
    assert found.variance[CORPUS] == pytest.approx(total, rel=1e-6)

    coded_source = part.source[part.place]
    by_source = [
        slope_of((part.source == one).astype(float), (coded_source == one).astype(float))
        for one in np.unique(part.source)
    ]
    # Each is divided by what the others have of the weight, for few and unequal sources.
    calibrated = calibrate(decision, part.place, weight) if name == POST else weight
    of_source = [calibrated[coded_source == one].sum() for one in np.unique(part.source)]
    others = 1 - np.array(of_source) / calibrated.sum()
    assert found.variance[TEXTS] == pytest.approx((np.square(by_source) / others).sum(), rel=1e-6)


@pytest.mark.slow
@examples(max_examples=30, deadline=None)
@given(surveys(), st.booleans())
def test_contributions_add_up_to_nothing(
    survey: tuple[pd.DataFrame, pd.DataFrame], known_size: bool
) -> None:
    frame = population(survey[0])
    data = outcome(frame, survey[1], "cost", RULES)
    found = corrected_mean(
        data.fitted, frame.drawn, data.label, frame.weight, frame.total if known_size else None
    )
    assert found.of_all.sum() + found.of_coded.sum() == pytest.approx(0, abs=1e-12)


# --- identities and properties --------------------------------------------------------------------

Survey = tuple[pd.DataFrame, pd.DataFrame]


def read(survey: Survey) -> tuple[Population, Outcome]:
    frame = population(survey[0])
    return frame, outcome(frame, survey[1], "cost", RULES)


@pytest.mark.slow
@examples(max_examples=15, deadline=None)
@given(st.integers(0, 999), st.sampled_from(["all", "council"]))
def test_least_squares_slope_on_the_decision_is_post_stratification(seed: int, group: str) -> None:
    frame, data = read(sampled(corpus(seed, sources=15, prevalence=(0.5, 0.4, 0.3)), seed))
    part = domain(frame, group)
    found = estimate(POST, frame, part, data, RULES)
    assume(found.coded and not found.note and not found.missing and len(part.parts) == 1)
    # What is known counts as it is; the identity holds for the rest.
    piece = part.parts[0]
    cell = data.decision[piece.rows]
    sizes = np.bincount(cell)
    coded = np.bincount(cell[piece.place], minlength=len(sizes))
    # A cell coded whole counts without weights, in post-stratification only.
    assume((coded < sizes)[sizes > 0].all())
    score = data.decision[piece.rows].astype(float)
    label, weight = data.label[piece.coded], frame.weight[piece.coded]
    slope = weighted_slope(score[piece.place], label, weight)
    tuned = corrected_mean(slope * score, piece.place, label, weight)
    share = data.label[part.known].sum() + len(piece.rows) * tuned.value
    assert found.value == pytest.approx(share / len(part.rows), abs=1e-12)


@pytest.mark.slow
@examples(max_examples=25, deadline=None)
@given(st.one_of(surveys(), read_surveys()), st.sampled_from(["all", "council", "press"]))
def test_averages_of_codes_stay_within_the_unit(survey: Survey, group: str) -> None:
    frame, data = read(survey)
    part = domain(frame, group)
    for name in (COUNT, LABELS, POST):
        found = estimate(name, frame, part, data, RULES)
        if found.coded and not found.missing.keys() - {TEXTS}:
            assert -1e-12 <= found.value <= 1 + 1e-12


@pytest.mark.slow
@examples(max_examples=30, deadline=None)
@given(st.one_of(surveys(), read_surveys()), st.sampled_from(["all", "council"]))
def test_asking_for_the_opposite_mirrors_the_estimate_and_keeps_its_error(
    survey: Survey, group: str
) -> None:
    passages, table = survey
    opposite = table.assign(
        label=1 - table["label"],
        probability=1 - table["probability"],
        decision=1 - table["decision"],
    )
    frame, data = read(survey)
    _, mirrored = read((passages, opposite))
    # With a λ a fold the estimate depends on where the scores' zero is; with one λ it does not.
    data = replace(data, fitted=0.7 * table["probability"].to_numpy(), untuned="")
    mirrored = replace(mirrored, fitted=0.7 - data.fitted, untuned="")
    part = domain(frame, group)
    for name in ESTIMATORS:
        found = estimate(name, frame, part, data, RULES)
        other = estimate(name, frame, part, mirrored, RULES)
        # Bounds of a share that cannot be estimated are mirrored as well.
        reasons = [{key: said.split(";")[0] for key, said in one.missing.items()}
                   for one in (found, other)]  # fmt: skip
        assert reasons[0] == reasons[1]
        assert found.barred == other.barred
        if found.coded and CORPUS not in found.missing:
            assert other.value == pytest.approx(1 - found.value, abs=1e-9)
            for target in TARGETS:
                assert other.variance[target] == pytest.approx(found.variance[target], abs=1e-12)


@pytest.mark.slow
@examples(max_examples=30, deadline=None)
@given(surveys(complete=True), st.sampled_from(["all", "council"]))
def test_everything_coded_leaves_no_error_in_this_corpus(survey: Survey, group: str) -> None:
    frame, data = read(survey)
    part = domain(frame, group)
    for name in CORRECTED:
        found = estimate(name, frame, part, data, RULES)
        if not found.coded:
            continue
        assert found.complete
        assert found.value == pytest.approx(data.label[part.coded].mean(), abs=1e-12)
        assert found.variance[CORPUS] == 0
        assert found.barred == {}


def test_domain_all_coded_has_no_error_though_its_stratum_was_not_taken_whole() -> None:
    frame = population(drawn_from("x" * 8, range(4), groups="aaabbbbb"))
    data = said(frame, marks("1010"), np.zeros(8))
    inside = estimate(LABELS, frame, domain(frame, "a"), data, RULES)
    assert (inside.value, inside.variance[CORPUS], inside.complete) == (2 / 3, 0.0, True)
    whole = estimate(LABELS, frame, domain(frame), data, RULES)
    assert whole.variance[CORPUS] > 0


@pytest.mark.slow
@examples(max_examples=25, deadline=None)
@given(st.one_of(surveys(), read_surveys()), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(survey: Survey, random: object) -> None:
    passages, table = survey
    order = list(range(len(passages)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = passages.iloc[order].reset_index(drop=True), table
    results = []
    for frame, data in (read(survey), read(shuffled)):
        for group in ("all", "press"):
            found = [estimate(name, frame, domain(frame, group), data, RULES)
                     for name in ESTIMATORS]  # fmt: skip
            results.append([
                [one.value, one.coded, one.positives, one.effective, *one.variance.values()]
                for one in found
            ])  # fmt: skip
    for plain, again in zip(results[:2], results[2:], strict=True):
        for one, other in zip(plain, again, strict=True):
            assert other == pytest.approx(one, abs=1e-12, nan_ok=True)


@pytest.mark.slow
@examples(max_examples=30, deadline=None)
@given(surveys())
def test_calibrated_weights_add_up_to_the_cells(survey: Survey) -> None:
    frame, data = read(survey)
    sizes, coded = (np.bincount(data.decision[rows], minlength=2)
                    for rows in (slice(None), frame.drawn))  # fmt: skip
    if (coded[sizes > 0] == 0).any():
        return
    weight = calibrate(data.decision, frame.drawn, frame.weight)
    added = np.bincount(data.decision[frame.drawn], weights=weight, minlength=2)
    assert added == pytest.approx(sizes)
    means = cell_means(data.decision, frame.drawn, data.label, weight)
    assert (weight * (data.label - means[frame.drawn])).sum() == pytest.approx(0, abs=1e-12)


# --- stand-ins and refusals -----------------------------------------------------------------------


def test_post_stratification_needs_the_least_number_in_each_cell() -> None:
    frame, data = known()
    enough = estimate(POST, frame, domain(frame), data, settings(cell_minimum=6))
    assert enough.note == ""
    few = estimate(POST, frame, domain(frame), data, settings(cell_minimum=7))
    assert few.value == pytest.approx(0.466667, abs=SIX)
    assert few.note == (
        "labels only: fewer than 7 coded passages where the classifier says yes, or no"
    )


def test_cell_with_few_passages_all_coded_is_enough() -> None:
    frame = population(drawn_from("x" * 12, range(6)))
    data = said(frame, marks("101000"), marks("110000000000"))
    found = estimate(POST, frame, domain(frame), data, settings(cell_minimum=4))
    assert found.note == ""
    assert found.value == pytest.approx(2 / 12 * 1 / 2 + 10 / 12 * 1 / 4)
    without = said(frame, marks("101000"), np.zeros(12))  # the classifier never says yes
    assert estimate(POST, frame, domain(frame), without, settings(cell_minimum=4)).note == ""


def test_untuned_difference_is_labels_only_and_says_so() -> None:
    frame, data = known()
    untuned = Outcome("cost", data.decision, data.label, data.fitted * 0, "labels only: why")
    found = estimate(DIFFERENCE, frame, domain(frame), untuned, RULES)
    assert (found.note, found.value) == ("labels only: why", pytest.approx(0.466667, abs=SIX))


def test_difference_refers_to_the_share_of_the_codes() -> None:
    frame, data = known()
    found = estimate(DIFFERENCE, frame, domain(frame), data, RULES)
    assert found.reference == pytest.approx(0.466667, abs=SIX)


def test_difference_can_leave_the_unit() -> None:
    frame = population(drawn_from("x" * 8, range(4)))
    data = said(frame, marks("0000"), marks("11110000"))
    assert estimate(DIFFERENCE, frame, domain(frame), data, RULES).value == -0.5


BOUNDED = (
    "not estimable: none of 1 passages that are left was coded; what is known puts the share "
    "between 0.333 and 0.667"
)


def part_a(strata: str, drawn: str, groups: str, sources: str) -> tuple[Population, Domain]:
    rows = np.flatnonzero(marks(drawn))
    frame = population(drawn_from(strata, rows, sources=sources, groups=groups))
    return frame, domain(frame, "a")


@pytest.mark.parametrize(
    ("layout", "missing", "barred"),
    [
        (("xxxx", "1100", "bbbb", "stuv"), dict.fromkeys(TARGETS, NO_PASSAGE), {}),
        (("xxxx", "1100", "bbaa", "stuv"), dict.fromkeys(TARGETS, NO_CODED), {}),
        (("xxxx", "1100", "aabb", "ssuv"), {TEXTS: ONE_SOURCE}, {}),
        (("xxxxx", "11100", "aabab", "ssusv"), {TEXTS: ONE_SOURCE}, {}),
        (("xxxxx", "11100", "aabab", "ssutv"), {TEXTS: ONE_CODED_SOURCE}, {}),
        (("xxxxyyyy", "11001000", "aaaaaaaa", "stuvstuv"), {}, {CORPUS: LONELY}),
        (("xxxxyyyy", "11001000", "aaaabbbb", "stuvstuv"), {}, {}),
        (("xxxxyyyy", "11111100", "abbaaabb", "stuvtxuv"), {}, {}),
        (("xxxx", "1110", "abba", "stut"), {TEXTS: ONE_CODED_SOURCE}, {CORPUS: TOO_FEW}),
        # Stratum x was taken whole: both are known. Of the third passage nobody coded any, so there
        # is nothing to estimate its share from, and what is known bounds the share of all three.
        (("xxyyy", "11110", "aabba", "ststs"), dict.fromkeys(TARGETS, BOUNDED), {}),
    ],
)
def test_estimates_that_cannot_be_given_say_why(
    layout: tuple[str, str, str, str], missing: dict[str, str], barred: dict[str, str]
) -> None:
    frame, part = part_a(*layout)
    label = np.arange(len(frame.drawn)) % 2
    data = said(frame, label, np.arange(frame.total) % 2)
    for name in CORRECTED:
        found = estimate(name, frame, part, data, settings())
        assert found.missing == missing, name
        assert found.barred == barred, name


def test_counting_needs_passages_and_for_texts_two_sources_but_no_codes() -> None:
    frame, part = part_a("xxxx", "1100", "bbaa", "stuu")
    data = said(frame, [1, 0], [1, 1, 1, 0])
    found = estimate(COUNT, frame, part, data, RULES)
    assert (found.value, found.positives, found.coded) == (0.5, 1, 2)
    assert found.missing == {TEXTS: ONE_SOURCE}
    assert error(found) == pytest.approx((0.25 / 2) ** 0.5)
    none = estimate(COUNT, frame, domain(frame, "nobody"), data, RULES)
    assert none.missing == dict.fromkeys(TARGETS, NO_PASSAGE)
    whole = estimate(COUNT, frame, domain(frame), data, RULES)
    # Sources s 1, t 1, u 1 of 2; deviations from .75 over 4: .0625, .0625, −.125; u is half of it.
    assert whole.variance[TEXTS] == pytest.approx(2 * 0.0625**2 / (3 / 4) + 0.125**2 / (1 / 2))
    assert whole.df[CORPUS] == np.inf
    assert whole.df[TEXTS] == pytest.approx(free_of_sources([1, 1, 2], [1, 1, 2]))


def test_effective_size_and_degrees_are_those_of_the_coded() -> None:
    frame, data = known()
    found = estimate(LABELS, frame, domain(frame), data, RULES)
    assert found.effective == pytest.approx(100**2 / (6 * (40 / 6) ** 2 + 6 * 10**2))
    assert found.df[CORPUS] == 10
    # Twelve sources, six of which weigh half as much again as the others: fewer than 11.
    weight = np.array([40 / 6] * 6 + [10] * 6)
    assert found.df[TEXTS] == pytest.approx(free_of_sources(weight, weight**2))
    assert found.df[TEXTS] < 11
    assert (found.coded, found.positives) == (12, 6)


@pytest.mark.slow
def test_estimates_of_a_simulated_corpus_lie_about_the_truth() -> None:
    """Over many samples: estimators that use codes are off by chance only, counting is not."""
    truth = corpus(11, sources=60)
    true_share = truth["truth"].mean()
    values: dict[str, list[float]] = {name: [] for name in ESTIMATORS}
    variances: dict[str, list[float]] = {name: [] for name in CORRECTED}
    for seed in range(40):
        passages, table = sampled(truth, seed)
        frame = population(passages)
        data = outcome(frame, table, "cost", settings())
        for name in ESTIMATORS:
            found = estimate(name, frame, domain(frame), data, settings())
            values[name].append(found.value)
            if name in CORRECTED:
                variances[name].append(found.variance[CORPUS])
    spread = {name: np.std(values[name], ddof=1) for name in CORRECTED}
    for name in CORRECTED:
        assert abs(np.mean(values[name]) - true_share) < 4 * spread[name] / 40**0.5
        assert 0.6 < np.mean(variances[name]) / spread[name] ** 2 < 1.7
    assert spread[DIFFERENCE] < spread[LABELS]
    # Counting does not pass the very check that the others pass.
    assert abs(np.mean(values[COUNT]) - true_share) > 4 * spread[LABELS] / 40**0.5


# --- what is known, and the rest ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slope", "share", "se"),
    [
        (LABELS, 1, 0.466667, 0.142984),
        (DIFFERENCE, 1, 0.416667, 0.113039),
        (DIFFERENCE, 2 / 3, 0.433333, 0.101105),
        (POST, 1, 0.433333, 0.097526),
    ],
)
def test_known_answers_are_those_of_the_rest_beside_known_passages(
    name: str, slope: float, share: float, se: float
) -> None:
    """25 read passages, 5 of which carry the code, and the 100 whose answers are known."""
    frame, data = known_and_read(slope)
    found = estimate(name, frame, domain(frame), data, RULES)
    assert found.value == pytest.approx((5 + 100 * share) / 125, abs=SIX)
    assert error(found) == pytest.approx(se * 100 / 125, abs=SIX)
    assert (found.coded, found.positives, found.df[CORPUS]) == (37, 11, 10)
    rest = found.chance
    assert (rest.size, rest.settled, rest.coded, rest.positives) == (0.8, 0.04, 12, 6)
    assert rest.of_rest(found.value) == pytest.approx(share, abs=SIX)
    assert rest.of_domain(share) == pytest.approx(found.value, abs=SIX)
    if name == DIFFERENCE:
        assert rest.reference == pytest.approx(0.466667, abs=SIX)


def test_error_between_sources_is_that_of_their_estimated_totals() -> None:
    """Three sources of six passages: two read, two of four others drawn, weight 2.

    Codes: a 11 and 10, b 11 and 11, c 10 and 00. Of the rest 3/6, in all (5 + 12/2)/18 = 11/18.
    Totals by source: a 2 + 4·.5 + 2·0 = 4, b 2 + 4·.5 + 2·1 = 6, c 1 + 4·.5 − 2·1 = 1, less 11/3
    each: 1/3, 7/3, −8/3. V = 3/2·(1 + 49 + 64)/9/18² = 19/18².
    """
    passages = roles("rruu.." * 3, sources="aaaaaabbbbbbcccccc")
    frame = population(passages)
    data = said(frame, marks("1110" + "1111" + "1000"), np.zeros(18))
    found = estimate(LABELS, frame, domain(frame), data, RULES)
    assert found.value == pytest.approx(11 / 18)
    assert found.variance[TEXTS] == pytest.approx(19 / 18**2)
    assert found.df[TEXTS] == pytest.approx(2)
    # In this corpus only the rest varies: 6 of 12 drawn, s² = .3.
    assert found.variance[CORPUS] == pytest.approx((12 / 18) ** 2 * 0.5 * 0.3 / 6)


@pytest.mark.slow
@examples(max_examples=12, deadline=None)
@given(read_surveys(), st.sampled_from(["all", "council"]))
def test_known_passages_shift_and_shrink_the_estimate_of_the_rest(
    survey: Survey, group: str
) -> None:
    """Also with the few-positives discount: known positives lend it nothing."""
    rules = settings(cell_minimum=2, gain_discount=1)
    frame, data = read(survey)
    data = replace(data, fitted=0.7 * data.probability, untuned="")
    passages = survey[0]
    looked = ((passages["role"] == "development") & (passages["random_share"] == 0)).to_numpy()
    of_drawn = looked[frame.drawn]
    rest = population(passages[~looked].reset_index(drop=True))
    other = replace(
        data, decision=data.decision[~looked], fitted=data.fitted[~looked],
        label=data.label[~of_drawn],
    )  # fmt: skip
    whole, left = domain(frame, group), domain(rest, group)
    assume(left.parts)
    settled = data.label[of_drawn & members(frame, group)[frame.drawn]].sum() / len(whole.rows)
    size = len(left.rows) / len(whole.rows)
    for name in CORRECTED:
        found = estimate(name, frame, whole, data, rules)
        apart = estimate(name, rest, left, other, rules)
        assert (CORPUS in found.missing) == (CORPUS in apart.missing)
        if CORPUS in found.missing:
            continue
        assert found.note == apart.note
        assert found.value == pytest.approx(settled + size * apart.value, abs=1e-12)
        assert found.variance[CORPUS] == pytest.approx(size**2 * apart.variance[CORPUS], abs=1e-12)
        assert (found.df[CORPUS], found.barred) == (apart.df[CORPUS], apart.barred)


def test_few_positives_are_those_of_the_rest() -> None:
    """With 5 known positives beside 6 of 12: the discount is by 6, not by 11.

    Known: labels only .142984, difference .113039. V' = V + (.142984² − .113039²)/6, but labels
    only are discounted themselves, by what strata save: .466667·.533333·(1/12 − 1/100) =
    .0182518 is less than .142984², so nothing is.
    """
    frame, data = known_and_read()
    found = estimate(DIFFERENCE, frame, domain(frame), data, settings(gain_discount=1))
    expected = 0.113039**2 + (0.142984**2 - 0.113039**2) / 6
    assert found.variance[CORPUS] == pytest.approx(0.64 * expected, abs=SIX)


def test_what_the_classifier_says_of_known_passages_changes_nothing() -> None:
    """A classifier that is right of all that was read is trusted no more, and no less."""
    passages, table = drawn_twice(corpus(4, sources=60), 5, read=60, unread=90)
    better = knowing_all(passages, table)
    assert (better["decision"] != table["decision"]).any()
    (frame, data), (_, other) = read((passages, table)), read((passages, better))
    assert data.untuned == ""
    for group in ("all", "council"):
        for name in CORRECTED:
            one, two = (estimate(name, frame, domain(frame, group), d, RULES)
                        for d in (data, other))  # fmt: skip
            assert two.value == pytest.approx(one.value, abs=1e-12), name
            assert two.variance == pytest.approx(one.variance, abs=1e-12), name
            assert two.chance.reference == pytest.approx(one.chance.reference, abs=1e-12)


@cache
def beside_three_read() -> list[Population]:
    """Every way to draw two of four and two of three passages beside three that were read."""
    made = []
    for pair in product(combinations(range(4), 2), combinations(range(4, 7), 2)):
        layout = np.array(list(".......rrr"))
        layout[list(sum(pair, ()))] = "u"
        made.append(population(roles("".join(layout), TWO_STRATA + "rrr")))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("on_read", ["110", "011"])
@pytest.mark.parametrize(("name", "slope"), [(LABELS, 1.0), (DIFFERENCE, 1.0), (DIFFERENCE, 0.4)])
def test_estimate_is_unbiased_given_what_is_known(name: str, slope: float, on_read: str) -> None:
    """All 18 draws from what three read passages leave; the classifier errs on none, or on two."""
    truth, score = np.r_[TRUTH, marks("110")], np.r_[SCORE, marks(on_read)]
    found = []
    for frame in beside_three_read():
        data = said(frame, truth[frame.drawn], score, slope)
        found.append(estimate(name, frame, domain(frame), data, RULES))
    values = [one.value for one in found]
    assert len(values) == 18
    assert np.mean(values) == pytest.approx(6 / 10, abs=1e-12)
    assert np.mean([one.variance[CORPUS] for one in found]) == pytest.approx(np.var(values))
    if slope == 1:
        variance = 0.0306122 if name == LABELS else 0.0204082
        assert np.var(values) == pytest.approx(0.49 * variance, abs=5e-8)


@pytest.mark.slow
def test_looking_makes_the_pooled_estimate_biased_and_this_one_not() -> None:
    """Two of five are read, and the classifier is made right of them; then two of three are drawn.

    Over all 10·3 pairs of draws. Were both draws pooled, as one of four, the errors on the read
    passages would count for all, and the average estimate would be off.
    """
    truth, score = marks("11001"), marks("10010")
    averages, pooled = [], []
    for looked in combinations(range(5), 2):
        left = [row for row in range(5) if row not in looked]
        values, variances = [], []
        seen = score.copy()
        seen[list(looked)] = truth[list(looked)]
        for rows in combinations(left, 2):
            layout = np.full(5, ".")
            layout[list(looked)], layout[list(rows)] = "r", "u"
            frame = population(roles("".join(layout)))
            label = truth[frame.drawn]
            found = estimate(DIFFERENCE, frame, domain(frame), said(frame, label, seen), RULES)
            values.append(found.value)
            variances.append(found.variance[CORPUS])
            pooled.append(corrected_mean(seen, frame.drawn, label, np.full(4, 1.25)).value)
        averages.append(np.mean(values))
        assert np.mean(variances) == pytest.approx(np.var(values))
    assert averages == pytest.approx(np.full(10, truth.mean()))
    # Errors of the classifier are .2 on average. Right of 2 of 5 it is off by 3/5 of that, of which
    # the pooled sample shows 2/4, as half of its passages are right by looking.
    assert np.mean(pooled) == pytest.approx(truth.mean() - (3 / 5 - 2 / 4) * 0.2)


# --- passages that no unread draw reaches ---------------------------------------------------------

CODED = marks("1100" + "100" + "11")  # of partly(): unread, read, known


def partly() -> Population:
    """Four of eight unread, three of six where only a read draw reaches, two known: 16 passages."""
    return population(roles("uuuu...." + "RRR---" + "rr"))


def test_part_that_no_unread_draw_reaches_rests_on_labels_only() -> None:
    """Labels only (2 + 8/2 + 6/3)/16. The classifier says yes to 3 of 8, and errs evenly there."""
    frame = partly()
    part = domain(frame)
    assert [(len(one.rows), one.unread) for one in part.parts] == [(8, True), (6, False)]
    scores = marks("11001000" + "110111" + "00")
    for name, value in ((LABELS, 8 / 16), (DIFFERENCE, (2 + 3 + 2) / 16)):
        found = estimate(name, frame, part, said(frame, CODED, scores), RULES)
        assert found.value == pytest.approx(value)
        assert found.note == ("" if name == LABELS else PARTLY_CONFIRMED.format(6))
        assert found.df[CORPUS] == 3 + 2
        errors = 0 if name == DIFFERENCE else 1 / 3  # s² of the four errors, of the four codes
        assert found.variance[CORPUS] == pytest.approx(
            (8 / 16) ** 2 * 0.5 * errors / 4 + (6 / 16) ** 2 * 0.5 * (1 / 3) / 3
        )
        assert found.chance.settled == pytest.approx(2 / 16)
        assert found.chance.coded == 7


def test_what_the_classifier_says_where_no_unread_draw_reaches_changes_nothing() -> None:
    frame = partly()
    part = domain(frame)
    for name in (POST, DIFFERENCE):
        one, two = (
            estimate(name, frame, part, said(frame, CODED, marks("11001000" + there)), RULES)
            for there in ("10000011", "01111100")
        )
        assert (one.value, one.variance, one.note) == (two.value, two.variance, two.note)


def test_group_that_no_unread_draw_reaches_says_so() -> None:
    passages = roles("uuuu...." + "RRR---" + "rr", groups="aaaaaaaabbbbbbaa")
    frame = population(passages)
    part = domain(frame, "b")
    data = said(frame, CODED, marks("11001000" + "110111" + "00"))
    labels = estimate(LABELS, frame, part, data, RULES)
    assert (labels.value, labels.note) == (pytest.approx(1 / 3), "")
    for name in (POST, DIFFERENCE):
        found = estimate(name, frame, part, data, RULES)
        assert (found.value, found.variance) == (labels.value, labels.variance)
        assert found.note == NOT_CONFIRMED
        assert estimate(name, frame, domain(frame, "a"), data, RULES).note == ""


def test_rest_without_a_coded_passage_is_not_estimable_and_bounded_by_what_is_known() -> None:
    frame = population(roles("rrr..uu..", groups="aaaaabbbb"))
    data = said(frame, marks("11010"), np.zeros(9))
    for name in CORRECTED:
        found = estimate(name, frame, domain(frame, "a"), data, RULES)
        assert found.missing == dict.fromkeys(
            TARGETS,
            "not estimable: none of 2 passages that are left was coded; what is known puts the "
            "share between 0.400 and 0.800",
        )
        assert (found.coded, np.isnan(found.value)) == (3, True)
        assert estimate(name, frame, domain(frame), data, RULES).missing == {}


# --- nothing unread -------------------------------------------------------------------------------


def test_with_nothing_unread_corrected_estimates_are_exploratory() -> None:
    truth = corpus(7, sources=40)
    passages, table = sampled(truth, 3)
    classic = read((passages, table))
    # The same draw, on record as one that was read: weights and strata as they were.
    role = np.where(passages["weight"].notna(), "development", "")
    looked = passages.assign(
        random_share=1.0, estimable=True, role=role, read_weight=passages["weight"],
        unread_frame=False,
    )  # fmt: skip
    frame, data = read((looked, table))
    assert not frame.confirmed
    assert not is_confirmed(looked)
    assert is_confirmed(passages)  # without roles on record: the classic design
    assert (data.fitted == classic[1].fitted).all()
    for group in ("all", "press"):
        for name in CORRECTED:
            found = estimate(name, frame, domain(frame, group), data, RULES)
            before = estimate(name, classic[0], domain(classic[0], group), classic[1], RULES)
            assert (found.value, found.variance) == (before.value, before.variance)
            assert found.note == ("" if name == LABELS else EXPLORATORY)
        part = domain(frame, group)
        weight, label = frame.weight[part.coded], data.label[part.coded]
        hajek = estimate(LABELS, frame, part, data, RULES).value
        assert hajek == pytest.approx((weight * label).sum() / weight.sum())


def test_what_is_coded_whole_is_not_exploratory() -> None:
    frame = population(roles("RRRR--", groups="aabbbb", strata="xxyyyy"))
    data = said(frame, marks("1010"), marks("110011"))
    found = estimate(DIFFERENCE, frame, domain(frame, "a"), data, RULES)
    assert (found.value, found.complete, found.note) == (0.5, True, "")
    assert EXPLORATORY in estimate(DIFFERENCE, frame, domain(frame), data, RULES).note


def test_tables_lead_with_labels_only_until_something_is_unread() -> None:
    for name in ESTIMATORS:
        setting = config(headline={"estimator": name, "target": TEXTS})
        assert leading(setting, True) == {"estimator": name, "target": TEXTS}
        led = COUNT if name == COUNT else LABELS
        assert leading(setting, False) == {"estimator": led, "target": TEXTS}
        assert setting["inference"]["headline"]["estimator"] == name  # itself left alone
