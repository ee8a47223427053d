"""What a coder is asked at the page: passages with their prose, in the coder's own order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from framing.acquire.coding_page.answers import hand_of
from framing.acquire.coding_page.desk import Desk, Item, View
from framing.acquire.coding_page.disagreements import asked_of, views
from framing.acquire.coding_page.enter import Round
from framing.acquire.coding_page.journal import BEGIN, Writer
from framing.acquire.coding_page.order import RULE, order_digest, own_order
from framing.acquire.coding_page.pools import Pool, offered, share_of
from framing.acquire.codings.check import State
from framing.acquire.codings.kinds import counted, first_three
from framing.coding.codings import HUMAN
from framing.common.files import read_bytes, sha256
from framing.common.paths import CODEBOOK, CODERS
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.settings import settled
from framing.corpus.tables import is_id
from framing.corpus.texts import read_texts, texts_at_hand


def coding_settings(state: State) -> dict[str, Any]:
    """Return the settings of the page."""
    return settled("coding", state.config.get("coding"))


def coder_problems(now: Round, coder: str, kind: str, describe: str) -> list[Problem]:
    """Return why nobody can code under this name: it is none, or nobody knows whose it is."""
    if not is_id(coder):
        return [Problem("--coder", f"{coder!r} can be no coder's name",
                        "Give it letters, digits, '.', '_' or '-', beginning with a letter or "
                        "digit.")]  # fmt: skip
    rows = now.state.coders.set_index("coder")
    others = [name for name in {*rows.index, *now.hands, *now.plan}
              if name != coder and name.casefold() == coder.casefold()]  # fmt: skip
    if others:
        return [Problem("--coder", f"{coder!r} differs from the coder {others[0]!r} in case only",
                        "Write the name as it is there, or take another.")]  # fmt: skip
    if coder in rows.index:
        row = rows.loc[coder]
        if row["kind"] != HUMAN:
            return [Problem(CODERS, f"says that {coder!r} is a machine; people code at the page",
                            "Take another name.")]  # fmt: skip
        if describe and describe != row["description"]:
            return [Problem(CODERS, f"describes {coder!r} otherwise",
                            "Leave --describe out, or correct the row first.")]  # fmt: skip
        return []
    if kind == HUMAN or (coder in now.hands and now.hands[coder].kind):
        return []
    return [Problem(CODERS, f"does not name the coder {coder!r}",
                    "Say who codes: --kind human --describe TEXT (a language model codes with "
                    "--model).")]  # fmt: skip


def shares(now: Round, coder: str, asked: Sequence[int] = ()) -> list[tuple[Pool, list[str]]]:
    """Return the draws that a coder is offered, and the coder's passages of each, in own order."""
    coded = {name for rows in now.tables.values() for name in rows}
    wanted = offered(now.pools, coder, now.plan, coded, now.said(coder), asked)
    return [
        (pool, own_order(share_of(pool, coder, now.plan), coder, pool.number)) for pool in wanted
    ]


def passage_items(
    state: State,
    passages: Sequence[str],
    codes: Callable[[str], tuple[str, ...]],
    seen: Callable[[str], tuple[View, ...]] = lambda name: (),
) -> list[Item]:
    """Return passages with their prose and what coders may know of them.

    ``codes`` says which codes are asked of a passage, ``seen`` what others said of it. Raises
    :class:`InputError` where the text of a source is not at hand, or is another one.
    """
    settings = coding_settings(state)
    table = state.passages
    wanted = set(passages)
    needed = list(dict.fromkeys(table["source_id"][table["passage_id"].isin(wanted)]))
    texts = _texts(state, needed)
    about = _about(state, settings["show"])
    spans: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for name, source, start, end in zip(
        table["passage_id"], table["source_id"], table["start"], table["end"], strict=True
    ):
        if source in texts:
            spans[source].append((name, start, end))
    found = {}
    for source, own in spans.items():
        for place, (name, start, end) in enumerate(own):
            if name in wanted:
                text, reach = texts[source], settings["context"]
                first = own[max(0, place - reach)][1]
                last = own[min(len(own) - 1, place + reach)][2]
                found[name] = Item(
                    name, text[start:end], about.get(source, ""), text[first:start].strip(),
                    text[end:last].strip(), codes(name), seen(name),
                )  # fmt: skip
    return [found[name] for name in passages]


