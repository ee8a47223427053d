"""Put the codes' scores together and add the configured combinations."""

from pathlib import Path

import pandas as pd

from framing.edge import read_scores, speaking
from framing.files import write_table
from framing.model.scores import combine_codes

with speaking(snakemake.log[0]):
    scores = pd.concat([read_scores(path) for path in snakemake.input.scores], ignore_index=True)
    combined = combine_codes(scores, snakemake.params.combinations)
    write_table(Path(snakemake.output[0]), pd.concat([scores, combined], ignore_index=True))
