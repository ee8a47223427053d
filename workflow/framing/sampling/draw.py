"""Drawing passages for coding, and combining what several draws say.

How a passage is drawn
    Each candidate gets a number, the SHA-256 digest of ``seed/draw/passage_id``, and within each
    stratum the passages with the smallest numbers are drawn. Numbers so made behave like
    independent uniform ones, so this is simple random sampling without replacement within strata
    (sampling by permanent random numbers: Ohlsson 1995; digests of a seed in public audits: Rivest
    2018). Unlike the state of a generator they belong to the passage, so that the draw depends
    neither on the order of rows nor on the machine nor on the version of a library, and anyone can
    redo it from the record. The number of the draw is part of what is digested: passages left over
    by an earlier draw would otherwise be those with large numbers, more so where it was dense.

How draws combine
    Let s be the passages drawn earlier, w_i their weights, T̂ = Σ_s w_i y_i the estimate of a total
    they give, and R what is left. A supplement draws m_k of the N_k passages of R in each of its
    strata k. Of R nothing from the earlier design is needed, in particular not the earlier strata,
    which may be on record for drawn passages only. With the codes of s taken as known::

        T̃_k = Σ_{s in k} y_i + N_k · mean of the supplement's y in k

    is unbiased for the total of k *given s*, whatever strata and sizes the earlier codes led to,
    with variance N_k² (1 − m_k/N_k) S²_k / m_k (a two-phase argument: Särndal et al. 1992, ch. 9).
    Since E[T̃_k | s] is constant, T̃_k is uncorrelated with anything made of s: Cov(T̂_k, T̃_k) =
    0. So for any a_k fixed beforehand::

        T* = Σ_k a_k T̂_k + (1 − a_k) T̃_k        is unbiased, and
        V(T*) = V(Σ_k a_k T̂_k) + Σ_k (1 − a_k)² N_k² (1 − m_k/N_k) S²_k / m_k

    T* is a sum with weights: a_k w_i + 1 − a_k for passages of s, of which only the part a_k w_i is
    left to chance, and (1 − a_k) N_k/m_k for those of the supplement. Hence two columns: ``weight``
    and ``random_share``, the part of the weight that varies with the draw. V is estimated without
    bias by ``framing.inference.design.stratum_deviations`` given contributions times
    ``random_share`` and the strata of all draws.

The earlier draws' share a_k
    Both parts draw from the same cell k, so the best a_k depends on how densely each does so, not
    on the codes. With the earlier rate f_k = n_k/Σ_{s in k} w_i and the supplement's φ_k = m_k/N_k,
    the variances are in the ratio 1/f − 1 to (1 − f)(1/φ − 1), and the best share is::

        a_k = f_k (1 − φ_k) / (f_k + φ_k (1 − f_k))

    After simple random draws every weight is then that of one draw of n + m, 1/(f + φ(1 − f)).
    Shares are written into the record of the draw, before anything of it is coded. They are
    constants, and T* exactly unbiased, where sizes are proportional (φ is then the overall one, in
    every stratum) and either the earlier rate is the same all over a stratum or every earlier
    stratum lies within one of the supplement's. Otherwise, and where sizes follow from earlier
    codes (``framing plan``; a stratum that earlier draws took whole is then known, a_k = 0), a_k
    varies a little with s, and the bias is at most sd(a_k) times the standard error of T̂_k. Who
    wants none whatever can set every share to 0 in the record, at the price of a wider interval.

A first draw in a new project is the sample itself. Passages that joined the corpus after a draw
have strata of their own (``… (added)``), with a_k = 0, and where a supplement took none of them
they come back as :data:`NOT_BY_DESIGN`.

Read and unread draws
    A draw is for development (whoever writes codebook, cues or settings may read its passages) or
    for confirmation (nobody looks before all is frozen); what a confirmation draw counts as is told
    by :mod:`framing.sampling.roles`. Development draws, and spent ones, combine among themselves as
    above (``read_weight``). Unread ones are then a supplement that leaves nothing to the earlier
    draws: with D all passages of development draws, whenever drawn, an unread draw that took m_k
    passages of stratum k gives::

        T̃_k = Σ_{D in k} y_i + N_k · mean of its y in k        N_k: passages of k outside D

    D is known: weight 1, nothing left to chance. Several unread draws combine by T* among
    themselves, with shares a_k reckoned from their designs alone. Strata that no unread draw
    reached keep the development design (``unread_frame`` says which passages lie where).

    A draw that does not count (pending, or, for the development design, unread) took passages out
    of reach of later ones: to these it is as if its passages had been left, so they count in N_k.
    And a development draw made after an unread one makes known what that left, so that N_k shrinks.
    Both are exact where the two draws have the same strata, since what simple random sampling
    leaves is a simple random sample too; elsewhere they are approximations.

    Of a confirmation draw of which some passages have no codings yet, m_k are those that have;
    that holds if the others are missing at random within strata, and every table says so.

Draws made elsewhere
    A probability draw that was not made here can be registered (:func:`registered`), with its
    strata and sizes. It has no seed, its rule is put down in words, and no replay proves it.

Files
    ``corpus/draws/<n>/draw.json`` says which draw this is, with role, seed, strata, sizes, shares,
    the digest of the frame and the number of the freeze under which it was made (null before any;
    :mod:`framing.project.freeze`); ``corpus/draws/<n>/passages.tsv`` has one row for each passage
    of the frame at the time, in the order of ids: its stratum (empty outside the draw's scope), its
    status (``drawn``, ``left``, ``earlier``: drawn by an earlier draw), whether an earlier draw
    could have drawn it (``covered``), and its inclusion probability given the earlier draws (empty
    in a convenience sample). So, unlike in the first sample of the committed corpus, the stratum of
    every passage is on record.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from framing.common.files import (
    LINE,
    json_text,
    read_table,
    read_text,
    repeated,
    sha256,
    table_text,
)
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import SAMPLE_COLUMNS
from framing.sampling.roles import CONFIRMATION, DEVELOPMENT, PENDING, ROLES, UNREAD

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DRAWS = Path("corpus/draws")
HEAD, ROWS = "draw.json", "passages.tsv"
FORMAT = 2
_WITHOUT_ROLES = 1  # the format before draws had roles: such a draw is for development
RULE = "in each stratum, the smallest SHA-256 digests of seed/draw/passage_id"
BY_HAND = "chosen by hand: not a random sample"
REPLAYED, NOT_REPLAYED = "by the seed", "not checked: the draw was made elsewhere"
NO_REPLAY = "none"

PROBABILITY, CONVENIENCE = "probability", "convenience"
DRAWN, LEFT, EARLIER = "drawn", "left", "earlier"
ROW_COLUMNS = ("passage_id", "stratum", "status", "covered", "inclusion_probability")
ADDED = " (added)"
"""Ends the name of a stratum of passages that no earlier draw could have drawn."""
CONVENIENCE_MARK = "convenience sample: passages were chosen by hand, no inference holds"
NOT_BY_DESIGN = "not estimable by design: no draw covers it"

PLAN_COLUMNS = (
    "project", "goal", "estimator", "target", "frame_sha256", "strata_sha256", "strata_by",
    "scope", "stratum", "passages", "coded", "left", "error_sd", "neyman", "more",
)  # fmt: skip
"""Columns of the file that ``framing plan`` writes and ``framing sample`` reads."""
_CONSTANT = PLAN_COLUMNS[:8]

_SHARE_DECIMALS = 9
_PROBABILITY_SLACK = 5.1e-7  # probabilities are written with six decimals
_EMPTY = "(none)"  # stands for an empty value in the name of a stratum


@dataclass(frozen=True)
class Stratum:
    """A stratum of a draw: passages that could be drawn, of which drawn, share of earlier draws."""

    size: int
    drawn: int
    earlier_share: float


@dataclass(frozen=True)
class Draw:
    """One draw on record.

    ``kind`` is ``probability`` or ``convenience``; ``supplement`` is false for the first draw of a
    project. ``seed`` is None in a convenience sample and in a draw made elsewhere. ``even`` says
    that sizes are proportional to what was left. ``passages`` has the columns :data:`ROW_COLUMNS`
    (``covered`` as bool), one row a passage of the frame, in the order of ids. ``role`` is
    ``development`` or ``confirmation``, ``freeze`` the number of the freeze under which the draw
    was made, None before any; ``rule`` says how it was drawn.
    """

    number: int
    kind: str
    supplement: bool
    seed: int | None
    project: str
    strata_by: tuple[str, ...]
    even: bool
    strata: Mapping[str, Stratum]
    passages: pd.DataFrame
    role: str = DEVELOPMENT
    freeze: int | None = None
    rule: str = RULE

    @property
    def elsewhere(self) -> bool:
        """Return whether the draw was made elsewhere, so that no seed can prove it."""
        return self.kind == PROBABILITY and self.seed is None

    @property
    def drawn(self) -> pd.DataFrame:
        """Return the rows of the passages drawn."""
        return self.passages[self.passages["status"] == DRAWN]

    @property
    def is_sample(self) -> bool:
        """Return whether this is the sample itself, which ``corpus/sample.tsv`` holds as well."""
        return not self.supplement and self.kind == PROBABILITY


# --- drawing --------------------------------------------------------------------------------------


def frame_digest(ids: Iterable[str]) -> str:
    """Return the SHA-256 digest of a frame: its ids in code point order, each followed by LF."""
    return sha256("".join(f"{name}\n" for name in sorted(ids)))


def strata_digest(ids: Iterable[str], strata: Iterable[str]) -> str:
    """Return the SHA-256 digest of which passage is in which stratum, whatever the order."""
    return sha256("".join(sorted(f"{i}\t{s}\n" for i, s in zip(ids, strata, strict=True))))


def random_numbers(ids: Iterable[str], seed: int, draw: int) -> npt.NDArray[np.uint64]:
    """Return each passage's random number: the first 64 bits of SHA-256(``seed/draw/passage_id``).

    They are uniform on 0 … 2⁶⁴ − 1 and independent between passages, seeds and draws as far as
    the digest can be told from a random function.
    """
    head = f"{seed}/{draw}/".encode()
    parts = [hashlib.sha256(head + name.encode()).digest()[:8] for name in ids]
    return np.frombuffer(b"".join(parts), dtype=">u8").astype(np.uint64)


def first_by_number(ids: Sequence[str], seed: int, draw: int, size: int) -> list[int]:
    """Return which ``size`` of the passages have the smallest numbers; ties by id."""
    numbers = random_numbers(ids, seed, draw)
    order = np.lexsort((np.array(ids, dtype=object).astype(str), numbers))
    return sorted(int(place) for place in order[:size])


def strata_of(frame: pd.DataFrame, columns: Sequence[str], member: Bools) -> pd.Series:
    """Return the name of each passage's stratum: the values of ``columns`` joined by ``/``.

    Empty where ``member`` is false. Passages that no earlier draw covers, where others are
    covered, get strata of their own. ``frame`` is a passage frame, with ``estimable`` if it comes
    from :func:`combined_design`. Raises :class:`InputError` on unknown columns, and where two
    combinations of values would get one name.
    """
    known = [name for name in frame.columns if name not in _NO_STRATA]
    raise_if_any(
        Problem("--strata", f"{name!r} is not a column of the passage frame",
                f"Known: {', '.join(known)}.")
        for name in columns if name not in known
    )  # fmt: skip
    if not columns:
        names = pd.Series("all", index=frame.index, dtype=object)
    else:
        parts = [frame[name].astype(object).fillna("").astype(str) for name in columns]
        parts = [part.where(part != "", _EMPTY) for part in parts]
        names = parts[0].str.cat(parts[1:], sep="/") if len(parts) > 1 else parts[0]
        distinct = pd.concat(parts, axis=1)[member].drop_duplicates()
        if len(distinct) > names[member].nunique():
            raise InputError(
                Problem("--strata", f"values of {', '.join(columns)} that hold '/' run together",
                        "Leave such a column out.")
            )  # fmt: skip
    if "estimable" in frame.columns and frame["estimable"].any():
        names = names.where(frame["estimable"].to_numpy(dtype=bool), names + ADDED)
    return names.where(member, "").astype(object)


# What is one passage's own, or says what is known only of drawn ones, makes no strata.
_NO_STRATA = frozenset(
    ["passage_id", "start", "end", "weight", "random_share", "stratum", "stratum_size",
     "stratum_sampled", "estimable", "design_status", "role", "read_weight", "read_frame",
     "unread_frame", LINE]
)  # fmt: skip


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


def earlier_share(rate: Any, fraction: Any) -> Floats:
    """Return a = f(1 − φ)/(f + φ(1 − f)), the best share of the earlier draws' estimate.

    ``rate`` is f, at which earlier draws took passages, ``fraction`` is φ, at which the supplement
    takes what they left; arrays or numbers in [0, 1]. 1 where the supplement takes nothing.
    """
    f, phi = np.asarray(rate, dtype=float), np.asarray(fraction, dtype=float)
    below = f + phi * (1 - f)
    share = np.divide(f * (1 - phi), below, out=np.ones(np.shape(below)), where=below > 0)
    return np.where(phi == 0, 1.0, share)


def make_draw(
    design: pd.DataFrame,
    strata: pd.Series,
    sizes: Mapping[str, int],
    *,
    number: int,
    seed: int,
    project: str = "",
    strata_by: Sequence[str] = (),
    even: bool = False,
) -> Draw:
    """Draw ``sizes[k]`` passages at random from what is left in each stratum k.

    ``design`` is a passage frame from :func:`combined_design` (``weight`` missing where a passage
    has not been drawn; none has before the first draw), ``strata`` the names from
    :func:`strata_of` in its order, ``number`` the number of the draw. ``even`` says that sizes are
    proportional. Raises :class:`InputError` on strata that do not exist or hold too little.
    """
    place = f"{DRAWS}/{number}"
    earlier = design["weight"].notna().to_numpy()
    ids, names = design["passage_id"].to_numpy(dtype=object), strata.to_numpy(dtype=object)
    left = pd.Series(names[(names != "") & ~earlier]).value_counts().to_dict()
    problems = [
        Problem(place, f"{size} passages are asked of stratum {name!r}, which has "
                f"{left.get(name, 0)} left", "Correct the size.")
        for name, size in sizes.items() if size < 0 or size > left.get(name, 0)
    ]  # fmt: skip
    if not problems and sum(sizes.values()) < 1:
        problems = [Problem(place, "no passage is asked for", "Give a size of at least 1.")]
    raise_if_any(problems)
    chosen = np.zeros(len(ids), dtype=bool)
    for name, size in sizes.items():
        if size:
            rows = np.flatnonzero((names == name) & ~earlier)
            chosen[rows[first_by_number(list(ids[rows]), seed, number, size)]] = True
    return _record(
        design, names, chosen, number=number, kind=PROBABILITY, seed=seed, project=project,
        strata_by=strata_by, even=even,
    )  # fmt: skip


def hand_picked(
    design: pd.DataFrame,
    strata: pd.Series,
    passages: pd.DataFrame,
    place: Path,
    *,
    number: int,
    project: str = "",
    strata_by: Sequence[str] = (),
) -> Draw:
    """Return the record of a convenience sample: passages chosen by hand, listed in a file.

    ``passages`` has ``passage_id`` and line numbers. Nothing about chance can be said of it; where
    it is used all the same it is treated *as if* drawn at random within ``strata``, and whoever
    uses it must say so (:func:`is_convenience`). Raises :class:`InputError` on passages that are
    unknown, listed twice or drawn already.
    """
    known = dict(zip(design["passage_id"], design["weight"].notna(), strict=True))
    problems = [
        Problem(place, f"{what} the passage {name!r}", remedy, int(line))
        for name, again, line in zip(
            passages["passage_id"], passages["passage_id"].duplicated(), passages[LINE],
            strict=True,
        )
        for what, remedy in _hand_problems(name, bool(again), known)
    ]  # fmt: skip
    if passages.empty:
        problems.append(Problem(place, "lists no passage", "Give one passage_id a row."))
    raise_if_any(problems)
    chosen = design["passage_id"].isin(passages["passage_id"]).to_numpy()
    return _record(
        design, strata.to_numpy(dtype=object), chosen, number=number, kind=CONVENIENCE, seed=None,
        project=project, strata_by=strata_by, even=False,
    )  # fmt: skip


def _hand_problems(name: str, again: bool, known: Mapping[str, bool]) -> list[tuple[str, str]]:
    if again:
        return [("lists twice", "List each passage once.")]
    if name not in known:
        return [("lists as unknown to passages.tsv", "Correct the id.")]
    return [("lists as already drawn", "Leave it out: it is coded.")] if known[name] else []


def _record(
    design: pd.DataFrame, names: Any, chosen: Bools, *, number: int, kind: str, seed: int | None,
    project: str, strata_by: Sequence[str], even: bool,
) -> Draw:  # fmt: skip
    weight = design["weight"].to_numpy(dtype=float)
    earlier = ~np.isnan(weight)
    covered = (
        design["estimable"].to_numpy(dtype=bool)
        if "estimable" in design.columns
        else np.zeros(len(design), dtype=bool)
    )
    codes, found = pd.factorize(pd.Series(names), sort=True)

    def counts(rows: Bools) -> Floats:
        return np.bincount(codes[rows], minlength=len(found)).astype(float)

    scope = names != ""
    size, drawn = counts(~earlier), counts(chosen)
    share = _best_shares(codes, scope, earlier, weight, covered, size, drawn, even=even)
    strata = {
        str(name): Stratum(int(size[k]), int(drawn[k]), float(share[k]))
        for k, name in enumerate(found)
        if name != ""
    }
    probability = np.divide(drawn, size, out=np.full(len(found), np.nan), where=size > 0)[codes]
    unknown = earlier | ~scope | (kind == CONVENIENCE)
    rows = pd.DataFrame(
        {
            "passage_id": design["passage_id"].to_numpy(dtype=object),
            "stratum": names,
            "status": np.where(earlier, EARLIER, np.where(chosen, DRAWN, LEFT)).astype(object),
            "covered": covered,
            "inclusion_probability": np.where(unknown, np.nan, probability),
        }
    )
    rows = rows.sort_values("passage_id", kind="stable", ignore_index=True)
    return Draw(
        number, kind, bool(earlier.any()), seed, project, tuple(strata_by), even, strata, rows,
        rule=BY_HAND if kind == CONVENIENCE else RULE,
    )  # fmt: skip


def _best_shares(
    codes: Ints, scope: Bools, earlier: Bools, weight: Floats, covered: Bools, size: Floats,
    drawn: Floats, *, even: bool,
) -> Floats:  # fmt: skip
    """Return the earlier draws' share a_k in each stratum, from designs alone.

    ``codes`` number each passage's stratum, ``scope`` says which passages are in the draw's scope,
    ``earlier`` which were drawn before, with ``weight``, ``covered`` which an earlier draw could
    have drawn; ``size`` and ``drawn`` are of the strata. 0 in a stratum of which not all is
    covered: there earlier draws do not estimate the whole.
    """
    number = len(size)
    weights = np.bincount(codes[earlier], weights=weight[earlier], minlength=number)
    past = np.bincount(codes[earlier], minlength=number).astype(float)
    taking = drawn > 0
    in_scope = earlier & scope & covered
    overall = in_scope.sum() / weight[in_scope].sum() if in_scope.any() else 0.0
    rate = np.divide(past, weights, out=np.full(number, overall), where=weights > 0)
    whole = np.bincount(codes[~covered], minlength=number) == 0
    rate = np.where(whole, np.minimum(rate, 1.0), 0.0)
    if even:
        planned = drawn[taking].sum() / size[taking].sum() if taking.any() else 0.0
        fraction = np.where(taking | (size == 0), planned, 0.0)
    else:
        fraction = np.divide(drawn, size, out=np.ones(number), where=size > 0)
    share = np.round(earlier_share(rate, fraction), _SHARE_DECIMALS)
    return np.where(rate > 0, share, 0.0)


def registered(
    design: pd.DataFrame,
    sample: pd.DataFrame,
    strata: pd.DataFrame,
    place: Path,
    strata_place: Path,
    *,
    number: int,
    rule: str,
    project: str = "",
) -> Draw:
    """Return the record of a probability draw that was made elsewhere, checked.

    ``design`` is as in :func:`make_draw`. ``sample`` are the passages drawn, as
    :func:`framing.corpus.tables.read_sample` reads and checks them; ``strata`` (``passage_id
    stratum`` and line numbers) has a row for every passage of the corpus, also for those drawn
    earlier, its stratum empty where it was out of the draw's scope. ``rule`` says in words how the
    passages were drawn. Raises :class:`InputError` on passages that are unknown, repeated, missing
    or drawn before, on strata that disagree and on sizes that are not those of what was left.
    """
    known = dict(zip(design["passage_id"], design["weight"].notna(), strict=True))
    named = dict(zip(strata["passage_id"], strata["stratum"], strict=True))
    problems = [
        Problem(strata_place, f"{what} the passage {name!r}", remedy, int(line))
        for name, again, line in zip(
            strata["passage_id"], strata["passage_id"].duplicated(), strata[LINE], strict=True
        )
        for what, remedy, wrong in (
            ("lists twice", "Give each passage one row.", again),
            ("lists as unknown to passages.tsv", "Correct the id.", name not in known),
        )
        if wrong
    ]
    missing = [name for name in known if name not in named]
    if missing:
        problems.append(
            Problem(strata_place, f"lacks {len(missing)} passages of the corpus, {missing[0]!r} "
                    "among them", "Give every passage a row, those drawn earlier too, its stratum "
                    "empty where the draw could not have reached it.")
        )  # fmt: skip
    for name, stratum, line in zip(
        sample["passage_id"], sample["stratum"], sample[LINE], strict=True
    ):
        if known.get(name):
            problems.append(
                Problem(place, f"holds the passage {name!r}, which was drawn before",
                        "A passage is drawn once: such a draw is not one of what was left.",
                        int(line))
            )  # fmt: skip
        elif name in named and named[name] != stratum:
            problems.append(
                Problem(place, f"has the passage {name!r} in stratum {stratum!r}, {strata_place} "
                        f"in {named[name]!r}", "Make the two agree.", int(line))
            )  # fmt: skip
    if sample.empty:
        problems.append(Problem(place, "lists no passage", "Give one drawn passage a row."))
    raise_if_any(problems)
    names = design["passage_id"].map(named).fillna("").to_numpy(dtype=object)
    left = pd.Series(names[design["weight"].isna().to_numpy()]).value_counts()
    raise_if_any(
        Problem(place, f"says stratum {row['stratum']!r} had {row['stratum_size']} passages, of "
                f"those not drawn before it has {left.get(row['stratum'], 0)}",
                "Its frame must be what earlier draws left: correct sizes or strata.",
                int(row[LINE]))
        for _, row in sample.drop_duplicates("stratum").iterrows()
        if row["stratum_size"] != left.get(row["stratum"], 0)
    )  # fmt: skip
    chosen = design["passage_id"].isin(sample["passage_id"]).to_numpy()
    made = _record(
        design, names, chosen, number=number, kind=PROBABILITY, seed=None, project=project,
        strata_by=(), even=False,
    )  # fmt: skip
    return replace(made, rule=rule)


# --- files ----------------------------------------------------------------------------------------


def draw_texts(draw: Draw) -> dict[str, str]:
    """Return the two files of a draw as text, by name."""
    head = {
        "format": FORMAT,
        "draw": draw.number,
        "kind": draw.kind,
        "role": draw.role,
        "freeze": draw.freeze,
        "supplement": draw.supplement,
        "seed": draw.seed,
        "rule": draw.rule,
        "replay": _replay(draw.kind, draw.seed),
        "project": draw.project,
        "frame": {
            "passages": len(draw.passages),
            "sha256": frame_digest(draw.passages["passage_id"]),
        },
        "strata_by": list(draw.strata_by),
        "proportional": draw.even,
        "strata": {
            name: {"size": one.size, "drawn": one.drawn, "earlier_share": one.earlier_share}
            for name, one in draw.strata.items()
        },
    }
    rows = draw.passages.assign(covered=draw.passages["covered"].astype(int))
    return {HEAD: json_text(head), ROWS: table_text(rows[list(ROW_COLUMNS)])}


def _replay(kind: str, seed: int | None) -> str:
    """Return what the record says of redoing a draw."""
    if kind == CONVENIENCE:
        return NO_REPLAY
    return REPLAYED if seed is not None else NOT_REPLAYED


def write_draw(folder: Path, draw: Draw) -> Path:
    """Write a draw to ``folder/<number>/``, whole or not at all; return that directory.

    Raises :class:`InputError` where it is there already: a draw is never written anew.
    """
    target = folder / str(draw.number)
    taken = Problem(target, "is on record already", "A draw is never overwritten: draw anew.")
    if target.exists():
        raise InputError(taken)
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder, prefix=f".{draw.number}."))
    try:
        for name, text in draw_texts(draw).items():
            (scratch / name).write_text(text, encoding="utf-8", newline="\n")
        scratch.chmod(0o755)
        try:
            # Fails where another process was faster: a directory with files is not replaced.
            os.rename(scratch, target)  # noqa: PTH104
        except OSError:
            if target.exists():
                raise InputError(taken) from None
            raise
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return target


def read_draws(folder: Path) -> tuple[Draw, ...]:
    """Read every draw under ``folder``, in their order; none where there is no such directory.

    Raises :class:`InputError` on numbers that are missing, on files that contradict each other or
    the digest of the frame, on sizes that do not add up, and on rows that were not drawn by the
    seed they claim. Whether draws fit the corpus and each other is told by :func:`check_draws`.
    """
    if not folder.is_dir():
        return ()
    found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    problems = [
        Problem(path, "is not a draw", "Draws are directories named by their numbers: remove it.")
        for path in found
        if not (path.is_dir() and path.name.isdecimal() and path.name == str(int(path.name)))
    ]
    raise_if_any(problems)
    numbers = sorted(int(path.name) for path in found)
    problems = [
        Problem(folder / str(number), "does not exist",
                "Restore it: the weights of later draws depend on it.")
        for number in range(1, max(numbers, default=0) + 1) if number not in numbers
    ]  # fmt: skip
    raise_if_any(problems)
    draws = []
    for number in numbers:
        try:
            draws.append(_read_draw(folder / str(number), number))
        except InputError as error:
            problems += error.problems
    raise_if_any(problems)
    return tuple(draws)


_KEYS: dict[str, Any] = {
    "format": int, "draw": int, "kind": str, "supplement": bool, "seed": (int, type(None)),
    "rule": str, "project": str, "frame": dict, "strata_by": list, "proportional": bool,
    "strata": dict,
}  # fmt: skip
_ROLE_KEYS: dict[str, Any] = {"role": str, "freeze": (int, type(None)), "replay": str}
_RESTORE = "Restore the file as it was written."
_REMEDIES = {
    "role": f"{_RESTORE} A draw is for {DEVELOPMENT} or for {CONFIRMATION}, as `framing sample "
    "--role` says when it is made.",
}


def _read_draw(path: Path, number: int) -> Draw:
    head_path, rows_path = path / HEAD, path / ROWS
    try:
        head = json.loads(read_text(head_path))
    except json.JSONDecodeError as error:
        raise InputError(
            Problem(head_path, f"is not valid JSON: {error.msg}", _RESTORE, error.lineno)
        ) from None
    if not isinstance(head, dict):
        raise InputError(Problem(head_path, "is no record of a draw", _RESTORE))
    raise_if_any(_head_problems(head, head_path, number))
    strata = {
        name: Stratum(one["size"], one["drawn"], float(one["earlier_share"]))
        for name, one in head["strata"].items()
    }
    frame = read_table(rows_path, ROW_COLUMNS)
    raise_if_any(_row_problems(frame, rows_path, head, strata))
    rows = frame[list(ROW_COLUMNS)].assign(
        covered=frame["covered"] == "1",
        inclusion_probability=pd.to_numeric(
            frame["inclusion_probability"].where(frame["inclusion_probability"] != "")
        ).astype(float),
    )
    draw = Draw(
        number=number, kind=head["kind"], supplement=head["supplement"], seed=head["seed"],
        project=head["project"], strata_by=tuple(head["strata_by"]), even=head["proportional"],
        strata=strata, passages=rows, role=head.get("role", DEVELOPMENT),
        freeze=head.get("freeze"), rule=head["rule"],
    )  # fmt: skip
    raise_if_any(_replay_problems(draw, rows_path, frame))
    return draw


def _head_problems(head: Mapping[str, Any], path: Path, number: int) -> list[Problem]:
    keys = _KEYS if head.get("format") == _WITHOUT_ROLES else _KEYS | _ROLE_KEYS
    problems = [
        Problem(path, f"lacks a usable {key!r}", _REMEDIES.get(key, _RESTORE))
        for key, kind in keys.items()
        if key not in head or not isinstance(head[key], kind)
    ]
    if head.get("format") not in (FORMAT, _WITHOUT_ROLES) and isinstance(head.get("format"), int):
        return [
            Problem(path, f"has the format {head['format']}",
                    f"This version reads {_WITHOUT_ROLES} and {FORMAT}.")
        ]  # fmt: skip
    if problems:
        return problems
    if head["draw"] != number:
        problems.append(
            Problem(path, f"is draw {head['draw']} in the directory of {number}", _RESTORE)
        )
    if head["kind"] not in (PROBABILITY, CONVENIENCE):
        problems.append(Problem(path, f"is of the kind {head['kind']!r}", _RESTORE))
    replay = head.get("replay", REPLAYED)
    if head["kind"] == PROBABILITY and head["seed"] is None and replay != NOT_REPLAYED:
        problems.append(Problem(path, "names no seed", _RESTORE))
    if "replay" in head and replay != _replay(head["kind"], head["seed"]):
        problems.append(
            Problem(path, f"says of its replay {replay!r}, which kind and seed deny", _RESTORE)
        )
    role = head.get("role", DEVELOPMENT)
    if role not in ROLES:
        problems.append(Problem(path, f"has the role {role!r}", _REMEDIES["role"]))
    elif role == CONFIRMATION and head["kind"] == CONVENIENCE:
        problems.append(
            Problem(path, "is a convenience sample for confirmation", "Passages chosen by hand "
                    "confirm nothing: such a draw can only be for development.")
        )  # fmt: skip
    if head.get("freeze") is not None and head["freeze"] < 1:
        problems.append(Problem(path, f"names the freeze {head['freeze']}", _RESTORE))
    for name, one in head["strata"].items():
        whole = isinstance(one, dict) and all(
            isinstance(one.get(key), int) and not isinstance(one.get(key), bool)
            for key in ("size", "drawn")
        )
        share = one.get("earlier_share") if isinstance(one, dict) else None
        good = isinstance(share, int | float) and 0 <= share <= 1
        if not whole or not good or not 0 <= one["drawn"] <= one["size"]:
            problems.append(
                Problem(path, f"stratum {name!r} has sizes or a share that cannot be", _RESTORE)
            )
    return problems


def _row_problems(
    frame: pd.DataFrame, path: Path, head: Mapping[str, Any], strata: Mapping[str, Stratum]
) -> list[Problem]:
    problems = [
        Problem(path, f"repeats the passage {name!r}", _RESTORE)
        for name in repeated(frame["passage_id"])
    ]
    for column, good in (
        ("status", frame["status"].isin([DRAWN, LEFT, EARLIER])),
        ("covered", frame["covered"].isin(["0", "1"])),
        ("stratum", frame["stratum"].isin([*strata, ""])),
        ("inclusion_probability",
         frame["inclusion_probability"].str.fullmatch(r"(|[01]\.\d+)")),
    ):  # fmt: skip
        problems += [
            Problem(path, f"{row.passage_id!r} has the {column} {row[column]!r}", _RESTORE,
                    int(row[LINE]))
            for _, row in frame[~good].iterrows()
        ]  # fmt: skip
    if problems:
        return problems
    record = head["frame"]
    if record.get("passages") != len(frame) or record.get("sha256") != frame_digest(
        frame["passage_id"]
    ):
        problems.append(
            Problem(path, f"lists another frame than {HEAD} says (digest of the ids)", _RESTORE)
        )
    for status, column in ((None, "size"), (DRAWN, "drawn")):
        part = frame[frame["status"] != EARLIER if status is None else frame["status"] == status]
        counts = part["stratum"].value_counts()
        problems += [
            Problem(path, f"stratum {name!r} has {counts.get(name, 0)} rows "
                    f"{'that could be drawn' if status is None else 'drawn'}, {HEAD} says "
                    f"{getattr(one, column)}", _RESTORE)
            for name, one in strata.items() if counts.get(name, 0) != getattr(one, column)
        ]  # fmt: skip
    stray = frame[(frame["status"] == DRAWN) & (frame["stratum"] == "")]
    problems += [
        Problem(path, f"{row.passage_id!r} was drawn from no stratum", _RESTORE, int(row[LINE]))
        for _, row in stray.iterrows()
    ]
    chance = {name: one.drawn / one.size for name, one in strata.items() if one.size}
    candidate = (frame["status"] != EARLIER) & (head["kind"] == PROBABILITY)
    said = pd.to_numeric(frame["inclusion_probability"], errors="coerce")
    off = candidate & ~((said - frame["stratum"].map(chance)).abs() <= _PROBABILITY_SLACK)
    off = (off & (frame["stratum"] != "")) | (~candidate & said.notna())
    problems += [
        Problem(path, f"{row.passage_id!r} has the inclusion probability "
                f"{row.inclusion_probability!r}, which its stratum does not give", _RESTORE,
                int(row[LINE]))
        for _, row in frame[off].iterrows()
    ]  # fmt: skip
    # Where earlier draws have no share, it does not matter what they cover.
    mixed = frame[frame["stratum"] != ""].groupby("stratum")["covered"].nunique()
    problems += [
        Problem(path, f"stratum {name!r} mixes passages an earlier draw covers with others",
                _RESTORE)
        for name in mixed.index[mixed > 1] if strata[name].earlier_share > 0
    ]  # fmt: skip
    return problems


def _replay_problems(draw: Draw, path: Path, frame: pd.DataFrame) -> list[Problem]:
    """Return where a draw is not the one its seed gives."""
    if draw.kind != PROBABILITY or draw.seed is None:
        return []
    rows = draw.passages
    candidates = rows[(rows["status"] != EARLIER) & (rows["stratum"] != "")]
    problems = []
    for name, part in candidates.groupby("stratum", sort=True):
        ids = list(part["passage_id"])
        size = draw.strata[str(name)].drawn
        places = first_by_number(ids, draw.seed, draw.number, size) if size else []
        wrong = {ids[place] for place in places} ^ set(part.loc[part["status"] == DRAWN,
                                                                "passage_id"])  # fmt: skip
        if wrong:
            first = frame[frame["passage_id"].isin(wrong)].iloc[0]
            problems.append(
                Problem(path, f"stratum {name!r} does not hold the passages that seed {draw.seed} "
                        f"draws ({first['passage_id']!r} is one that differs)",
                        f"{_RESTORE} Passages chosen otherwise are a convenience sample.",
                        int(first[LINE]))
            )  # fmt: skip
    return problems


def read_plan(path: Path) -> pd.DataFrame:
    """Read a file that ``framing plan --output`` wrote: :data:`PLAN_COLUMNS`, a row a stratum.

    ``passages coded left more`` are ints. Raises :class:`InputError` on repeated strata, on
    sizes that do not add up (coded and left to passages, more above left), on rows of different
    plans and where nothing is to be drawn.
    """
    frame = read_table(path, PLAN_COLUMNS)
    whole = ("passages", "coded", "left", "more")
    problems = [
        Problem(path, f"stratum {row['stratum']!r} has {column} {row[column]!r}",
                "Give a whole number of at least 0.", int(row[LINE]))
        for column in whole
        for _, row in frame[~frame[column].str.fullmatch(r"\d{1,12}")].iterrows()
    ]  # fmt: skip
    if frame.empty:
        problems.append(Problem(path, "holds no stratum", "Make it anew by `framing plan`."))
    raise_if_any(problems)
    frame = frame.astype(dict.fromkeys(whole, int))
    again = frame["stratum"].duplicated()
    unlike = frame[list(_CONSTANT)].ne(frame[list(_CONSTANT)].iloc[0]).any(axis=1)
    for wrong, what, remedy in (
        (again, "is given twice", "Keep one row a stratum."),
        (unlike, f"belongs to another plan than line 2 ({', '.join(_CONSTANT)})",
         "Keep the rows of one plan in a file."),
        (frame["coded"] + frame["left"] != frame["passages"],
         "has sizes that do not add up: coded and left must make passages",
         "Restore the row as `framing plan` wrote it."),
        (frame["more"] > frame["left"], "asks for more passages than it has left",
         "Lower `more`."),
    ):  # fmt: skip
        problems += [
            Problem(path, f"stratum {row['stratum']!r} {what}", remedy, int(row[LINE]))
            for _, row in frame[wrong].iterrows()
        ]
    if not problems and frame["more"].sum() < 1:
        problems.append(
            Problem(path, "asks for no more passages", "There is nothing to draw: the wish is met.")
        )
    raise_if_any(problems)
    return frame


def plan_problems(
    plan: pd.DataFrame, path: Path, project: str, design: pd.DataFrame, strata: pd.Series
) -> list[Problem]:
    """Return why a plan no longer fits a project: its title, its frame, its strata or their sizes.

    ``plan`` comes from :func:`read_plan`, ``design`` from :func:`combined_design`, ``strata`` are
    the plan's strata worked out anew on it.
    """
    first = plan.iloc[0]
    if first["project"] != project:
        return [
            Problem(path, f"is a plan for the project {first['project']!r}, this one is "
                    f"{project!r}", "Take this project's plan.", 2)
        ]  # fmt: skip
    again = "Run `snakemake`, then `framing plan` again."
    if first["frame_sha256"] != frame_digest(design["passage_id"]):
        return [
            Problem(path, "was made for another frame: passages joined or left the corpus since",
                    again, 2)
        ]  # fmt: skip
    inside = (strata != "").to_numpy()
    if first["strata_sha256"] != strata_digest(design["passage_id"][inside], strata[inside]):
        return [
            Problem(path, "was made with other strata: the classifier's decisions, or settings, "
                    "changed since", again, 2)
        ]  # fmt: skip
    left = strata[inside & design["weight"].isna().to_numpy()].value_counts()
    sizes = strata[inside].value_counts()
    return [
        Problem(path, f"stratum {row['stratum']!r} says {row['left']} of {row['passages']} are "
                f"left, there are {left.get(row['stratum'], 0)} of "
                f"{sizes.get(row['stratum'], 0)}", again, int(row[LINE]))
        for _, row in plan.iterrows()
        if (row["left"], row["passages"])
        != (left.get(row["stratum"], 0), sizes.get(row["stratum"], 0))
    ]  # fmt: skip


def sample_rows(draw: Draw) -> pd.DataFrame:
    """Return a first draw as the table ``corpus/sample.tsv`` (:data:`SAMPLE_COLUMNS`).

    Raises :class:`InputError` for a supplement, which is no sample of its own, for a convenience
    sample, and where a draw left strata without a passage.
    """
    place = f"{DRAWS}/{draw.number}"
    if not draw.is_sample:
        raise InputError(
            Problem(place, f"is no first random sample but a {draw.kind} "
                    f"{'supplement' if draw.supplement else 'sample'}",
                    "Only a first random draw makes corpus/sample.tsv.")
        )  # fmt: skip
    empty = [name for name, one in draw.strata.items() if not one.drawn and one.size]
    outside = int((draw.passages["stratum"] == "").sum())
    if empty or outside:
        raise InputError(
            Problem(place, f"leaves {f'stratum {empty[0]!r}' if empty else f'{outside} passages'} "
                    "without a chance to be drawn", "A first draw must cover the whole frame.")
        )  # fmt: skip
    rows = draw.drawn
    sizes = [draw.strata[name] for name in rows["stratum"]]
    return pd.DataFrame(
        {
            "passage_id": rows["passage_id"],
            "stratum": rows["stratum"],
            "stratum_size": [one.size for one in sizes],
            "stratum_sampled": [one.drawn for one in sizes],
            "inclusion_probability": [one.drawn / one.size for one in sizes],
        }
    )[list(SAMPLE_COLUMNS)].reset_index(drop=True)


def is_convenience(draws: Iterable[Draw]) -> bool:
    """Return whether any of the draws was chosen by hand: every table made with it must say so."""
    return any(draw.kind == CONVENIENCE for draw in draws)


def mark_of(draws: Iterable[Draw]) -> str:
    """Return what every row of every table must say of how passages were drawn; mostly nothing."""
    return CONVENIENCE_MARK if is_convenience(draws) else ""


# --- combining ------------------------------------------------------------------------------------


def check_draws(frame: pd.DataFrame, draws: Sequence[Draw], folder: Path = DRAWS) -> list[Problem]:
    """Return where draws contradict the corpus, the first sample or one another.

    ``frame`` is the passage frame with the design of ``corpus/sample.tsv``. Drawn passages must
    still be in the corpus, none may be drawn twice, and each draw must have known of all earlier
    ones.
    """
    known = set(frame["passage_id"])
    before = set(frame.loc[frame["weight"].notna(), "passage_id"])
    taken = dict.fromkeys(before, ("the sample of corpus/sample.tsv", sample_role(draws)))
    problems = []
    for draw in draws:
        path, rows = folder / str(draw.number) / ROWS, draw.passages
        gone = sorted(set(rows["passage_id"]) - known)
        if gone:
            problems.append(
                Problem(path, f"{len(gone)} passages of its frame are no longer in the corpus, "
                        f"{gone[0]!r} among them", "Restore them: its sizes count them.")
            )  # fmt: skip
        drawn = set(draw.drawn["passage_id"])
        if draw.is_sample:
            if draw.number != 1 or drawn != before:
                problems.append(
                    Problem(path, "is a first draw but not the sample of corpus/sample.tsv",
                            "Restore the one or the other.")
                )  # fmt: skip
            continue
        twice = sorted(drawn & before)
        if twice:
            problems += _drawn_twice(draw, path, twice, taken)
        elif set(rows.loc[rows["status"] == EARLIER, "passage_id"]) != before:
            problems.append(
                Problem(path, "counts other passages as drawn earlier than the sample and the "
                        "earlier draws hold", "Restore corpus/sample.tsv and all draws as they "
                        "were.")
            )  # fmt: skip
        before |= drawn
        taken |= dict.fromkeys(drawn - set(twice), (f"draw {draw.number}", draw.role))
    return problems


def awaiting(draws: Sequence[Draw], states: Sequence[str]) -> list[str]:
    """Return the ids of passages of confirmation draws that have no codings yet, sorted.

    ``states`` says what each draw counts as. Nobody is to look at these passages.
    """
    return sorted(
        name
        for draw, state in zip(draws, states, strict=True)
        if state == PENDING
        for name in draw.drawn["passage_id"]
    )


def sample_role(draws: Sequence[Draw]) -> str:
    """Return the role of ``corpus/sample.tsv``: its draw's, else it is for development."""
    return draws[0].role if draws and draws[0].is_sample else DEVELOPMENT


