"""The server of the coding page: on the loopback address, until it is stopped."""

from __future__ import annotations

import errno
import logging
import threading
import webbrowser
from typing import Any

from framing.acquire.coding_page.app import App
from framing.common.extras import library
from framing.common.problems import InputError, Problem

HOST = "127.0.0.1"
_LARGEST = 262_144  # bytes of a form: two texts of the longest length, in any script
_THREADS = 4
_LAST_PORT = 65_535
_ANOTHER = "Leave --port out, and a free one is taken; or name another from 1024 to 65535."


def bound(app: App, port: int = 0) -> Any:
    """Return a server of the application that listens; port 0 takes a free one.

    The application is told where it is. Raises :class:`InputError` where the port cannot be had.
    """
    if not 0 <= port <= _LAST_PORT:
        raise InputError(Problem(f"--port {port}", "is no port", _ANOTHER))
    waitress = library("waitress", "page", "The coding page", "served")
    # It would say which addresses were asked for.
    logging.getLogger("waitress").setLevel(logging.CRITICAL)
    try:
        server = waitress.create_server(
            app, host=HOST, port=port, threads=_THREADS, ident=None, expose_tracebacks=False,
            max_request_body_size=_LARGEST, max_request_header_size=16_384,
            clear_untrusted_proxy_headers=True,
        )  # fmt: skip
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        what = "is in use by another program" if taken else f"cannot be had ({error})"
        raise InputError(Problem(f"--port {port}", what, _ANOTHER)) from None
    app.host = f"{HOST}:{server.effective_port}"
    return server


def serve(server: Any, app: App, *, browser: bool) -> None:
    """Answer requests until Ctrl-C. A browser that does not come changes nothing."""
    if browser:
        # Some browsers keep the caller waiting until they are closed.
        threading.Thread(target=_open, args=(app.address,), daemon=True).start()
    try:
        server.run()
    finally:
        server.close()


def _open(address: str) -> None:
    try:
        webbrowser.open(address)
    except Exception:
        return
