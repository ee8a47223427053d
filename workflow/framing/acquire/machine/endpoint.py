"""The address of a server that is asked: whether it may be, and where exactly it is."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from framing.common.paths import CONFIG
from framing.common.problems import InputError, Problem

PATH = "/chat/completions"
_SECRETS = "Give it without: a key belongs in the environment (machine_coders.key_variable)."


@dataclass(frozen=True)
class Endpoint:
    """Where requests go: the address, its host, host with port, and whether it is this machine.

    Of a local one ``url`` has the address (a number) in place of the name, so that the name cannot
    come to mean another machine after it was looked at.
    """

    url: str
    host: str
    authority: str
    local: bool


def endpoint_of(
    text: str, *, local_only: bool, resolve: Callable[..., Any] = socket.getaddrinfo
) -> Endpoint:
    """Return the endpoint that an address names, such as ``http://localhost:11434/v1``.

    Raises :class:`InputError` on what is no address of the web, holds a user's name, a password or
    a query, or cannot be found; on a server that is not on this machine where ``local_only``; and
    on another machine without encryption.
    """
    url = _parsed(text)
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = {entry[4][0] for entry in resolve(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        raise InputError(
            Problem("--endpoint", f"names the server {host!r}, which cannot be found",
                    "Correct the address, or start the server.")
        ) from None  # fmt: skip
    local = bool(found) and all(_loopback(one) for one in found)
    if local_only and not local:
        raise InputError(
            Problem("--endpoint", f"{host!r} is not on this machine, and passages may not leave it "
                    "(machine_coders.local_only)",
                    "Take a server of your own on this machine; or, where the texts may be sent "
                    f"there, set machine_coders: {{local_only: false}} in {CONFIG}.")
        )  # fmt: skip
    if not local and url.scheme != "https":
        raise InputError(
            Problem("--endpoint", f"passages, and the key, would go to {host!r} unencrypted",
                    "Give its https:// address.")
        )  # fmt: skip
    path = url.path.rstrip("/").removesuffix(PATH) + PATH
    place = url.netloc
    if local:
        # An IPv4 address first: it is what most local servers listen on.
        address = sorted(found, key=lambda one: (":" in one, one))[0]
        place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    return Endpoint(urlunsplit((url.scheme, place, path, "", "")), host, url.netloc, local)


def _parsed(text: str) -> Any:
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and (url.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise InputError(
            Problem("--endpoint", "is no address of a server",
                    "Write it as http://localhost:11434/v1.")
        )  # fmt: skip
    if url.username is not None or url.password is not None:
        raise InputError(Problem("--endpoint", "holds a user name or a password", _SECRETS))
    if url.query or url.fragment:
        raise InputError(Problem("--endpoint", "holds a query or a fragment", _SECRETS))
    return url


def _loopback(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)
