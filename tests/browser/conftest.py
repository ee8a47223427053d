"""A headless Chromium that can reach nothing but files, and complains of everything."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from framing.report.explorer import explorer_html, prose_data
from tests.unit import explorer_samples as samples

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

Visit = Callable[..., Any]


# Not for the session: while it runs an event loop does, beside which nothing else can run one.
@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="needs pip install 'framing[browser]'")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    with api.sync_playwright() as running:
        # Containers have no room for Chromium's own sandbox; what is opened here is our own.
        started = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    """Open an address; what the page asks of the network, or complains of, fails the test."""
    trouble: list[str] = []
    contexts = []

    def guard(route: Any) -> None:
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            trouble.append(f"asked for {route.request.url}")
            route.abort()

    def say(message: Any) -> None:
        if message.type in ("error", "warning"):
            trouble.append(f"console: {message.text}")

    def _visit(page: Path, fragment: str = "", **settings: Any) -> Any:
        context = browser.new_context(**settings)
        contexts.append(context)
        context.route("**/*", guard)
        opened = context.new_page()
        opened.set_default_timeout(10_000)
        opened.on("console", say)
        opened.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        opened.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}"))
        opened.goto(page.as_uri() + (f"#{fragment}" if fragment else ""))
        return opened

    yield _visit
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.fixture(scope="session")
def results(root: Path) -> Path:
    return root / "results"


def written(
    folder: Path, made: samples.Tables, *, hostile: bool = False, held_out: tuple[str, ...] = ()
) -> tuple[Path, Path]:
    """Write the sample as a page without prose and as one with it; return both."""
    data, words = samples.data(made, held_out), samples.words()
    bare, full = folder / "bare.html", folder / "full.html"
    bare.write_text(explorer_html(data, words), encoding="utf-8", newline="\n")
    with_prose = prose_data(data, samples.prose(made, hostile))
    full.write_text(explorer_html(with_prose, words), encoding="utf-8", newline="\n")
    return bare, full


@pytest.fixture(scope="session")
def made() -> samples.Tables:
    return samples.tables(300)


@pytest.fixture(scope="session")
def pages(made: samples.Tables, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return written(tmp_path_factory.mktemp("pages"), made)
