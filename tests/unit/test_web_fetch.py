"""Pages by address: every limit holds, what may pass is waited for, only whole pages are kept."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from framing.acquire.fetch import fetch as room
from framing.acquire.fetch.cache import cached
from framing.acquire.fetch.fetch import fetch, provenance, retry_after, snapshot
from framing.acquire.fetch.settings import fetch_settings
from framing.acquire.read.kinds import KINDS
from framing.acquire.read.read import read_document
from framing.common.files import sha256
from framing.common.problems import InputError
from tests.unit import reading_samples as samples
from tests.unit.web_server import (
    Handler,
    Route,
    Server,
    chunked,
    drips_body,
    drips_headers,
    hangs_up,
    in_turn,
    leads_to,
    sends,
    serving,
    silent,
    status,
    zipped,
)

PAGE = samples.page().encode()
COPY = sends(samples.page(["Archived bees."]).encode())
QUICK = {
    "seconds": 20, "connect_seconds": 5, "silent_seconds": 5, "pause": 0, "attempts": 3,
    "first_wait": 1, "longest_wait": 60,
}  # fmt: skip


@pytest.fixture(scope="module")
def running():
    with serving() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.routes.clear()
    running.asked.clear()
    running.headers.clear()
    return running


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were to be waited; nothing is."""
    monkeypatch.setattr(room, "_last_asked", {})
    monkeypatch.setattr(room, "_silent", set())
    waited: list[float] = []
    monkeypatch.setattr(room, "sleep", waited.append)
    return waited


@pytest.fixture
def get(server: Server, tmp_path: Path):
    """Fetch a path of the server, or an address, with settings that do not wait."""

    def _get(
        path: str = "/page", *, wayback: bool = False, fresh: bool = False, progress=None, **own
    ):
        url = path if ":" in path else server.url(path)
        return fetch(
            url, fetch_settings({**QUICK, **own}), tmp_path / "cache",
            wayback=wayback, fresh=fresh, progress=progress,
        )  # fmt: skip

    return _get


@pytest.fixture
def refused(get, server: Server, tmp_path: Path):
    """Fetch what must be refused; return what is said, and see that nothing is kept."""

    def _refused(path: str = "/page", **options) -> str:
        with pytest.raises(InputError) as error:
            get(path, **options)
        assert not list((tmp_path / "cache").glob("*"))
        (problem,) = error.value.problems
        assert problem.remedy
        assert str(problem.place) == (path if ":" in path else server.url(path))
        return problem.what

    return _refused


# --- what comes -----------------------------------------------------------------------------------