def _drawn_twice(
    draw: Draw, path: Path, twice: Sequence[str], taken: Mapping[str, tuple[str, str]]
) -> list[Problem]:
    """Return the problems of a draw that took passages which ``taken`` says were drawn before.

    A passage that is read by one draw and unread by the other is named with its row.
    """
    line = {name: int(row) + 2 for row, name in draw.passages["passage_id"].items()}
    other = [name for name in twice if taken[name][1] != draw.role]
    if not other:
        return [
            Problem(path, f"{len(twice)} passages were drawn before, {twice[0]!r} among them",
                    "A passage is drawn once: the draws do not belong together.")
        ]  # fmt: skip
    first = other[0]
    by, role = taken[first]
    return [
        Problem(path, f"draws the passage {first!r} for {draw.role}, but {by} drew it for {role}: "
                f"it cannot be both read and unread ({len(other)} such passages)",
                "A passage that was read once stays read: a confirmation draw takes only passages "
                "that no draw took before.", line[first])
    ]  # fmt: skip


# Arrays over all passages (N,): a design that is being combined. `used` are the passages that count
# as drawn in it, `told` those in strata of which the draws say something.
@dataclass
class _Design:
    weight: Floats
    varying: Floats
    stratum: npt.NDArray[np.object_]
    size: Floats
    sampled: Floats
    covered: Bools
    used: Bools
    told: Bools


