"""Put what coders say of all passages in the place of the classifier's scores, or beside them."""

from pathlib import Path

import pandas as pd

from framing.classifier.scores import combine_codes
from framing.codebook.codebook import written_codebook
from framing.coding.instruments import combined_proxies, instrument_scores, read_coded
from framing.common.build import read_passage_frame, read_scores, speaking
from framing.common.files import write_table
from framing.common.paths import CODEBOOK

with speaking(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    codebook = written_codebook(CODEBOOK)
    ids = list(read_passage_frame(given.passages)["passage_id"])
    said = {Path(p).parent.name: read_coded(Path(p), codebook.codes, ids) for p in given.coded}
    scores = read_scores(given.scores)
    single = scores[scores["code"].isin(list(codebook.indicators))].astype({"code": str})
    single = instrument_scores(single, said, params.instruments, codebook.codes)
    made = combined_proxies(single, combine_codes(single, params.combinations), params.combinations)
    write_table(Path(snakemake.output[0]), pd.concat([single, made], ignore_index=True))
