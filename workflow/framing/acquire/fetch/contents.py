"""What came under an address: the type that the server states, held against the bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from framing.acquire.read.kinds import FORMATS, kind_of
from framing.acquire.read.refuse import refuse
from framing.acquire.read.settings import reading_settings


def kind_of_page(
    data: bytes, content_type: str, url: str, types: Mapping[str, Sequence[str]]
) -> str:
    """Return the kind of document that a page is to be read as
    (``framing.acquire.read.kinds.KINDS``).

    ``types`` are the kinds that may come under each stated type. Raises :class:`InputError` where
    the type is not among them, the bytes are no document that can be read, or they are of a kind
    that the type does not allow.
    """
    stated = content_type.partition(";")[0].strip().lower()
    if stated not in types:
        refuse(
            url, f"is of the type {stated!r}, which is not taken",
            "Give the address of the text itself, or add the type to fetching.types.",
        )  # fmt: skip
    found = kind_of(data, url, "", None, reading_settings()["reading"]["limits"])
    ending = PurePosixPath(urlsplit(url).path).suffix.lower()
    if found == "txt" and ending in FORMATS["md"].endings:
        found = "md"
    allowed = types[stated]
    if found in allowed:
        return found
    # Without any markup a page looks like plain text, and can be read as what it is said to be.
    texts = [kind for kind in allowed if FORMATS[kind].text]
    if FORMATS[found].text and texts:
        return texts[0]
    return refuse(
        url, f"says it is of the type {stated!r}, but {FORMATS[found].name} came",
        "Open it in a browser: it may ask for consent or a password. Save the text there and add "
        "the file.",
    )  # fmt: skip
