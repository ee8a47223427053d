"""A page of a made-up project, in memory: codes of every kind, passages, a coder."""

from __future__ import annotations

from pathlib import Path

from framing.acquire.coding_page.answers import Hand, hand_of
from framing.acquire.coding_page.desk import Desk, Draft, Item
from framing.acquire.coding_page.journal import Writer
from framing.codebook.codes import Code, read_code

CODES: dict[str, Code] = {
    "cost": read_code("cost", {"label": "Cost", "definition": "It is weighed in money."}),
    "stance": read_code(
        "stance",
        {"kind": "one of", "label": "Stance", "definition": "For or against.",
         "levels": [{"level": "for"}, {"level": "against"}, {"level": "neither"}]},
    ),
    "heat": read_code(
        "heat",
        {"kind": "ordinal", "label": "Heat", "definition": "How heated it is.",
         "levels": [{"level": number} for number in (-1, 0, 1)]},
    ),
}  # fmt: skip


def items(number: int, codes: tuple[str, ...] = ("cost", "stance")) -> list[Item]:
    return [
        Item(f"p{n}", f"The line number {n} is late again, they say, and nobody minds.",
             "Ada Beck, 2012", "What came before.", "What came after.", codes)
        for n in range(number)
    ]  # fmt: skip


def desk(number: int = 3, coder: str = "ann", **more: object) -> Desk:
    """A desk in the working directory, whose journal is opened anew."""
    Path("corpus/codings").mkdir(parents=True, exist_ok=True)
    writer = Writer(coder)
    hand: Hand = hand_of(coder, writer.found.entries)
    return Desk(hand, items(number), CODES, writer, more.pop("table", {}), **more)  # type: ignore[arg-type]


def close(one: Desk) -> None:
    one._writer.close()


def said(one: Desk, place: int, cost: str = "1", stance: str = "for", **more: object) -> str:
    """Show a passage and answer it."""
    _, token = one.show(place)
    codes = {"cost": cost, "stance": stance}
    return one.answer(place, Draft(codes, token=token, **more))  # type: ignore[arg-type]
