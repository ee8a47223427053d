"""Several instruments at once: predictions of a code that are trusted together.

What predicts the codes of all passages need not be the classifier alone: a coder who coded every
passage, such as a language model, predicts them, too. The difference estimator then takes
f = Σ_j λ_j (p_j − p̄_j), the weighted least-squares fit of codes on all of them, tuned on other
folds as with one (:mod:`framing.inference.outcomes`). As λ = 0 is among what is chosen from, the
estimate is asymptotically never less precise than that from labels alone, nor than that with any
one of them (several predictors by their optimal weights: arXiv 2509.21707; PPI++ for one:
Angelopoulos, Duchi & Zrnic 2023). In a small sample a needless λ costs more than it brings: so the
subset of J predictors with the highest R² − J/(n − 1 − J) is taken, and none where that is not
above 0, which for one predictor is the rule r > 1/√(n − 2) that holds for one elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from framing.inference.design import Floats, Ints
from framing.inference.intervals import DECIMALS


def proxy_slopes(
    proxies: Sequence[Sequence[Floats]],
    label: Sequence[Floats],
    weight: Floats,
    fold: Ints,
    folds: int,
    minimum: int,
) -> Floats:
    """Return λ by fold and proxy (folds, J), each tuned on the coded passages outside the fold.

    ``proxies`` has, for each of K codes that are tuned together, J arrays (n,) over coded passages;
    ``label`` are their K codes (n,), ``weight`` (n,) design weights, ``fold`` (n,) their folds.
    Fewer than ``minimum`` codes outside a fold: λ is 0.
    """
    return np.stack(
        [
            tuned_slopes(
                [[one[other] for one in own] for own in proxies],
                [own[other] for own in label], weight[other], minimum,
            )
            for other in (fold != number for number in range(folds))
        ]
    )  # fmt: skip


def tuned_slopes(
    proxies: Sequence[Sequence[Floats]], label: Sequence[Floats], weight: Floats, minimum: int
) -> Floats:
    """Return λ (J,) of the best subset of proxies, or zeros where none can be hoped to help.

    Arguments are those of :func:`proxy_slopes`, without folds.
    """
    number, size = len(proxies[0]), len(weight)
    none = np.zeros(number)
    if size < max(minimum, number + 2):
        return none
    bend, joint, spread = _moments(proxies, label, weight)
    if round(spread, 2 * DECIMALS) == 0:
        return none
    best, found = 0.0, none
    for count in range(1, number + 1):
        for chosen in combinations(range(number), count):
            part = np.ix_(chosen, chosen)
            if round(float(np.linalg.det(bend[part])), 2 * DECIMALS) <= 0:
                continue
            slope = np.linalg.solve(bend[part], joint[list(chosen)])
            explained = float(slope @ joint[list(chosen)]) / spread
            adjusted = explained - count / (size - 1 - count)
            if round(adjusted, DECIMALS) > round(best, DECIMALS) and _helps(joint, chosen):
                best, found = adjusted, none.copy()
                found[list(chosen)] = slope
    return found


def _helps(joint: Floats, chosen: Sequence[int]) -> bool:
    """Return whether a single proxy goes with the codes and not against them, as elsewhere."""
    return len(chosen) > 1 or float(joint[chosen[0]]) > 0


def _moments(
    proxies: Sequence[Sequence[Floats]], label: Sequence[Floats], weight: Floats
) -> tuple[Floats, Floats, float]:
    """Return (co)variances of proxies (J, J), those with codes (J,), and the codes' variance.

    Weighted, and summed over the codes that are tuned together.
    """
    own = weight / weight.sum()
    number = len(proxies[0])
    bend, joint, spread = np.zeros((number, number)), np.zeros(number), 0.0
    for parts, codes in zip(proxies, label, strict=True):
        table = np.stack(parts)
        table = table - (table @ own)[:, None]
        centred = codes - own @ codes
        bend += (table * own) @ table.T
        joint += (table * own) @ centred
        spread += float(own @ (centred * centred))
    return bend, joint, spread
