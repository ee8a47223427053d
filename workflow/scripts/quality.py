"""T3-classifier, but for what it says of all passages: see describe.py."""

from framing.config import OURS
from framing.edge import (
    publish,
    read_passage_frame,
    read_predictions,
    read_scores,
    speaking,
)
from framing.inference.evaluation import methods_table
from framing.model.baselines import BASELINES
from framing.model.evaluation import WITH_ENCODER

with speaking(snakemake.log[0]):
    given, config = snakemake.input, snakemake.params.config
    passages, scores = read_passage_frame(given.passages), read_scores(given.scores)
    predictions = read_predictions(given.predictions)
    others = (WITH_ENCODER, *BASELINES) if config["classifier"].get("encoder") else BASELINES
    methods = methods_table(passages, scores, predictions, config, OURS, others)
    publish(snakemake.output.classifier, methods, given.captions)
