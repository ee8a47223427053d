"""One attempt to get a page: from an address to status, type and bytes, within every limit.

The one module that speaks HTTP. It is asynchronous inside, because only that lets a deadline hold
over everything: names, connections, redirects, headers and bodies that come byte by byte.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx2

Progress = Callable[[int, int | None], None]
"""Called with the bytes that have come and with their number in all, None where it is unknown."""

_ACCEPT = "text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,*/*;q=0.5"
_REDIRECTS = (301, 302, 303, 307, 308)
_CREDENTIALS = re.compile(r"(?<=//)[^/?#]*@")
_GZIP = 31  # what zlib calls its format with the head and foot of gzip
# A proxy that the environment names cannot reach this machine.
_DIRECT = ("all://127.0.0.1", "all://localhost", "all://[::1]")
_LATER = "Try again later."
_BY_HAND = "Open it in a browser, save it and add the file."


@dataclass(frozen=True)
class Answer:
    """What a server answered. ``data`` is the body, unpacked, where the status is 200."""

    url: str
    status: int
    content_type: str
    retry_after: str
    data: bytes


class TransferError(Exception):
    """Raised where no answer could be had: ``what`` happened, ``remedy``.

    ``passing``: another attempt may help. ``unreachable``: there was no server to be asked.
    """

    def __init__(
        self, what: str, remedy: str, *, passing: bool = False, unreachable: bool = False
    ) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy
        self.passing, self.unreachable = passing, unreachable


def url_defect(url: str) -> str | None:
    """Say what keeps an address from being fetched, or None where nothing does."""
    if any(sign.isspace() or not sign.isprintable() for sign in url):
        return "holds a space or a control character"
    try:
        parts = urlsplit(url)
        parsed = httpx2.URL(url)
    except (ValueError, httpx2.InvalidURL):
        return "is no address of the web"
    if parts.scheme.lower() not in ("http", "https"):
        return "is no address of the web: it does not begin with http:// or https://"
    if not parsed.host:
        return "names no server"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or a password"
    return None


def shown(url: str) -> str:
    """Return an address as it may be shown: on one line, without user name and password."""
    printable = "".join(sign if sign.isprintable() else "�" for sign in url)
    return _CREDENTIALS.sub("", printable)


def transfer(url: str, settings: Mapping[str, Any], progress: Progress | None = None) -> Answer:
    """Ask for an address once, follow it where it sends on, and return what was answered.

    ``settings`` come from :func:`framing.acquire.fetch.settings.fetch_settings`. The body of an
    answer that is not 200 is not read. Raises :class:`TransferError` where a limit is exceeded, the
    server does not answer or breaks off, or an address on the way must not be followed.
    """
    return asyncio.run(_within_deadline(url, settings, progress))


async def _within_deadline(
    url: str, settings: Mapping[str, Any], progress: Progress | None
) -> Answer:
    try:
        async with asyncio.timeout(settings["seconds"]):
            return await _follow(url, settings, progress)
    except TimeoutError:
        raise TransferError(
            f"took longer than {settings['seconds']} seconds",
            "Try again later, or raise fetching.seconds.",
        ) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
        if _is_about_safety(error):
            raise TransferError(f"has no safe connection ({_reason(error)})", _BY_HAND) from None
        raise TransferError(
            f"cannot be reached ({_reason(error)})", "Look at the address, and at the connection.",
            passing=True, unreachable=True,
        ) from None  # fmt: skip
    except httpx2.TimeoutException:
        raise TransferError(
            f"did not send anything for {settings['silent_seconds']} seconds", _LATER, passing=True
        ) from None
    except httpx2.TransportError as error:
        raise TransferError(f"was cut off ({_reason(error)})", _LATER, passing=True) from None


def _is_about_safety(error: BaseException | None) -> bool:
    """Say whether a certificate, or the lack of one, is behind an error: waiting mends neither."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _follow(url: str, settings: Mapping[str, Any], progress: Progress | None) -> Answer:
    async with _client(settings) as client:
        for _ in range(settings["redirects"] + 1):
            async with client.stream("GET", url) as response:
                if response.status_code not in _REDIRECTS:
                    return await _answer(response, settings, progress)
                url = _next_address(response)
    raise TransferError(
        f"sends on from address to address more than {settings['redirects']} times",
        "Open it in a browser and give the address where it ends.",
    )


