"""An invented population for the tests of the inference room, and samples drawn from it.

Sources are of very unequal size, the classifier errs differently by group, and its errors go with
the source, as in real corpora.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from framing.inference.design import Population, population
from framing.inference.intervals import Settings
from framing.inference.outcomes import Outcome

GROUPS = {"council": "Council papers", "residents": "Residents' letters", "press": "The press"}
PERIODS = ["2001-2005", "2006-2010"]
FOLDS = 5


def config(**inference: Any) -> dict[str, Any]:
    """A configuration with what the inference room reads."""
    return {
        "groups": GROUPS,
        "periods": [{"id": name, "first": 0, "last": 0} for name in PERIODS],
        "undated": "undated",
        "inference": {
            "confidence": 0.95,
            "tuning_minimum": 20,
            "cell_minimum": 5,
            "wilson_below": 10,
            "gain_discount": 0,  # formulas as in the books; test_coverage has it at work
            "few_coded": 0,
            "source_correlation": 0.2,
            "coder_interval": "envelope",
            **inference,
        },
        "standardisation": {"weights": "pooled", "minimum": 5},
        "case_study": "",
        "combinations": {},
        "agreement": {"draws": 200, "seed": 3, "minimum_units": 10, "minimum_sources": 2},
        "coders": {"rule": "majority", "tie": "absent"},
        "classifier": {"calibration_bins": 10},
        "report": {"decimals": 2},
        "contrasts": [],
    }


def corpus(
    seed: int, sources: int = 120, prevalence: tuple[float, ...] = (0.3, 0.15, 0.08)
) -> pd.DataFrame:
    """Passages with their true code: ``passage_id source_id group period truth …``, no sample yet.

    ``cue`` says whether a cue hits; ``fold probability decision`` are the classifier's.
    """
    random = np.random.default_rng(seed)
    size = np.minimum(np.ceil(random.lognormal(1.5, 0.9, sources)), 40).astype(int)
    source = np.repeat(np.arange(sources), size)
    group = np.arange(sources) % len(GROUPS)
    period = random.integers(0, len(PERIODS) + 1, sources)
    base = np.log(np.array(prevalence) / (1 - np.array(prevalence)))
    logit = (base[group] + random.normal(0, 0.5, sources))[source]
    truth = (random.random(len(source)) < 1 / (1 + np.exp(-logit))).astype(int)
    shift = (np.array([0.6, -0.4, 0.0])[group] + random.normal(0, 0.3, sources))[source]
    score = -2.0 + shift + 2.2 * truth + random.normal(0, 1.0, len(source))
    probability = np.round(1 / (1 + np.exp(-score)), 6)
    return pd.DataFrame(
        {
            "passage_id": [f"p{number:06d}" for number in range(len(source))],
            "source_id": [f"s{number:04d}" for number in source],
            "group": np.array(list(GROUPS), dtype=object)[group[source]],
            "period": np.array([*PERIODS, "undated"], dtype=object)[period[source]],
            "words": 60,
            "truth": truth,
            "cue": (random.random(len(source)) < np.where(truth == 1, 0.6, 0.15)).astype(int),
            "fold": source % FOLDS,
            "probability": probability,
            "decision": (probability >= 0.4).astype(int),
        }
    )


def sampled(frame: pd.DataFrame, seed: int, share: tuple[float, float] = (0.3, 0.7)) -> Any:
    """Draw passages within group × cue strata; return the passage frame and the scores.

    ``share`` are the sampling fractions of strata without and with a cue (at least two passages).
    """
    random = np.random.default_rng(seed)
    stratum = frame["group"] + np.where(frame["cue"] == 1, "/cue", "/none")
    passages = frame[["passage_id", "source_id", "group", "period", "words"]].copy()
    columns = ["stratum", "stratum_size", "stratum_sampled", "weight"]
    passages[columns] = pd.DataFrame({name: [None] * len(frame) for name in columns}, dtype=object)
    for name, rows in frame.groupby(stratum.to_numpy()).indices.items():
        size = len(rows)
        number = min(size, max(2, round(share[name.endswith("/cue")] * size)))
        drawn = random.choice(rows, number, replace=False)
        passages.loc[drawn, "stratum"] = name
        passages.loc[drawn, ["stratum_size", "stratum_sampled"]] = (size, number)
        passages.loc[drawn, "weight"] = size / number
    passages = passages.astype(
        {"stratum_size": "Int64", "stratum_sampled": "Int64", "weight": float}
    )
    return passages, scores(frame, passages)


def scores(frame: pd.DataFrame, passages: pd.DataFrame, code: str = "cost") -> pd.DataFrame:
    """The scores table of one code: labels are the truth, where drawn."""
    return pd.DataFrame(
        {
            "passage_id": frame["passage_id"],
            "code": code,
            "fold": frame["fold"],
            "label": frame["truth"].astype("Int64").where(passages["weight"].notna()),
            "probability": frame["probability"],
            "decision": frame["decision"],
        }
    )


def exact(strata: dict[str, tuple[int, str]], sources: str = "", groups: str = "") -> pd.DataFrame:
    """A passage frame from a few strata: name -> (size, how many of them were drawn, as marks).

    ``strata[name] = (N, "110…")`` draws as many passages as there are marks; the marks themselves
    are for the caller. Drawn passages come first in each stratum. ``sources`` and ``groups`` name
    them by one letter a passage; by default every passage is its own source, all in one group.
    """
    rows = []
    for name, (size, marks) in strata.items():
        for place in range(size):
            drawn = place < len(marks)
            rows.append(
                {
                    "passage_id": f"{name}{place:04d}",
                    "stratum": name if drawn else None,
                    "stratum_size": size if drawn else pd.NA,
                    "stratum_sampled": len(marks) if drawn else pd.NA,
                    "weight": size / len(marks) if drawn else np.nan,
                }
            )
    frame = pd.DataFrame(rows).astype({"stratum_size": "Int64", "stratum_sampled": "Int64"})
    frame["source_id"] = list(sources) if sources else frame["passage_id"]
    frame["group"] = list(groups) if groups else "council"
    return frame.assign(period="undated")


# --- small populations whose answers are known ----------------------------------------------------


def marks(text: str) -> np.ndarray:
    """Return the digits of a text as numbers."""
    return np.array([float(mark) for mark in text])


def settings(**changes: Any) -> Settings:
    """The settings of :func:`config`, some of them changed."""
    return Settings.of(config(**changes))


def drawn_from(
    strata: str, rows: Any, sources: str = "", groups: str = "", period: str = "undated"
) -> pd.DataFrame:
    """A passage frame: a letter a passage for its stratum, source and group; ``rows`` were drawn.

    By default every passage is its own source, all in one group.
    """
    of_stratum = pd.Series(list(strata), dtype=object)
    drawn = of_stratum.index.isin(rows)
    size = of_stratum.map(of_stratum.value_counts())
    sampled = of_stratum.map(of_stratum[drawn].value_counts())
    names = [f"p{number:03d}" for number in range(len(strata))]
    return pd.DataFrame(
        {
            "passage_id": names,
            "source_id": list(sources) if sources else names,
            "group": list(groups) if groups else "council",
            "period": period,
            "stratum": of_stratum.where(drawn, None),
            "stratum_size": size.where(drawn).astype("Int64"),
            "stratum_sampled": sampled.where(drawn).astype("Int64"),
            "weight": (size / sampled).where(drawn),
        }
    )


def said(
    frame: Population, label: Any, score: Any, slope: float = 1.0, code: str = "cost"
) -> Outcome:
    """An outcome with codes ``label`` of the drawn passages and 0/1 ``score`` of all, λ given."""
    score = np.asarray(score, dtype=float)
    return Outcome(
        code, (score >= 0.5).astype(int), np.asarray(label, dtype=float), slope * score, ""
    )


KNOWN_CODES = marks("110101001010")


def known(slope: float = 1.0) -> tuple[Population, Outcome]:
    """Two strata (and groups) A: 6 of 40, B: 6 of 60, every answer of which is known.

    Codes A 110101, B 001010; the classifier says 110100 and 011010 of the drawn passages and yes to
    0.60 of all of A, to 0.35 of all of B.
    """
    passages = exact({"A": (40, "110101"), "B": (60, "001010")}, groups="A" * 40 + "B" * 60)
    score = marks(
        "110100" + "1" * 21 + "0" * 13 + "011010" + "1" * 18 + "0" * 36
    )  # 24 of 40, 21 of 60
    frame = population(passages)
    return frame, said(frame, KNOWN_CODES, score, slope)


@st.composite
def surveys(draw: st.DrawFn, complete: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Small samples of every kind: the passage frame and the scores of one code.

    One to three strata, two or more drawn of each, sources and groups across strata, a rare or a
    common code, five folds by source. ``complete`` draws everything.
    """
    sizes = draw(st.lists(st.integers(2, 9), min_size=1, max_size=3))
    rows: list[int] = []
    for start, size in zip(np.cumsum([0, *sizes[:-1]]), sizes, strict=True):
        number = size if complete else draw(st.integers(2, size))
        of_stratum = draw(st.permutations(range(size)))
        rows += [int(start) + place for place in of_stratum[:number]]
    total = sum(sizes)

    def text(letters: str) -> str:
        return draw(st.text(st.sampled_from(letters), min_size=total, max_size=total))

    strata = "".join(letter * size for letter, size in zip("xyz", sizes, strict=False))
    sources = text("abcdef")
    passages = drawn_from(strata, rows, sources=sources)
    passages["group"] = [{"0": "council", "1": "press"}[mark] for mark in text("01")]
    probability = marks(text("012345")) / 5
    frame = passages.assign(
        truth=marks(text("01")).astype(int),
        fold=["abcdef".index(source) % FOLDS for source in sources],
        probability=probability,
        decision=(probability >= 0.5).astype(int),
    )
    return passages, scores(frame, passages)


