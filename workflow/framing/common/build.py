"""What passes from rule to rule in build/: reading it, and a script's way of speaking."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from framing.common.files import unusable, write_text
from framing.common.problems import InputError

DONE = "done"
"""All that the log of a job says which found nothing wrong."""


@contextmanager
def speaking(log: str | Path) -> Iterator[None]:
    """Turn a defect of the project's files into its message, in ``log``, and exit 1."""
    try:
        yield
    except InputError as error:
        problems = error.problems
    except OSError as error:
        problems = [unusable(error)]
    else:
        write_text(Path(log), DONE + "\n")
        return
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    message = "\n".join([f"{count} in the project's files:", *(f"  {each}" for each in problems)])
    write_text(Path(log), message + "\n")
    sys.stderr.write(f"Stopped: see {log}\n")
    raise SystemExit(1)


def read_build(
    path: str | Path, columns: Sequence[str] | None = None, **kinds: str
) -> pd.DataFrame:
    """Read a tidy table made by an earlier rule, or some ``columns`` of it.

    Columns are strings unless ``kinds`` gives them a pandas type; empty numbers are missing.
    """
    # Numbers become numbers while they are read: a million rows of strings take long to turn into
    # them, and much room. The parser knows no integer that may be missing.
    parsed = {name: "float64" if kind == "Int64" else kind for name, kind in kinds.items()}
    header = pd.read_csv(path, sep="\t", nrows=0, quoting=3, encoding="utf-8").columns
    frame = pd.read_csv(
        path, sep="\t", dtype={name: parsed.get(name, str) for name in header},
        na_values={name: [""] for name in kinds}, keep_default_na=False, quoting=3,
        encoding="utf-8",
        # All of them by name, too: pandas would else divide the file among threads, of which those
        # of another job know nothing.
        usecols=list(columns or header),
    )  # fmt: skip
    return frame.astype({name: "Int64" for name, kind in kinds.items() if kind == "Int64"})


_EXACT = ("weight", "random_share", "read_weight")
_YES_NO = ("estimable", "read_frame", "unread_frame")


def survey_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the passage frame as it is written to ``build/passages.tsv``.

    Weights are written so that they come back to the last bit, which six decimals would not.
    """
    exact = {
        name: [repr(float(value)) if value == value else "" for value in frame[name]]
        for name in _EXACT
    }
    return frame.assign(**exact, **{name: frame[name].astype(int) for name in _YES_NO})


def read_passage_frame(path: str | Path) -> pd.DataFrame:
    """Read ``build/passages.tsv`` (:func:`survey_table`): the frame with its combined design."""
    frame = read_build(
        path, start="int64", end="int64", words="int64", stratum_size="Int64",
        stratum_sampled="Int64",
    )  # fmt: skip
    for name in _EXACT:
        given = np.flatnonzero(frame[name] != "")
        values = np.full(len(frame), np.nan)
        # By Python's own reading, which gives back every bit.
        values[given] = [float(text) for text in frame[name].iloc[given]]
        frame[name] = values
    return frame.assign(**{name: frame[name] == "1" for name in _YES_NO})


def read_scores(paths: str | Path | Iterable[str | Path]) -> pd.DataFrame:
    """Read scores (see :mod:`framing.classifier.scores`) of a file or several; ``code`` is
    categorical.

    All passages and codes stand in ``build/scores.tsv``, passages of sampled sources in a file a
    code.
    """
    whole = _read_parts(
        paths, code="category", fold="int64", label="Int64", probability="float64",
        decision="int64", unfamiliar="int64",
    )  # fmt: skip
    return whole.astype({"code": "category"})


def read_hits(paths: str | Path | Iterable[str | Path]) -> pd.DataFrame:
    """Read ``passage_id cue pattern hits`` of a file or several."""
    return _read_parts(paths, pattern="int64", hits="int64")


def read_cue_hits(paths: str | Path | Iterable[str | Path]) -> pd.DataFrame:
    """Read ``passage_id cue hits``: the hits of each cue's patterns added up."""
    return by_cue(read_hits(paths))


def by_cue(hits: pd.DataFrame) -> pd.DataFrame:
    """Return ``passage_id cue hits`` from hits by pattern (:func:`read_hits`), added up."""
    return hits.groupby(["passage_id", "cue"], sort=False)["hits"].sum().reset_index()


def _read_parts(paths: str | Path | Iterable[str | Path], **kinds: str) -> pd.DataFrame:
    parts = [
        read_build(path, **kinds) for path in ([paths] if isinstance(paths, str | Path) else paths)
    ]
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def embedding_table(ids: Sequence[str], vectors: np.ndarray) -> pd.DataFrame:
    """Return embeddings as a tidy table: ``passage_id``, then a column a dimension."""
    table = pd.DataFrame(vectors, columns=[f"e{n}" for n in range(1, vectors.shape[1] + 1)])
    table.insert(0, "passage_id", list(ids))
    return table


def read_embeddings(path: str | Path) -> pd.DataFrame:
    """Read ``build/embeddings.tsv`` (:func:`embedding_table`), indexed by ``passage_id``."""
    return read_build(path).set_index("passage_id").astype("float64")


def read_predictions(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read the other methods' predictions (see :mod:`framing.classifier.comparison`)."""
    return _read_parts(paths, probability="float64", decision="int64")


def read_codings_table(path: str | Path) -> pd.DataFrame:
    """Read ``build/codings.tsv``: ``passage_id coder code value unsure``."""
    return read_build(path, value="int64", unsure="int64")
