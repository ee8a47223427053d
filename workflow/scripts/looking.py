"""T22-looking."""

from framing.edge import publish, read_passage_frame, read_scores, speaking
from framing.inference.looking import looking_table

with speaking(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    table = looking_table(
        read_passage_frame(given.passages), read_scores(given.scores), params.config
    )
    publish(snakemake.output.looking, table, given.captions, params.mark)