# --- read and unread passages ---------------------------------------------------------------------


def roles(
    layout: str, strata: str = "", sources: str = "", groups: str = "", period: Any = "undated"
) -> pd.DataFrame:
    """A passage frame of which some coded passages were read and others not: a letter a passage.

    Where unread draws reach: ``r`` read, ``u`` unread and coded, ``.`` not drawn. Where only a read
    draw does: ``R`` read, ``-`` not drawn. ``strata`` divides both draws; by default there is one
    stratum. Read passages of the first kind are known: weight 1, nothing of it random.
    """
    mark = pd.Series(list(layout), dtype=object)
    stratum = pd.Series(list(strata or "x" * len(layout)), dtype=object)
    unread, read = mark == "u", mark.isin(["r", "R"])
    reached = mark.isin(["r", "u", "."])
    known_ones = mark == "r"
    name = (reached.map({True: "unread: ", False: "read: "}) + stratum).mask(known_ones, "read")
    size = name.map(name.value_counts())
    # A first draw took the known ones from all that unread draws reached later.
    size = size.mask(known_ones, int(reached.sum()))
    sampled = name.map(name[unread | read].value_counts())
    drawn = unread | read
    weight = (size / sampled).astype(float).where(drawn)
    names = [f"p{number:03d}" for number in range(len(layout))]
    return pd.DataFrame(
        {
            "passage_id": names,
            "source_id": list(sources) if sources else names,
            "group": list(groups) if groups else "council",
            "period": period,
            "stratum": name.where(drawn, None),
            "stratum_size": size.where(drawn).astype("Int64"),
            "stratum_sampled": sampled.where(drawn).astype("Int64"),
            "weight": weight.mask(known_ones, 1.0),
            "random_share": np.where(known_ones, 0.0, 1.0),
            "estimable": True,
            "role": np.select([read, unread], ["development", "confirmation"], ""),
            "read_weight": weight.where(read),
            "unread_frame": reached,
        }
    )


