"""The classifier: exact where it can be, honest about what it has seen."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score

from framing.classifier.baselines import BASELINES, MAJORITY, baseline
from framing.classifier.classifier import (
    cross_fit,
    fit_linear,
    fold_of,
    folds_of,
    targets,
    train,
)
from framing.classifier.comparison import learning_scores
from framing.classifier.features import closeness_of, collect, learn_space, stem, transform
from framing.classifier.logistic import best_threshold, fit_logistic, fit_sigmoid
from framing.classifier.model_file import model_data, model_text, one_hit, predict, read_model
from framing.classifier.novelty import is_unfamiliar, learn_usual, measures
from framing.classifier.scores import combine_codes, score_code, training_rows
from framing.classifier.similarity import NO_RULES
from framing.common.problems import InputError
from framing.corpus.word_counts import counts_of

SETTINGS = {
    "folds": 4, "inner_folds": 3, "seed": 5, "labels": "shares", "stem": True, "min_passages": 2,
    "C": 1.0, "word_scale": 1.0, "cue_scale": 1.0, "pattern_scale": 0.5, "similarity_scale": 1.0,
    "similarity_words": 3, "similarity_pairs": 2, "exemplar_weight": 0.5, "class_weight": "none",
    "unfamiliar_quantile": 0.95,
}  # fmt: skip
VOTES = {"yes": 1, "no": -1}
PATTERNS = pd.DataFrame([("yes", 1), ("yes", 2), ("no", 1)], columns=["cue", "pattern"])
RULES = pd.DataFrame(
    [
        ("c/present/1", "speaking", "speak", 1),
        ("c/present/1", "w1", "w1", 1),
        ("c/not_enough/1", "w2", "w2", 2),
    ],
    columns=["rule", "word", "stem", "count"],
)


def population(seed, sources=24, each=6, signal=True):
    """Make passages whose code depends on one word and one pattern of a cue, or on nothing."""
    rng, noise = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    words, hits, names, labels = [], [], [], []
    for source in range(sources):
        for _ in range(each):
            label = int(rng.random() < 0.35)
            shown = label if signal else int(rng.random() < 0.35)
            bag = {f"w{n}": int(rng.integers(1, 3)) for n in rng.choice(30, 8, replace=False)}
            if rng.random() < (0.7 if shown else 0.1):
                bag["speaking"] = 1
            cue = {"yes/1": 1} if rng.random() < (0.6 if shown else 0.1) else {}
            cue |= {"yes/2": 1} if noise.random() < 0.1 else {}
            words.append(bag)
            hits.append(cue | ({"no/1": 1} if rng.random() < 0.2 else {}))
            names.append(f"s{source}")
            labels.append(label)
    passages = pd.DataFrame(
        {"passage_id": [f"p{n}" for n in range(len(names))], "source_id": names, "weight": 1.0}
    )
    return passages, words, hits, agreed(passages.passage_id, labels)


def agreed(ids, labels):
    """Return combined codes on which all coders agree."""
    return pd.DataFrame({"passage_id": list(ids), "label": labels, "share": np.array(labels) / 1})


def scored(facts, passages, labels, taught, settings):
    """Return scores, final classifier and what scores were made by, of one yes/no code."""
    rows = training_rows(passages, labels, taught, settings["exemplar_weight"])
    own = labels.assign(code="c")
    return score_code(["c"], facts, passages, own, rows, settings, train)


def flip(labels, chosen):
    """Return the labels with those of the ``chosen`` rows turned round."""
    turned = np.where(chosen, 1 - labels["label"], labels["label"])
    return labels.assign(label=turned, share=turned.astype(float))


def word_rows(ids, words):
    return counts_of(zip(ids, words, strict=True), stem)


def hit_rows(ids, hits):
    rows = [
        (name, *key.split("/"), n)
        for name, own in zip(ids, hits, strict=True)
        for key, n in own.items()
    ]
    table = pd.DataFrame(rows, columns=["passage_id", "cue", "pattern", "hits"])
    return table.astype({"pattern": int, "hits": int})


def closeness(words, settings=SETTINGS):
    """Return how close words are to the rules, by these passages."""
    ids = [f"r{n}" for n in range(len(words))]
    return closeness_of(ids, word_rows(ids, words), RULES, settings)


def facts_of(words, hits, close=None, stemmed=True):
    ids = [f"r{n}" for n in range(len(words))]
    return collect(
        ids, word_rows(ids, words), hit_rows(ids, hits), PATTERNS,
        closeness(words) if close is None else close, stemmed=stemmed,
    )  # fmt: skip


def test_words_are_weighted_as_scikit_learn_weights_them():
    _, words, hits, _ = population(1)
    facts = facts_of(words, hits)
    rows = np.arange(40)
    space = learn_space(facts, rows, SETTINGS | {"min_passages": 1})
    ours = transform(facts, space, rows).toarray()
    theirs = TfidfTransformer(sublinear_tf=True).fit_transform(facts.words[rows][:, space.columns])
    assert np.allclose(ours[:, : len(space.columns)], theirs.toarray(), atol=1e-12)


def test_stems_are_merged():
    words, none = [{"speaks": 1, "speaking": 2}], [{}]
    facts = facts_of(words, none, NO_RULES)
    assert facts.terms == ("speak",)
    assert facts.words.toarray().tolist() == [[3.0]]
    assert facts_of(words, none, NO_RULES, stemmed=False).terms == ("speaking", "speaks")


def test_hits_count_for_the_cue_and_at_a_scale_of_their_own_for_the_pattern():
    hits = [{"yes/1": 1, "yes/2": 2}, {"no/1": 1}, {}]
    facts = facts_of([{"a": 1}] * 3, hits, NO_RULES)
    assert (facts.cue_names, facts.pattern_names) == (("yes", "no"), ("yes/1", "yes/2", "no/1"))
    rows = np.array([2, 0, 1])
    made = transform(facts, learn_space(facts, rows, SETTINGS), rows).toarray()[:, 1:]
    one, two, three = np.log1p([1, 2, 3])
    assert made == pytest.approx(np.array([
        [0, 0, 0, 0, 0],
        [three, 0, one / 2, two / 2, 0],
        [0, one, 0, 0, one / 2],
    ]))  # fmt: skip


def test_similarities_have_the_length_that_is_asked_for():
    _, words, hits, _ = population(2)
    facts = facts_of(words, hits)
    rows = np.arange(len(words))
    changed = SETTINGS | {"similarity_scale": 0.7}
    block = transform(facts, learn_space(facts, rows, changed), rows).toarray()[:, -2:]
    assert np.sqrt((block**2).sum(axis=1).mean()) == pytest.approx(0.7, abs=1e-4)


def test_logistic_regression_is_solved_to_its_optimum():
    rng = np.random.default_rng(3)
    features = sparse.csr_matrix(rng.normal(size=(30, 80)) * (rng.random((30, 80)) < 0.3))
    labels, weights = rng.integers(0, 2, 30), rng.random(30) + 0.5
    share = np.where(rng.random(30) < 0.5, labels, rng.random(30))  # some passages are contested
    present, absent = weights * share, weights * (1 - share)
    coefficients, intercept = fit_logistic(features, present, absent, 2.0)
    error = weights * (expit(features @ coefficients + intercept) - share)
    gradient = 2.0 * (features.T @ error) + coefficients
    assert np.abs(gradient).max() < 1e-9
    assert abs(error.sum()) < 1e-9


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 1.0, 100.0]), st.booleans())
def test_the_optimum_is_that_of_scikit_learn(seed, strength, separable):
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(40, 12)) * (rng.random((40, 12)) < 0.5)
    labels = (dense[:, 0] > 0).astype(int) if separable else rng.integers(0, 2, 40)
    labels[:2] = (0, 1)
    weights = rng.random(40) + 0.1
    theirs = LogisticRegression(C=strength, solver="newton-cg", tol=1e-12, max_iter=1000)
    theirs.fit(dense, labels, sample_weight=weights)
    coefficients, intercept = fit_logistic(
        sparse.csr_matrix(dense), weights * labels, weights * (1 - labels), strength
    )
    assert coefficients == pytest.approx(theirs.coef_[0], abs=1e-6)
    assert intercept == pytest.approx(theirs.intercept_[0], abs=1e-6)


def test_calibration_is_plattes_with_smoothed_targets():
    rng = np.random.default_rng(4)
    scores = rng.normal(size=200)
    labels = (rng.random(200) < expit(2 * scores - 1)).astype(int)
    slope, offset = fit_sigmoid(scores, labels, np.ones(200))
    positives = labels.sum()
    target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (200 - positives + 2))
    error = expit(slope * scores + offset) - target
    assert abs(error.sum()) < 1e-3
    assert abs((error * scores).sum()) < 1e-3


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.integers(0, 1), st.integers(1, 3)),
        min_size=1,
    ).filter(lambda rows: any(label for _, label, _ in rows))
)
def test_no_threshold_has_a_better_f1(rows):
    probabilities, labels, weights = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )

    def f1(threshold):
        found = probabilities >= threshold
        right = weights[found & (labels == 1)].sum()
        return 2 * right / (weights[found].sum() + weights[labels == 1].sum())

    chosen = best_threshold(probabilities, labels, weights)
    scores = {threshold: f1(threshold) for threshold in np.unique(probabilities)}
    best = max(scores.values())
    theirs = f1_score(labels, probabilities >= chosen, sample_weight=weights, zero_division=0)
    assert f1(chosen) == pytest.approx(best) == pytest.approx(theirs)
    assert not any(score > best - 1e-8 for other, score in scores.items() if other > chosen)


@pytest.mark.parametrize("level", ["outer", "inner"])
def test_a_source_stays_in_its_fold_whatever_is_added(level):
    names = [f"s{n // 3}" for n in range(60)] + [""]
    alone = folds_of(names, SETTINGS, level)
    added = [*(f"new{n}" for n in range(40)), *reversed(names), "zz"]
    together = folds_of(added, SETTINGS, level)
    assert together[40:-1][::-1].tolist() == alone.tolist()
    assert alone[-1] == -1 and len(set(alone)) > 2


def test_folds_are_of_one_size_and_levels_are_independent():
    many = [fold_of(f"s{n}", 5, 1, "outer") for n in range(1000)]
    assert min(np.bincount(many, minlength=5)) > 150
    assert many != [fold_of(f"s{n}", 5, 1, "inner") for n in range(1000)]


@pytest.fixture(scope="module")
def fitted():
    passages, words, hits, labels = population(7)
    facts = facts_of(words, hits)
    scores, final, fits = scored(facts, passages, labels, [], SETTINGS)
    return passages, facts, labels, scores, final, fits.usual


def test_a_signal_is_learned_and_probabilities_are_calibrated(fitted):
    _, _, _, scores, _, _ = fitted
    label, probability = scores["label"].astype(int), scores["probability"]
    assert average_precision_score(label, probability) > label.mean() + 0.2
    assert abs(probability.mean() - label.mean()) < 0.06


def test_probabilities_of_a_fold_do_not_depend_on_the_labels_of_its_sources(fitted):
    passages, facts, labels, scores, _, _ = fitted
    inside = scores["fold"] == 2
    flipped = flip(labels, inside)
    again, *_ = scored(facts, passages, flipped, [], SETTINGS)
    assert again.loc[inside, "probability"].tolist() == scores.loc[inside, "probability"].tolist()
    assert again.loc[inside, "decision"].tolist() == scores.loc[inside, "decision"].tolist()
    assert again.loc[~inside, "probability"].tolist() != scores.loc[~inside, "probability"].tolist()


@pytest.mark.slow
def test_shuffled_labels_give_chance_level():
    precision, base = [], []
    for seed in range(6):
        passages, words, hits, labels = population(100 + seed, signal=False)
        scores, *_ = scored(facts_of(words, hits), passages, labels, [], SETTINGS)
        precision.append(average_precision_score(labels["label"], scores["probability"]))
        base.append(labels["label"].mean())
    # Six runs of 144 passages: the standard error of the mean difference is about .02.
    assert abs(np.mean(precision) - np.mean(base)) < 0.07


def test_a_word_that_only_marks_a_source_does_not_help():
    passages, words, hits, _ = population(11, signal=False)
    carrying = passages["source_id"].str.fullmatch(r"s\d*[02468]")
    marked = [
        bag | {f"mark{name}": 5} for bag, name in zip(words, passages["source_id"], strict=True)
    ]
    labels = agreed(passages["passage_id"], carrying.astype(int))
    scores, *_ = scored(facts_of(marked, hits), passages, labels, [], SETTINGS)
    assert (
        average_precision_score(labels["label"], scores["probability"])
        < labels["label"].mean() + 0.1
    )


def test_exemplars_teach_but_never_calibrate():
    passages, words, hits, labels = population(13)
    taught = [{"speaking": 1, "w1": 1}, {"w2": 1, "w3": 1}]
    facts = facts_of([*words, *taught], [*hits, {"yes/1": 1}, {}])
    rows = training_rows(passages, labels, [1, 0], 3.0)
    assert rows.design[-2:].tolist() == [0, 0]
    assert rows.sources[-2:].tolist() == ["", ""]
    without = training_rows(passages, labels, [1, 0], 0.0)
    with_exemplars = train(facts, rows, SETTINGS)
    plain = train(facts, without, SETTINGS)
    assert not np.allclose(with_exemplars.scorer.intercept, plain.scorer.intercept)
    assert len(without.rows) == len(passages)


@pytest.mark.parametrize(
    ("value", "said"), [(0, "no passage carries"), (1, "every passage carries")]
)
def test_one_class_only_gives_a_constant_and_says_why(value, said):
    passages, words, hits, _ = population(17, sources=8)
    facts = facts_of(words, hits)
    one = agreed(passages["passage_id"], [value] * len(passages))
    training = training_rows(passages, one, [], 0.5)
    fit = cross_fit(facts, list(passages["source_id"]), training, SETTINGS)
    assert all(said in classifier.reason for classifier in fit.classifiers)
    assert set(fit.decisions) == {value}
    assert ((fit.probabilities > 0) & (fit.probabilities < 1)).all()


def test_the_stored_model_says_what_the_classifier_says(fitted):
    passages, words, hits, _ = population(7)
    _, facts, _, scores, final, usual = fitted
    data = json.loads(model_text(model_data("c", final, usual, facts, SETTINGS, {})))
    direct = final.probabilities(facts, np.arange(len(passages)))
    strange = is_unfamiliar(facts, usual, np.arange(len(passages)))
    for row in range(0, len(passages), 5):
        said = predict(data, words[row], hits[row])
        assert said.probability == pytest.approx(direct[row], abs=5e-6)
        assert said.decision == int(direct[row] >= final.threshold)
        assert said.unfamiliar == strange[row] == scores["unfamiliar"][row]
    first, second = one_hit(data, "yes", {1: 4}), one_hit(data, "yes", {2: 1})
    assert first > second + 0.05  # only the first pattern tells
    assert first > 3 * abs(one_hit(data, "no", {1: 1}))
    assert one_hit(data, "yes", {1: 3, 2: 1}) == pytest.approx((3 * first + second) / 4, abs=2e-6)
    assert one_hit(data, "yes", {}) == pytest.approx((first + second) / 2, abs=2e-6)


def test_the_parts_of_a_prediction_add_up_and_name_what_spoke(fitted):
    _, facts, _, _, final, usual = fitted
    data = model_data("c", final, usual, facts, SETTINGS, {})
    said = predict(data, {"speaking": 2, "w1": 1, "never-seen": 1}, {"yes/2": 2, "no/1": 1})
    score = sum(amount for _, _, amount in said.parts)
    assert said.probability == pytest.approx(
        expit(data["slope"] * score + data["offset"]), abs=1e-6
    )
    named = [part[:2] for part in said.parts]
    for one in (("cue", "yes"), ("pattern", "yes/2"), ("rule", "c/present/1")):
        assert one in named
    assert ("pattern", "yes/1") not in named
    assert "never-seen" not in [name for _, name, _ in said.parts]
    assert said.unknown == pytest.approx(0.25)


def test_a_stored_model_is_read_back_and_its_digest_guards_it(fitted, tmp_path):
    _, facts, _, _, final, usual = fitted
    data = model_data("c", final, usual, facts, SETTINGS, {})
    path = tmp_path / "c.json"
    path.write_text(model_text(data), encoding="utf-8")
    assert read_model(path) == json.loads(model_text(data))
    path.write_text(model_text({**data, "threshold": 0.9}), encoding="utf-8")
    with pytest.raises(InputError, match="was changed"):
        read_model(path)


def test_a_passage_in_another_language_is_unfamiliar(fitted):
    passages, words, hits, labels = population(7)
    strange = {f"mot{n}": 1 for n in range(12)}
    facts = facts_of([*words, strange, {}], [*hits, {}, {}])
    training = training_rows(passages, labels, [], 0.0)
    usual = learn_usual(facts, training, SETTINGS)
    found = is_unfamiliar(facts, usual, np.arange(len(words) + 2))
    assert found[-2:].tolist() == [1, 1]
    assert found[:-2].mean() <= 0.1
    unknown, similar = measures(facts, usual.space, usual.centre, np.array([len(words)]))
    assert (unknown[0], similar[0]) == (1.0, 0.0)


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_see_nothing_of_the_sources_they_predict(name, fitted):
    passages, facts, labels, scores, _, _ = fitted
    names = list(passages["source_id"])
    training = training_rows(passages, labels, [], 0.0)
    inside = (scores["fold"] == 1).to_numpy()
    flipped = flip(labels, inside)
    other = training_rows(passages, flipped, [], 0.0)
    first = cross_fit(facts, names, training, SETTINGS, baseline(name, VOTES))
    again = cross_fit(facts, names, other, SETTINGS, baseline(name, VOTES))
    assert first.probabilities[inside].tolist() == again.probabilities[inside].tolist()
    assert first.decisions[inside].tolist() == again.decisions[inside].tolist()
    if name == MAJORITY:
        assert not first.decisions.any()
    else:
        gained = average_precision_score(labels["label"], first.probabilities)
        assert gained > labels["label"].mean() + 0.1


def contested(passages, labels, seed=3):
    """Return the labels with half of the passages that carry the code found by two of three."""
    doubt = (np.random.default_rng(seed).random(len(labels)) < 0.5) & (labels["label"] == 1)
    return labels.assign(share=np.where(doubt, 2 / 3, labels["share"]))


def test_shares_are_learned_and_the_combined_code_calibrates(fitted):
    passages, facts, labels, _, _, _ = fitted
    doubted = contested(passages, labels)
    training = training_rows(passages, doubted, [], 0.0)
    present, absent = targets(training, SETTINGS)
    assert present == pytest.approx(doubted["share"])
    assert present + absent == pytest.approx(np.ones(len(labels)))
    majority = SETTINGS | {"labels": "majority"}
    assert targets(training, majority)[0].tolist() == labels["label"].tolist()
    agreed_on = training_rows(passages, labels, [], 0.0)
    same = train(facts, training, majority), train(facts, agreed_on, SETTINGS)
    assert same[0].scorer.coefficients.tolist() == same[1].scorer.coefficients.tolist()
    shares = train(facts, training, SETTINGS)
    assert shares.scorer.intercept < same[0].scorer.intercept - 0.1
    # Whatever is learned, probabilities are those of the combined code.
    rows = np.arange(len(passages))
    assert abs(shares.probabilities(facts, rows).mean() - labels["label"].mean()) < 0.06


def test_a_share_is_worth_its_part_of_a_passage_present_and_the_rest_absent(fitted):
    passages, facts, labels, _, _, _ = fitted
    doubted = contested(passages, labels)
    split = training_rows(passages, doubted, [], 0.0)
    twice = split.take(np.repeat(np.arange(len(labels)), 2))
    value = np.tile([1.0, 0.0], len(labels))
    share = np.repeat(doubted["share"].to_numpy(), 2)
    copied = replace(twice, shares=value, weights=np.where(value == 1, share, 1 - share))
    changed = SETTINGS | {"min_passages": 1}
    first = fit_linear(facts, split, changed)
    idf = fit_linear(facts, copied, changed)
    # Document frequencies see every passage twice, which the smoothing shows a little.
    assert first.coefficients == pytest.approx(idf.coefficients, abs=0.02)


@pytest.mark.parametrize("labels_by", ["shares", "majority"])
def test_balanced_classes_weigh_alike(fitted, labels_by):
    passages, _, labels, _, _, _ = fitted
    training = training_rows(passages, contested(passages, labels), [], 0.0)
    present, absent = targets(
        training, SETTINGS | {"class_weight": "balanced", "labels": labels_by}
    )
    assert present.sum() == pytest.approx(absent.sum())
    assert present.sum() + absent.sum() == pytest.approx(len(labels))


def test_more_sources_teach_more_and_a_whole_share_is_the_whole(fitted):
    passages, facts, labels, _, _, _ = fitted
    training = training_rows(passages, labels, [], 0.0)
    table = learning_scores(
        ["c"], facts, passages, training, SETTINGS, fit_linear, lambda scores: scores,
        [0.25, 1.0], 3,
    )  # fmt: skip
    whole = table[table["share"] == 1.0].pivot(index="passage_id", columns="repeat", values="score")
    assert (whole.to_numpy() == whole.to_numpy()[:, :1]).all()
    taught = table.drop_duplicates(["share", "repeat"]).groupby("share")["passages"].mean()
    assert taught[0.25] < taught[1.0] / 2
    part = table[table["share"] == 0.25].pivot(index="passage_id", columns="repeat", values="score")
    assert (part.to_numpy() != part.to_numpy()[:, :1]).any(axis=1).mean() > 0.9


def test_the_digest_of_a_model_covers_its_weights(fitted):
    _, facts, _, _, final, usual = fitted
    one = model_data("c", final, usual, facts, SETTINGS, {})
    other = model_data("c", final, usual, facts, SETTINGS | {"C": 2.0}, {})
    assert one["digest"] == model_data("c", final, usual, facts, SETTINGS, {})["digest"]
    assert one["digest"] != other["digest"]


def test_combinations_of_codes():
    rows = [
        ("p1", "a", 0, 1, 0.5, 1, 0), ("p2", "a", 0, None, 0.2, 0, 1),
        ("p1", "b", 0, 0, 0.4, 1, 0), ("p2", "b", 0, None, 0.5, 1, 1),
    ]  # fmt: skip
    columns = ["passage_id", "code", "fold", "label", "probability", "decision", "unfamiliar"]
    scores = pd.DataFrame(rows, columns=columns).astype({"label": "Int64"})
    rules = {
        "both": {"all": ["a", "b"]},
        "either": {"any": ["a", "b"]},
        "a-alone": {"all": ["a"], "none": ["b"]},
    }
    table = combine_codes(scores, rules).set_index(["code", "passage_id"])
    assert table["probability"].to_dict() == pytest.approx(
        {("both", "p1"): 0.2, ("both", "p2"): 0.1, ("either", "p1"): 0.7, ("either", "p2"): 0.6,
         ("a-alone", "p1"): 0.3, ("a-alone", "p2"): 0.1}
    )  # fmt: skip
    first = table.xs("p1", level="passage_id")
    assert first["label"].to_dict() == {"both": 0, "either": 1, "a-alone": 1}
    assert first["decision"].to_dict() == {"both": 1, "either": 1, "a-alone": 0}
    assert table.xs("p2", level="passage_id")["label"].isna().all()
    assert combine_codes(scores, {}).empty