def test_a_page_comes_with_its_record(get, server):
    server.routes["/page"] = sends(PAGE, "text/html; charset=utf-8")
    before = datetime.now(UTC).replace(microsecond=0)
    page = get()
    assert (page.url, page.final_url) == (server.url("/page"), server.url("/page"))
    assert (page.data, page.sha256) == (PAGE, sha256(PAGE))
    assert (page.content_type, page.kind) == ("text/html; charset=utf-8", "html")
    assert (page.archived, page.from_cache) == ("", False)
    retrieved = datetime.strptime(page.retrieved, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= retrieved <= datetime.now(UTC)


def test_a_server_is_told_who_asks(get, server):
    server.routes["/page"] = sends(PAGE)
    get(user_agent="framing of Ardenport")
    assert server.headers[0]["User-Agent"] == "framing of Ardenport"
    assert "Cookie" not in server.headers[0] and "Authorization" not in server.headers[0]


def test_what_came_can_be_read_and_put_on_record(get, server):
    server.routes["/page"] = sends(PAGE)
    page = get()
    document = read_document(page.url, page.data, page.kind)
    assert samples.BODY[0] in document.text()
    record = provenance(page, document.text(), document.reader, document.version)
    assert record["raw_sha256"] == sha256(PAGE)
    assert record["text_sha256"] == sha256(document.text())
    assert (record["reader"], record["reader_version"]) == (document.reader, document.version)
    assert (record["url"], record["retrieved"]) == (page.url, page.retrieved)


@pytest.mark.parametrize(
    ("body", "stated", "kind"),
    [
        (samples.page().encode(), "text/html", "html"),
        (samples.page().encode(), "Application/XHTML+XML; charset=utf-8", "html"),
        (samples.page().encode(), "text/plain", "html"),
        (b"<p>No frame around it.</p>", "text/html", "html"),
        ("\n".join(samples.BODY).encode(), "text/plain", "txt"),
        (b"# Orchards\n\nBees.", "text/markdown", "md"),
        (samples.pdf([["An orchard."]]), "application/pdf", "pdf"),
        (samples.pdf([["An orchard."]]), "application/octet-stream", "pdf"),
        (samples.pdf([["An orchard."]]), "", "pdf"),
        (samples.docx(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
         "docx"),
        (samples.odt(), "application/vnd.oasis.opendocument.text", "odt"),
        (samples.epub(), "application/epub+zip", "epub"),
        (samples.rtf(), "application/rtf", "rtf"),
        (samples.tei(), "application/xml", "tei"),
        (samples.tei(), "text/xml", "tei"),
    ],
)  # fmt: skip
def test_every_kind_that_can_be_read_is_taken(get, server, body, stated, kind):
    server.routes["/page"] = sends(body, stated)
    assert get().kind == kind


def test_a_text_ending_in_md_is_markdown(get, server):
    server.routes["/notes.md"] = sends(b"# Orchards\n\nBees.", "text/plain")
    assert get("/notes.md").kind == "md"


def test_types_lead_to_kinds_that_exist():
    assert {kind for kinds in fetch_settings()["types"].values() for kind in kinds} == set(KINDS)


def test_a_project_sets_what_it_likes():
    assert fetch_settings({"bytes": 7}) == {**fetch_settings(), "bytes": 7}


def test_what_is_packed_is_unpacked(get, server):
    members = gzip.compress(PAGE[:100]) + gzip.compress(PAGE[100:])
    server.routes["/one"] = zipped(PAGE)
    server.routes["/two"] = sends(members, Content_Encoding="x-gzip")
    assert get("/one").data == get("/two").data == PAGE


def test_chunks_are_put_together(get, server):
    server.routes["/page"] = chunked(PAGE[:50], PAGE[50:])
    assert get().data == PAGE


def test_progress_counts_what_came(get, server):
    seen: list[tuple[int, int | None]] = []
    server.routes["/page"] = sends(PAGE)
    server.routes["/open"] = chunked(PAGE)
    get(progress=lambda came, total: seen.append((came, total)))
    assert seen[-1] == (len(PAGE), len(PAGE))
    get("/open", progress=lambda came, total: seen.append((came, total)))
    assert seen[-1] == (len(PAGE), None)


def test_this_machine_is_never_asked_through_a_proxy(get, server, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.routes["/page"] = sends(PAGE)
    assert get().data == PAGE


def test_a_proxy_that_cannot_be_used_is_named(refused, server, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "gopher://127.0.0.1:9")
    assert "proxy" in refused()


def test_without_the_library_it_is_said_how_to_get_it(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    assert "without the Python library httpx2" in refused()


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["file:///etc/hostname", "ftp://127.0.0.1/a", "data:text/plain,a", "http:///a", "http://[1/a",
     "http://127.0.0.1:port/", "http://127.0.0.1/a b", "HTTP:", "http://?a@b"],
)  # fmt: skip
def test_only_addresses_of_the_web_are_asked_for(refused, url):
    assert refused(url).startswith(("is no address", "names no server", "holds a space"))


def test_a_password_is_refused_and_not_shown(get, server):
    with pytest.raises(InputError) as error:
        get(server.url("/page").replace("http://", "http://me:secret@"))
    assert "holds a user name" in str(error.value)
    assert "secret" not in str(error.value)
    assert not server.asked


def test_what_is_told_stays_on_its_line(get):
    with pytest.raises(InputError) as error:
        get("http://127.0.0.1/a\nb")
    assert "http://127.0.0.1/a�b: holds a space or a control character" in str(error.value)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(get, server, code):
    server.routes |= {"/page": leads_to("/a/b", code), "/a/b": leads_to("c", code)}
    server.routes["/a/c"] = sends(PAGE)
    page = get()
    assert (page.url, page.final_url) == (server.url("/page"), server.url("/a/c"))


def test_as_many_redirects_as_allowed(get, refused, server):
    server.routes |= {f"/{n}": leads_to(f"/{n - 1}") for n in range(1, 5)}
    server.routes["/0"] = sends(PAGE)
    assert "more than 3 times" in refused("/4", redirects=3)
    assert get("/3", redirects=3).data == PAGE


def test_a_circle_ends(refused, server):
    server.routes |= {"/page": leads_to("/other"), "/other": leads_to("/page")}
    assert "from address to address" in refused(redirects=4)
    assert len(server.asked) == 5


@pytest.mark.parametrize(
    ("place", "said"),
    [("file:///etc/hostname", "'file:"), ("ftp://127.0.0.1/x", "'ftp:"),
     ("http://me:secret@127.0.0.1/", "user name"), ("http://127.0.0.1:port/", "without a usable"),
     ("", "without a usable")],
)  # fmt: skip
def test_redirects_lead_nowhere_else(refused, server, place, said):
    server.routes["/page"] = leads_to(place)
    what = refused()
    assert said in what and "secret" not in what
    assert len(server.asked) == 1


def test_cookies_are_kept_on_the_way(get, server):
    def asks_for_a_cookie(handler: Handler) -> None:
        known = "seen=1" in handler.headers.get("Cookie", "")
        (sends(PAGE) if known else status(302, Location="/page", Set_Cookie="seen=1"))(handler)

    server.routes["/page"] = asks_for_a_cookie
    assert get().data == PAGE


# --- limits ---------------------------------------------------------------------------------------


def test_what_says_that_it_is_too_large_is_not_read(refused, server):
    seen: list[int] = []
    server.routes["/page"] = sends(PAGE + bytes(500_000))
    what = refused(bytes=400_000, progress=lambda came, _: seen.append(came))
    assert what == "has more than 400,000 bytes"
    assert not seen and len(server.asked) == 1


def test_what_does_not_say_how_large_it_is_is_cut(get, refused, server):
    server.routes["/page"] = chunked(PAGE)
    assert "has more than" in refused(bytes=len(PAGE) - 1)
    assert get(bytes=len(PAGE)).data == PAGE


def test_a_bomb_stops_early(refused, server):
    bomb = gzip.compress(bytes(50_000_000))
    server.routes["/page"] = sends(bomb, Content_Encoding="gzip")
    assert len(bomb) < 60_000
    tracemalloc.start()
    assert "has more than 60,000 bytes" in refused(bytes=60_000)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("drips", [drips_body, drips_headers])
def test_a_deadline_holds_over_all(refused, server, drips):
    server.routes["/page"] = drips
    assert refused(seconds=0.5, silent_seconds=5) == "took longer than 0.5 seconds"
    assert len(server.asked) == 1


def test_redirects_do_not_put_a_deadline_off(refused, server):
    def slowly(handler: Handler) -> None:
        handler.pause(0.1)
        leads_to("/page")(handler)

    server.routes["/page"] = slowly
    assert refused(seconds=0.35, redirects=1000) == "took longer than 0.35 seconds"


def test_a_silent_server_is_asked_again(refused, server, waits):
    server.routes["/page"] = silent
    assert refused(silent_seconds=0.3) == "did not send anything for 0.3 seconds"
    assert (len(server.asked), waits) == (3, [1, 2])


@pytest.mark.parametrize(
    "short",
    [
        sends(PAGE, Content_Length=str(len(PAGE) + 1)),
        chunked(PAGE, whole=False),
        sends(gzip.compress(PAGE)[:-9], Content_Encoding="gzip"),
    ],
)
def test_what_is_cut_off_is_no_page(get, refused, server, short):
    server.routes["/page"] = short
    assert "cut off" in refused()
    assert len(server.asked) == 3
    server.routes["/page"] = in_turn(short, sends(PAGE))
    assert get().data == PAGE


def test_no_more_is_taken_than_was_announced(get, server):
    server.routes["/page"] = sends(PAGE + b"<p>after the end</p>", Content_Length=str(len(PAGE)))
    assert get().data == PAGE


def test_what_cannot_be_unpacked_is_refused(refused, server):
    server.routes["/page"] = sends(PAGE, Content_Encoding="gzip")
    assert "broken" in refused()
    server.routes["/page"] = sends(PAGE, Content_Encoding="br")
    assert "packed as 'br'" in refused()


@pytest.mark.parametrize(
    ("body", "stated", "said"),
    [
        (PAGE, "application/pdf", "says it is of the type 'application/pdf', but a web page came"),
        (samples.archive({"a.txt": "a"}), "text/html", "is an archive"),
        (samples.docx(), "text/html", "but a Word document came"),
        (samples.docx(), "application/epub+zip", "but a Word document came"),
        (b"\x89PNG\r\n", "text/html", "is an image"),
        (b"\x89PNG\r\n", "image/png", "of the type 'image/png', which is not taken"),
        (b"\x89PNG\r\n", "application/octet-stream", "is an image"),
        (b"MZ\x00\x01\x00", "text/plain", "is no text"),
        (b"{}", "application/json", "which is not taken"),
        (b" \n", "text/html", "is empty"),
        (b"", "text/html", "is empty"),
    ],
)
def test_what_is_not_what_it_is_said_to_be(refused, server, body, stated, said):
    server.routes["/page"] = sends(body, stated)
    assert said in refused()
    assert len(server.asked) == 1


# --- asking again ---------------------------------------------------------------------------------


def test_a_server_says_how_long_to_wait(get, server, waits):
    server.routes["/page"] = in_turn(
        status(503, Retry_After="7"), status(429, Retry_After="0"), sends(PAGE)
    )
    assert get().data == PAGE
    assert waits == [7, 0]


def test_a_server_that_asks_for_too_much_is_left_alone(refused, server, waits):
    server.routes["/page"] = status(503, Retry_After="61")
    assert refused() == "asks to be left alone for 61 seconds"
    assert (len(server.asked), waits) == (1, [])


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [("0", 0), ("120", 120), ("Wed, 01 May 2024 09:30:30 GMT", 30),
     ("Wed, 01 May 2024 09:30:30 -0000", 30), ("Wed, 01 May 2024 09:29:00 GMT", 0),
     ("", None), ("soon", None), ("-5", None), ("1" * 400, None)],
)  # fmt: skip
def test_retry_after(stated, seconds):
    assert retry_after(stated, datetime(2024, 5, 1, 9, 30, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("fault", [status(500), status(502), hangs_up])
def test_what_may_pass_is_asked_for_again(get, refused, server, waits, fault):
    server.routes["/page"] = in_turn(fault, fault, fault, fault, sends(PAGE))
    refused(attempts=4, longest_wait=3)
    assert waits == [1, 2, 3]
    assert get().data == PAGE


@pytest.mark.parametrize("code", [204, 400, 401, 403, 404, 410, 451])
def test_what_does_not_pass_is_asked_for_once(refused, server, waits, code):
    server.routes["/page"] = status(code)
    assert f"(answer {code})" in refused()
    assert (len(server.asked), waits) == (1, [])


def test_a_server_that_is_down_is_waited_for_once(refused, waits):
    down = "http://127.0.0.1:9/"
    assert "cannot be reached" in refused(down + "a")
    assert waits == [1, 2]
    assert "cannot be reached" in refused(down + "b")
    assert waits == [1, 2]


def test_a_connection_that_is_not_safe_is_not_tried_again(refused, server, waits):
    server.routes["/page"] = sends(PAGE)
    url = server.url("/page").replace("http:", "https:")
    assert "has no safe connection" in refused(url, wayback=True)
    assert (server.asked, waits) == ([], [])


def test_a_pause_between_pages_of_a_server(get, server, waits, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(room, "monotonic", lambda: now[0])
    server.routes |= {"/a": sends(PAGE), "/b": sends(PAGE), "/c": sends(PAGE)}
    get("/a", pause=5)
    assert waits == []
    now[0] = 102.0
    get("/b", pause=5)
    assert waits == [3]
    now[0] = 107.0
    get("/c", pause=5)
    assert waits == [3]


# --- the Wayback Machine --------------------------------------------------------------------------


@pytest.fixture
def archive(server: Server):
    """A Wayback Machine on the server that knows one snapshot; return settings that lead there."""

    def settings(answer: object, copy: Route = COPY):
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        server.routes["/available"] = sends(body, "application/json")
        server.routes[f"/web/20150102030405id_/{server.url('/page')}"] = copy
        return {
            "wayback_lookup": server.url("/available?url={url}"),
            "wayback_page": server.url("/web/{timestamp}id_/{url}"),
        }

    return settings


def closest(**changed):
    found = {"available": True, "status": "200", "timestamp": "20150102030405", "url": "unused"}
    return {"archived_snapshots": {"closest": {**found, **changed}}}


@pytest.mark.parametrize("code", [404, 410])
def test_a_page_that_is_gone_comes_from_the_archive(get, server, archive, code):
    own = archive(closest())
    server.routes["/page"] = status(code)
    page = get(wayback=True, **own)
    copy = f"/web/20150102030405id_/{server.url('/page')}"
    assert page.archived == page.final_url == server.url(copy)
    assert (page.url, page.kind) == (server.url("/page"), "html")
    assert b"Archived bees." in page.data
    asked = parse_qs(urlsplit(server.asked[1]).query)
    assert asked == {"url": [server.url("/page")]}


def test_an_address_with_a_query_is_looked_for_whole(get, server, archive):
    own = archive(closest())
    path = "/page?id=3&part=a%20b"
    server.routes["/page"] = status(404)
    server.routes[f"/web/20150102030405id_/{server.url(path)}"] = sends(PAGE)
    assert get(path, wayback=True, **own).data == PAGE
    assert parse_qs(urlsplit(server.asked[1]).query) == {"url": [server.url(path)]}


def test_a_server_that_is_gone(get, archive, server):
    own = archive(closest())
    url = "http://127.0.0.1:9/page"
    server.routes[f"/web/20150102030405id_/{url}"] = sends(PAGE)
    assert get(url, wayback=True, **own).archived.endswith(url)


def test_the_archive_is_left_alone_unless_asked(refused, server, archive):
    own = archive(closest())
    server.routes["/page"] = status(404)
    assert "not there any more" in refused(**own)
    server.routes["/page"] = status(403)
    assert "not given to a program" in refused(wayback=True, **own)
    server.routes["/page"] = sends(PAGE, "image/png")
    assert "which is not taken" in refused(wayback=True, **own)
    assert server.asked == ["/page"] * 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"archived_snapshots": {}}, "has no copy"),
        (closest(available=False), "has no copy"),
        (closest(status="404"), "has no copy"),
        (closest(timestamp="../../evil"), "no answer that can be understood"),
        ([1], "no answer that can be understood"),
        (b"<html>down for repairs", "no answer that can be understood"),
    ],
)
def test_no_copy(refused, server, archive, answer, said):
    what = refused(wayback=True, **archive(answer))
    assert "not there any more (answer 404)" in what and said in what
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("copy", "said"),
    [
        (status(404), "what the Wayback Machine has of it is not there any more"),
        (status(403), "not given to a program"),
        (drips_body, "took longer than"),
        (sends(b"\x89PNG", "image/png"), "which is not taken"),
    ],
)
def test_a_copy_that_cannot_be_had(refused, archive, copy, said):
    assert said in refused(wayback=True, **archive(closest(), copy), seconds=0.3)


