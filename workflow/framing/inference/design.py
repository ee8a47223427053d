"""The sampling design: who was drawn with what weight, and of what an estimate speaks.

Two reasons why an estimate might have come out otherwise, two ways to compute a variance
(:mod:`framing.inference.variances`):

``corpus``
    this corpus is what is asked about; other passages might have been drawn for coding. Simple
    random sampling without replacement within strata, with finite population correction.
``texts``
    texts like these are asked about; other sources might have been collected. Sources are clusters
    drawn at random, the passages drawn within them come along (ultimate clusters).

Strata are known for drawn passages only; nothing here needs the stratum of another passage.

What was read, and what was not
    Whoever writes cues may have read the coded passages of *development* draws. The classifier's
    errors on them say nothing of its errors elsewhere (Egami et al. 2022), so nothing is corrected
    by them: their codes are facts about themselves. A domain therefore falls into what is *known*
    (read passages in the unread frame, and whatever a draw took whole) and a *rest*, which consists
    of at most two parts: the one that draws nobody has read reach, and the one that only read
    draws do. Estimates of the parts are added up by their sizes, which are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from framing.common.config import ALL
from framing.common.problems import Problem, raise_if_any
from framing.sampling.roles import CONFIRMATION

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CORPUS = "corpus"
TEXTS = "texts"
TARGETS = (CORPUS, TEXTS)
PLACE = "corpus/sample.tsv"
_EXACT = 1e-9  # a weight this near to 1 is 1


@dataclass(frozen=True)
class Population:
    """All passages of a corpus and the sample drawn from them, as arrays.

    ``passages`` are the ids, N of them. ``source`` (N,) numbers each passage's source from 0;
    ``sources`` is how many there are. ``group`` and ``period`` (N,) are the ids, as categories.
    ``drawn`` (n,) are the rows of the drawn passages; ``stratum`` (n,) numbers their strata,
    ``weight`` (n,) is 1 / inclusion probability. ``strata`` (H) names the strata, ``size`` (H,) and
    ``sampled`` (H,) are N_h and n_h. ``random_share`` (n,) is the part of each weight that varies
    with the draw; None, for 1, unless several draws were combined (:mod:`framing.sampling.draw`).
    ``covered`` (N,) says which passages some draw could have drawn; None for all of them.

    ``read`` (n,) says which drawn passages authors may have read, ``unread_frame`` (N,) which
    passages lie where a draw reaches that nobody has read, ``read_weight`` (n,) is a read passage's
    weight under the draws that were read alone. All None where roles are not on record: then every
    drawn passage counts as unread. ``case`` (N,) are the passages of the case study, which is no
    instance of texts like these; None for none.
    """

    passages: pd.Index
    source: Ints
    sources: int
    group: pd.Categorical
    period: pd.Categorical
    drawn: Ints
    stratum: Ints
    weight: Floats
    strata: tuple[str, ...]
    size: Ints
    sampled: Ints
    random_share: Floats | None = None
    covered: Bools | None = None
    read: Bools | None = None
    unread_frame: Bools | None = None
    read_weight: Floats | None = None
    case: Bools | None = None

    @property
    def total(self) -> int:
        """Return N, the number of passages."""
        return len(self.source)

    @property
    def unread(self) -> Bools:
        """Return which drawn passages (n,) nobody has read."""
        return np.ones(len(self.drawn), dtype=bool) if self.read is None else ~self.read

    @property
    def confirmed(self) -> bool:
        """Return whether any coded passage is unread, so that corrections can rest on it."""
        return bool(self.unread.any())

    @property
    def known(self) -> Bools:
        """Return which drawn passages (n,) count as they are, without weight or chance.

        Those of a stratum taken whole, and read ones where unread draws reach.
        """
        fixed = (self.sampled == self.size)[self.stratum]
        if self.random_share is not None:
            fixed = fixed | (self.random_share == 0)
        return fixed & (np.abs(self.weight - 1) < _EXACT)

    def judging(self) -> tuple[Bools, Floats, bool]:
        """Return what the classifier may be judged by: which drawn passages, weights, if unread.

        The passages (n,) are the unread ones with their weights (n,). Where there are none they are
        the read ones, under the design of the draws that were read: what is said of the classifier
        then is optimistic.
        """
        if self.confirmed or self.read_weight is None:
            return self.unread, self.weight, self.confirmed
        return ~self.unread, np.nan_to_num(self.read_weight), False


@dataclass(frozen=True)
class Part:
    """A part of a domain's rest: passages of which codes were drawn at random.

    ``rows`` (N_p,) are its passages, ``source`` (N_p,) numbers their sources; ``coded`` (n_p,) are
    the positions of its drawn passages within the sample, ``place`` (n_p,) those within ``rows``.
    ``unread`` says whether nobody has read them. ``free`` counts drawn passages less their strata:
    the degrees of freedom of a design-based variance. ``lonely`` names a stratum from which one
    passage of several was drawn, if any.
    """

    rows: Ints
    source: Ints
    coded: Ints
    place: Ints
    unread: bool
    free: int
    lonely: str


@dataclass(frozen=True)
class Domain:
    """A part of the population: a group, a period, both, or all of it.

    ``rows`` (N_d,) are its passages, ``source`` (N_d,) numbers their sources. ``coded`` (n_d,) are
    the positions of its drawn passages within the sample, ``place`` (n_d,) those within ``rows``;
    of them ``known`` (k_d,) are positions within the sample of those that count as they are, and
    ``parts`` divide all other passages. ``sources`` and ``coded_sources`` count sources with a
    passage, and with a drawn passage, in it. ``outside`` are the rows of its passages that no draw
    could have drawn: of them only a classifier can speak, and nothing else here counts them.
    """

    rows: Ints
    source: Ints
    coded: Ints
    place: Ints
    known: Ints
    parts: tuple[Part, ...]
    sources: int
    coded_sources: int
    outside: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def complete(self) -> bool:
        """Return whether nothing of the domain is left to chance."""
        return len(self.rows) > 0 and not self.parts

    @property
    def free(self) -> int:
        """Return the degrees of freedom of the design-based variance of all parts together."""
        return sum(part.free for part in self.parts)

    @property
    def lonely(self) -> str:
        """Return a stratum from which one passage of several was drawn, if any."""
        return next((part.lonely for part in self.parts if part.lonely), "")


def check_design(passages: pd.DataFrame, place: str = PLACE) -> list[Problem]:
    """Return where the design columns of the passage frame contradict themselves.

    ``passages`` needs ``stratum stratum_size stratum_sampled weight``, the last missing where a
    passage was not drawn. Sizes must agree within a stratum, as many passages must be drawn as it
    says, the weight must be N_h / n_h, and the strata must add up to all passages. Of a frame in
    which several draws were combined (``random_share``) only the first two are asked: its weights
    are mixtures, and strata of later draws divide what earlier ones left.
    """
    combined = "random_share" in passages.columns
    drawn = passages[passages["weight"].notna()]
    problems = []
    of_stratum = drawn.groupby("stratum", sort=True)
    total = 0
    for name, rows in of_stratum:
        sizes = rows[["stratum_size", "stratum_sampled"]].drop_duplicates()
        if len(sizes) > 1 or sizes.isna().to_numpy().any():
            problems.append(
                Problem(place, f"stratum {name!r} is given with different or no sizes",
                        "Give the same stratum_size and stratum_sampled in all its rows.")
            )  # fmt: skip
            continue
        size, sampled = (int(value) for value in sizes.iloc[0])
        total += size
        if sampled != len(rows) or sampled > size:
            problems.append(
                Problem(place, f"stratum {name!r} says {sampled} of {size} were drawn but has "
                        f"{len(rows)} rows", "Make size, number drawn and rows agree.")
            )  # fmt: skip
        elif not combined and (np.abs(rows["weight"] - size / sampled) > 1e-6 * size).any():
            problems.append(
                Problem(place, f"stratum {name!r} has weights that are not {size}/{sampled}",
                        "A weight is the inverse of the inclusion probability: correct it.")
            )  # fmt: skip
    if not combined and not problems and len(drawn) and total != len(passages):
        problems.append(
            Problem(place, f"the strata add up to {total} passages, the corpus has "
                    f"{len(passages)}", "Every passage belongs to exactly one stratum.")
        )  # fmt: skip
    return problems


def population(passages: pd.DataFrame, case: str = "") -> Population:
    """Return the arrays that estimators work on.

    ``passages`` is the passage frame: ``passage_id source_id group period stratum stratum_size
    stratum_sampled weight``, one row a passage. Weights are taken from the two counts, which are
    exact, unless several draws were combined (``random_share role read_weight unread_frame``,
    :func:`framing.sampling.combine.combined_design`). ``case`` is the source of the case study, if
    any. Raises :class:`InputError` where the design contradicts itself (:func:`check_design`).
    """
    raise_if_any(check_design(passages))
    source, sources = pd.factorize(passages["source_id"])
    drawn = np.flatnonzero(passages["weight"].notna().to_numpy())
    part = passages.iloc[drawn]
    stratum, strata = pd.factorize(part["stratum"], sort=True)
    first = part.drop_duplicates("stratum").set_index("stratum").loc[list(strata)]
    size = first["stratum_size"].to_numpy(dtype=np.int64)
    sampled = first["stratum_sampled"].to_numpy(dtype=np.int64)
    shared, told = "random_share" in part.columns, "role" in part.columns
    return Population(
        passages=pd.Index(passages["passage_id"]),
        source=source.astype(np.int64),
        sources=len(sources),
        group=pd.Categorical(passages["group"]),
        period=pd.Categorical(passages["period"]),
        drawn=drawn,
        stratum=stratum.astype(np.int64),
        weight=part["weight"].to_numpy(dtype=float) if shared else (size / sampled)[stratum],
        strata=tuple(str(name) for name in strata),
        size=size,
        sampled=sampled,
        random_share=part["random_share"].to_numpy(dtype=float) if shared else None,
        covered=passages["estimable"].to_numpy(dtype=bool) if shared else None,
        read=(part["role"] != CONFIRMATION).to_numpy(dtype=bool) if told else None,
        unread_frame=passages["unread_frame"].to_numpy(dtype=bool) if told else None,
        read_weight=part["read_weight"].to_numpy(dtype=float) if told else None,
        case=(passages["source_id"] == case).to_numpy(dtype=bool) if case else None,
    )


def is_confirmed(passages: pd.DataFrame) -> bool:
    """Return whether the passage frame has a coded passage that nobody has read."""
    return "role" not in passages.columns or bool((passages["role"] == CONFIRMATION).any())


def within_frame(
    passages: pd.DataFrame, *tables: pd.DataFrame
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Return the passages that some draw could have drawn, and the rows of ``tables`` on them.

    For methods in which every passage must have had a chance to be drawn. ``passages`` is the
    passage frame; without a column ``estimable`` all of it is covered. ``tables`` have a column
    ``passage_id``.
    """
    if "estimable" not in passages.columns or passages["estimable"].all():
        return passages, list(tables)
    inside = passages[passages["estimable"]].reset_index(drop=True)
    known = set(inside["passage_id"])
    return inside, [table[table["passage_id"].isin(known)] for table in tables]


