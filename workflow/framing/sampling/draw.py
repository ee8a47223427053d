"""Drawing passages for coding. What several draws say together: :mod:`framing.sampling.combine`.

How a passage is drawn
    Each candidate gets a number, the SHA-256 digest of ``seed/draw/passage_id``, and within each
    stratum the passages with the smallest numbers are drawn. Numbers so made behave like
    independent uniform ones, so this is simple random sampling without replacement within strata
    (sampling by permanent random numbers: Ohlsson 1995; digests of a seed in public audits: Rivest
    2018). Unlike the state of a generator they belong to the passage, so that the draw depends
    neither on the order of rows nor on the machine nor on the version of a library, and anyone can
    redo it from the record. The number of the draw is part of what is digested: passages left over
    by an earlier draw would otherwise be those with large numbers, more so where it was dense.

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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from framing.common.files import (
    sha256,
)
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import SAMPLE_COLUMNS
from framing.sampling.roles import DEVELOPMENT, PENDING

Floats = npt.NDArray[np.float64]

Ints = npt.NDArray[np.int64]

Bools = npt.NDArray[np.bool_]

DRAWS = Path("corpus/draws")

HEAD, ROWS = "draw.json", "passages.tsv"

FORMAT = 2

RULE = "in each stratum, the smallest SHA-256 digests of seed/draw/passage_id"

BY_HAND = "chosen by hand: not a random sample"

REPLAYED, NOT_REPLAYED = "by the seed", "not checked: the draw was made elsewhere"

NO_REPLAY = "none"

PROBABILITY, CONVENIENCE = "probability", "convenience"

DRAWN, LEFT, EARLIER = "drawn", "left", "earlier"

ROW_COLUMNS = ("passage_id", "stratum", "status", "covered", "inclusion_probability")

CONVENIENCE_CAVEAT = "convenience sample: passages were chosen by hand, no inference holds"

NOT_BY_DESIGN = "not estimable by design: no draw covers it"

PLAN_COLUMNS = (
    "project", "goal", "estimator", "target", "frame_sha256", "strata_sha256", "strata_by",
    "scope", "stratum", "passages", "coded", "left", "error_sd", "neyman", "more",
)  # fmt: skip
"""Columns of the file that ``framing plan`` writes and ``framing sample`` reads."""

_SHARE_DECIMALS = 9


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
    :func:`framing.sampling.strata.strata_of` in its order, ``number`` the number of the draw.
    ``even`` says that sizes are proportional. Raises :class:`InputError` on strata that do not
    exist or hold too little.
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
    return record_of(
        design, names, chosen, number=number, kind=PROBABILITY, seed=seed, project=project,
        strata_by=strata_by, even=even,
    )  # fmt: skip


def record_of(
    design: pd.DataFrame, names: Any, chosen: Bools, *, number: int, kind: str, seed: int | None,
    project: str, strata_by: Sequence[str], even: bool,
) -> Draw:  # fmt: skip
    """Return the record of a draw that took the rows ``chosen`` (N,) of the frame ``design``."""
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
    share = best_shares(codes, scope, earlier, weight, covered, size, drawn, even=even)
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


def best_shares(
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
