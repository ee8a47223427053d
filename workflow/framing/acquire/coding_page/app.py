"""The coding page as a web application: who may ask, what is asked, what is answered.

It serves one coder on the loopback address. Nobody gets anything without the secret that stood in
the address; the first request changes it for a cookie, so that it leaves the address. Requests that
name another host (a page elsewhere whose name was pointed at this machine) or come from another
origin are refused. No address holds anything of a passage but its number.
"""

from __future__ import annotations

import secrets
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from framing.acquire.coding_page.desk import RefusedError
from framing.acquire.coding_page.enter import Entered
from framing.acquire.coding_page.page import SAID, WARNS, Pages, static
from framing.common.extras import library
from framing.common.problems import InputError

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer, under which browsers send no origin with a form.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
KEY = "key"
_ACTIONS = ("save", "skip", "back", "context", "doubts")


class App:
    """The application of a coder's page, by WSGI.

    ``enter`` puts what is complete into tables; ``host`` is set once the port is known.
    """

    def __init__(self, pages: Pages, enter: Callable[[], Entered], secret: str = "") -> None:
        """Begin with a new secret unless one is given."""
        self.pages, self._enter = pages, enter
        self.secret = secret or secrets.token_urlsafe(32)
        self.host = ""
        self.lines: list[str] = []
        self.problems: list[str] = []
        self._http = library("werkzeug", "page", "The coding page", "served")
        library("werkzeug.wrappers", "page", "The coding page", "served")
        self._static = static()

    @property
    def address(self) -> str:
        """Return where a browser begins."""
        return f"http://{self.host}/?{KEY}={self.secret}"

    @property
    def _cookie(self) -> str:
        # Cookies know no ports: several coders on one machine need one each.
        return f"framing-{self.host.rpartition(':')[2]}"

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        request = self._http.wrappers.Request(environ)
        try:
            response = self._barred(request) or self._answer(request)
        except RefusedError as error:
            response = self._plain(400, str(error))
        except InputError as error:
            lines = [str(problem) for problem in error.problems]
            lines.append("Nothing was lost but what the form had not yet saved; it is kept there.")
            page = self.pages.trouble("That could not be written", lines, self._page_of(request))
            response = self._html(page, 500)
        except Exception:
            # Where it happened, and nothing of what was in the request.
            frames = traceback.extract_tb(sys.exc_info()[2])
            where = "; ".join(f"{one.name}, line {one.lineno}" for one in frames[-3:])
            print(f"The page failed: {sys.exc_info()[0].__name__} ({where})", file=sys.stderr)  # type: ignore[union-attr]
            response = self._plain(500, "The page failed. Every saved answer is in the journal.")
        for name, value in HEADERS.items():
            response.headers[name] = value
        found: Iterable[bytes] = response(environ, start)
        return found

    # --- who may ask ------------------------------------------------------------------------------

    def _barred(self, request: Any) -> Any:
        """Return the refusal of a request; None for one that may be answered."""
        if request.headers.get("Host") != self.host:
            return self._plain(421, f"This page is at http://{self.host} and nowhere else.")
        origin, here = request.headers.get("Origin"), f"http://{self.host}"
        posts = request.method == "POST"
        if (origin is None and posts) or origin not in (None, here):
            return self._plain(403, "Requests from other pages are refused.")
        if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and (
            posts or request.headers.get("Sec-Fetch-Mode") != "navigate"
        ):
            return self._plain(403, "Requests from other pages are refused.")
        if request.method not in ("GET", "HEAD", "POST"):
            return self._plain(405, "Only GET and POST.")
        given = request.args.get(KEY)
        if given is not None and request.path == "/" and self._is_secret(given):
            response = self._to("/")
            response.set_cookie(self._cookie, self.secret, httponly=True, samesite="Strict")
            return response
        if not self._is_secret(request.cookies.get(self._cookie, "")):
            return self._plain(
                403, "Open the address that `framing` printed in its terminal; each start has "
                "another.",
            )  # fmt: skip
        return None

    def _is_secret(self, given: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8"), self.secret.encode("utf-8"))

    # --- what is answered -------------------------------------------------------------------------

    def _answer(self, request: Any) -> Any:
        path, desk = request.path, self.pages.desk
        if path in self._static and request.method != "POST":
            kind, data = self._static[path]
            return self._http.wrappers.Response(data, content_type=kind)
        if path.startswith("/passage/"):
            place = desk.place_of(path.removeprefix("/passage/"))
            if request.method == "POST":
                return self._posted(place, request)
            said = request.args.get("said", "")
            return self._html(self.pages.passage(place, said if said in (*SAID, *WARNS) else ""))
        if path == "/enter" and request.method == "POST":
            self.try_to_enter()
            return self._to("/done")
        if request.method == "POST":
            return self._plain(405, "Nothing can be sent there.")
        if path == "/":
            return self._next(-1, "")
        if path == "/doubts":
            return self._html(self.pages.doubts())
        if path == "/done":
            return self._html(self.pages.done(self.lines, self.problems))
        return self._plain(404, "There is no such page.")

    def _posted(self, place: int, request: Any) -> Any:
        desk, form = self.pages.desk, request.form
        draft = desk.draft_of(place, form)
        desk.at_once, desk.keys = form.get("at-once") == "1", form.get("keys") == "1"
        here, what = f"/passage/{place + 1}", form.get("do", "")
        if what not in _ACTIONS:
            raise RefusedError("The form does not say what to do.")
        # First of all: whatever fails from here on, the page has it again.
        desk.keep(place, draft)
        if what == "save":
            if desk.lacking(place, draft):
                return self._to(f"{here}?said=lacking")
            said = desk.answer(place, draft)
            if desk.complete and desk.behind:
                self.try_to_enter()
            # Who is told something of this passage stays with it.
            if said == "crossed":
                return self._to(f"{here}?said=crossed")
            return self._next(place, "saved" if said == "new" else said)
        if what == "skip":
            desk.skip(place, draft)
            return self._next(place, "skipped")
        if what == "context":
            desk.context(place)
            return self._to(f"{here}?said=context")
        return self._to("/doubts" if what == "doubts" else f"/passage/{max(place, 1)}")

    def _next(self, place: int, said: str) -> Any:
        following = self.pages.desk.next_place(place)
        if following is None:
            return self._to("/done")
        return self._to(f"/passage/{following + 1}" + (f"?said={said}" if said else ""))

    def try_to_enter(self) -> None:
        """Put into the tables what may enter them, and note what came of it."""
        with self.pages.desk.lock:
            try:
                found = self._enter()
            except InputError as error:
                self.lines, self.problems = [], [str(problem) for problem in error.problems]
                return
            self.pages.desk.caught_up()
        self.problems, self.lines = [], [*found.waits]
        if found.written:
            names = ", ".join(path.as_posix() for path in found.written)
            self.lines = [f"Written: {names}. `snakemake` makes the tables of results anew.",
                          *found.said, *found.waits]  # fmt: skip

    def _page_of(self, request: Any) -> str:
        return request.path if request.path.startswith("/passage/") else "/"

    def _html(self, text: str, status: int = 200) -> Any:
        return self._http.wrappers.Response(text, status, content_type="text/html; charset=utf-8")

    def _plain(self, status: int, text: str) -> Any:
        return self._http.wrappers.Response(
            f"{text}\n", status, content_type="text/plain; charset=utf-8"
        )

    def _to(self, place: str) -> Any:
        response = self._http.wrappers.Response("", 303)
        response.headers["Location"] = place
        response.autocorrect_location_header = False
        return response
