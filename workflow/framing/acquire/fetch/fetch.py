"""Getting a page from its address: from the cache, from its server, or from the Wayback Machine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urlsplit

from framing.acquire.fetch.cache import Fetched, cached, keep
from framing.acquire.fetch.contents import kind_of_page
from framing.acquire.read.refuse import library, refuse
from framing.common.files import sha256
from framing.common.problems import InputError

if TYPE_CHECKING:
    from framing.acquire.fetch.transfer import Answer, Progress

HTTP = "httpx2"
"""The library that speaks HTTP, of the extra ``reading``."""

_BY_HAND = "Open it in a browser, save it and add the file."
_LOOKUP_BYTES = 1_048_576  # of an answer of the availability API, which has a few hundred

# By server, as they must hold from page to page: when it was asked last, and which did not answer.
_last_asked: dict[str, float] = {}
_silent: set[str] = set()


class _GoneError(Exception):
    """Raised where a page is no more; says what a person is told unless a copy is found."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


def fetch(
    url: str,
    settings: Mapping[str, Any],
    cache: Path,
    *,
    wayback: bool = False,
    progress: Progress | None = None,
    fresh: bool = False,
) -> Fetched:
    """Return the page at ``url``; a page that the folder ``cache`` holds is not asked for again.

    ``settings`` come from :func:`framing.acquire.fetch.settings.fetch_settings`. ``wayback``: a
    page that is gone is looked for in the Wayback Machine. ``fresh``: the cache is not looked at.
    ``progress`` is called with the bytes that came and their number in all, where that is known.

    Raises :class:`InputError`, whose place is the address, where it may not be fetched, does not
    answer, is not a text that can be read, or exceeds a limit. Only whole pages are kept.
    """
    library(HTTP, url)
    from framing.acquire.fetch.transfer import shown, url_defect

    if defect := url_defect(url):
        refuse(shown(url), defect, "Give the address as it stands in a browser.")
    if not fresh and (known := cached(cache, url)) and (wayback or not known.archived):
        return known
    try:
        page = _page(url, _patiently(url, settings, progress), settings)
    except _GoneError as gone:
        if not wayback:
            refuse(url, gone.what, gone.remedy)
        page = _archived(url, gone.what, settings, progress)
    keep(cache, page)
    return page


def provenance(page: Fetched, text: str, reader: str, version: str) -> dict[str, str]:
    """Return what is put on record of a text that was fetched.

    ``text`` is the canonical text, ``reader`` and ``version`` are the library that read it
    (:class:`framing.acquire.read.document.Document`).
    """
    return {
        "url": page.url,
        "final_url": page.final_url,
        "archived": page.archived,
        "retrieved": page.retrieved,
        "content_type": page.content_type,
        "kind": page.kind,
        "raw_sha256": page.sha256,
        "text_sha256": sha256(text),
        "reader": reader,
        "reader_version": version,
    }


def _page(
    url: str, answer: Answer, settings: Mapping[str, Any], *, archived: bool = False
) -> Fetched:
    return Fetched(
        url=url,
        final_url=answer.url,
        data=answer.data,
        content_type=answer.content_type,
        kind=kind_of_page(answer.data, answer.content_type, url, settings["types"]),
        retrieved=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        sha256=sha256(answer.data),
        archived=answer.url if archived else "",
    )


# --- asking, and asking again ---------------------------------------------------------------------


def _patiently(url: str, settings: Mapping[str, Any], progress: Progress | None = None) -> Answer:
    """Return the answer 200 of an address; ask again where what went wrong may pass."""
    from framing.acquire.fetch.transfer import TransferError, transfer

    server = urlsplit(url).netloc.lower()
    # Who waits for a server that is down should do so once, not for each of its pages.
    attempts = 1 if server in _silent else settings["attempts"]
    for attempt in range(1, attempts + 1):
        _pause(server, settings["pause"])
        asked_for = None
        try:
            answer = transfer(url, settings, progress)
        except TransferError as error:
            if attempt == attempts or not error.passing:
                if error.unreachable:
                    _silent.add(server)
                    raise _GoneError(error.what, error.remedy) from None
                refuse(url, error.what, error.remedy)
        else:
            _silent.discard(server)
            if answer.status == 200:
                return answer
            if attempt == attempts or answer.status not in settings["retried"]:
                _explain(url, answer.status, attempt, settings)
            asked_for = retry_after(answer.retry_after, datetime.now(UTC))
        _wait(url, asked_for, attempt, settings)
    raise AssertionError("fetching.attempts is at least 1")


