"""The explorer of a finished run: the committed page has no prose, the one of the command has."""

from __future__ import annotations

import re
import shutil

import pytest

from framing.cli.main import main
from framing.tables.captions import plain

pytestmark = pytest.mark.slow


def pieces(texts, length=40):
    """Return stretches of prose, none of which a page without prose may hold."""
    for path in texts:
        text = plain(path.read_text(encoding="utf-8"))
        yield from (text[at : at + length] for at in range(0, len(text) - length, length))


def test_the_committed_page_has_no_prose_and_the_other_has_it_all(copied, capsys):
    bare = plain((copied / "results" / "explorer.html").read_text(encoding="utf-8"))
    texts = list((copied / "corpus" / "texts").glob("*.txt"))
    assert texts
    assert not [piece for piece in pieces(texts) if piece in bare]
    assert main(["explore", "--directory", str(copied)]) == 0
    assert "do not commit it" in capsys.readouterr().out
    page = (copied / "build" / "explorer.html").read_text(encoding="utf-8")
    number = len((copied / "build" / "passages.tsv").read_text("utf-8").splitlines()) - 1
    text = re.search(r'"prose":\{"text":\[(.*?)\],"spans"', page)[1]
    assert "null" not in text
    assert text.count('","') == number - 1


def test_a_text_that_is_absent_or_another_one_is_said(copied, capsys):
    texts = sorted((copied / "corpus" / "texts").glob("*.txt"))
    texts[0].unlink()
    assert main(["explore", "--directory", str(copied)]) == 0
    assert "their text is absent: 0" not in capsys.readouterr().out
    texts[1].write_text("Something else.\n", encoding="utf-8")
    assert main(["explore", "--directory", str(copied)]) == 1
    assert str(texts[1].name) in capsys.readouterr().err


def test_before_a_run_there_is_nothing_to_explore(project, capsys):
    assert main(["explore", "--directory", str(project)]) == 1
    assert "Run `snakemake` first." in capsys.readouterr().err


def test_a_page_with_prose_is_refused_below_results(copied, capsys):
    shutil.copytree(copied / "results", copied / "kept")
    for name in ("results/x.html", "x.html"):
        assert main(["explore", "-d", str(copied), "--output", str(copied / name)]) == 1
        assert "committed" in capsys.readouterr().err
        assert not (copied / name).exists()