def test_an_archive_that_cannot_be_asked(refused, server, archive):
    own = archive(closest())
    server.routes["/available"] = status(500)
    assert "/available" in (what := refused(wayback=True, **own)) and "answer 500" in what


def test_snapshot():
    assert snapshot(json.dumps(closest()).encode()) == "20150102030405"
    with pytest.raises(ValueError, match="availability"):
        snapshot(b'{"archived_snapshots": {"closest": {"available": true}}}')


# --- the cache ------------------------------------------------------------------------------------


def test_a_page_is_asked_for_once(get, server):
    server.routes["/page"] = in_turn(sends(PAGE), sends(samples.page(["Newer bees."]).encode()))
    first, second = get(), get()
    assert len(server.asked) == 1
    assert second.from_cache and not first.from_cache
    assert {**vars(second), "from_cache": False} == vars(first)
    third = get(fresh=True)
    assert b"Newer bees." in third.data and not third.from_cache
    assert get().data == third.data
    assert len(server.asked) == 2


def test_addresses_do_not_mix(get, server):
    server.routes |= {"/a": sends(PAGE), "/b": sends(samples.page(["Other bees."]).encode())}
    get("/a"), get("/b")
    assert get("/a").data == PAGE != get("/b").data
    assert server.asked == ["/a", "/b"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data, record: data.write_bytes(PAGE[:-1]),
        lambda data, record: data.unlink(),
        lambda data, record: record.unlink(),
        lambda data, record: record.write_text("{"),
        lambda data, record: record.write_bytes(b"\xff"),
        lambda data, record: record.write_text("[]"),
        lambda data, record: record.write_text(record.read_text().replace("final_url", "x")),
        lambda data, record: record.write_text(record.read_text().replace("fetched/1", "x/0")),
        lambda data, record: record.write_text(record.read_text().replace("/page", "/other")),
    ],
)
def test_a_spoilt_cache_is_fetched_anew(get, server, tmp_path, spoil):
    server.routes["/page"] = sends(PAGE)
    get()
    (data,), (record,) = ((tmp_path / "cache").glob(end) for end in ("*.bin", "*.json"))
    spoil(data, record)
    assert get().data == PAGE
    assert len(server.asked) == 2
    assert get().from_cache