@cache
def _certificates() -> ssl.SSLContext:
    """Return what certificates are checked against; reading them takes longer than many a page."""
    return httpx2.create_ssl_context()


def _client(settings: Mapping[str, Any]) -> httpx2.AsyncClient:
    try:
        return httpx2.AsyncClient(
            headers={
                "User-Agent": settings["user_agent"],
                "Accept": _ACCEPT,
                "Accept-Encoding": "gzip",
            },
            timeout=httpx2.Timeout(settings["silent_seconds"], connect=settings["connect_seconds"]),
            follow_redirects=False,
            verify=_certificates(),
            mounts=dict.fromkeys(_DIRECT),
        )
    except (ImportError, ValueError) as error:
        raise TransferError(
            f"cannot be asked for through the proxy that the environment names ({error})",
            "Correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY.",
        ) from None


def _next_address(response: httpx2.Response) -> str:
    stated = response.headers.get("Location", "")
    try:
        target = str(response.url.join(stated)) if stated else ""
    except (ValueError, httpx2.InvalidURL):
        target = ""
    if not target:
        raise TransferError("sends on without a usable address", _BY_HAND)
    if defect := url_defect(target):
        raise TransferError(f"sends on to {shown(target)!r}, which {defect}",
                            _BY_HAND)  # fmt: skip
    return target


async def _answer(
    response: httpx2.Response, settings: Mapping[str, Any], progress: Progress | None
) -> Answer:
    data = b""
    if response.status_code == 200:
        data = await _body(response, settings["bytes"], progress)
    return Answer(
        str(response.url), response.status_code, response.headers.get("Content-Type", ""),
        response.headers.get("Retry-After", ""), data,
    )  # fmt: skip


async def _body(response: httpx2.Response, most: int, progress: Progress | None) -> bytes:
    stated = response.headers.get("Content-Length", "")
    total = int(stated) if stated.isascii() and stated.isdigit() else None
    if total is not None and total > most:
        raise _too_large(most)
    body = _Body(response.headers.get("Content-Encoding", ""), most)
    # Raw, as the library would unpack a chunk whole before its size could be looked at.
    async for chunk in response.aiter_raw():
        body.add(chunk)
        if progress is not None:
            progress(body.came, total)
    return body.whole()


def _too_large(most: int) -> TransferError:
    return TransferError(
        f"has more than {most:,} bytes", "Save its text by hand, or raise fetching.bytes."
    )


class _Body:
    """A body that is unpacked as it comes, no further than the limit."""

    def __init__(self, encoding: str, most: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise TransferError(f"is packed as {encoding!r}, which was not asked for", _BY_HAND)
        self.came = 0
        self._most = most
        self._data = bytearray()
        self._unzip = zlib.decompressobj(_GZIP) if "gzip" in encoding else None

    def add(self, chunk: bytes) -> None:
        self.came += len(chunk)
        if self._unzip is None:
            self._data += chunk
        else:
            self._unpack(chunk)
        if max(self.came, len(self._data)) > self._most:
            raise _too_large(self._most)

    def _unpack(self, chunk: bytes) -> None:
        while chunk and len(self._data) <= self._most:
            assert self._unzip is not None
            if self._unzip.eof:  # packed in several members, one after the other
                self._unzip = zlib.decompressobj(_GZIP)
            try:
                # One more than there is room for, which shows that it is too much.
                self._data += self._unzip.decompress(chunk, self._most - len(self._data) + 1)
            except zlib.error:
                raise TransferError("is packed (gzip), and broken", _LATER, passing=True) from None
            chunk = self._unzip.unconsumed_tail or self._unzip.unused_data

    def whole(self) -> bytes:
        if self._unzip is not None and self.came and not self._unzip.eof:
            raise TransferError(f"was cut off after {self.came:,} bytes", _LATER, passing=True)
        return bytes(self._data)
