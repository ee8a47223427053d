"""Stems of the words of further sources, while these are being checked: to load NLTK takes long."""

from pathlib import Path

import pandas as pd

from framing.classifier.features import stem
from framing.common.build import speaking
from framing.common.files import write_table
from framing.corpus.derived import read_facts

with speaking(snakemake.log[0]):
    facts = [read_facts(Path(path)) for path in snakemake.input.derived]
    words = sorted({word for one in facts for row in one["passages"] for word in row["counts"]})
    if not snakemake.params.config["classifier"]["stem"]:
        words = []
    table = pd.DataFrame([(word, stem(word)) for word in words], columns=["word", "stem"])
    write_table(Path(snakemake.output[0]), table)
