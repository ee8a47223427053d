"""A web server on this machine that misbehaves as asked."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR

Route = Callable[["Handler"], None]


@dataclass
class Server:
    """A running server: its routes, which a test may change, and the paths asked for so far."""

    base: str
    routes: dict[str, Route]
    over: threading.Event
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return self.base + path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def do_GET(self) -> None:
        state = self.server.state
        state.asked.append(self.path)
        state.headers.append(dict(self.headers))
        self.close_connection = True
        route = state.routes.get(self.path) or state.routes.get(self.path.partition("?")[0])
        (route or status(404))(self)

    def head(self, code: int, **headers: str) -> None:
        """Send the status and headers; underscores of names stand for hyphens."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()

    def pause(self, seconds: float = 30) -> bool:
        """Wait, at most until the test is over; tell whether it is."""
        return self.server.state.over.wait(seconds)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    state: Server

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that hangs up is what these tests are about


@contextmanager
def serving() -> Iterator[Server]:
    with _Http(("127.0.0.1", 0), Handler) as http:
        state = Server(f"http://127.0.0.1:{http.server_address[1]}", {}, threading.Event())
        http.state = state
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            state.over.set()
            http.shutdown()
            thread.join()


# --- routes ---------------------------------------------------------------------------------------


def sends(body: bytes, type_: str = "text/html", **headers: str) -> Route:
    """Send a body with its true length, unless ``Content_Length`` says something else."""

    def route(handler: Handler) -> None:
        handler.head(200, **{"Content_Type": type_, "Content_Length": str(len(body)), **headers})
        handler.wfile.write(body)

    return route


def zipped(body: bytes, type_: str = "text/html") -> Route:
    return sends(gzip.compress(body), type_, Content_Encoding="gzip")


def chunked(*chunks: bytes, whole: bool = True) -> Route:
    """Send a body in chunks; without ``whole`` the connection ends before the last one."""

    def route(handler: Handler) -> None:
        handler.head(200, Content_Type="text/html", Transfer_Encoding="chunked")
        for chunk in chunks:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        if whole:
            handler.wfile.write(b"0\r\n\r\n")

    return route


def status(code: int, **headers: str) -> Route:
    return lambda handler: handler.head(code, **{"Content_Length": "0", **headers})


def leads_to(place: str, code: int = 302) -> Route:
    return status(code, Location=place)


def in_turn(*routes: Route) -> Route:
    """Answer the first request by the first route and so on; the last answers all others."""
    left = list(routes)

    def route(handler: Handler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return route


def hangs_up(handler: Handler) -> None:
    """End the connection without an answer."""
    handler.connection.shutdown(SHUT_RDWR)


def silent(handler: Handler) -> None:
    handler.pause()


def drips_body(handler: Handler) -> None:
    """Send a byte now and then, often enough for any time-out between two of them."""
    handler.head(200, Content_Type="text/html", Content_Length="1000000")
    while not handler.pause(0.02):
        handler.wfile.write(b"x")
        handler.wfile.flush()


def drips_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.pause(0.02):
        handler.wfile.write(b"x")
        handler.wfile.flush()
