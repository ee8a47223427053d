"""How the passage explorer does as passages grow: making the page, opening, filtering, scrolling.

`python benchmarks/explorer.py [N …]` makes pages of an invented project with N passages (default:
850 12,500 25,000 50,000), without prose and with, and prints milliseconds: making the page; opening
it until the list stands; one change of filters and order until the list is drawn anew, and one step
of scrolling until it is drawn (median and longest of many). Needs the extra `browser` and chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT)]

from tests.unit import explorer_samples as samples  # noqa: E402

from framing.report.explorer import explorer_html, prose_data  # noqa: E402  # after the path is set

SIZES = (850, 12_500, 25_000, 50_000)
FILTERS = (
    "group=press", "code=cost&is=marked&sort=probability", "disagree=yes", "cue=gift&coded=yes",
    "q=part%201", "code=either&sort=doubt", "from=0.3&to=0.6", "",
)  # fmt: skip
# A filter is done when the handler is: it draws the list before it returns.
FILTER = """
async fragments => {
  const times = [];
  for (let round = 0; round < 5; round += 1) {
    for (const fragment of fragments) {
      history.replaceState(null, "", "#" + fragment);
      const start = performance.now();
      dispatchEvent(new HashChangeEvent("hashchange"));
      times.push(performance.now() - start);
      await new Promise(requestAnimationFrame);
    }
  }
  return times;
}
"""
SCROLL = """
async () => {
  const list = document.getElementById("list");
  const times = [];
  for (let step = 0; step < 60; step += 1) {
    const start = performance.now();
    list.scrollTop = (step * 7919 * 13) % list.scrollHeight;
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - start);
  }
  return times;
}
"""


def measured(page: Page, path: Path) -> list[float]:
    """Return milliseconds to open a page, to filter, to scroll (median, longest)."""
    start = time.perf_counter()
    page.goto(path.as_uri())
    page.locator(".row").first.wait_for()
    opened = 1000 * (time.perf_counter() - start)
    filters, scrolls = page.evaluate(FILTER, list(FILTERS)), page.evaluate(SCROLL)
    return [opened, median(filters), max(filters), median(scrolls), max(scrolls)]


def main() -> None:
    """Print the table."""
    sizes = [int(text.replace(",", "")) for text in sys.argv[1:]] or SIZES
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    heads = ("make", "open", "filter", "slowest", "scroll", "slowest", "MB")
    print(f"{'passages':>9} {'prose':>6}" + "".join(f"{head:>9}" for head in heads))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for size in sizes:
            made = samples.tables(size, per_source=20)
            prose = samples.prose(made)
            for named in ("no", "yes"):
                start = time.perf_counter()
                data = samples.data(made)
                if named == "yes":
                    data = prose_data(data, prose)
                path = Path(folder) / "page.html"
                path.write_text(explorer_html(data, samples.words()), encoding="utf-8")
                numbers = [1000 * (time.perf_counter() - start)]
                page = browser.new_page()
                numbers += measured(page, path)
                page.close()
                bytes_ = path.stat().st_size / 1e6
                shown = "".join(f"{number:9.0f}" for number in numbers)
                print(f"{size:9,} {named:>6}{shown}{bytes_:9.1f}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
