"""From a codebook to citable tables. `snakemake` makes everything in results/.

The rules stand in workflow/rules/, one file a stage, in the order of the data:
facts -> coding -> inference -> output. Intermediate tables go to build/, which is never committed,
so that a fresh clone works everything out anew and does not take committed results for its own.
"""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from framing.workflow import plan as stages
from framing.report.snakemake_report import CAPTIONS, PROJECT, shown
from framing.common.problems import InputError

min_version("9.19")

# Linear algebra on one thread: sums in another order differ in their last bits.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

# The scripts of this checkout go with the package of this checkout.
if stages.PACKAGE.parents[1] != Path(workflow.basedir).resolve():
    raise WorkflowError(
        f"The package framing in use is that of {stages.PACKAGE.parent}. Install the one that goes "
        f"with this workflow: {sys.executable} -m pip install -e '{workflow.basedir}'"
    )

try:
    PLAN = stages.plan(config)
except InputError as error:
    raise WorkflowError(f"The project cannot be run.\n{error}") from None

wildcard_constraints:
    code="[A-Za-z0-9][A-Za-z0-9._-]*",


rule all:
    default_target: True
    input:
        PLAN.goals,


# A project without codings has other things to make: where it stands, and what is next.
if PLAN.begins:

    include: "workflow/rules/begin.smk"

else:

    include: "workflow/rules/facts.smk"
    include: "workflow/rules/model.smk"
    include: "workflow/rules/inference.smk"
    include: "workflow/rules/output.smk"
    include: "workflow/rules/release.smk"


onstart:
    try:
        stages.hold_directory()
    except InputError as error:
        raise WorkflowError(str(error)) from None


onsuccess:
    stages.show_first_steps() if PLAN.begins else stages.show_headline()
    stages.show_notes(PLAN.notes, PLAN.config)
    stages.end_timers()


onerror:
    stages.show_problems()
    stages.end_timers()
