"""Record the digests of everything the results are made from."""

from pathlib import Path

from framing.common.build import speaking
from framing.common.files import write_json
from framing.common.paths import CODERS, CODINGS, PASSAGES, SAMPLE, SOURCES
from framing.project.load import DRAWS
from framing.release.manifest import provenance
from framing.release.provenance_inputs import folder_digest, input_details

with speaking(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    inputs = {
        "corpus": [*given.corpus, *given.derived],
        "codebook": [given.codebook],
        "codings": list(given.codings),
        "models": list(given.models),
    }
    inputs = {name: [Path(path) for path in paths] for name, paths in inputs.items()}
    derived = [Path(path) for path in given.derived]
    corpus = set(inputs["corpus"]) - {SOURCES, PASSAGES, SAMPLE, *derived}
    draws = sorted(path for path in corpus if DRAWS in path.parents)
    details = input_details(
        sources=SOURCES, passages=PASSAGES, sample=SAMPLE, draws=draws,
        lists=sorted(corpus - set(draws)), derived=derived, codebook=Path(given.codebook),
        coders=CODERS, codings=[path for path in inputs["codings"] if CODINGS in path.parents],
    )  # fmt: skip
    if given.encoder:
        encoder = [Path(path) for path in given.encoder]
        folder = Path(params.config["classifier"]["encoder"])
        details["models"] = {"encoder": folder_digest(encoder, folder)}
    record = provenance(
        inputs, params.config, list(params.versions), details=details, code=params.code,
        looked=params.looked,
    )  # fmt: skip
    write_json(Path(snakemake.output[0]), record)