def _pause(server: str, seconds: float) -> None:
    """Wait until the server may be asked again, and note that it is asked now."""
    if server in _last_asked and (rest := _last_asked[server] + seconds - monotonic()) > 0:
        sleep(rest)
    _last_asked[server] = monotonic()


def _wait(url: str, asked_for: float | None, attempt: int, settings: Mapping[str, Any]) -> None:
    """Wait before the next attempt as long as the server asks for, or twice as long each time."""
    longest = settings["longest_wait"]
    if asked_for is None:
        sleep(min(settings["first_wait"] * 2 ** (attempt - 1), longest))
    elif asked_for <= longest:
        sleep(asked_for)
    else:
        refuse(url, f"asks to be left alone for {asked_for:.0f} seconds",
               "Try again after that, or raise fetching.longest_wait.")  # fmt: skip


def retry_after(stated: str, now: datetime) -> float | None:
    """Return the seconds that a header ``Retry-After`` asks for, by a number or by a date.

    None where it says neither.
    """
    if re.fullmatch(r"[0-9]{1,9}", stated):
        return float(stated)
    try:
        until = parsedate_to_datetime(stated)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def _explain(url: str, status: int, attempts: int, settings: Mapping[str, Any]) -> NoReturn:
    """Raise what a status other than 200 means."""
    if status in settings["gone"]:
        raise _GoneError(
            f"is not there any more (answer {status})",
            "Correct the address, or look for it in the Wayback Machine (--wayback).",
        )
    if status in settings["retried"]:
        times = "once" if attempts == 1 else f"{attempts} times"
        refuse(url, f"was asked for {times}, and its server cannot give it now (answer {status})",
               "Try again later.")  # fmt: skip
    if status in (401, 403):
        refuse(url, f"is not given to a program (answer {status})", _BY_HAND)
    refuse(url, f"is not given (answer {status})", _BY_HAND)


# --- the Wayback Machine --------------------------------------------------------------------------


def _archived(
    url: str, what: str, settings: Mapping[str, Any], progress: Progress | None
) -> Fetched:
    """Return the copy of a page that is gone; ``what`` says how it is gone."""
    lookup = settings["wayback_lookup"].replace("{url}", quote(url, safe=""))
    try:
        found = _patiently(lookup, {**settings, "bytes": _LOOKUP_BYTES})
        timestamp = snapshot(found.data)
        if timestamp is None:
            refuse(url, f"{what}, and the Wayback Machine has no copy of it", _BY_HAND)
        copy = settings["wayback_page"].replace("{timestamp}", timestamp).replace("{url}", url)
        answer = _patiently(copy, settings, progress)
    except _GoneError as gone:
        refuse(url, f"{what}, and what the Wayback Machine has of it {gone.what}",
               "Try again later.")  # fmt: skip
    except ValueError:
        refuse(url, f"{what}, and the Wayback Machine gave no answer that can be understood",
               "Try again later.")  # fmt: skip
    except InputError as error:
        problem = error.problems[0]
        if problem.place == url:
            raise
        refuse(url, f"{what}, and {problem.place} {problem.what}", problem.remedy)
    return _page(url, answer, settings, archived=True)


def snapshot(answer: bytes) -> str | None:
    """Return the time (YYYYMMDDhhmmss) of the snapshot that the availability API names, if any.

    Raises :class:`ValueError` where the answer is not of its form.
    """
    try:
        snapshots = json.loads(answer)["archived_snapshots"]
        closest = snapshots.get("closest")
        if closest is None or not closest["available"] or str(closest["status"]) != "200":
            return None
        timestamp = closest["timestamp"]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not an answer of the availability API") from error
    if not isinstance(timestamp, str) or not re.fullmatch(r"[0-9]{14}", timestamp):
        raise ValueError(f"not the time of a snapshot: {timestamp!r}")
    return timestamp
