"""Sources as clusters where they are few or of very unequal weight (target ``texts``).

The ultimate-cluster variance with m − 1 degrees of freedom takes every source for as good a witness
as any other. Where a few long sources carry much of an estimate's weight, three things go wrong:
such a source draws the estimate towards itself, so that its deviation is too small; the variance
rests on those few, so that it varies more than m − 1 degrees of freedom admit; and whether they
carry the code is one piece of luck, not as many as they have passages. Both remedies are Bell &
McCaffrey's (2002), who found them for exactly this, few clusters in a survey:

- each deviation is divided by √(1 − h_g), with h_g the source's share of the estimate's weight
  (CR2 of a mean);
- the degrees of freedom are Satterthwaite's (1946) of that variance under a working model. Bell &
  McCaffrey took passages for independent. That leaves too many degrees of freedom where they are
  not, so the model has random effects of sources (Imbens & Kolesár 2016), with an intra-source
  correlation that is set beforehand (Pustejovsky & Tipton 2018) and not estimated from few sources.
  It decides the degrees of freedom only: a wrong one biases no estimate and no variance.

With m sources of equal weight they are the customary factor m/(m − 1) and m − 1 degrees of freedom.
All of it is one pass over the sources.
"""

from __future__ import annotations

import numpy as np

from framing.inference.design import Floats

_WHOLE = 1e-9  # what other sources must have of the weight, as in framing.inference.dsl


def shares(weight: Floats) -> Floats:
    """Return h (G,), each source's share of ``weight`` (G,), its passages' weights added up.

    All 0 where there is no weight.
    """
    total = float(weight.sum())
    return weight / total if total > 0 else np.zeros(len(weight))


def adjusted(totals: Floats, share: Floats) -> Floats:
    """Return deviations (G,) whose sum of squares is the variance between sources.

    ``totals`` (G,) are the sums of an estimate's linearised contributions by source, adding up to 0
    over all sources; ``share`` (G,) is h, 0 for sources without coded passages (what a classifier
    says of them counts, and moves the estimate little). CR2 of a mean (Bell & McCaffrey 2002)::

        V = Σ_g z_g² / (1 − h_g)

    unbiased for independent passages. Of a source that has all the weight the deviation is 0, as
    in :func:`framing.inference.dsl.leverage`: nothing can then be said, and who asks must look at
    the number of coded sources first.
    """
    others = 1 - share
    alone = others < _WHOLE
    deviations: Floats = np.where(alone, 0.0, totals / np.sqrt(np.where(alone, 1.0, others)))
    return deviations


def working_variance(weight: Floats, squares: Floats, correlation: float) -> Floats:
    """Return the variance of sources' weighted means (G,), up to a factor, by the working model.

    ``weight`` and ``squares`` (G,) are Σw and Σw² of each source's coded passages, ``correlation``
    is ρ, that of two passages of a source, 0 to 1. With random effects of sources (Moulton 1986)::

        v_g = ρ + (1 − ρ) · Σw² / (Σw)²

    0 for sources without coded passages.
    """
    some = weight > 0
    own = np.divide(squares, weight * weight, out=np.zeros(len(weight)), where=some)
    variance: Floats = np.where(some, correlation + (1 - correlation) * own, 0.0)
    return variance


def degrees_of_freedom(share: Floats, variance: Floats) -> float:
    """Return Satterthwaite's degrees of freedom of :func:`adjusted`'s variance, 1 to m − 1.

    ``share`` (G,) is h; ``variance`` (G,) is v, that of sources' means by a working model, up to a
    factor (:func:`working_variance`; 1/h gives Bell & McCaffrey's, whose passages are independent
    with variances that go with 1/w). The deviations d_g = h_g (ȳ_g − θ̂)/√(1 − h_g), in which
    θ̂ = Σ_g h_g ȳ_g, then have the covariance::

        Ω_gk = b_g b_k · ([g = k]·v_g − c_g − c_k + V),
        b_g = h_g/√(1 − h_g), c_g = h_g v_g, V = Σ_g h_g c_g,

    and df = (tr Ω)²/tr Ω². For m sources of equal weight and variance that is m − 1. NaN where
    fewer than two sources have weight.
    """
    taken = (share > 0) & (share < 1 - _WHOLE)
    h, v = share[taken], variance[taken]
    if len(h) < 2:
        return float("nan")
    b2 = h * h / (1 - h)
    c = h * v
    common = float((h * c).sum())
    diagonal = common - 2 * c
    trace = float((b2 * (v + diagonal)).sum())
    # Σ_gk b_g²b_k² (V − c_g − c_k)², of which only sums are needed, and what the diagonal adds.
    none, one, two = (float((b2 * c**power).sum()) for power in range(3))
    square = common**2 * none**2 + 2 * two * none + 2 * one**2 - 4 * common * one * none
    square += float((b2 * b2 * v * (v + 2 * diagonal)).sum())
    # Where one source has next to all the weight the sums cancel to their last digits: df is 1.
    found = trace * trace / square if square > 0 else 1.0
    return min(max(found, 1.0), float(len(h) - 1))


def adjusted_deviations(
    totals: Floats, weight: Floats, squares: Floats, correlation: float
) -> tuple[Floats, float]:
    """Return an estimate's deviations (G,) under ``texts`` and their degrees of freedom.

    ``totals`` (G,) as for :func:`adjusted`; ``weight`` and ``squares`` (G,) are Σw and Σw² of each
    source's coded passages of the domain, with weights that stand for passages (a passage that is
    known counts 1); ``correlation`` is ρ of the working model. The degrees of freedom are NaN where
    fewer than two sources have coded passages.
    """
    share = shares(weight)
    df = degrees_of_freedom(share, working_variance(weight, squares, correlation))
    return adjusted(totals, share), df


def joint_degrees_of_freedom(variances: Floats, df: Floats) -> float:
    """Return the degrees of freedom of a sum of independent variances (Satterthwaite 1946).

    ``variances`` and ``df`` (k,) belong to the parts, which must share no source (two groups, say);
    else take the smallest ``df``. (Σ V)² / Σ V²/df, never below the smallest ``df`` of a part that
    varies; the smallest of all where none does.
    """
    total = float(variances.sum())
    if total <= 0:
        return float(df.min())
    return total * total / float((variances * variances / df).sum())