def table_of(
    passages: pd.DataFrame, truth: Any, probability: Any, fold: Any = 0, code: str = "cost"
) -> pd.DataFrame:
    """The scores of one code; ``truth`` (N,) is the label where a passage was drawn."""
    probability = np.asarray(probability, dtype=float)
    frame = passages.assign(
        truth=np.asarray(truth, dtype=int), probability=probability, fold=fold,
        decision=(probability >= 0.5).astype(int),
    )  # fmt: skip
    return scores(frame, passages, code)


def drawn_twice(
    frame: pd.DataFrame, seed: int, read: int, unread: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw ``read`` passages of all, then ``unread`` of all others by group; frame and scores."""
    random = np.random.default_rng(seed)
    layout = np.full(len(frame), ".")
    layout[random.choice(len(frame), read, replace=False)] = "r"
    left = layout == "."
    share = unread / left.sum()
    groups = frame["group"].map({name: letter for letter, name in zip("xyz", GROUPS, strict=True)})
    for letter in sorted(set(groups)):
        rows = np.flatnonzero(left & (groups == letter))
        layout[random.choice(rows, round(share * len(rows)), replace=False)] = "u"
    passages = roles("".join(layout), "".join(groups))
    own = ["passage_id", "source_id", "group", "period"]
    passages[own] = frame[own].to_numpy()
    return passages, scores(frame, passages)


def knowing_all(passages: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The scores of a classifier that is right of every read passage."""
    read = (passages["role"] == "development").to_numpy()
    right = table["label"].where(read)
    return table.assign(
        probability=table["probability"].where(~read, right.astype("Float64")).astype(float),
        decision=table["decision"].where(~read, right).astype(int),
    )


@st.composite
def read_surveys(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """As :func:`surveys`, with known passages and, mostly, others that only a read draw reached."""
    layout, strata = "", ""
    for letter in draw(st.sampled_from(["x", "xy"])):
        for letters in ("u.", "R-") if draw(st.integers(0, 3)) else ("u.",):
            size = draw(st.integers(3, 7))
            number = draw(st.integers(2, size))
            piece = draw(st.permutations(letters[0] * number + letters[1] * (size - number)))
            layout, strata = layout + "".join(piece), strata + letter * size
    reads = draw(st.integers(0, 6))
    layout, strata = layout + "r" * reads, strata + "x" * reads
    total = len(layout)

    def text(letters: str) -> str:
        return draw(st.text(st.sampled_from(letters), min_size=total, max_size=total))

    sources = text("abcdef")
    groups = [{"0": "council", "1": "press"}[mark] for mark in text("01")]
    passages = roles(layout, strata, sources=sources)
    passages["group"] = groups
    fold = ["abcdef".index(source) % FOLDS for source in sources]
    return passages, table_of(passages, marks(text("01")), marks(text("012345")) / 5, fold)


def beside_read() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The frame of :func:`known_and_read`, codes (0 where not drawn), and the classifier's 0/1."""
    rest, data = known()
    layout = np.full(100, ".")
    layout[rest.drawn] = "u"
    passages = roles("".join(layout) + "r" * 25, "A" * 40 + "B" * 60 + "r" * 25)
    truth = np.zeros(125)
    truth[rest.drawn], truth[100:105] = KNOWN_CODES, 1
    return passages, truth, np.r_[data.fitted, np.zeros(25)]


def known_and_read(slope: float = 1.0) -> tuple[Population, Outcome]:
    """:func:`known`, unread, beside 25 read passages, of which 5 carry the code: 125 passages.

    The classifier says no to all of these. So shares are (5 + 100·θ)/125, standard errors 100/125
    of those of :func:`known`.
    """
    passages, truth, score = beside_read()
    frame = population(passages)
    return frame, said(frame, truth[frame.drawn], score, slope)


def free_of_sources(weight: Any, squares: Any, correlation: float = 0.2) -> float:
    """Degrees of freedom between sources (``texts``), by the matrix that the formula sums up.

    ``weight`` and ``squares`` (m,) are Σw and Σw² of each source's coded passages. Bell & McCaffrey
    (2002): d = B(I − 1h')ȳ with V(ȳ) = diag(ρ + (1 − ρ)Σw²/(Σw)²); (tr Ω)²/tr Ω² of d's covariance.
    """
    weight, squares = np.asarray(weight, dtype=float), np.asarray(squares, dtype=float)
    share = weight / weight.sum()
    centre = np.eye(len(share)) - np.outer(np.ones(len(share)), share)
    scaled = np.diag(share / np.sqrt(1 - share)) @ centre
    omega = scaled @ np.diag(correlation + (1 - correlation) * squares / weight**2) @ scaled.T
    return float(np.trace(omega) ** 2 / np.trace(omega @ omega))
