"""Write the manifest of results: path, bytes, sha256."""

from pathlib import Path

from framing.edge import speaking
from framing.files import write_table
from framing.output.seal import manifest

with speaking(snakemake.log[0]):
    target = Path(snakemake.output[0])
    write_table(target, manifest(target.parent))
