"""The tables of one job: see workflow/report/tables/."""

from pathlib import Path

from framing.common.build import speaking
from framing.tables.inputs import Inputs
from framing.tables.io import publish, read_result, specs
from framing.tables.jobs import make, steps

with speaking(snakemake.log[0]):
    params = snakemake.params
    files = {
        name: [paths] if isinstance(paths, str) else list(paths)
        for name, paths in snakemake.input.items()
    }
    given, known = Inputs(files, params.config, params.codes), specs().of(params.traits)
    for path in (Path(path) for paths in files.values() for path in paths):
        if path.suffix == ".csv" and path.stem in known.tables:
            given.tables[path.stem] = read_result(path)
    for step in steps(known, params.job):
        # What a table says of all other passages, and its caveat, come when it is whole.
        publish(step.path, make(step, given), params.caveat if step.whole else "")
