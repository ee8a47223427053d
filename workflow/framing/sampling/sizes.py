"""Sizes of strata in a draw: proportional, whole, within what there is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from framing.common.problems import Problem, raise_if_any
from framing.sampling.draw import Floats, Ints


def bounded_shares(
    worth: Floats, total: float, low: Floats, high: Floats, have: Floats | None = None
) -> Floats:
    """Return how ``total`` is shared: have + share ∝ worth, each share within low … high.

    Solves Σ_h clip(t·worth_h − have_h, low_h, high_h) = total for t (all arrays (H,)); without
    bounds and with nothing there yet this is total · worth/Σworth. Where everything with worth is
    full, the rest goes to what has none, in proportion to its room. Raises ValueError where
    ``total`` is below Σlow or above Σhigh.
    """
    if not low.sum() - 1e-9 <= total <= high.sum() + 1e-9:
        raise ValueError(f"{total} cannot be shared within {low.sum()} and {high.sum()}")
    there = np.zeros(len(worth)) if have is None else have
    worth = worth / worth.max(initial=0.0) if worth.any() else worth
    some = worth > 1e-9

    def shared(level: float) -> Floats:
        wanted = np.where(some, level * worth - there, -np.inf)
        result: Floats = np.clip(wanted, low, high)
        return result

    ends = np.unique(np.concatenate([(low + there)[some] / worth[some],
                                     (high + there)[some] / worth[some]]))  # fmt: skip
    finite = ends[np.isfinite(ends)]
    if not len(finite) or shared(finite[-1]).sum() < total - 1e-9:
        shares = shared(finite[-1] if len(finite) else 0.0)
        open_ended = some & np.isinf(high)
        rest = total - shares.sum()
        if open_ended.any():
            return shares + rest * np.where(open_ended, worth, 0) / worth[open_ended].sum()
        room = np.where(some, 0.0, high - shares)
        return shares + rest * room / room.sum() if room.sum() > 0 else shares
    sums = np.array([shared(end).sum() for end in finite])
    above = int(np.searchsorted(sums, total - 1e-12))
    if above == 0:
        return shared(finite[0])
    step = sums[above] - sums[above - 1]
    part = (total - sums[above - 1]) / step if step > 0 else 0.0
    return shared(finite[above - 1] + part * (finite[above] - finite[above - 1]))


def whole_numbers(shares: Floats, total: int, low: Ints, high: Ints) -> Ints:
    """Return whole shares that add up to ``total``, by largest remainders, within low … high.

    Ties go to the earlier one.
    """
    whole = np.clip(np.floor(shares + 1e-9).astype(np.int64), low, high)
    remainder = np.round(shares - whole, 9)
    while (missing := total - int(whole.sum())) != 0:
        step = 1 if missing > 0 else -1
        free = whole < high if step > 0 else whole > low
        order = np.lexsort((np.arange(len(whole)), -step * remainder))
        chosen = [place for place in order if free[place]][: abs(missing)]
        if not chosen:
            raise ValueError(f"{total} cannot be reached within the limits")
        whole[chosen] += step
        remainder[chosen] -= step
    return whole


def proportional(left: Mapping[str, int], size: int, minimum: int) -> dict[str, int]:
    """Return how many passages to draw by stratum, in proportion to what is left in it.

    Every stratum gets ``minimum``, or all it has left. Raises :class:`InputError` where ``size``
    is more than is left, or too small for so many strata.
    """
    names = sorted(left)
    rest = np.array([left[name] for name in names], dtype=np.int64)
    least = np.minimum(rest, minimum)
    raise_if_any(_size_problems(size, int(rest.sum()), int(least.sum()), len(names), minimum))
    shares = bounded_shares(rest.astype(float), size, least.astype(float), rest.astype(float))
    return dict(zip(names, (int(n) for n in whole_numbers(shares, size, least, rest)), strict=True))


def _size_problems(size: int, rest: int, least: int, strata: int, minimum: int) -> list[Problem]:
    if size < 1:
        return [Problem("--size", f"is {size}", "Give at least 1.")]
    if size > rest:
        return [
            Problem("--size", f"asks for {size} passages where {rest} are left to draw",
                    "Ask for fewer, or for other strata.")
        ]  # fmt: skip
    if size < least:
        return [
            Problem("--size", f"{size} passages are too few for {strata} strata of at least "
                    f"{minimum} each", f"Ask for at least {least}, or for fewer strata.")
        ]  # fmt: skip
    return []
