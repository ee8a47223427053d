"""T13-ablations, T14-learning and T15-calibration."""

import pandas as pd

from framing.config import OURS
from framing.edge import (
    publish,
    read_build,
    read_passage_frame,
    read_predictions,
    read_scores,
    speaking,
)
from framing.inference.evaluation import ablation_table, calibration_table, learning_table

with speaking(snakemake.log[0]):
    mark = snakemake.params.mark
    given, out, config = snakemake.input, snakemake.output, snakemake.params.config
    passages, scores = read_passage_frame(given.passages), read_scores(given.scores)
    predictions = read_predictions(given.predictions)
    numbers = {"share": "float64", "repeat": "int64", "passages": "int64", "score": "float64"}
    learning = pd.concat([read_build(path, **numbers) for path in given.learning])
    ablations = ablation_table(passages, scores, predictions, config, OURS)
    publish(out.ablations, ablations, given.captions, mark)
    publish(out.learning, learning_table(passages, scores, learning), given.captions, mark)
    publish(out.calibration, calibration_table(passages, scores, config), given.captions, mark)
