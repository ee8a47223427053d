"""The coding page as coders meet it: two of them code 200 passages by keys, up to T2 and T4."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pandas as pd
import pytest

from framing.cli.main import main
from framing.common.files import sha256
from tests.unit.coding_server import WHO, Server, started
from tests.workflow.conftest import as_csv, run

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["run"]

SOURCES, PARAGRAPHS, DRAWN = 24, 9, 200
WORDS = {
    "cost": "The line will cost eleven million, and the ratepayers are the ones who pay for it.",
    "fairness": "It is not fair that the hill gets two stops and the harbour is left without any.",
    "heritage": "The lamps and the old setts of the square have to be kept as they always were.",
}
PLAIN = "On Tuesday the works began at seven, and by noon the second rail lay in the street."
PHONE = {"viewport": {"width": 360, "height": 740}}
TABLET = {"viewport": {"width": 768, "height": 1024}}
WIDE = {"viewport": {"width": 1280, "height": 900}}


def chance(*of: object) -> float:
    """A number from 0 to 1 that hangs on what is given alone."""
    return int(hashlib.sha256(repr(of).encode()).hexdigest()[:8], 16) / 2**32


def paragraph(source: int, number: int) -> str:
    carried = [text for code, text in WORDS.items() if chance(source, number, code) < 0.4]
    return " ".join([f"Note {number} of letter {source}.", *(carried or [PLAIN])])


@pytest.fixture
def project(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the codebook and settings of the example, and texts of this test."""
    home = tmp_path / "project"
    shutil.copytree(mini / "config", home / "config")
    shutil.copytree(mini / "corpus" / "codebook", home / "corpus" / "codebook")
    for name in ("sources", "passages", "sample", "coders"):
        header = (mini / "corpus" / f"{name}.tsv").read_text("utf-8").split("\n", 1)[0]
        (home / "corpus" / f"{name}.tsv").write_text(f"{header}\n", "utf-8")
    for name in ("texts", "codings", "derived"):
        (home / "corpus" / name).mkdir()
    monkeypatch.chdir(home)
    config = Path("config/config.yaml")
    text = config.read_text("utf-8")
    case = next(line for line in text.splitlines() if line.startswith("case_study:"))
    config.write_text(text.replace(case, "case_study: ''"), "utf-8")
    rows = []
    for number in range(SOURCES):
        text = "\n\n".join(paragraph(number, nth) for nth in range(PARAGRAPHS)) + "\n"
        Path(f"corpus/texts/letter-{number:02}.txt").write_text(text, "utf-8")
        group = ("residents", "council", "business")[number % 3]
        rows.append([f"letter-{number:02}", f"Letter {number}", f"Writer {number}", "", group,
                     str(2015 + number % 9), "year", "letter", str(len(text.split())), "",
                     "made up", "", sha256(text)])  # fmt: skip
    with Path("corpus/sources.tsv").open("a", encoding="utf-8") as file:
        file.writelines("\t".join(row) + "\n" for row in rows)
    assert main(["derive"]) == 0
    draw = ["--size", str(DRAWN), "--strata", "group", "--seed", "7", "--role", "development"]
    assert main(["sample", *draw]) == 0
    return home


@pytest.fixture
def start(project: Path):
    running: list[Server] = []

    def _start(coder: str, *arguments: str) -> Server:
        running.append(started(project, "code", "--coder", coder, *arguments))
        return running[-1]

    yield _start
    for server in running:
        server.process.kill()
        server.process.communicate()


