"""How long the coding page takes to answer a key, with many drawn passages.

    python benchmarks/coding_page.py [PASSAGES]

A server of its own on this machine, codes of three kinds, a client without a browser: an answer is
saved (journal on disk) and the next passage fetched, 200 times near the beginning and 200 times
after half of all passages have been answered. Prints median and worst milliseconds of both requests
together, which is what lies between a key and the next passage, but for the browser's drawing.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow")]

from framing.acquire.coding_page.answers import hand_of  # noqa: E402
from framing.acquire.coding_page.app import App  # noqa: E402
from framing.acquire.coding_page.desk import Desk, Draft, Item  # noqa: E402
from framing.acquire.coding_page.enter import Entered  # noqa: E402
from framing.acquire.coding_page.journal import Writer, line_of  # noqa: E402
from framing.acquire.coding_page.page import Pages  # noqa: E402
from framing.acquire.coding_page.serve import bound  # noqa: E402
from framing.codebook.codebook import load_codebook  # noqa: E402

TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')
RULE = "A sentence of the kind that people write when they speak of the line. " * 8


def main(number: int) -> None:
    """Measure with ``number`` drawn passages."""
    codebook = load_codebook(ROOT / "examples" / "mini" / "corpus" / "codebook" / "codebook.yaml")
    names = tuple(codebook.codes)
    items = [Item(f"{n:010x}", f"{n}. {RULE}", "Ada Beck, 2012", RULE, RULE, names)
             for n in range(number)]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        writer = Writer("ann")
        begin = time.perf_counter()
        desk = Desk(hand_of("ann", []), items, codebook.codes, writer, {})
        app = App(Pages(desk, codebook, "A benchmark"), Entered)
        print(f"{number:,} passages; desk laid out in {time.perf_counter() - begin:.2f} s")
        server = bound(app)
        threading.Thread(target=server.run, daemon=True).start()
        report("at the beginning", measured(app, desk, names, 0))
        half = number // 2
        codes = dict.fromkeys(names, "0")
        for place in range(300, half):  # as if they had been answered: unsure, one in ten
            desk._shown.clear()
            writer.write = lambda entries: None  # type: ignore[method-assign]
            desk.answer(place, Draft(dict(codes), unsure=place % 10 == 0))
        del writer.write
        report(f"after {half:,} answers", measured(app, desk, names, half))
        begin = time.perf_counter()
        ask(app, "/doubts")
        print(f"list of {desk.doubtful:,} doubts: {1000 * (time.perf_counter() - begin):.0f} ms")
        lines = [line_of({"what": "answer", "passage": one.passage, "codes": codes})
                 for one in items]  # fmt: skip
        writer.close()
        Path("corpus/codings/bob").mkdir()
        Path("corpus/codings/bob/journal.jsonl").write_bytes(b"".join(lines))
        begin = time.perf_counter()
        other = Writer("bob")
        Desk(hand_of("bob", other.found.entries), items, codebook.codes, other, {})
        print(f"a journal of {number:,} answers read: {time.perf_counter() - begin:.2f} s")
        other.close()
        server.close()
        os.chdir(ROOT)


def ask(app: App, path: str, form: dict[str, str] | None = None) -> tuple[str, str]:
    """Return where the page goes, and its text."""
    host, port = app.host.split(":")
    connection = HTTPConnection(host, int(port))
    headers = {"Cookie": f"framing-{port}={app.secret}"}
    if form is not None:
        headers |= {"Origin": f"http://{app.host}",
                    "Content-Type": "application/x-www-form-urlencoded"}  # fmt: skip
    body = None if form is None else urlencode(form)
    connection.request("GET" if form is None else "POST", path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.getheader("Location") or "", text


def measured(app: App, desk: Desk, names: tuple[str, ...], place: int) -> list[float]:
    """Return milliseconds of 200 answers, each with the next passage."""
    path, found = f"/passage/{place + 1}", []
    text = ask(app, path)[1]
    for _ in range(200):
        form = {f"code-{nth}": "1" for nth in range(len(names))}
        form |= {"token": TOKEN.search(text)[1], "do": "save"}  # type: ignore[index]
        begin = time.perf_counter()
        path, _ = ask(app, path.split("?")[0], form)
        text = ask(app, path)[1]
        found.append(1000 * (time.perf_counter() - begin))
    return found


def report(when: str, found: list[float]) -> None:
    """Print median and worst."""
    print(f"{when}: median {median(found):.1f} ms, worst {max(found):.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
