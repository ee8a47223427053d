"""Estimators of shares: known answers, exhaustive enumeration, identities, what is refused.

Known answers are those of the literature's formulas on two strata, A (6 of 40 drawn) and B (6 of
60); see ``inference_samples.known``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from framing.inference.contrasts import contrast
from framing.inference.design import (
    CORPUS,
    TARGETS,
    TEXTS,
    Domain,
    Population,
    cluster_deviations,
    domain,
    part_of,
    population,
    stratum_deviations,
)
from framing.inference.estimators import (
    CORRECTED,
    COUNT,
    DIFFERENCE,
    ESTIMATORS,
    LABELS,
    LONELY,
    NO_CODED,
    NO_PASSAGE,
    ONE_CODED_SOURCE,
    ONE_SOURCE,
    POST,
    TOO_FEW,
    Estimate,
    calibrate,
    cell_means,
    corrected_mean,
    estimate,
)
from framing.inference.outcomes import Outcome, outcome, prediction_powered, weighted_slope
from tests.unit.inference_samples import (
    KNOWN_CODES,
    corpus,
    drawn_from,
    known,
    marks,
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
    sources, so it gets the sum of squares about 0 instead of about each stratum's mean, which is
    4/3 · (.0755556² + .0044444² + .0933333² + .0133333²) = .139606².
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
    assert error(found, TEXTS) == pytest.approx(0.139606, abs=SIX)
    assert found.df[TEXTS] == 3
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
    frame = population(drawn_from("x" * 12, HALF_DRAWN, sources=FOUR_SOURCES))
    data = said(frame, CARRYING[HALF_DRAWN], PREDICTED)
    found = estimate(DIFFERENCE, frame, domain(frame), data, RULES)
    assert found.value == pytest.approx(0.416667, abs=SIX)
    assert error(found, TEXTS) == pytest.approx(0.209718, abs=SIX)


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
    clusters = len(np.unique(coded_source))
    assert found.variance[TEXTS] == pytest.approx(
        clusters / (clusters - 1) * np.square(by_source).sum(), rel=1e-6
    )


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


@examples(max_examples=25, deadline=None)
@given(surveys(), st.sampled_from(["all", "council", "press"]))
def test_least_squares_slope_on_the_decision_is_post_stratification(
    survey: Survey, group: str
) -> None:
    frame, data = read(survey)
    part = domain(frame, group)
    found = estimate(POST, frame, part, data, RULES)
    cell = data.decision[part.rows]
    sizes, coded = (
        np.bincount(cell),
        np.bincount(cell[part.place], minlength=len(np.bincount(cell))),
    )
    # A cell coded whole counts without weights, in post-stratification only.
    assume(len(part.coded) and not found.note and (coded < sizes)[sizes > 0].all())
    score = data.decision[part.rows].astype(float)
    label = data.label[part.coded]
    weight = frame.weight[part.coded]
    slope = weighted_slope(score[part.place], label, weight)
    tuned = corrected_mean(slope * score, part.place, label, weight)
    assert found.value == pytest.approx(tuned.value, abs=1e-12)


@examples(max_examples=25, deadline=None)
@given(surveys(), st.sampled_from(["all", "council", "press"]))
def test_averages_of_codes_stay_within_the_unit(survey: Survey, group: str) -> None:
    frame, data = read(survey)
    part = domain(frame, group)
    for name in (COUNT, LABELS, POST):
        found = estimate(name, frame, part, data, RULES)
        if found.coded:
            assert -1e-12 <= found.value <= 1 + 1e-12


@examples(max_examples=30, deadline=None)
@given(surveys(), st.sampled_from(["all", "council"]))
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
        assert found.missing == other.missing
        assert found.barred == other.barred
        if found.coded:
            assert other.value == pytest.approx(1 - found.value, abs=1e-9)
            for target in TARGETS:
                assert other.variance[target] == pytest.approx(found.variance[target], abs=1e-12)


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


@examples(max_examples=25, deadline=None)
@given(surveys(), st.randoms(use_true_random=False))
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
        (("xxyyy", "11110", "aabba", "ststs"), {}, {CORPUS: TOO_FEW}),
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
    # Sources s 1, t 1, u 1 of 2; deviations from .75 over 4: .0625, .0625, −.125.
    assert whole.variance[TEXTS] == pytest.approx(3 / 2 * (2 * 0.0625**2 + 0.125**2))
    assert whole.df == {CORPUS: np.inf, TEXTS: 2}


def test_effective_size_and_degrees_are_those_of_the_coded() -> None:
    frame, data = known()
    found = estimate(LABELS, frame, domain(frame), data, RULES)
    assert found.effective == pytest.approx(100**2 / (6 * (40 / 6) ** 2 + 6 * 10**2))
    assert found.df == {CORPUS: 10, TEXTS: 11}
    assert (found.coded, found.positives) == (12, 6)


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