@pytest.fixture
def visit(browser):
    """Open a server's address; what the page asks of others, or complains of, fails the test."""
    trouble: list[str] = []
    contexts = []

    def _visit(server: Server, **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on(
            "console",
            lambda one: trouble.append(one.text) if one.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        own = f"http://127.0.0.1:{server.port}/"
        page.on(
            "request",
            lambda one: None if one.url.startswith((own, "data:")) else trouble.append(one.url),
        )
        page.goto(f"{own}?key={server.key}")
        return page

    yield _visit
    for context in contexts:
        context.close()
    assert trouble == []


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def saved(page) -> None:
    """Press Enter, and wait for what comes after the passage."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def keys_for(text: str, coder: str) -> list[str]:
    """Return what a coder presses, who errs at one code in twelve."""
    keys = []
    for code, (yes, no) in zip(WORDS, (("1", "2"), ("3", "4"), ("5", "6")), strict=True):
        carries = (WORDS[code] in text) != (chance(coder, text, code) < 1 / 12)
        keys.append(yes if carries else no)
    return keys


def test_two_coders_code_two_hundred_passages_by_keys_up_to_t2_and_t4(
    project, start, visit, root, run
):
    assert main(["code", "--assign", "--coders", "ann,bob", "--twice", "0.2"]) == 0
    plan = pd.read_csv("corpus/assignments.tsv", sep="\t", dtype=str)
    assert plan["passage_id"].nunique() == DRAWN and len(plan) == DRAWN + 40
    for coder in ("ann", "bob"):
        page = visit(start(coder, *WHO), **WIDE)
        number = int((plan["coder"] == coder).sum())
        for _ in range(number):
            text = " ".join(page.text_content(".prose").split())
            press(page, *keys_for(text, coder))
            saved(page)
        assert page.url.endswith("/done")
        assert f"{number} of {number} coded" in page.text_content("#progress")
        if coder == "ann":
            assert "waits for bob" in page.text_content("main")
            assert not list(Path("corpus/codings").glob("*.tsv"))
    tables = {
        coder: pd.read_csv(f"corpus/codings/{coder}.tsv", sep="\t", dtype=str)
        for coder in ("ann", "bob")
    }
    for coder, table in tables.items():
        own = plan.loc[plan["coder"] == coder, "passage_id"]
        assert sorted(table["passage_id"]) == sorted(own)
        expected = pd.read_csv("corpus/passages.tsv", sep="\t", dtype=str).set_index("passage_id")
        for row in table.itertuples():
            place = expected.loc[row.passage_id]
            whole = Path(f"corpus/texts/{place.source_id}.txt").read_text("utf-8")
            text = " ".join(whole[int(place.start) : int(place.end)].split())
            keys = keys_for(text, coder)
            assert [row.cost, row.fairness, row.heritage] == [
                "1" if key in "135" else "0" for key in keys
            ]
    done = run(project, *as_csv("T2-agreement", "T4-prevalence"))
    assert done.returncode == 0, done.stdout + done.stderr
    t2 = pd.read_csv("results/tables/T2-agreement.csv")
    both = t2[(t2["comparison"] == "all coders") & (t2["group"] == "all")]
    assert set(both["passages"]) == {40} and set(both["coders"]) == {"ann bob"}
    joined = tables["ann"].merge(tables["bob"], on="passage_id", suffixes=("_a", "_b"))
    for row in both.itertuples():
        same = (joined[f"{row.code}_a"] == joined[f"{row.code}_b"]).mean()
        assert row.agreement == pytest.approx(same, abs=0.02)  # weighted by design
        assert 0.4 < row.alpha < 1
    t4 = pd.read_csv("results/tables/T4-prevalence.csv")
    rows = t4[(t4["estimator"] == "labels only") & (t4["group"] == "all") & t4["code"].isin(WORDS)]
    assert set(rows["coded"]) == {DRAWN} and (rows["estimate"].between(0.2, 0.6)).all()


def test_the_page_is_used_by_keyboard_alone(start, visit):
    page = visit(start("ann", *WHO), **WIDE)
    focus = "document.activeElement.id || document.activeElement.name"
    assert page.evaluate(focus) == "passage"
    press(page, "1", "u", "m", "s")
    assert page.input_value("#memo") == "s"  # in a text field keys write
    press(page, "Escape")
    assert page.evaluate(focus) == "passage"
    press(page, "Enter")  # two codes are still open: the browser says which
    assert page.url.endswith("/passage/1")
    press(page, "4", "6")
    saved(page)
    assert "/passage/2" in page.url and page.text_content("#note") == "Saved."
    press(page, "k")
    page.keyboard.type("lamp")
    assert page.text_content("#found").endswith("found")
    assert page.locator("#rules .rule:visible").count() < 4
    press(page, "Escape")
    with page.expect_navigation():
        press(page, "s")
    with page.expect_navigation():
        press(page, "b")
    assert page.url.endswith("/passage/2")
    with page.expect_navigation():
        press(page, "c")
    assert page.locator("section.context").count() > 0
    with page.expect_navigation():
        press(page, "d")
    assert page.locator(".doubts li").count() == 2
    page.locator(".doubts a").first.click()
    assert page.is_checked("#unsure") and page.is_checked('[name="code-0"][value="1"]')
    # By Tab and arrows, as a screen reader's user goes, with the keys of the page off.
    page.locator("summary", has_text="Keys").click()
    page.uncheck("#keys")
    press(page, "2")
    assert page.is_checked('[name="code-0"][value="1"]')
    page.focus('[name="code-0"][value="1"]')
    press(page, "ArrowDown")
    assert page.is_checked('[name="code-0"][value="0"]')


def test_a_key_for_the_last_code_saves_where_that_is_wished(start, visit):
    page = visit(start("ann", *WHO), **WIDE)
    page.locator("summary", has_text="Keys").click()
    page.check("#at-once")
    for number in (2, 3):
        press(page, "1", "3")
        with page.expect_navigation():
            press(page, "5")
        assert f"/passage/{number}" in page.url


@pytest.mark.parametrize("size", [PHONE, TABLET, WIDE], ids=["phone", "tablet", "wide"])
def test_pages_fit_their_window_and_everything_has_a_name(start, visit, size):
    page = visit(start("ann", *WHO), **size)
    with page.expect_navigation():
        press(page, "s")
    for place in ("passage/2", "doubts"):
        page.goto(f"{page.url.split('/', 3)[0]}//{page.url.split('/', 3)[2]}/{place}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        nameless = page.evaluate(
            """[...document.querySelectorAll("input:not([type=hidden]), textarea, progress")]
               .filter(one => !one.labels?.length && !one.ariaLabel).length"""
        )
        assert nameless == 0
        unsaid = page.evaluate(
            """[...document.querySelectorAll("fieldset")]
               .filter(one => !one.querySelector("legend")?.textContent).length"""
        )
        assert unsaid == 0
        small = page.evaluate(
            """[...document.querySelectorAll(".level, button:not(.unseen), .button")]
               .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 44)
               .length"""
        )
        assert small == 0


def test_the_page_works_without_its_script(start, browser):
    server = start("ann", *WHO)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/?key={server.key}")
    for number in range(3):
        page.check(f'[name="code-{number}"][value="0"]')
    page.click("#save")
    assert "/passage/2" in page.url and server.key not in page.url
    context.close()
