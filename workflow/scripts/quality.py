"""T3-classifier, T13-ablations, T14-learning and T15-calibration."""

import pandas as pd

from framing.edge import (
    publish,
    read_build,
    read_kept_back,
    read_passage_frame,
    read_predictions,
    read_scores,
    speaking,
)
from framing.inference.evaluation import (
    ablation_table,
    calibration_table,
    learning_table,
    methods_table,
)
from framing.model.baselines import BASELINES
from framing.model.evaluation import OURS, WITH_ENCODER

with speaking(snakemake.log[0]):
    mark = snakemake.params.mark
    given, out, config = snakemake.input, snakemake.output, snakemake.params.config
    passages, scores = read_passage_frame(given.passages), read_scores(given.scores)
    scores = scores[scores["code"].isin(snakemake.params.codes)]
    predictions = read_predictions(given.predictions)
    numbers = {"share": "float64", "repeat": "int64", "passages": "int64", "score": "float64"}
    learning = pd.concat([read_build(path, **numbers) for path in given.learning])
    kept = read_kept_back(config)
    others = (WITH_ENCODER, *BASELINES) if config["classifier"].get("encoder") else BASELINES
    methods = methods_table(passages, scores, predictions, kept, config, OURS, others)
    publish(out.classifier, methods, given.captions, mark)
    ablations = ablation_table(passages, scores, predictions, config, OURS)
    publish(out.ablations, ablations, given.captions, mark)
    publish(out.learning, learning_table(passages, scores, learning), given.captions, mark)
    publish(out.calibration, calibration_table(passages, scores, config), given.captions, mark)
