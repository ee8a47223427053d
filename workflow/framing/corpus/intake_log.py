"""Where sources came from: ``corpus/intake.tsv``, one row a source that was added by command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from framing.common.files import read_table, row_problems
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import id_problems

INTAKE = Path("corpus/intake.tsv")
INTAKE_COLUMNS = (
    "source_id", "origin", "url", "retrieved", "archived", "raw_sha256", "text_sha256", "reader",
    "reader_version", "version_of",
)  # fmt: skip


def read_intake(path: Path, sources: pd.DataFrame) -> pd.DataFrame:
    """Read ``intake.tsv``: how sources came into the corpus; without the file, no rows.

    Columns (strings): ``source_id``; ``origin``, the name of the file or the url asked for, in a
    table with its row; ``url`` and ``archived``, where the text was really got from, and the copy
    of the Wayback Machine if it was one; ``retrieved``, when (UTC); ``raw_sha256`` and
    ``text_sha256``, digests of what was read and of the canonical text; ``reader`` and
    ``reader_version``;
    ``version_of``, the source it is another version of. Raises :class:`InputError` on sources that
    ``sources`` lacks and on texts that are not theirs.
    """
    if not path.is_file():
        return pd.DataFrame(columns=list(INTAKE_COLUMNS))
    frame = read_table(path, INTAKE_COLUMNS)
    problems = id_problems(frame, path, "source_id")
    digests = dict(zip(sources["source_id"], sources["sha256"], strict=True))
    problems += row_problems(
        frame, path, ~frame["source_id"].isin(digests.keys()),
        lambda row: f"names the unknown source {row.source_id!r}",
        "Remove the row, or put the source back into sources.tsv.",
    )  # fmt: skip
    problems += row_problems(
        frame, path,
        frame["source_id"].isin(digests.keys())
        & (frame["source_id"].map(digests) != frame["text_sha256"]),
        lambda row: f"source {row.source_id!r} has another text_sha256 here than in sources.tsv",
        "One of the two was changed by hand: put the old digest back.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, (frame["version_of"] != "") & ~frame["version_of"].isin(digests.keys()),
        lambda row: f"source {row.source_id!r} is a version of the unknown {row.version_of!r}",
        "Name a source of sources.tsv, or leave the field empty.",
    )  # fmt: skip
    raise_if_any(problems)
    return frame


class Growing:
    """A table that gets rows at its end; what is there stays as it is, to the byte.

    Raises :class:`InputError` where the columns of what is there are others than ``columns``.
    """

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self._path = path
        if path.is_file():
            present = read_table(path, columns)
            self.head = path.read_text(encoding="utf-8")
            self._order = [name for name in present.columns if name in columns]
            if not self.head.endswith("\n"):
                self.head += "\n"
        else:
            self._order = list(columns)
            self.head = "\t".join(self._order) + "\n"

    def line(self, row: Mapping[str, str]) -> str:
        """Return a row as it stands in the table; raise :class:`InputError` where it cannot."""
        values = [row[name] for name in self._order]
        made = "\t".join(values) + "\n"
        if made.count("\t") >= len(values) or made.count("\n") > 1 or "\r" in made:
            name = next(name for name in self._order if set(row[name]) & set("\t\n\r"))
            raise InputError(
                Problem(self._path, f"{name} {row[name]!r} holds a tab or a line end", "Remove it.")
            )
        return made


def appended(path: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]) -> str:
    """Return what a table holds with ``rows`` at its end; a new table where there is none.

    Raises :class:`InputError` as :class:`Growing` does.
    """
    table = Growing(path, columns)
    return table.head + "".join(table.line(row) for row in rows)