def combined_design(
    frame: pd.DataFrame,
    draws: Sequence[Draw],
    folder: Path = DRAWS,
    *,
    states: Sequence[str] | None = None,
    coded: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return the passage frame with the design of the first sample and all draws together.

    ``frame`` is the passage frame (``passage_id stratum stratum_size stratum_sampled weight``, the
    last missing where not drawn); ``draws`` come from :func:`read_draws`. ``states`` says what each
    draw counts as (:mod:`framing.sampling.roles`), by default all as development draws; ``coded``
    are the passages with codings, by default all drawn ones: those of a confirmation draw that have
    none count as left. Weights follow the formulas at the head of this module. Returned columns:

    - ``stratum stratum_size stratum_sampled``: of drawn passages, the stratum of the draw that took
      them (supplements: ``draw n: name``), with its N_h and n_h;
    - ``weight``: what a drawn passage counts for; missing where not drawn. With supplements it is
      no longer N_h/n_h and strata no longer add up to the frame;
    - ``random_share``: the part of the weight that varies with the draw; 1 without supplements, 0
      of a passage that is known;
    - ``estimable`` (bool) and ``design_status``: false, and :data:`NOT_BY_DESIGN`, for passages in
      strata of which no draw took any (they joined the corpus later);
    - ``role``: ``development`` or ``confirmation`` (drawn, and unread), empty where not drawn;
    - ``read_weight``: what passages of development draws count for under these draws alone, missing
      elsewhere;
    - ``read_frame`` (bool): a development draw could have taken the passage;
    - ``unread_frame`` (bool): the passage lies in a stratum of which an unread draw took some.

    Where passages joined after the first sample, which ones must be on record: in a draw, or as a
    bool column ``in_frame`` of ``frame``. Raises :class:`InputError` otherwise, and on what
    :func:`check_draws` finds.
    """
    raise_if_any(check_draws(frame, draws, folder))
    states = [DEVELOPMENT] * len(draws) if states is None else states
    index = pd.Index(frame["passage_id"])
    has_codes = np.ones(len(frame), dtype=bool) if coded is None else index.isin(list(coded))
    nothing = np.zeros(len(frame), dtype=bool)
    inside = _first_frame(frame, draws, index)
    by_draw = list(zip(draws, states, strict=True))
    # The sample of a project that has no record of it, or one that may be read, is as it stands.
    plain = sample_role(draws) == DEVELOPMENT
    base = _of_sample(frame, inside) if plain else _nothing(len(frame))
    read = _combined(
        base,
        [one for one, state in by_draw
         if state not in (PENDING, UNREAD) and not (plain and one.is_sample)],
        index, has_codes, nothing, anew=False,
    )  # fmt: skip
    unread = _combined(
        _nothing(len(frame)), [one for one, state in by_draw if state == UNREAD], index, has_codes,
        read.used, anew=True,
    )  # fmt: skip
    made = _united(read, unread)
    counts = {"stratum_size": made.size, "stratum_sampled": made.sampled}
    part = np.divide(made.varying, made.weight, out=np.ones(len(frame)), where=made.weight > 0)
    role = np.where(unread.used, CONFIRMATION, np.where(read.used, DEVELOPMENT, ""))
    return frame.assign(
        stratum=pd.Series(made.stratum, index=frame.index, dtype=object),
        **{name: pd.array(values, dtype="Float64").astype("Int64")
           for name, values in counts.items()},
        weight=made.weight,
        random_share=np.where(np.isnan(made.weight), np.nan, part),
        estimable=made.covered,
        design_status=np.where(made.covered, "", NOT_BY_DESIGN).astype(object),
        role=role.astype(object),
        read_weight=read.weight,
        read_frame=read.covered,
        unread_frame=unread.told,
    )  # fmt: skip


def _nothing(number: int) -> _Design:
    """Return the design of passages of which none has been drawn."""
    missing = np.full(number, np.nan)
    false = np.zeros(number, dtype=bool)
    return _Design(
        missing.copy(), missing.copy(), np.full(number, None, dtype=object), missing.copy(),
        missing.copy(), false.copy(), false.copy(), false.copy(),
    )  # fmt: skip


def _of_sample(frame: pd.DataFrame, inside: Bools) -> _Design:
    """Return the design of ``corpus/sample.tsv``; ``inside`` are those it could have drawn."""
    weight = frame["weight"].to_numpy(dtype=float, copy=True)
    size, sampled = (
        frame[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan, copy=True)
        for name in ("stratum_size", "stratum_sampled")
    )
    return _Design(
        weight, weight.copy(), frame["stratum"].to_numpy(dtype=object, copy=True), size, sampled,
        inside.copy(), ~np.isnan(weight), np.zeros(len(frame), dtype=bool),
    )  # fmt: skip


def _combined(
    made: _Design, draws: Iterable[Draw], index: pd.Index, has_codes: Bools, known: Bools, *,
    anew: bool,
) -> _Design:  # fmt: skip
    """Return ``made`` with draws added, one after the other.

    ``has_codes`` (N,) says which passages have codings, ``known`` (N,) which are known whatever
    these draws say. Shares of earlier draws are those on record, or reckoned ``anew`` from these
    draws alone.
    """
    for draw in draws:
        place = index.get_indexer(draw.passages["passage_id"])
        names = list(draw.strata)
        codes = pd.Index(names).get_indexer(draw.passages["stratum"])
        scope = codes >= 0
        place, codes = place[scope], codes[scope]
        status = draw.passages["status"].to_numpy(dtype=object)[scope]
        counted = has_codes[place] if draw.role == CONFIRMATION else np.ones(len(place), dtype=bool)
        taken = (status == DRAWN) & counted
        past = made.used[place]
        rest = ~past & ~known[place]
        size, drawn = (
            np.bincount(codes[rows], minlength=len(names)).astype(float) for rows in (rest, taken)
        )
        share = _shares(draw, names, made, place, codes, past, known, size, drawn, anew=anew)
        # What the draw says of strata it took passages from, or found with nothing left.
        told = ((drawn > 0) | (size == 0))[codes]
        share = share[codes]
        old = past & told
        rows = place[old]
        made.weight[rows] = share[old] * made.weight[rows] + 1 - share[old]
        made.varying[rows] *= share[old]
        rows = place[taken]
        made.size[rows], made.sampled[rows] = size[codes[taken]], drawn[codes[taken]]
        made.weight[rows] = (1 - share[taken]) * made.size[rows] / made.sampled[rows]
        made.varying[rows] = made.weight[rows]
        label = "" if draw.is_sample else f"draw {draw.number}: "
        made.stratum[rows] = [f"{label}{names[code]}" for code in codes[taken]]
        made.covered[place[told]] = True
        made.told[place[told]] = True
        made.used[rows] = True
    return made


def _shares(
    draw: Draw, names: Sequence[str], made: _Design, place: Ints, codes: Ints, past: Bools,
    known: Bools, size: Floats, drawn: Floats, *, anew: bool,
) -> Floats:  # fmt: skip
    """Return the earlier draws' share in each stratum of a draw.

    As on record, or, where draws are combined apart from others that the record counts among the
    earlier ones, reckoned ``anew``; 0 where the earlier draws at hand do not cover the stratum.
    """
    covered = made.covered[place] | known[place]
    if anew:
        return _best_shares(
            codes, np.ones(len(codes), dtype=bool), past, made.weight[place], covered, size, drawn,
            even=draw.even,
        )  # fmt: skip
    recorded = np.array([draw.strata[name].earlier_share for name in names], dtype=float)
    whole = np.bincount(codes[~covered], minlength=len(names)) == 0
    return np.where(whole, recorded, 0.0)


def _united(read: _Design, unread: _Design) -> _Design:
    """Return the final design: where unread draws tell, all that was read is known."""
    made = replace(read, **{
        name: getattr(read, name).copy()
        for name in ("weight", "varying", "stratum", "size", "sampled")
    })  # fmt: skip
    known = read.used & unread.told
    made.weight[known], made.varying[known] = 1.0, 0.0
    for name in ("weight", "varying", "stratum", "size", "sampled"):
        getattr(made, name)[unread.used] = getattr(unread, name)[unread.used]
    return replace(made, covered=read.covered | unread.covered, used=read.used | unread.used)


def _first_frame(frame: pd.DataFrame, draws: Sequence[Draw], index: pd.Index) -> Bools:
    """Return which passages the first sample could have drawn."""
    inside = np.zeros(len(frame), dtype=bool)
    drawn = frame[frame["weight"].notna()]
    total = int(drawn.drop_duplicates("stratum")["stratum_size"].sum()) if len(drawn) else 0
    if draws:
        rows = draws[0].passages
        known = rows["covered"] | draws[0].is_sample
        inside[index.get_indexer(rows.loc[known, "passage_id"])] = True
    elif "in_frame" in frame.columns:
        inside = frame["in_frame"].to_numpy(dtype=bool, copy=True)
    else:
        inside[:] = total == len(frame)
    if total != inside.sum():
        raise InputError(
            Problem("corpus/sample.tsv", f"its strata add up to {total} passages, the corpus has "
                    f"{len(frame)}, and it is not on record which ones could be drawn",
                    "Say so in the passage frame (column in_frame), or restore the draws.")
        )  # fmt: skip
    return inside


def estimable_cells(design: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return, by cell of ``columns``, how many passages are covered by a draw, and a status.

    ``design`` comes from :func:`combined_design`. Columns: ``columns``, ``passages``,
    ``estimable``, ``status``: empty, :data:`NOT_BY_DESIGN` where no draw covers any passage of the
    cell, or how many passages the cell's estimate says nothing about.
    """
    groups = design.groupby(list(columns), sort=True, dropna=False)["estimable"]
    cells = groups.agg(passages="size", estimable="sum").reset_index()
    missing = cells["passages"] - cells["estimable"]
    partly = "valid for the sampled frame: " + missing.astype(str) + " passages are outside it"
    cells["status"] = np.where(
        missing == 0, "", np.where(cells["estimable"] == 0, NOT_BY_DESIGN, partly)
    )
    return cells
