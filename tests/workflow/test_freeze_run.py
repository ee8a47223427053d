"""A confirmation draw from its making to tables: pending, unread, spent by a cue, unread again."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from framing.cli.main import main
from framing.common.files import read_table

from .conftest import Run, as_csv, contents, edit, rows, write_rows

pytestmark = pytest.mark.slow

CODERS = ("machine-1", "machine-2", "machine-3")
TABLES = ("T2-agreement", "T4-prevalence", "T6-contrasts", "T21-gain")


def code(project: Path, passages: list[str]) -> None:
    """Code passages by their ids, so that half of them carry the first code."""
    for coder in CODERS:
        path = project / "corpus" / "codings" / f"{coder}.tsv"
        said = [[one, coder, str(int(one, 16) % 2), "0", "0", "0"] for one in passages]
        write_rows(path, [*rows(path), *said])


def frame(project: Path) -> pd.DataFrame:
    return read_table(project / "build" / "passages.tsv", [], extra=True)


def statuses(project: Path) -> dict[str, pd.Series]:
    folder = project / "results" / "tables"
    return {
        name: pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)["status"]
        for name in TABLES
    }


def looked(project: Path) -> list[str]:
    record = json.loads((project / "results" / "provenance.json").read_text(encoding="utf-8"))
    return list(record["reading"])


def test_the_life_of_a_confirmation_draw(copied: Path, run: Run) -> None:
    def framing(*arguments: str) -> int:
        return main([*arguments, "--directory", str(copied)])

    def ran() -> str:
        done = run(copied, *as_csv(*TABLES))
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        return said

    def tables() -> dict[str, bytes]:
        # As CSV: the other forms name the digest of the corpus, which holds draws and freezes.
        made = contents(copied / "results" / "tables")
        return {name: data for name, data in made.items() if name.endswith(".csv")}

    before = tables()
    assert looked(copied) == ["sample of corpus/sample.tsv (development, 62 passages): read"]

    # Development coded, everything frozen, a confirmation draw that nobody has coded: as before.
    assert framing("freeze") == 0
    draw = ("sample", "--supplement", "--size", "12", "--seed", "5", "--role", "confirmation")
    assert framing(*draw) == 0
    ran()
    assert tables() == before
    assert "pending" in looked(copied)[1] and "freeze 1 of" in looked(copied)[1]
    assert set(frame(copied)["role"]) == {"", "development"}

    # Its codings come: unread, and what was read is known.
    head, *body = rows(copied / "corpus" / "draws" / "1" / "passages.tsv")
    passages = [row[0] for row in body if row[head.index("status")] == "drawn"]
    code(copied, passages)
    assert "spent" not in ran()
    assert "draw 1 (confirmation, 12 passages): unread, frozen on" in looked(copied)[1]
    now = frame(copied).set_index("passage_id")
    assert set(now.index[now["role"] == "confirmation"]) == {*passages}
    assert set(now.loc[now["role"] == "development", "weight"]) == {"1.0"}
    unread = tables()
    assert unread != before
    assert not any(said.str.contains("is spent").any() for said in statuses(copied).values())

    # A cue changes: the draw is spent, the run goes on, and every table says so.
    codebook = copied / "corpus" / "codebook" / "codebook.yaml"
    edit(codebook, "too much money", "far too much money")
    assert framing("derive") == 0
    said = ran()
    assert "cues: cue 'price-words' changed" in said and "framing plan" in said
    mark = "draw 1 is spent: cue 'price-words' changed since freeze 1; its codings count as read"
    for name, status in statuses(copied).items():
        assert status.str.startswith(mark).all(), name
    assert set(frame(copied)["role"]) == {"", "development"}
    assert framing("freeze", "--check") == 1

    # Undone: nothing rests on the change any more.
    edit(codebook, "far too much money", "too much money")
    assert framing("derive") == 0
    assert "spent" not in ran()
    assert tables() == unread
    assert framing("freeze", "--check") == 0


def test_confirmation_codings_before_a_freeze_stop_a_run_before_anything_is_touched(
    copied: Path, run: Run
) -> None:
    draw = ["sample", "--supplement", "--size", "9", "--seed", "5", "--role", "confirmation"]
    assert main([*draw, "--directory", str(copied)]) == 0
    head, *body = rows(copied / "corpus" / "draws" / "1" / "passages.tsv")
    code(copied, [row[0] for row in body if row[head.index("status")] == "drawn"][:3])
    before = contents(copied / "results") | contents(copied / "corpus")
    done = run(copied)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "Traceback" not in said
    assert (
        "corpus/codings/machine-1.tsv, line 64: codes a passage of the confirmation draw 1" in said
    )
    assert contents(copied / "results") | contents(copied / "corpus") == before
