"""Instruments other than the classifier: read, put in its place or beside it, corrected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from framing.classifier.scores import combine_codes
from framing.codebook.codes import Code, Level, yes_no_code
from framing.codebook.kinds import KINDS
from framing.coding.instruments import (
    CLASSIFIER,
    combined_proxies,
    filled,
    instrument_phrase,
    instrument_problems,
    instrument_scores,
    instruments_of,
    read_coded,
)
from framing.coding.variables import variables_of
from framing.common.problems import InputError
from framing.inference.design import population
from framing.inference.estimators import DIFFERENCE, LABELS
from framing.inference.outcomes import fold_slopes, outcomes
from framing.inference.proxies import proxy_slopes, tuned_slopes
from framing.tables.levels import level_table
from framing.tables.shares import prevalence_table
from tests.unit.inference_samples import config, corpus, sampled, settings

TONE = Code(
    "tone", "Tone", "", KINDS["one of"],
    tuple(Level(name, name, f"tone.{name}") for name in ("dark", "even", "bright")), (0, 1, 2),
)  # fmt: skip
CODES = {"cost": yes_no_code("cost", "Cost", ""), "tone": TONE}
PASSAGES = ["p1", "p2", "p3", "p4"]
WHOLE = "passage_id\tcost\ttone\np1\t1\tdark\np2\t0\teven\np3\t1\tdark\np4\tNA\tNA\n"


def coded(tmp_path: Path, text: str = WHOLE) -> Path:
    path = tmp_path / "coded.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_coder_says_of_all_passages_is_read_by_indicator(tmp_path):
    said = read_coded(coded(tmp_path), CODES, PASSAGES)
    assert said["cost"].tolist()[:3] == [1, 0, 1] and np.isnan(said["cost"]["p4"])
    assert said["tone.dark"].tolist()[:3] == [1, 0, 1] and np.isnan(said["tone.dark"]["p4"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("p3\t1\tdark\n", "", "leaves out 1 of 4 passages: p3"),
        ("p3\t1", "p2\t1", "codes the passage 'p2' twice"),
        ("p3\t1", "p9\t1", "codes the passage 'p9', which passages.tsv lacks"),
        ("p3\t1\tdark", "p3\t1\tbright-ish", "has tone 'bright-ish' for passage 'p3'"),
        ("\t1\tdark\np2\t0\teven\np3\t1\tdark", "\tNA\tdark\np2\tNA\teven\np3\tNA\tdark",
         "leaves cost open everywhere"),
    ],
)  # fmt: skip
def test_an_instrument_codes_every_passage_once_and_by_levels(tmp_path, old, new, message):
    with pytest.raises(InputError) as error:
        read_coded(coded(tmp_path, WHOLE.replace(old, new, 1)), CODES, PASSAGES)
    assert message in str(error.value)


def test_gaps_get_the_share_among_the_others_and_the_usual_decision(tmp_path):
    said = read_coded(coded(tmp_path), CODES, PASSAGES)
    cost, tone = variables_of(CODES)
    made = {**filled(said, cost), **filled(said, tone)}
    assert made["cost"].loc["p4"].tolist() == pytest.approx([2 / 3, 1])
    last = [made[name].loc["p4"].tolist() for name in tone.indicators]
    assert last == [pytest.approx([2 / 3, 1]), pytest.approx([1 / 3, 0]), pytest.approx([0, 0])]
    decided = sum(made[name]["decision"] for name in tone.indicators)
    assert (decided == 1).all()


RULE = {"rule": "majority", "tie": "absent"}


def test_a_coder_is_not_corrected_by_itself_and_must_have_coded_all(tmp_path):
    place, folder = Path("config.yaml"), tmp_path
    (folder / "gpt").mkdir()
    coded(folder / "gpt")

    def problems(coders: list[str], rule: dict[str, Any], names: Any = "gpt") -> list[str]:
        found = instrument_problems(instruments_of(names), coders, rule, folder, place)
        return [str(one) for one in found]

    assert problems(["ann"], RULE) == []
    assert problems([], RULE, [CLASSIFIER, "gpt"]) == []
    assert "corrected by itself" in problems(["ann", "gpt"], RULE)[0]
    standard = {"rule": "standard", "standard": "ann"}
    assert problems(["ann", "gpt"], standard) == []
    assert "corrected by itself" in problems(["ann", "gpt"], {**standard, "standard": "gpt"})[0]
    assert "does not exist" in problems([], RULE, "llama")[0]
    assert problems(["ann"], RULE, CLASSIFIER) == []


def test_in_words():
    coders = pd.DataFrame({"coder": ["gpt"], "kind": ["machine"]})
    assert instrument_phrase(["classifier"], coders) == ""
    assert instrument_phrase(["classifier", "gpt"], coders) == (
        "the classifier and the codes of gpt, a machine coder"
    )
    assert instrument_phrase(["ann"], coders) == "the codes of ann"


# --- slopes ---------------------------------------------------------------------------------------


def test_one_proxy_is_tuned_as_the_classifier_is():
    random = np.random.default_rng(2)
    label = (random.random(80) < 0.4).astype(float)
    score = np.clip(label * 0.5 + random.random(80) * 0.5, 0, 1)
    weight, fold = random.random(80) + 0.5, np.arange(80) % 4
    one = fold_slopes(score, label, weight, fold, 4, 10)
    other = proxy_slopes([[score]], [label], weight, fold, 4, 10)
    assert np.allclose(one, other[:, 0])


def test_two_proxies_have_the_slopes_of_least_squares():
    random = np.random.default_rng(3)
    proxies = random.random((2, 200))
    label = 0.7 * proxies[0] + 0.4 * proxies[1] + 0.05 * random.normal(size=200)
    weight = random.random(200) + 0.5
    found = tuned_slopes([list(proxies)], [label], weight, 10)
    design = np.column_stack([np.ones(200), *proxies])
    root = np.sqrt(weight)
    expected = np.linalg.lstsq(design * root[:, None], label * root, rcond=None)[0][1:]
    assert found == pytest.approx(expected)


def test_a_proxy_of_noise_is_left_out_and_so_is_one_that_repeats_another():
    random = np.random.default_rng(4)
    label = (random.random(300) < 0.5).astype(float)
    good = label * 0.6 + random.random(300) * 0.4
    noise = random.random(300)
    weight = np.ones(300)
    assert tuned_slopes([[noise]], [label], weight, 10).tolist() == [0]
    both = tuned_slopes([[good, good]], [label], weight, 10)
    assert (both > 0).sum() == 1
    assert tuned_slopes([[1 - good]], [label], weight, 10).tolist() == [0]


# --- estimates ------------------------------------------------------------------------------------


def machine(frame: pd.DataFrame, seed: int, error: float) -> pd.Series:
    """What a model says of the invented passages: wrong in a part of them, by group."""
    random = np.random.default_rng(seed)
    wrong = random.random(len(frame)) < np.where(frame["group"] == "press", 2 * error, error)
    said = np.where(wrong, 1 - frame["truth"], frame["truth"]).astype(float)
    return pd.Series(said, index=frame["passage_id"])


def test_a_machine_takes_the_classifiers_place_or_stands_beside_it():
    frame = corpus(7)
    passages, scores = sampled(frame, 7)
    said = {"gpt": {"cost": machine(frame, 1, 0.1)}}
    codes = {"cost": CODES["cost"]}
    alone = instrument_scores(scores, said, ["gpt"], codes)
    assert alone["probability"].tolist() == said["gpt"]["cost"].tolist()
    assert (alone["decision"] == alone["probability"]).all()
    both = instrument_scores(scores, said, [CLASSIFIER, "gpt"], codes)
    assert both["probability"].equals(scores["probability"])
    assert both["proxy:gpt"].tolist() == alone["probability"].tolist()
    assert instrument_scores(scores, {}, [CLASSIFIER], {}) is scores
    (outcome,) = outcomes(population(passages), both, settings())
    (plain,) = outcomes(population(passages), scores, settings())
    assert not np.allclose(outcome.fitted, plain.fitted)


def test_what_does_not_lead_has_a_say_in_combinations_too():
    frame = corpus(8)
    scores = sampled(frame, 8)[1].assign(unfamiliar=0)
    other = scores.assign(code="fair", label=1 - scores["label"])
    said = {"gpt": {"cost": machine(frame, 1, 0.1), "fair": machine(frame, 2, 0.1)}}
    codes = {name: yes_no_code(name, name, "") for name in ("cost", "fair")}
    single = instrument_scores(pd.concat([scores, other]), said, [CLASSIFIER, "gpt"], codes)
    plan = {"both": {"label": "Both", "all": ["cost", "fair"]}}
    made = combined_proxies(single, combine_codes(single, plan), plan)
    assert combined_proxies(single, combine_codes(single, {}), {}).empty
    product = said["gpt"]["cost"] * said["gpt"]["fair"]
    assert made["proxy:gpt"].tolist() == product.loc[made["passage_id"]].tolist()


@pytest.mark.slow
def test_several_instruments_are_no_worse_than_labels_or_any_of_them_and_keep_to_the_truth():
    """Over draws of one population: root mean square errors, and how often intervals hold."""
    frame = corpus(11, sources=150)
    truth = frame["truth"].mean()
    codes = {"cost": CODES["cost"]}
    said = {"gpt": {"cost": machine(frame, 1, 0.08)}, "llama": {"cost": machine(frame, 2, 0.12)}}
    ways = {"classifier": [CLASSIFIER], "gpt": ["gpt"], "all": [CLASSIFIER, "gpt", "llama"]}
    errors: dict[str, list[float]] = {name: [] for name in ("labels", *ways)}
    held = []
    for seed in range(60):
        passages, scores = sampled(frame, seed, (0.2, 0.3))
        for name, instruments in ways.items():
            table = prevalence_table(
                passages, instrument_scores(scores, said, instruments, codes), config()
            ).set_index(["group", "estimator", "target"])
            row = table.loc[("all", DIFFERENCE, "corpus")]
            errors[name].append(row["estimate"] - truth)
            if name == "classifier":
                labels = table.loc[("all", LABELS, "corpus")]
                errors["labels"].append(labels["estimate"] - truth)
            if name == "all":
                held.append(row["ci_low"] <= truth <= row["ci_high"])
    size = {name: float(np.sqrt(np.mean(np.square(own)))) for name, own in errors.items()}
    assert size["all"] < min(size["labels"], size["classifier"])
    assert size["all"] < 1.05 * size["gpt"]
    # The count alone is off by far more than the corrected share is.
    count = abs(said["gpt"]["cost"].mean() - truth)
    assert count > 3 * abs(np.mean(errors["gpt"]))
    assert np.mean(held) >= 0.88  # 60 draws of intervals that hold 95 times in 100


@pytest.mark.slow
def test_levels_of_several_instruments_add_up_to_one():
    frame = corpus(5)
    passages, _ = sampled(frame, 5)
    random = np.random.default_rng(5)
    level = np.where(frame["truth"] == 1, 2, random.integers(0, 2, len(frame)))
    drawn = passages["weight"].notna().to_numpy()
    names = [one.indicator for one in TONE.levels]
    chance = random.dirichlet(np.ones(3), len(frame)) + 0.8 * (level[:, None] == np.arange(3))
    chance /= chance.sum(axis=1, keepdims=True)
    scores = pd.concat(
        [
            pd.DataFrame(
                {"passage_id": frame["passage_id"], "code": name, "fold": frame["fold"],
                 "label": pd.array(np.where(drawn, level == place, None), "Int64"),
                 "probability": chance[:, place],
                 "decision": (chance.argmax(axis=1) == place).astype(int)}
            )
            for place, name in enumerate(names)
        ]
    )  # fmt: skip
    other = np.where(random.random(len(frame)) < 0.3, (level + 1) % 3, level)
    said = {
        "gpt": {
            name: pd.Series((other == place).astype(float), index=frame["passage_id"])
            for place, name in enumerate(names)
        }
    }
    for instruments in (["gpt"], [CLASSIFIER, "gpt"]):
        made = instrument_scores(scores, said, instruments, {"tone": TONE})
        table = level_table(passages, made, variables_of({"tone": TONE}), config())
        for _, own in table.groupby(["group", "estimator", "target"]):
            assert own["estimate"].sum() == pytest.approx(1)
