"""Write what the codebook teaches: patterns, votes, words of rules, exemplars and their facts."""

from pathlib import Path

import pandas as pd

from framing.classifier.features import stem
from framing.codebook.codebook import written_codebook
from framing.common.build import speaking
from framing.common.files import write_table
from framing.common.paths import CODEBOOK
from framing.corpus.facts import exemplar_facts, pattern_table, rule_table, tables_of_facts
from framing.corpus.word_counts import write_counts

with speaking(snakemake.log[0]):
    codebook = written_codebook(CODEBOOK)
    exemplars, taught = exemplar_facts(codebook)
    words, hits = tables_of_facts([taught], stem)
    votes = [(c.name, code, v) for c in codebook.cues for code, v in c.votes.items()]
    out = {name: Path(path) for name, path in snakemake.output.items()}
    write_table(out["patterns"], pattern_table(codebook))
    write_table(out["rules"], rule_table(codebook, stem))
    write_table(out["votes"], pd.DataFrame(votes, columns=["cue", "code", "vote"]))
    write_table(out["exemplars"], exemplars)
    write_table(out["hits"], hits)
    write_counts(out["words"], words)