def domain(frame: Population, group: str = ALL, period: str = ALL, target: str = CORPUS) -> Domain:
    """Return the domain of a group, a period, both, or (by ``"all"``) everything.

    Under the target ``texts`` the case study is left out: it was chosen, and is no instance of
    texts like these.
    """
    member = members(frame, group, period)
    if target == TEXTS and frame.case is not None:
        member &= ~frame.case
    return part_of(frame, member)


def members(frame: Population, group: str = ALL, period: str = ALL) -> Bools:
    """Return which passages (N,) are in a group, a period, both, or (by ``"all"``) all of them."""
    member = np.ones(frame.total, dtype=bool)
    for name, column in ((group, frame.group), (period, frame.period)):
        if name != ALL:
            place = column.categories.get_indexer([name])[0]
            member &= (column.codes == place) if place >= 0 else False
    return member


def part_of(frame: Population, member: Bools) -> Domain:
    """Return the domain of the passages for which ``member`` (N,) is true.

    Those that no draw could have drawn are kept apart: an estimate holds for the sampled frame.
    """
    outside = np.zeros(0, dtype=np.int64)
    if frame.covered is not None:
        outside = np.flatnonzero(member & ~frame.covered)
        member = member & frame.covered
    rows = np.flatnonzero(member)
    coded = np.flatnonzero(member[frame.drawn])
    drawn = frame.drawn[coded]
    known = coded[frame.known[coded]]
    rest = member.copy()
    rest[frame.drawn[known]] = False
    reached = np.ones(frame.total, dtype=bool) if frame.unread_frame is None else frame.unread_frame
    parts = [
        _part(frame, inside, unread)
        for inside, unread in ((rest & reached, True), (rest & ~reached, False))
        if inside.any()
    ]
    # Where every passage was drawn, nothing is left to chance, whatever the strata.
    whole = [part.coded for part in parts if len(part.coded) == len(part.rows)]
    return Domain(
        rows=rows,
        source=frame.source[rows],
        coded=coded,
        place=np.searchsorted(rows, drawn),
        known=np.sort(np.concatenate([known, *whole])),
        parts=tuple(part for part in parts if len(part.coded) < len(part.rows)),
        sources=_distinct(frame.source[rows], frame.sources),
        coded_sources=_distinct(frame.source[drawn], frame.sources),
        outside=outside,
    )


def _part(frame: Population, member: Bools, unread: bool) -> Part:
    rows = np.flatnonzero(member)
    coded = np.flatnonzero(member[frame.drawn])
    in_stratum = np.bincount(frame.stratum[coded], minlength=len(frame.strata))
    partial = (frame.sampled < frame.size) & (in_stratum > 0)
    lonely = np.flatnonzero(partial & (frame.sampled == 1))
    return Part(
        rows=rows,
        source=frame.source[rows],
        coded=coded,
        place=np.searchsorted(rows, frame.drawn[coded]),
        unread=unread,
        free=int(in_stratum[partial].sum() - partial.sum()),
        lonely=frame.strata[lonely[0]] if len(lonely) else "",
    )


def _distinct(numbers: Ints, limit: int) -> int:
    return int(np.count_nonzero(np.bincount(numbers, minlength=limit)))
