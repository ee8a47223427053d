"""The classifier of codes with several levels: one level a passage, and no source's own codes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import average_precision_score

from framing.classifier.baselines import BASELINES
from framing.classifier.classifier import LinearScorer, cross_fit, train
from framing.classifier.features import FeatureSpace, closeness_of
from framing.classifier.inputs import Further, Tables, variable_named
from framing.classifier.learners import learner_of
from framing.classifier.level_model import level_hit, level_model_data, predict_level
from framing.classifier.level_model import softmax as at
from framing.classifier.levels import (
    ONE_LEVEL,
    UNCALIBRATED,
    LevelClassifier,
    constant_levels,
    fit_levels,
    level_rows,
    level_targets,
    log_odds,
    train_levels,
)
from framing.classifier.model_file import model_text, one_hit, read_model
from framing.classifier.novelty import learn_usual
from framing.classifier.scores import SCORE_COLUMNS, in_order, training_rows
from framing.classifier.similarity import NO_RULES
from framing.classifier.stored import predict, reader_of
from framing.classifier.training import evaluate_code, further_scores, material, train_code
from framing.codebook.codes import Code, read_code
from framing.coding.variables import Variable, variables_of
from framing.common.problems import InputError

from .test_model import (
    PATTERNS,
    RULES,
    SETTINGS,
    agreed,
    facts_of,
    hit_rows,
    population,
    word_rows,
)

UP, DOWN, EVEN = "s.up", "s.down", "s.even"
INDICATORS = [UP, DOWN, EVEN]
VOTES = pd.DataFrame([("yes", UP, 1), ("no", DOWN, 1), ("no", UP, -1)],
                     columns=["cue", "code", "vote"])  # fmt: skip
PLAN = {"ablations": {"cues alone": {"word_scale": 0}}, "learning": {"shares": [0.5, 1.0],
        "repeats": 2}}  # fmt: skip


def code(levels=("up", "down", "even"), kind="one of") -> Code:
    entry = {"label": "Side", "definition": "d", "kind": kind}
    return read_code("s", entry | {"levels": [{"level": name} for name in levels]})


def variable(levels=("up", "down", "even"), kind="one of") -> Variable:
    return variables_of({"s": code(levels, kind)})[0]


def peopled(seed, sources=24, each=6):
    """Make passages of which a word and a cue tell one level, and another cue another."""
    rng = np.random.default_rng(seed)
    words, hits, names, levels = [], [], [], []
    for source in range(sources):
        for _ in range(each):
            level = int(rng.choice(3, p=[0.3, 0.25, 0.45]))
            bag = {f"w{n}": int(rng.integers(1, 3)) for n in rng.choice(30, 8, replace=False)}
            if rng.random() < (0.7 if level == 0 else 0.1):
                bag["speaking"] = 1
            words.append(bag)
            hits.append(
                ({"yes/1": 1} if rng.random() < (0.5 if level == 0 else 0.1) else {})
                | ({"no/1": 1} if rng.random() < (0.7 if level == 1 else 0.1) else {})
            )
            names.append(f"s{source}")
            levels.append(level)
    passages = pd.DataFrame(
        {"passage_id": [f"p{n}" for n in range(len(names))], "source_id": names, "weight": 1.0}
    )
    return passages, words, hits, coded(passages["passage_id"], np.array(levels))


def coded(ids, levels, shares=None, names=INDICATORS):
    """Return labels of the indicators; ``shares`` (rows × levels): by default all coders agree."""
    hot = np.eye(len(names))[levels]
    shares = hot if shares is None else shares
    parts = [
        pd.DataFrame({"passage_id": list(ids), "code": name, "label": hot[:, n].astype(int),
                      "share": shares[:, n]})
        for n, name in enumerate(names)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


NONE = pd.DataFrame({"passage_id": [], "code": [], "label": []}).astype({"label": int})
EXEMPLARS = pd.DataFrame(
    [("x/1", UP, 1), ("x/2", DOWN, 0), ("x/3", EVEN, 1)], columns=["passage_id", "code", "label"]
)


def tables(seed=7, exemplars=NONE, change=lambda labels: labels, sources=24):
    passages, words, hits, labels = peopled(seed, sources)
    taught = list(exemplars["passage_id"])
    ids = [*passages["passage_id"], *taught]
    table = word_rows(ids, [*words, *({"speaking": 1, "w1": 1} for _ in taught)])
    return Tables(
        passages, change(labels), table, hit_rows(ids, [*hits, *({"yes/1": 1} for _ in taught)]),
        PATTERNS, exemplars, closeness_of(ids[: len(passages)], table, RULES, SETTINGS), VOTES,
        variables=[variable()],
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    whole = tables()
    return whole, *train_code("s", whole, SETTINGS)


def wide(scores, column="probability", names=INDICATORS):
    return scores.pivot(index="passage_id", columns="code", values=column)[list(names)]


# --- what is learned from -------------------------------------------------------------------------


def test_rows_are_coded_passages_and_then_exemplars():
    passages = pd.DataFrame(
        {"passage_id": list("abc"), "source_id": ["s", "s", "t"], "weight": [2.0, 1.0, 4.0]}
    )
    shares = np.array([[1 / 3, 2 / 3, 0], [0, 0, 1]])
    labels = coded(["c", "a"], [1, 2], shares).sample(frac=1, random_state=1)
    rows = level_rows(variable(), passages, labels, EXEMPLARS, 0.5)
    assert rows.rows.tolist() == [0, 2, 3, 4, 5]
    assert rows.labels[:2].tolist() == [2, 1]
    assert rows.shares == pytest.approx(
        np.array([[0, 0, 1], [1 / 3, 2 / 3, 0], [1, 0, 0], [0.5, 0, 0.5], [0, 0, 1]])
    )
    assert rows.sources.tolist() == ["s", "t", "", "", ""]
    assert rows.design.tolist() == [2, 4, 0, 0, 0]
    assert rows.weights.tolist() == [1, 1, 0.5, 0.5, 0.5]
    assert len(level_rows(variable(), passages, labels, EXEMPLARS, 0.0).rows) == 2


def test_a_passage_enters_in_the_shares_of_its_coders_or_as_they_say_together():
    passages = pd.DataFrame({"passage_id": ["a"], "source_id": ["s"], "weight": [1.0]})
    labels = coded(["a"], [1], np.array([[1 / 3, 2 / 3, 0]]))
    rows = level_rows(variable(), passages, labels, EXEMPLARS, 0.5)
    found = level_targets(rows, SETTINGS)
    assert found == pytest.approx(rows.weights[:, None] * rows.shares)
    together = level_targets(rows, SETTINGS | {"labels": "majority"})
    assert together[0].tolist() == [0, 1, 0]
    assert together[1:].tolist() == found[1:].tolist()  # a near miss is no level of its own


def test_balanced_levels_weigh_alike_and_one_that_nobody_has_nothing():
    whole = tables(change=lambda labels: without(labels, 2))
    rows = material("s", whole, SETTINGS).training(whole.passages, 0.5)
    for by in ("shares", "majority"):
        found = level_targets(rows, SETTINGS | {"class_weight": "balanced", "labels": by})
        assert found.sum(axis=0) == pytest.approx([72, 72, 0])


def without(labels, level, to=0):
    """Return labels in which all passages of a level have another."""
    levels = wide(labels, "label").to_numpy().argmax(axis=1)
    return coded(wide(labels, "label").index, np.where(levels == level, to, levels))


# --- cross-fitted scores --------------------------------------------------------------------------


def test_every_passage_has_probabilities_that_add_up_and_one_level(trained):
    whole, scores, _, _ = trained
    assert tuple(scores.columns) == SCORE_COLUMNS
    ids = list(whole.passages["passage_id"])
    assert scores["passage_id"].tolist() == ids * 3
    assert scores["code"].tolist() == [name for name in INDICATORS for _ in ids]
    chances, decided = wide(scores), wide(scores, "decision")
    assert chances.sum(axis=1).to_numpy() == pytest.approx(1, abs=2e-6)
    assert (decided.sum(axis=1) == 1).all()
    assert (decided.to_numpy().argmax(axis=1) == chances.to_numpy().argmax(axis=1)).all()
    for column in ("unfamiliar", "fold"):
        found = wide(scores, column).to_numpy()
        assert (found == found[:, :1]).all()
    given = whole.labels.set_index(["passage_id", "code"])["label"]
    made = scores.set_index(["passage_id", "code"])["label"]
    assert (made[given.index] == given).all()


def test_a_signal_is_learned_and_probabilities_are_calibrated(trained):
    _, scores, _, _ = trained
    for _, own in scores.groupby("code"):
        label = own["label"].astype(int)
        assert average_precision_score(label, own["probability"]) > label.mean() + 0.15
        assert abs(own["probability"].mean() - label.mean()) < 0.06
    right = (wide(scores, "label").to_numpy() * wide(scores, "decision").to_numpy()).sum()
    assert right / len(scores) * 3 > 0.6


def test_probabilities_of_a_fold_do_not_depend_on_the_labels_of_its_sources(trained):
    whole, scores, _, _ = trained
    fold = scores.drop_duplicates("passage_id").set_index("passage_id")["fold"]
    levels = wide(whole.labels, "label")
    moved = np.where(fold[levels.index] == 2, 1, 0)
    turned = coded(levels.index, (levels.to_numpy().argmax(axis=1) + moved) % 3)
    again, *_ = train_code("s", replace(whole, labels=turned), SETTINGS)
    inside = scores["fold"] == 2
    columns = ["probability", "decision"]
    assert again.loc[inside, columns].equals(scores.loc[inside, columns])
    assert not again.loc[~inside, columns].equals(scores.loc[~inside, columns])


@pytest.mark.slow
def test_levels_in_another_order_give_the_same(trained):
    whole, scores, model, _ = trained
    turned = replace(whole, variables=[variable(("even", "up", "down"))])
    again, other, _ = train_code("s", turned, SETTINGS)
    assert again["code"].drop_duplicates().tolist() == [EVEN, UP, DOWN]
    pd.testing.assert_frame_equal(wide(again), wide(scores), atol=2e-6)
    assert wide(again, "decision").equals(wide(scores, "decision"))
    weights = model["words"]["speak"]["weight"]
    assert other["words"]["speak"]["weight"] == pytest.approx(
        [weights[2], weights[0], weights[1]], abs=2e-6
    )


def test_an_ordinal_code_is_learned_like_any_other(trained):
    whole, scores, _, _ = trained
    names = {UP: "s.1", DOWN: "s.2", EVEN: "s.3"}
    numbered = replace(
        whole, labels=whole.labels.replace({"code": names}),
        variables=[variable((1, 2, 3), "ordinal")],
    )  # fmt: skip
    again, *_ = train_code("s", numbered, SETTINGS)
    assert again["probability"].tolist() == scores["probability"].tolist()
    assert again["code"].tolist() == scores["code"].map(names).tolist()


@pytest.mark.slow
def test_two_levels_are_a_yes_no_code_with_half_the_penalty():
    passages, words, hits, labels = population(7)
    facts, names = facts_of(words, hits), list(passages["source_id"])
    rows = training_rows(passages, labels, [], 0.5)
    two = variable(("absent", "present"))
    label = labels["label"].to_numpy()
    doubled = coded(labels["passage_id"], label, names=list(two.indicators))
    of_levels = level_rows(two, passages, doubled, NONE, 0.5)
    yes_no = cross_fit(facts, names, rows, SETTINGS | {"C": 2.0}, train)
    levels = cross_fit(facts, names, of_levels, SETTINGS | {"C": 1.0}, train_levels)
    assert levels.probabilities[:, 1] == pytest.approx(yes_no.probabilities, abs=2e-6)


def test_shares_teach_less_where_coders_differ():
    whole = tables()
    levels = wide(whole.labels, "label").to_numpy().argmax(axis=1)
    doubt = np.where(np.arange(len(levels))[:, None] % 2, np.eye(3)[levels],
                     np.eye(3)[levels] * 2 / 3 + np.eye(3)[(levels + 1) % 3] / 3)  # fmt: skip
    ids = wide(whole.labels, "label").index
    doubted = replace(whole, labels=coded(ids, levels, doubt))
    given = [material("s", one, SETTINGS) for one in (whole, doubted)]
    rows = [one.training(whole.passages, 0.0) for one in given]
    certain, doubtful = (fit_levels(given[0].facts, own, SETTINGS) for own in rows)
    assert np.abs(doubtful.coefficients).sum() < np.abs(certain.coefficients).sum()
    majority = SETTINGS | {"labels": "majority"}
    same = fit_levels(given[0].facts, rows[1], majority)
    assert same.coefficients.tolist() == certain.coefficients.tolist()


def test_exemplars_teach_but_never_calibrate():
    taught = tables(exemplars=EXEMPLARS)
    given = material("s", taught, SETTINGS)
    rows = given.training(taught.passages, 3.0)
    plain = rows.take(rows.design > 0)
    first, second = (train_levels(given.facts, one, SETTINGS) for one in (rows, plain))
    assert not np.allclose(first.scorer.intercept, second.scorer.intercept)
    loud = replace(rows, labels=np.where(rows.design > 0, rows.labels, 2))
    again = train_levels(given.facts, loud, SETTINGS)
    assert (again.slope, again.offsets) == (first.slope, first.offsets)


# --- few, or none, of a level ---------------------------------------------------------------------


def test_where_all_passages_have_one_level_a_constant_says_why():
    whole = tables(sources=8, change=lambda labels: without(without(labels, 1), 2))
    scores, model, fits = train_code("s", whole, SETTINGS)
    assert model["reason"] == ONE_LEVEL
    assert model["constant"] == pytest.approx([49 / 51, 1 / 51, 1 / 51], abs=1e-6)
    assert (wide(scores, "decision").to_numpy() == [1, 0, 0]).all()
    said = predict(model, {"a": 1}, {})
    assert (said.cells("s")["s"], said.parts, said.unfamiliar) == ("up", (), False)
    assert json.loads(fits)["classifiers"][0]["scorer"] is None


def test_a_constant_counts_by_design():
    passages = pd.DataFrame(
        {"passage_id": list("abc"), "source_id": list("stu"), "weight": [1.0, 1.0, 4.0]}
    )
    rows = level_rows(variable(), passages, coded("abc", [0, 0, 1]), NONE, 0.5)
    found = constant_levels(rows, "")
    assert found.constant == pytest.approx([2 / 6, 3 / 6, 1 / 6], abs=1e-6)


@pytest.mark.slow
def test_a_level_that_one_source_alone_has_is_foretold_nowhere_else_and_upsets_nothing():
    whole = tables(change=lambda labels: without(labels, 2))
    own = whole.passages["source_id"] == "s3"
    levels = wide(whole.labels, "label").loc[whole.passages["passage_id"]].to_numpy().argmax(axis=1)
    rare = coded(whole.passages["passage_id"], np.where(own, 2, levels))
    before, *_ = train_code("s", whole, SETTINGS)
    scores, *_ = train_code("s", replace(whole, labels=rare), SETTINGS)
    chances = wide(scores)
    assert chances.sum(axis=1).to_numpy() == pytest.approx(1, abs=2e-6)
    inside = chances.loc[whole.passages.loc[own, "passage_id"], EVEN]
    assert inside.between(0, 0.1, inclusive="neither").all()
    assert chances[EVEN].mean() < 0.12
    # In the fold of that source nothing says that there is such a level, and two of the three are
    # told apart as they were.
    fold = scores.loc[scores["passage_id"].isin(inside.index), "fold"].iloc[0]
    there = wide(scores[scores["fold"] == fold]), wide(before[before["fold"] == fold])
    ratio = [np.log(one[UP] / one[DOWN]) for one in there]
    assert np.corrcoef(ratio[0], ratio[1])[0, 1] > 0.9


def test_too_few_sources_to_calibrate_give_a_constant():
    whole = tables(change=lambda labels: without(without(labels, 1), 2))
    own = (whole.passages["source_id"] == "s3").to_numpy()
    rare = coded(whole.passages["passage_id"], own.astype(int))
    rows = level_rows(variable(), whole.passages, rare, NONE, 0.0)
    facts = material("s", whole, SETTINGS).facts
    assert train_levels(facts, rows, SETTINGS).reason == UNCALIBRATED


def test_of_equal_probabilities_the_first_level_counts():
    even = LevelClassifier(None, 0.0, (0.0,) * 3, (0.4, 0.4, 0.2), "")
    chances = even.probabilities(facts_of([{"a": 1}], [{}], NO_RULES), np.array([0]))
    assert even.decisions(chances).tolist() == [[1, 0, 0]]
    assert even.decisions(np.array([[0.2, 0.4, 0.4]])).tolist() == [[0, 1, 0]]


# --- kept and stored ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("change", [{}, {"labels": "majority"}])
def test_scoring_sources_apart_gives_the_numbers_of_scoring_them_together(change):
    chosen = SETTINGS | change
    whole = tables(3, EXEMPLARS)
    first_part = set(whole.passages["passage_id"].iloc[:96])
    whole = replace(whole, labels=whole.labels[whole.labels["passage_id"].isin(first_part)])
    together, model, fits = train_code("s", whole, chosen)
    inside = [*first_part, *EXEMPLARS["passage_id"]]
    part = replace(
        whole, passages=whole.passages.iloc[:96], words=whole.words.rows(inside),
        hits=whole.hits[whole.hits["passage_id"].isin(inside)],
    )  # fmt: skip
    first, model_apart, fits_apart = train_code("s", part, chosen)
    rest = whole.passages.iloc[96:].reset_index(drop=True)
    further = Further(
        rest, whole.words, whole.hits, whole.patterns, whole.closeness, variables=whole.variables
    )
    second = further_scores(further, {"s": fits_apart}, chosen)["s"]
    # Exactly: numbers are the same to the last bit.
    joined = in_order(whole.passages, first, second)
    pd.testing.assert_frame_equal(joined, together, check_dtype=False)
    assert (model, fits) == (model_apart, fits_apart)


def test_the_stored_model_says_what_the_classifier_says():
    whole = tables(5, EXEMPLARS)
    given = material("s", whole, SETTINGS)
    rows = given.training(whole.passages, 0.5)
    final, usual = (
        train_levels(given.facts, rows, SETTINGS),
        learn_usual(given.facts, rows, SETTINGS),
    )
    made = level_model_data(variable(), final, usual, given.facts, SETTINGS, {})
    data = json.loads(model_text(made))
    every = np.arange(len(whole.passages))
    direct = final.probabilities(given.facts, every)
    # The very numbers of the file, by way of the matrices.
    place = {term: column for column, term in enumerate(given.facts.terms)}
    words = sorted(data["words"])
    cues, facts = data["cues"], given.facts
    weights = np.concatenate([
        np.array([data["words"][term]["weight"] for term in words]),
        np.array([cues[name]["weight"] for name in facts.cue_names]),
        np.array([one for name in facts.cue_names for one in cues[name]["patterns"]]),
        np.array([data["rules"][name]["weight"] for name in facts.closeness.rules]),
    ])  # fmt: skip
    idf = np.array([data["words"][term]["idf"] for term in words])
    space = FeatureSpace(np.array([place[term] for term in words]), idf, 1.0, 1.0, 1.0, 1.0)
    exact = LinearScorer(space, weights, np.array(data["intercept"])).scores(facts, every)
    _, bags, hits, _ = peopled(5)
    for row in every:
        said = predict(data, bags[row], hits[row])
        scores = [sum(own[n] for _, _, own in said.parts) for n in range(3)]
        assert scores == pytest.approx(exact[row], abs=1e-9)
        chances = softmax(data["slope"] * exact[row] + np.array(data["offset"]))
        assert said.probabilities == pytest.approx(chances, abs=5.1e-7)
        assert said.probabilities == pytest.approx(direct[row], abs=1e-5)
        assert said.cells("s")["s"] == ("up", "down", "even")[int(np.argmax(said.probabilities))]
        assert sum(said.counted("s").values()) == 1
    assert list(reader_of(data).columns(data).items()) == [
        ("s.up_probability", float), ("s.down_probability", float), ("s.even_probability", float),
        ("s", str),
    ]  # fmt: skip
    assert list(said.cells("s")) == list(reader_of(data).columns(data))


def test_one_hit_of_a_cue_adds_to_levels_what_their_weights_say(trained):
    _, _, model, _ = trained
    found = [level_hit(model, name, "yes", {1: 1}) for name in INDICATORS]
    entry = model["cues"]["yes"]
    weights = np.array(entry["weight"]) + np.array(entry["patterns"][0])
    assert found == pytest.approx(weights * np.log(2), abs=1e-6)
    assert found[0] > max(found[1:])
    assert sum(found) == pytest.approx(0, abs=1e-5)
    assert reader_of(model).one_hit(model, UP, "yes", {1: 1}) == found[0]
    assert level_hit({**model, "constant": [0.5, 0.5, 0]}, UP, "yes", {}) is None
    with pytest.raises(TypeError):
        one_hit(model, "yes", {1: 1})  # of a yes/no code: a list is no number


def test_a_stored_model_is_read_back_and_its_digest_guards_it(trained, tmp_path):
    _, _, model, _ = trained
    path = tmp_path / "s.json"
    path.write_text(model_text(model), encoding="utf-8")
    assert read_model(path) == json.loads(model_text(model))
    path.write_text(model_text({**model, "slope": 9.0}), encoding="utf-8")
    with pytest.raises(InputError, match="was changed"):
        read_model(path)
    path.write_text(model_text({**model, "format": "framing-levels/0"}), encoding="utf-8")
    with pytest.raises(InputError, match="is not a model of format framing-model/3 or"):
        read_model(path)


def test_a_model_says_what_it_was_trained_on(trained):
    whole, _, model, _ = trained
    counts = wide(whole.labels, "label").sum()
    assert model["trained_on"] == {
        "coded_passages": 144, "carrying": counts.to_dict(), "exemplars": 0,
    }  # fmt: skip
    assert [level["indicator"] for level in model["levels"]] == INDICATORS


def test_plain_softmax_is_that_of_the_library():
    for scores in ([0.0, 1.0, -2.0], [700.0, -700.0, 699.0], [5.0, 5.0]):
        assert at(scores) == pytest.approx(softmax(scores), abs=5.1e-7)


def test_a_passage_of_no_known_word_gets_what_all_begin_with(trained):
    _, _, model, _ = trained
    said = predict_level(model, {}, {})
    assert said.unfamiliar
    rules = [own for kind, _, own in said.parts if kind == "rule"]
    assert not np.any(rules)


# --- beside other methods -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evaluated():
    whole = tables(7, EXEMPLARS)
    return whole, *evaluate_code("s", whole, SETTINGS, PLAN)


def test_every_method_decides_for_one_level_of_each_passage(evaluated):
    whole, made, _ = evaluated
    assert made["method"].drop_duplicates().tolist() == [*BASELINES, "cues alone"]
    assert made.columns.tolist() == ["method", "passage_id", "probability", "decision", "code"]
    for _, own in made.groupby("method"):
        assert own["passage_id"].tolist() == list(whole.passages["passage_id"]) * 3
        assert own["code"].drop_duplicates().tolist() == INDICATORS
        assert (wide(own, "decision").sum(axis=1) == 1).all()
        assert wide(own).sum(axis=1).to_numpy() == pytest.approx(1, abs=2e-6)


@pytest.mark.parametrize("name", BASELINES)
def test_what_each_method_finds(evaluated, name):
    whole, made, _ = evaluated
    label = wide(whole.labels, "label")
    own = made[made["method"] == name]
    decided = wide(own, "decision").loc[label.index]
    right = (label.to_numpy() * decided.to_numpy()).sum() / len(label)
    most = label.mean().max()
    if name == "majority class":
        assert right == most
    else:
        assert right > most - 0.02
        assert average_precision_score(label[DOWN], wide(own)[DOWN].loc[label.index]) > 0.3 or (
            name != "cues as a dictionary"
        )


def test_the_dictionary_goes_by_votes_alone(evaluated):
    whole, made, _ = evaluated
    chances = wide(made[made["method"] == "cues as a dictionary"])
    hits = whole.hits[whole.hits["passage_id"].isin(chances.index)]
    yes, no = (set(hits.loc[hits["cue"] == cue, "passage_id"]) for cue in ("yes", "no"))
    fold = whole.passages.set_index("passage_id")["source_id"]
    one = fold.index[fold == fold.iloc[0]]  # of one source, so of one classifier
    kinds = {(name in yes, name in no): tuple(chances.loc[name]) for name in one}
    assert len(set(chances.loc[one].itertuples(index=False, name=None))) == len(kinds)
    assert chances.loc[list(yes - no), UP].mean() > chances.loc[list(no - yes), UP].mean() + 0.2


@pytest.mark.slow
def test_baselines_see_nothing_of_the_sources_they_predict():
    whole = tables(9, sources=12)
    given = material("s", whole, SETTINGS)
    names = list(whole.passages["source_id"])
    rows = given.training(whole.passages, 0.0)
    votes = [{"yes": 1, "no": -1}, {"no": 1}, {}]
    for name in BASELINES:
        trainer = given.learner.baseline(name, votes)
        first = cross_fit(given.facts, names, rows, SETTINGS, trainer)
        inside = first.folds == 1
        turned = np.where(inside, (rows.labels + 1) % 3, rows.labels)
        other = replace(rows, labels=turned, shares=np.eye(3)[turned])
        again = cross_fit(given.facts, names, other, SETTINGS, trainer)
        assert (first.probabilities[inside] == again.probabilities[inside]).all(), name


def test_learning_curves_rank_passages_by_each_level(evaluated):
    whole, _, learning = evaluated
    assert learning.columns.tolist() == [
        "share", "repeat", "passages", "passage_id", "score", "code",
    ]  # fmt: skip
    assert len(learning) == 2 * 2 * 3 * len(whole.passages)
    label = whole.labels.set_index(["code", "passage_id"])["label"]
    for name, own in learning[learning["share"] == 1.0].groupby("code"):
        once = own[own["repeat"] == 0].dropna()
        found = label.loc[[(name, one) for one in once["passage_id"]]]
        assert average_precision_score(found, once["score"]) > found.mean() + 0.1
        assert once["score"].tolist() == own.loc[own["repeat"] == 1, "score"].dropna().tolist()
    part = learning.groupby("share")["passages"].mean()
    assert part[0.5] < 0.7 * part[1.0]


def test_log_odds_are_against_all_other_levels_together():
    scores = np.array([[1.0, 0.5, -2.0], [0.0, 0.0, 0.0]])
    chance = softmax(scores, axis=1)
    assert log_odds(scores) == pytest.approx(np.log(chance / (1 - chance)))
    assert log_odds(scores[:, :2])[:, 0] == pytest.approx(scores[:, 0] - scores[:, 1])


def test_a_code_that_is_not_declared_is_a_yes_no_code():
    assert variable_named("s", [variable()]).indicators == tuple(INDICATORS)
    other = variable_named("t", [variable()])
    assert other.indicators == ("t",)
    assert learner_of(other) is not learner_of(variable())
    passages, *_ = peopled(1, 2)
    rows = learner_of(other).rows(other, passages, agreed(["p1"], [1]), NONE, 0.5)
    assert rows.labels.tolist() == [1]
