"""Mean levels of ordinal codes, estimated by what estimates shares.

The number of a passage's level, brought to the range from 0 to 1, is the share of the way from the
lowest level to the highest, and its mean is estimated as a share is: the number stands for the code
and its expected value, by the probabilities of all levels, for the prediction. As all formulas are
linear in these, and the levels of a code are trusted alike (:mod:`framing.inference.outcomes`), the
estimate is the sum of the levels' estimated shares, each times its number. Standard errors come
from the numbers themselves. Intervals are made as those of shares on this range: where Wilson's is
used it is wide enough, as no number between 0 and 1 varies more than a code with its mean does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np

from framing.coding.variables import Variable
from framing.inference.contrasts import Contrast
from framing.inference.design import Floats, Ints
from framing.inference.outcomes import Outcome


@dataclass(frozen=True)
class Scale:
    """The numbers of an ordinal code: ``low`` is the lowest, ``span`` from there to the highest."""

    low: float
    span: float

    @classmethod
    def of(cls, variable: Variable) -> Scale:
        """Return the scale of an ordinal code."""
        return cls(variable.numbers[0], variable.numbers[-1] - variable.numbers[0])

    def parts(self, variable: Variable) -> Floats:
        """Return the numbers of a code's levels as parts of the range, from 0 to 1."""
        return (np.array(variable.numbers) - self.low) / self.span

    def mean(self, part: float) -> float:
        """Return a mean level from the part of the range that it is."""
        return self.low + self.span * part

    def contrast(self, found: Contrast) -> Contrast:
        """Return a contrast of parts of the range as one of mean levels."""
        return replace(
            found,
            estimate_a=self.mean(found.estimate_a),
            estimate_b=self.mean(found.estimate_b),
            difference=self.span * found.difference,
            se=self.span * found.se,
            low=self.span * found.low,
            high=self.span * found.high,
        )

    def row(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        """Return the cells of an estimated part of the range as those of a mean level."""
        named = ("estimate", "ci_low", "ci_high")
        moved = {name: self.mean(cells[name]) for name in named if name in cells}
        return {**cells, **moved, "se": self.span * cells.get("se", nan)}


def mean_outcome(variable: Variable, parts: Sequence[Outcome]) -> Outcome:
    """Return the outcome of an ordinal code's mean level, as parts of the range from 0 to 1.

    ``parts`` are the outcomes of its indicators, in the order of levels and trusted alike
    (:func:`framing.inference.outcomes.joined`).
    """
    numbers = Scale.of(variable).parts(variable)

    def summed(arrays: Sequence[Floats | Ints]) -> Floats:
        total: Floats = numbers @ np.stack([np.asarray(one, dtype=float) for one in arrays])
        return total

    return replace(
        parts[0],
        code=variable.name,
        decision=summed([one.decision for one in parts]),
        label=summed([one.label for one in parts]),
        fitted=summed([one.fitted for one in parts]),
        probability=summed([one.probability for one in parts]),
    )
