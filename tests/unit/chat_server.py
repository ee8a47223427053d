"""A server on this machine that speaks the chat protocol, with a model that codes by words.

What it does wrong is set by a test: for a passage, a list of faults, one a request, before it
answers as it should.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from typing import Any

Fault = Callable[["Handler", dict[str, Any]], None]
Model = Callable[[str, str, dict[str, Any]], Any]
MODEL = "words-1 (2026-11)"
_QUOTED = re.compile(r"Passage (\S+), between the two lines (=== \w+ ===):\n\2\n(.*)\n\2\n", re.S)


def by_words(passage: str, text: str, body: dict[str, Any]) -> dict[str, Any]:
    """Code by whether the first letters of a code occur in the passage: known to tests, too."""
    found: dict[str, Any] = {"passage_id": passage}
    for name, levels in levels_of(body).items():
        found[name] = levels[text.lower().count(name[:3]) % len(levels)]
    return found | {"unsure": "?" in text}


def levels_of(body: dict[str, Any]) -> dict[str, list[str]]:
    properties = body["response_format"]["json_schema"]["schema"]["properties"]
    return {name: one["enum"] for name, one in properties.items() if "enum" in one}


@dataclass
class Server:
    """A running server, what is wrong with it, and what it was asked."""

    url: str
    over: threading.Event
    model: Model = by_words
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    always: list[Fault] = field(default_factory=list)
    usage: bool = True
    name: str = MODEL
    asked: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def do_POST(self) -> None:
        state = self.server.state
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        passage, text = quoted(body)
        with state.lock:
            state.asked.append(passage)
            state.bodies.append(body)
            state.keys.append(self.headers.get("Authorization", ""))
            own = state.faults.get(passage) or state.always
            fault = own.pop(0) if own else None
        if self.path != "/v1/chat/completions":
            self.send(404, {"error": {"message": "no such path"}})
        elif fault is not None:
            fault(self, body)
        else:
            self.says(json.dumps(state.model(passage, text, body)))

    def says(self, content: str | None, finish: str = "stop", **message: Any) -> None:
        """Answer as a model that said ``content``."""
        state = self.server.state
        found = {
            "model": state.name,
            "choices": [{"index": 0, "finish_reason": finish,
                         "message": {"role": "assistant", "content": content, **message}}],
        }  # fmt: skip
        if state.usage:
            found["usage"] = {"prompt_tokens": 1000, "completion_tokens": 20}
        self.send(200, found)

    def send(self, status: int, found: Any, **headers: str) -> None:
        data = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


def quoted(body: dict[str, Any]) -> tuple[str, str]:
    """Return the id and the text of the passage that a request asks about."""
    match = _QUOTED.match(body["messages"][1]["content"])
    assert match is not None
    return match.group(1), match.group(3)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    state: Server

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that hangs up is what these tests are about


@contextmanager
def serving() -> Iterator[Server]:
    with _Http(("127.0.0.1", 0), Handler) as http:
        state = Server(f"http://localhost:{http.server_address[1]}/v1", threading.Event())
        http.state = state
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            state.over.set()
            http.shutdown()
            thread.join()


# --- faults ---------------------------------------------------------------------------------------


def status(code: int, error: Any = None, **headers: str) -> Fault:
    found = {"error": error or {"message": "it says more than it should"}}
    return lambda handler, body: handler.send(code, found, **headers)


def says(content: str | None, finish: str = "stop", **message: Any) -> Fault:
    return lambda handler, body: handler.says(content, finish, **message)


def says_of(change: Callable[[dict[str, Any]], Any]) -> Fault:
    """Answer as the model would, but for a ``change``."""

    def fault(handler: Handler, body: dict[str, Any]) -> None:
        passage, text = quoted(body)
        found = change(handler.server.state.model(passage, text, body))
        handler.says(found if isinstance(found, str) else json.dumps(found))

    return fault


def half(handler: Handler, body: dict[str, Any]) -> None:
    """Send half of an answer as if it were whole."""
    handler.send(200, b'{"model": "words-1", "choices": [{"mess')


def hangs_up(handler: Handler, body: dict[str, Any]) -> None:
    handler.connection.shutdown(SHUT_RDWR)


def silent(handler: Handler, body: dict[str, Any]) -> None:
    handler.server.state.over.wait(30)


def drips(handler: Handler, body: dict[str, Any]) -> None:
    """Send a byte now and then, often enough for any time-out between two of them."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while not handler.server.state.over.wait(0.02):
        handler.wfile.write(b" ")
        handler.wfile.flush()
