"""A real server of the coding page, started as people start it, and a client that is no browser."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from tests.warm import SHARED, Process

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/\?key=(\S+)")
_TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')
WHO = ("--kind", "human", "--describe", "a student")


@dataclass
class Server:
    """``framing code`` or ``framing adjudicate`` at work, and what it printed so far."""

    process: Process
    port: int
    key: str
    said: str
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self, path: str, form: Mapping[str, str] | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Return status, headers and body; a form is sent with the page's own origin."""
        given = {"Cookie": self.cookie} if self.cookie else {}
        if form is not None:
            given |= {"Origin": f"http://127.0.0.1:{self.port}",
                      "Content-Type": "application/x-www-form-urlencoded"}  # fmt: skip
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            body = None if form is None else urlencode(form)
            wanted = {name: value for name, value in given.items() if value}
            connection.request("GET" if form is None else "POST", path, body, wanted)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8")
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, text
        finally:
            connection.close()

    def enter(self) -> None:
        """Come by the address with the secret."""
        status, headers, _ = self.ask(f"/?key={self.key}")
        assert (status, headers["location"]) == (303, "/")
        self.cookie = headers["set-cookie"].split(";")[0]

    def form(self, number: int) -> str:
        """Return the token of a passage's form."""
        return _TOKEN.search(self.ask(f"/passage/{number}")[2])[1]

    def answer(self, number: int, *cells: str, token: str = "", **more: str) -> str:
        """Answer a passage; return where the page goes."""
        form = {f"code-{place}": cell for place, cell in enumerate(cells)}
        form |= {"token": token or self.form(number), "do": "save", **more}
        status, headers, text = self.ask(f"/passage/{number}", form)
        assert status == 303, text
        return headers["location"]

    def kill(self) -> None:
        """End it as a pulled plug would."""
        self.process.send_signal(signal.SIGKILL)
        self._ended()

    def stop(self) -> str:
        """End it by Ctrl-C; return what it printed at the end."""
        self.process.send_signal(signal.SIGINT)
        return self._ended()

    def _ended(self) -> str:
        text = self.process.communicate(timeout=30)[0]
        return text or ""


def started(directory: Path, *arguments: str, cold: bool = False) -> Server:
    """Start ``framing`` with ``arguments`` in a project; wait for its address.

    A ``cold`` one is a process from nothing, as people have it.
    """
    command = [sys.executable, "-m", "framing.cli", *arguments, "--no-browser"]
    process = SHARED.talking(command, directory, cold=cold)
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if found := _ADDRESS.search(line):
            return Server(process, int(found[1]), found[2], said)
    process.wait()
    raise AssertionError(said)


def refused(directory: Path, *arguments: str) -> str:
    """Return what ``framing`` says that does not start."""
    done = SHARED.run([sys.executable, "-m", "framing.cli", *arguments], directory)
    assert done.returncode == 1, done.stdout
    return done.stderr
