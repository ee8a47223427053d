"""Record the digests of everything the results are made from."""

from pathlib import Path

from framing.edge import speaking
from framing.files import write_json
from framing.output.seal import provenance

with speaking(snakemake.log[0]):
    given = snakemake.input
    inputs = {
        "corpus": [*given.corpus, *given.derived],
        "codebook": [given.codebook],
        "codings": list(given.codings),
        "models": list(given.models),
    }
    inputs = {name: [Path(path) for path in paths] for name, paths in inputs.items()}
    record = provenance(inputs, snakemake.params.config, list(snakemake.params.versions))
    write_json(Path(snakemake.output[0]), record)
