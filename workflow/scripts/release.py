"""Pack results, facts, codings, codebook and configuration for a repository."""

import json
import shutil
from pathlib import Path

from framing.common.build import read_build, read_passage_frame, speaking
from framing.common.config import read_yaml
from framing.common.files import read_table, write_bytes
from framing.release.package import packed, zipped
from framing.tables.context import read_edition

with speaking(snakemake.log[0]):
    given, config = snakemake.input, snakemake.params.config
    listed = read_table(Path(given.manifest), ["path", "bytes", "sha256"])["path"]
    kept = {given.manifest, *given.kept, *(f"results/{name}" for name in listed)}
    files = {path: Path(path).read_bytes() for path in sorted(kept)}
    provenance = json.loads(Path(given.provenance).read_text(encoding="utf-8"))
    sources, passages = read_build(given.sources), read_passage_frame(given.passages)
    words = read_edition(given, config, sources, passages, snakemake.params.caveat)
    files = packed(
        files, words, read_yaml(Path(given.corpus)), read_yaml(Path(given.files)), config,
        provenance, snakemake.params.programs,
    )  # fmt: skip
    folder = Path(snakemake.output.sums).parent
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in files.items():
        write_bytes(folder / path, data)
    write_bytes(Path(snakemake.output.archive), zipped(files, "replication"))
