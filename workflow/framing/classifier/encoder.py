"""An optional neural encoder: the meaning of passages as vectors, from a model folder at hand.

Embeddings need prose, so they are made on the left of the wall, and they may be inverted, so they
stay in ``build/`` and are never committed. Hence no main result rests on them: they are measured as
a method of their own in T3, beside the classifier whose scores enter all other tables. Where no
encoder is configured, nothing here runs and no neural package is imported.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from framing.common.problems import InputError, Problem

SETTING = "classifier.encoder"
PACKAGES = ("sentence-transformers", "torch", "transformers")
"""Packages whose version can change an embedding."""

DECIMALS = 6

_LISTING = "modules.json"  # what sentence-transformers puts into every folder it saves
_EMPTY = "or set it to '' for none"


def model_files(folder: str) -> list[Path]:
    """Return the files of the encoder in ``folder``, in code point order of their paths.

    Raises :class:`InputError` where the folder does not exist or holds no sentence-transformers
    model, or where that package is not installed. Imports nothing that takes time.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputError(
            Problem(SETTING, f"there is no folder {folder!r}", "Name a folder that holds a "
                    "sentence-transformers model (one known by its name on a hub is never fetched: "
                    f"download it yourself and name its folder), {_EMPTY}.")
        )  # fmt: skip
    if not (place / _LISTING).is_file():
        raise InputError(
            Problem(SETTING, f"{folder!r} holds no sentence-transformers model, for it lacks "
                    f"{_LISTING}", f"Name the folder of one, {_EMPTY}.")
        )  # fmt: skip
    if find_spec("sentence_transformers") is None:
        raise _package_problem("is not installed")
    files = (path for path in place.rglob("*") if path.is_file())
    return sorted(path for path in files if not _hidden(path.relative_to(place)))


def embed(folder: str, texts: Sequence[str]) -> np.ndarray:
    """Return the embeddings of ``texts`` by the model in ``folder``, shape (texts, dimensions).

    Vectors have unit length and six decimals. One thread takes one text at a time, so that a vector
    depends on its text alone; another processor or version may still differ in last decimals. The
    network is never asked, whatever the folder refers to. Raises :class:`InputError` as
    :func:`model_files` does, and where the model cannot be loaded or gives no finite vector.
    """
    model_files(folder)
    # Read when the packages are first imported.
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ[variable] = "1"
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise _package_problem(f"cannot be imported: {_first_line(error)}") from None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        path = str(Path(folder).resolve())
        model = SentenceTransformer(path, device="cpu", local_files_only=True).float().eval()
        found = model.encode(list(texts), batch_size=1, show_progress_bar=False)
    except Exception as error:
        # Whatever a folder of others may break, and in whatever way.
        raise InputError(
            Problem(SETTING, f"the model in {folder!r} does not work: {_first_line(error)}",
                    f"Mend it, name the folder of another, {_EMPTY}.")
        ) from error  # fmt: skip
    finally:
        torch.set_num_threads(threads)
    vectors = np.asarray(found, dtype=float)
    if not np.isfinite(vectors).all():
        bad = int((~np.isfinite(vectors)).any(axis=1).sum())
        raise InputError(
            Problem(SETTING, f"the model in {folder!r} gives no finite vector for {bad} of "
                    f"{len(texts)} texts", f"Name the folder of another, {_EMPTY}.")
        )  # fmt: skip
    length = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    unit: np.ndarray = np.round(vectors / np.where(length == 0, 1, length), DECIMALS) + 0.0
    return unit


def _package_problem(what: str) -> InputError:
    remedy = f"Install it by `pip install 'framing[encoder]'`, {_EMPTY}."
    return InputError(Problem(SETTING, f"the package sentence-transformers {what}", remedy))


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
