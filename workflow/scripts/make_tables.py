"""The tables of one job: see workflow/report/tables/."""

from pathlib import Path

from framing.common.build import speaking
from framing.tables.inputs import Inputs
from framing.tables.io import publish, read_result
from framing.tables.jobs import make, steps
from framing.tables.specs import load_specs

with speaking(snakemake.log[0]):
    params, specs = snakemake.params, load_specs()
    files = {
        name: [paths] if isinstance(paths, str) else list(paths)
        for name, paths in snakemake.input.items()
    }
    given = Inputs(files, params.config, params.codes)
    begun = [name for name in files if name.replace("_", "-", 1) in specs.tables]
    for name in begun:
        given.tables[Path(files[name][0]).stem] = read_result(files[name][0])
    for step in steps(specs, params.job):
        # What a table says of all other passages, and its caveat, come when it is whole.
        publish(step.path, make(step, given), params.caveat if step.whole else "")
