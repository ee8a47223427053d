"""Several draws as one design.

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
    bias by ``framing.inference.variances.stratum_deviations`` given contributions times
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
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from framing.common.problems import InputError, Problem, raise_if_any
from framing.sampling.draw import (
    CONVENIENCE,
    CONVENIENCE_CAVEAT,
    DRAWN,
    DRAWS,
    EARLIER,
    NOT_BY_DESIGN,
    ROWS,
    Bools,
    Draw,
    Floats,
    Ints,
    best_shares,
    sample_role,
)
from framing.sampling.roles import CONFIRMATION, DEVELOPMENT, PENDING, UNREAD


def is_convenience(draws: Iterable[Draw]) -> bool:
    """Return whether any of the draws was chosen by hand: every table made with it must say so."""
    return any(draw.kind == CONVENIENCE for draw in draws)


def caveat_of(draws: Iterable[Draw]) -> str:
    """Return what every row of every table must say of how passages were drawn; mostly nothing."""
    return CONVENIENCE_CAVEAT if is_convenience(draws) else ""


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
        return best_shares(
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
