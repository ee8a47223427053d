"""Say which cells moved since results were published, and why."""

from pathlib import Path

from framing.common.build import speaking
from framing.common.files import write_text
from framing.common.paths import PUBLISHED
from framing.release.changelog import NOT_PUBLISHED, account
from framing.release.read_release import PROVENANCE, TABLES, folder_contents, read_results
from framing.tables.specs import load_specs

with speaking(snakemake.log[0]):
    given = snakemake.input
    text = NOT_PUBLISHED
    if given.published:
        paths = {f"{TABLES}/{Path(path).name}": Path(path) for path in given.tables}
        present = {**paths, PROVENANCE: Path(given.provenance)}
        old = read_results(folder_contents(PUBLISHED), PUBLISHED, "")
        new = read_results({name: p.read_bytes() for name, p in present.items()}, "results", "")
        specs = load_specs()
        text = account(old, new, specs).markdown(snakemake.params.listed)
    write_text(Path(snakemake.output[0]), text)
