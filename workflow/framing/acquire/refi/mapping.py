"""Selections of a project onto the project's own passages, by a declared rule.

A passage carries a code for a coder where that coder's selections of the code together cover at
least ``rule.share`` of its characters. A coder's passages are those of documents on which the coder
has a coding, or those of an explicit list: of these, passages without the code are coded absent
(0), all others are not coded (NA). A code that the file does not know could not be given, and a
passage that a selection which cannot be placed may belong to is not known to lack its code: NA,
too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import pandas as pd

from framing.acquire.refi.align import Corpus, Target, nearest, place_of, targets
from framing.acquire.refi.project import (
    SHOWN,
    UNKNOWN,
    UNSURE,
    Loss,
    Memo,
    Project,
    ProjectCode,
    Tally,
)
from framing.acquire.refi.settings import Rule
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
    passage, coder and code; ``unsure`` the passages of which a coder said so; ``unplaced`` the
    codings that could not be placed, with the nearest candidate (a passage, or for a document that
    is no source an id of a source) and how like it is; ``documents`` which source each document is;
    ``losses`` are those of reading and of mapping.
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
    found: Iterable[ProjectCode], codes: Mapping[str, str], same: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return which code of the codebook each code of a project is, by guid; others are left out.

    ``codes`` has the label of each code of the codebook, ``same`` says which code a name or full
    name in the project stands for. Without it a full name, else a name counts that is a code's id
    or label, letter case aside.
    """
    known = {name.casefold(): name for name in codes}
    for name, label in codes.items():
        known.setdefault(label.casefold(), name)
    given = dict(same or {})
    made = {}
    for one in found:
        for name in (one.path, one.name):
            if name in given:
                made[one.guid] = given[name]
            elif name.casefold() in known:
                made[one.guid] = known[name.casefold()]
            else:
                continue
            break
    return {guid: code for guid, code in made.items() if code in codes}


def map_onto_passages(
    project: Project,
    corpus: Corpus,
    codes: Mapping[str, str],
    rule: Rule,
    *,
    same: Mapping[str, str] | None = None,
    coders: Mapping[str, str] | None = None,
    coded: Mapping[str, Collection[str]] | None = None,
) -> Mapped:
    """Return the codings of ``corpus.passages`` that a project holds.

    ``codes`` has the label of each code of the codebook, in its order; ``same`` says which code a
    name in the project stands for, ``coders`` the id of a user by name (else the name is the id),
    ``coded`` the passages that a coder (by id) has read, for coders for whom that is on record.
    Give only passages that were to be coded: others of a coder's documents come out as absent.
    Raises :class:`InputError` where ``coded`` names a coder whom the project does not have, or a
    passage that is not among the corpus's.
    """
    state, losses = _State(), Tally()
    found = targets(project.documents, corpus)
    code_of = matched_codes(project.codes, codes, same)
    paths = {one.guid: one.path for one in project.codes}
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
            losses.add("codings with a code that is not in the codebook", paths[one.code])
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
    asked = {code for code in codes if code in code_of.values()}
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
    for name, listed in coded.items():
        if name not in coders:
            yield Problem("the list of coded passages", f"names {name!r}, who is no user of the "
                          "project", f"Users: {', '.join(sorted(coders)) or 'none'}.")  # fmt: skip
        if strange := sorted(set(listed) - passages):
            shown = ", ".join(strange[:SHOWN]) + (" …" if len(strange) > SHOWN else "")
            yield Problem("the list of coded passages", f"names {len(strange)} passages for "
                          f"{name!r} that are none to be coded: {shown}",
                          "Correct their ids.")  # fmt: skip


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


def _table(
    passages: pd.DataFrame, codes: Mapping[str, str], asked: set[str], state: _State,
    present: set[tuple[str, str, str]], coders: list[str],
) -> pd.DataFrame:  # fmt: skip
    rows = []
    for passage in passages["passage_id"]:
        for coder in coders:
            for code in codes:
                cell = (coder, code, passage)
                if passage not in state.passages[coder] or code not in asked:
                    value: Any = pd.NA
                elif cell in present:
                    value = 1
                else:
                    value = pd.NA if cell in state.open_cells else 0
                rows.append((passage, coder, code, value))
    table = pd.DataFrame(rows, columns=["passage_id", "coder", "code", "value"])
    return table.astype({"value": "Int64"})


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
    project: Project, code_of: Mapping[str, str], codes: Mapping[str, str],
    found: Mapping[str, Target], names: Mapping[str, str], losses: Tally,
) -> None:  # fmt: skip
    for one in project.documents:
        if one.guid not in found:
            losses.add("documents that are no source", one.name)
    for code in codes:
        if code not in code_of.values():
            losses.add("codes of the codebook that the project lacks (not coded)", code)
    for entry in project.codes:
        if entry.guid not in code_of:
            losses.add("codes that are not in the codebook", entry.path)
        if entry.parent:
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
