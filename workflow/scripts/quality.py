"""T13-ablations, T14-learning, T15-calibration, T22-looking; T3-classifier: see describe.py."""

import pandas as pd

from framing.classifier.baselines import BASELINES
from framing.classifier.comparison import WITH_ENCODER
from framing.common.build import (
    read_build,
    read_passage_frame,
    read_predictions,
    read_scores,
    speaking,
)
from framing.common.config import OURS
from framing.tables.io import publish
from framing.tables.looking import looking_table
from framing.tables.quality import ablation_table, calibration_table, learning_table, methods_table

with speaking(snakemake.log[0]):
    given, config, mark = snakemake.input, snakemake.params.config, snakemake.params.mark
    passages, scores = read_passage_frame(given.passages), read_scores(given.scores)
    predictions = read_predictions(given.predictions)
    numbers = {"share": "float64", "repeat": "int64", "passages": "int64", "score": "float64"}
    learning = pd.concat([read_build(path, **numbers) for path in given.learning])
    others = (WITH_ENCODER, *BASELINES) if config["classifier"].get("encoder") else BASELINES
    # What it says of all passages, and its mark, come later.
    methods = methods_table(passages, scores, predictions, config, OURS, others)
    publish(snakemake.output.classifier, methods, given.captions)
    tables = {
        "ablations": ablation_table(passages, scores, predictions, config, OURS),
        "learning": learning_table(passages, scores, learning),
        "calibration": calibration_table(passages, scores, config),
        "looking": looking_table(passages, scores, config),
    }
    for name, table in tables.items():
        publish(snakemake.output[name], table, given.captions, mark)
