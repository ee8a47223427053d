"""Selections of a project onto the project's own passages, by a declared rule.

A passage carries a code for a coder where that coder's selections of the code together cover at
least ``rule.share`` of its characters. A coder's passages are those of documents on which the coder
has a coding, or those of an explicit list: of these, passages without the code are coded absent
(0), all others are not coded (NA). A code that the file does not know could not be given, and a
passage that a selection which cannot be placed may belong to is not known to lack its code: NA,
too. Of a code with levels each level is a code of the project, below that of the code: the one that
a passage carries is its level, without one it is NA, and with two it has no place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import pandas as pd

from framing.acquire.codings.kinds import of_a_kind
from framing.acquire.refi.align import Corpus, Target, nearest, place_of, targets
from framing.acquire.refi.project import (
    UNKNOWN,
    UNSURE,
    Loss,
    Memo,
    Project,
    ProjectCode,
    Tally,
)
from framing.acquire.refi.settings import Rule
from framing.codebook.codes import Code
from framing.common.problems import Problem, raise_if_any

_UNPLACED = ["document", "coder", "code", "start", "end", "why", "nearest", "similarity"]
_SLACK = 1e-9  # of a share that cannot be said exactly in binary

Spans = dict[tuple[str, str], list[tuple[int, int]]]


def _spans() -> Spans:
    return defaultdict(list)


@dataclass(frozen=True)
class Mapped:
    """Codings of passages, and what of the project is not among them.

    ``table`` has ``passage_id coder code value`` (0, 1 or missing: not coded), a row for every
    passage, coder and indicator of a code (:mod:`framing.coding.variables`); ``unsure`` the
    passages of which a coder said so; ``unplaced`` the codings that could not be placed, with the
    nearest candidate (a passage, or for a document that is no source an id of a source) and how
    like it is; ``documents`` which source each document is; ``losses`` are those of reading and of
    mapping.
    """

    table: pd.DataFrame
    unsure: frozenset[tuple[str, str]]
    unplaced: pd.DataFrame
    documents: Mapping[str, Target]
    losses: tuple[Loss, ...]


@dataclass
class _State:
    """What is gathered while codings are placed, by coder and code."""

    covered: dict[str, Spans] = field(default_factory=lambda: defaultdict(_spans))
    unplaced: list[tuple[Any, ...]] = field(default_factory=list)
    open_cells: set[tuple[str, str, str]] = field(default_factory=set)  # coder, code, passage
    passages: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # of coders


def matched_codes(
    found: Iterable[ProjectCode], codes: Mapping[str, Code], same: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return which indicator each code of a project is, by guid; others are left out.

    ``same`` says which indicator a name or full name in the project stands for. Without it a full
    name, else a name counts that is a code's id or label, letter case aside; of a level the name
    with that of the code above it (``Code/Level``), or ``CODE.LEVEL``, or the name alone of a code
    that stands under none, if nothing else is called so.
    """
    known, alone = _known_names(codes)
    given = dict(same or {})
    indicators = {level.indicator for code in codes.values() for level in code.counted}
    made = {}
    for one in found:
        last_two = "/".join(one.path.split("/")[-2:])
        for name in dict.fromkeys((one.path, last_two, one.name)):
            if name in given:
                made[one.guid] = given[name]
            elif name.casefold() in known:
                made[one.guid] = known[name.casefold()]
            elif not one.parent and name.casefold() in alone:
                made[one.guid] = alone[name.casefold()]
            else:
                continue
            break
    return {guid: code for guid, code in made.items() if code in indicators}


