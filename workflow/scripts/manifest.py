"""Write the manifest of results: path, bytes, sha256."""

from pathlib import Path

from framing.common.build import speaking
from framing.common.files import write_table
from framing.release.manifest import manifest

with speaking(snakemake.log[0]):
    target = Path(snakemake.output[0])
    write_table(target, manifest(target.parent))