def test_an_archived_copy_is_for_those_who_ask_for_one(get, server, archive):
    own = archive(closest())
    server.routes["/page"] = in_turn(status(404), sends(PAGE))
    assert get(wayback=True, **own).archived
    assert get(wayback=True, **own).from_cache
    page = get(**own)
    assert (page.data, page.archived, page.from_cache) == (PAGE, "", False)


def test_a_stop_between_bytes_and_record_leaves_no_page(get, server, tmp_path, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    server.routes["/page"] = sends(PAGE)
    with monkeypatch.context() as patched:
        patched.setattr("framing.acquire.fetch.cache.write_json", stop)
        with pytest.raises(KeyboardInterrupt):
            get()
    assert cached(tmp_path / "cache", server.url("/page")) is None
    assert get().data == PAGE
    assert len(server.asked) == 2


@pytest.mark.slow
def test_a_kill_in_the_middle_leaves_no_page(get, server, tmp_path):
    server.routes["/page"] = in_turn(drips_body, sends(PAGE))
    script = (
        "import sys; from pathlib import Path\n"
        "from framing.acquire.fetch.fetch import fetch\n"
        "from framing.acquire.fetch.settings import fetch_settings\n"
        "fetch(sys.argv[1], fetch_settings(), Path(sys.argv[2]), "
        "progress=lambda came, total: print(came, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, server.url("/page"), str(tmp_path / "cache")],
        stdout=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert int(running.stdout.readline()) > 0
        os.kill(running.pid, signal.SIGKILL)
    assert not list(tmp_path.rglob("*.*"))
    assert get().data == PAGE