def _known_names(codes: Mapping[str, Code]) -> tuple[dict[str, str], dict[str, str]]:
    """Return indicators by names, and by those names of levels that only one has."""
    known = {name.casefold(): name for name, code in codes.items() if code.kind.present}
    holders: dict[str, set[str]] = defaultdict(set)
    for name, code in codes.items():
        if code.kind.present:
            known.setdefault(code.label.casefold(), name)
            continue
        for level in code.levels:
            known.setdefault(level.indicator.casefold(), level.indicator)
            for own in (level.name.casefold(), level.label.casefold()):
                holders[own].add(level.indicator)
                for above in (name.casefold(), code.label.casefold()):
                    known.setdefault(f"{above}/{own}", level.indicator)
    taken = {own.casefold() for name, code in codes.items() for own in (name, code.label)}
    alone = {own: next(iter(levels)) for own, levels in holders.items()
             if len(levels) == 1 and own not in taken}  # fmt: skip
    return known, alone


def map_onto_passages(
    project: Project,
    corpus: Corpus,
    codes: Mapping[str, Code],
    rule: Rule,
    *,
    same: Mapping[str, str] | None = None,
    coders: Mapping[str, str] | None = None,
    coded: Mapping[str, Collection[str]] | None = None,
) -> Mapped:
    """Return the codings of ``corpus.passages`` that a project holds.

    ``codes`` are those of the codebook, in its order; ``same`` says which code (or ``CODE.LEVEL``)
    a name in the project stands for, ``coders`` the id of a user by name (else the name is the id),
    ``coded`` the passages that a coder (by id) has read, for coders for whom that is on record.
    Give only passages that were to be coded: others of a coder's documents come out as absent.
    Raises :class:`InputError` where ``coded`` names a coder whom the project does not have, or a
    passage that is not among the corpus's.
    """
    state, losses = _State(), Tally()
    found = targets(project.documents, corpus)
    code_of = matched_codes(project.codes, codes, same)
    paths = {one.guid: one.path for one in project.codes}
    bare = _without_level(project.codes, codes)
    names = {one.guid: (coders or {}).get(one.name, one.name) for one in project.users}
    if any(one.coder == UNKNOWN for one in project.codings):
        names[UNKNOWN] = (coders or {}).get(UNKNOWN, UNKNOWN)
    raise_if_any(_unknown(coded or {}, set(names.values()), set(corpus.passages["passage_id"])))
    documents = {one.guid: one for one in project.documents}
    places = {guid: place_of(documents[guid], found[guid], corpus) for guid in found}
    of_source = {str(name): rows for name, rows in corpus.passages.groupby("source_id", sort=False)}

    for one in project.codings:
        document, coder, code = documents[one.document], names[one.coder], code_of.get(one.code)
        target = found.get(one.document)
        within = _passages_of(target, of_source)
        state.passages[coder] |= set(within)
        if code is None:
            losses.add("codings with a code but none of its levels" if one.code in bare
                       else "codings with a code that is not in the codebook",
                       paths[one.code])  # fmt: skip
            continue
        if target is None:
            close = get_close_matches(document.name, list(corpus.sources["source_id"]), 1, 0.4)
            state.unplaced.append((document.name, coder, code, one.start, one.end,
                                   "the document is no source", close[0] if close else "",
                                   float("nan")))  # fmt: skip
            continue
        placed = places[one.document](one.start, one.end)
        if isinstance(placed, str):
            quote = document.text[one.start : one.end]
            state.unplaced.append((document.name, coder, code, one.start, one.end, placed,
                                   *nearest(quote, target.source_id, corpus)))  # fmt: skip
            state.open_cells |= {(coder, code, name) for name in within}
            continue
        state.covered[target.source_id][coder, code].append(placed)
    for name, passages in (coded or {}).items():
        state.passages[name] = set(passages)

    present, touching = _carried(state.covered, of_source, rule)
    known = {code for code in codes.values()
             if any(level.indicator in code_of.values() for level in code.counted)}  # fmt: skip
    asked = [code for code in codes.values() if code in known]
    state.unplaced += _divided(corpus.passages, asked, present)
    table = _table(corpus.passages, codes, asked, state, present, sorted(set(names.values())))
    _count_spans(touching, losses)
    if len(state.unplaced):
        losses.add("codings that could not be placed", "", len(state.unplaced))
    unsure = _unsure(project, names, found, places, of_source, rule)
    outside = {one for one in unsure if one[0] not in state.passages[one[1]]}
    _count_rest(project, code_of, codes, found, names, losses)
    for passage, coder in sorted(outside):
        losses.add("unsure of passages that the coder has not coded", f"{passage} ({coder})")
    return Mapped(
        table, frozenset(unsure - outside), pd.DataFrame(state.unplaced, columns=_UNPLACED),
        {documents[guid].name: target for guid, target in found.items()},
        (*project.losses, *losses.losses()),
    )  # fmt: skip