def _texts(state: State, needed: Sequence[str]) -> dict[str, str]:
    folders = state.config["corpus"]["texts"]
    hand = texts_at_hand(folders, needed)
    absent = [name for name in needed if name not in hand]
    if absent:
        raise InputError(
            Problem(", ".join(map(str, folders)) or "corpus.texts",
                    f"lacks the texts of {counted(len(absent), 'source')} with passages to be "
                    f"coded: {first_three([f'{name}.txt' for name in absent])}",
                    "Put them there, or name their folder (corpus.texts): what nobody can read, "
                    "nobody can code.")
        )  # fmt: skip
    digests = dict(zip(state.sources["source_id"], state.sources["sha256"], strict=True))
    return read_texts(hand, digests)


def _about(state: State, show: Sequence[str]) -> dict[str, str]:
    rows = state.sources[["source_id", *show]].itertuples(index=False, name=None)
    return {row[0]: ", ".join(filter(None, row[1:])) for row in rows}


def begin_entry(
    now: Round, coder: str, draws: Iterable[int], passages: Sequence[str], kind: str, describe: str
) -> dict[str, Any]:
    """Return what the journal says when the page is opened: what is asked, by which codebook."""
    state = now.state
    entry: dict[str, Any] = {
        "what": BEGIN, "draws": list(draws), "passages": len(passages), "order": RULE,
        "order_sha256": order_digest(passages), "codebook": str(state.codebook.version),
        "codebook_sha256": sha256(read_bytes(CODEBOOK)),
    }  # fmt: skip
    if coder not in set(state.coders["coder"]) and kind:
        entry |= {"kind": kind, "describe": " ".join(describe.split())}
    return entry


def open_desk(
    now: Round, coder: str, asked: Sequence[int] = (), kind: str = "", describe: str = ""
) -> tuple[Desk, Writer, list[Pool], list[str]]:
    """Return a coder's desk, the open journal, the draws on it, and remarks.

    Raises :class:`InputError` where the coder cannot code, or texts are not at hand.
    """
    raise_if_any(coder_problems(now, coder, kind, describe))
    if coder == now.adjudicator:
        raise InputError(
            Problem("--coder", f"{coder!r} is the adjudicator, who sees what the others said",
                    f"Let others code; then: framing adjudicate --coder {coder}")
        )  # fmt: skip
    parts = shares(now, coder, asked)
    passages = [name for _, own in parts for name in own]
    codes = tuple(now.state.codes)
    items = passage_items(now.state, passages, lambda name: codes)
    begin = begin_entry(now, coder, [pool.number for pool, _ in parts], passages, kind, describe)
    desk, writer, remarks = _opened(now, coder, items, begin, adjudicates=False)
    return desk, writer, [pool for pool, _ in parts], remarks


def open_adjudication(
    now: Round, coder: str, among: Collection[str] = (), kind: str = "", describe: str = ""
) -> tuple[Desk, Writer, list[str]]:
    """Return an adjudicator's desk, the open journal, and remarks.

    Raises :class:`InputError` as :func:`open_desk` does, and where there is nothing to settle.
    """
    raise_if_any(coder_problems(now, coder, kind, describe))
    found = asked_of(now, coder, among)
    passages = own_order(found, coder, 0)
    items = passage_items(
        now.state, passages, lambda name: tuple(found[name]),
        lambda name: views(name, found[name], coder, now),
    )  # fmt: skip
    begin = begin_entry(now, coder, [], passages, kind, describe) | {"adjudicates": True}
    return _opened(now, coder, items, begin, adjudicates=True)


def _opened(
    now: Round, coder: str, items: Sequence[Item], begin: Mapping[str, Any], *, adjudicates: bool
) -> tuple[Desk, Writer, list[str]]:
    writer = Writer(coder)
    try:
        writer.write([begin])
        hand = hand_of(coder, [*writer.found.entries, dict(begin)])
        idle = 60 * coding_settings(now.state)["idle"]
        # An adjudicator's table is made of the journal alone.
        table = {} if adjudicates else now.tables.get(coder, {})
        desk = Desk(
            hand, items, now.state.codebook.codes, writer, table, adjudicates=adjudicates, idle=idle
        )
    except BaseException:
        writer.close()
        raise
    return desk, writer, writer.found.remark(coder)