def _unknown(
    coded: Mapping[str, Collection[str]], coders: set[str], passages: set[str]
) -> Iterator[Problem]:
    place = "the list of coded passages"
    for name, listed in coded.items():
        if name not in coders:
            yield Problem(place, f"names {name!r}, who is no user of the project",
                          f"Users: {', '.join(sorted(coders)) or 'none'}.")  # fmt: skip
        yield from of_a_kind(
            place, f"names {{}} for {name!r} that are none to be coded",
            sorted(set(listed) - passages), "Correct their ids.", "passage",
        )  # fmt: skip


def _passages_of(target: Target | None, of_source: Mapping[str, pd.DataFrame]) -> list[str]:
    if target is None:
        return []
    if target.passage_id:
        return [target.passage_id]
    rows = of_source.get(target.source_id)
    return [] if rows is None else list(rows["passage_id"])


def union_length(spans: Iterable[tuple[int, int]]) -> int:
    """Return how many characters spans cover, those that several cover counted once.

    >>> union_length([(0, 4), (2, 6), (9, 10)])
    7
    """
    total, reached = 0, -1
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _carried(
    covered: Mapping[str, Spans], of_source: Mapping[str, pd.DataFrame], rule: Rule
) -> tuple[set[tuple[str, str, str]], list[tuple[str, bool]]]:
    """Return coder, code and passage of codes that are present; of each selection how it fared."""
    present: set[tuple[str, str, str]] = set()
    fared: list[tuple[str, bool]] = []
    for source, by_cell in covered.items():
        rows = of_source.get(source)
        for (coder, code), spans in by_cell.items():
            touched: list[set[str]] = [set() for _ in spans]
            for row in () if rows is None else rows.itertuples():
                parts = [(max(start, row.start), min(end, row.end)) for start, end in spans]
                for number, (start, end) in enumerate(parts):
                    if start < end:
                        touched[number].add(row.passage_id)
                length = union_length(part for part in parts if part[0] < part[1])
                if length and length >= rule.share * (row.end - row.start) - _SLACK:
                    present.add((coder, code, row.passage_id))
            for (start, end), passages in zip(spans, touched, strict=True):
                if not passages:
                    fared.append((f"{source} [{start}, {end}]", False))
                elif not any((coder, code, name) in present for name in passages):
                    fared.append((f"{source} [{start}, {end}]", True))
    return present, fared


def _count_spans(fared: list[tuple[str, bool]], losses: Tally) -> None:
    for where, touches in fared:
        losses.add("selections that cover too little of any passage" if touches
                   else "selections outside of every passage", where)  # fmt: skip


def _without_level(found: Iterable[ProjectCode], codes: Mapping[str, Code]) -> set[str]:
    """Return the guids of those that are a code with levels itself, and no level of it."""
    names = {own.casefold() for name, code in codes.items() if not code.kind.present
             for own in (name, code.label)}  # fmt: skip
    return {one.guid for one in found if one.name.casefold() in names}


def _divided(
    passages: pd.DataFrame, codes: Iterable[Code], present: set[tuple[str, str, str]]
) -> Iterator[tuple[Any, ...]]:
    """Yield what is unplaced of passages that a coder gave several levels of one code."""
    place = {str(row.passage_id): row for row in passages.itertuples()}
    for code in codes:
        given: dict[tuple[str, str], list[str]] = defaultdict(list)
        for level in code.counted:
            for coder, indicator, passage in present:
                if indicator == level.indicator:
                    given[passage, coder].append(level.name)
        for (passage, coder), levels in sorted(given.items()):
            if len(levels) > 1:
                row = place[passage]
                yield (row.source_id, coder, f"{code.name} ({' and '.join(levels)})", row.start,
                       row.end, "its passage has several levels of one code", passage,
                       1.0)  # fmt: skip


def _table(
    passages: pd.DataFrame, codes: Mapping[str, Code], asked: Collection[Code], state: _State,
    present: set[tuple[str, str, str]], coders: list[str],
) -> pd.DataFrame:  # fmt: skip
    rows = []
    for passage in passages["passage_id"]:
        for coder in coders:
            for code in codes.values():
                names = [level.indicator for level in code.counted]
                values: list[Any] = [pd.NA] * len(names)
                if passage in state.passages[coder] and code in asked:
                    cells = [(coder, name, passage) for name in names]
                    values = _values(code, [cell in present for cell in cells],
                                     [cell in state.open_cells for cell in cells])  # fmt: skip
                rows += [(passage, coder, *pair) for pair in zip(names, values, strict=True)]
    table = pd.DataFrame(rows, columns=["passage_id", "coder", "code", "value"])
    return table.astype({"value": "Int64"})


def _values(code: Code, carried: list[bool], might: list[bool]) -> list[Any]:
    """Return the values of a code's indicators; ``might`` says which a passage may carry yet."""
    if code.kind.present:
        return [1 if carried[0] else pd.NA if might[0] else 0]
    # Where no level was given the passage lacks none: it was not coded.
    return [int(one) for one in carried] if sum(carried) == 1 else [pd.NA] * len(carried)


def _unsure(
    project: Project, names: Mapping[str, str], found: Mapping[str, Target],
    places: Mapping[str, Any], of_source: Mapping[str, pd.DataFrame], rule: Rule,
) -> set[tuple[str, str]]:  # fmt: skip
    ids = {one.name: names[one.guid] for one in project.users}
    covered: dict[str, Spans] = defaultdict(_spans)
    for memo in project.memos:
        if _says_unsure(memo) and memo.coder in ids and memo.document in found:
            placed = places[memo.document](memo.start, memo.end)
            if not isinstance(placed, str):
                covered[found[memo.document].source_id][ids[memo.coder], UNSURE].append(placed)
    return {(passage, coder) for coder, _, passage in _carried(covered, of_source, rule)[0]}


def _says_unsure(memo: Memo) -> bool:
    return memo.about in ("selection", "coding") and memo.name.strip().casefold() == UNSURE


def _count_rest(
    project: Project, code_of: Mapping[str, str], codes: Mapping[str, Code],
    found: Mapping[str, Target], names: Mapping[str, str], losses: Tally,
) -> None:  # fmt: skip
    for one in project.documents:
        if one.guid not in found:
            losses.add("documents that are no source", one.name)
    indicators = {level.indicator: code for code in codes.values() for level in code.counted}
    for name in indicators:
        if name not in code_of.values():
            losses.add("codes of the codebook that the project lacks (not coded)", name)
    bare = _without_level(project.codes, codes)
    for entry in project.codes:
        if entry.guid not in code_of and entry.guid not in bare:
            losses.add("codes that are not in the codebook", entry.path)
        code = indicators.get(code_of.get(entry.guid, ""))
        if entry.parent and (code is None or code.kind.present):
            losses.add("places of codes under another", entry.path)
        if entry.colour:
            losses.add("colours of codes", entry.path)
    for memo in project.memos:
        if not _says_unsure(memo):
            losses.add(f"memos on a {memo.about}", memo.name)
    active = {one.coder for one in project.codings}
    for user in project.users:
        if user.guid not in active:
            losses.add("users without codings", names[user.guid])
