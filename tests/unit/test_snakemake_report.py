"""Captions for Snakemake's own report: they show their words, and speak neither rST nor Jinja."""

from __future__ import annotations

import re
from html import unescape

import pytest
from docutils.core import publish_parts
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from framing.report.snakemake_report import PROJECT, _labels, captions, rst
from framing.tables.captions import edition, plain
from framing.workflow.results import Results
from tests.unit.output_samples import context
from tests.unit.words_read import load_specs

TABLES, FIGURES = Results(["machines"]).tables, Results(["machines"]).figures


def seen(source: str) -> str:
    """Return what a reader sees of a caption, made as Snakemake makes it; refuse complaints."""
    template = Environment().from_string(source).render(snakemake=None)
    strict = {"halt_level": 2, "report_level": 2, "raw_enabled": False}
    html = publish_parts(template, writer="html", settings_overrides=strict)["html_body"]
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())


@pytest.mark.parametrize(
    "text",
    [
        "50 % of *this* and `that`_", "{{ 7 * 7 }}{% endraw %}{# gone #}", "- no list", "1. none",
        ".. raw:: html", "<script>alert(1)</script>", "|subst| [1]_ :role:`x` http://x.example",
        "a\\b \\", "::", "====", "+--+", "Who? _me_", "{% raw %}", "“quoted” – dash",
    ],
)  # fmt: skip
def test_signs_of_either_language_are_shown_as_they_are(text):
    assert seen(rst(text)) == text


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_any_text_comes_back(text):
    assert seen("x" + rst(text) + "x") == " ".join(f"x{plain(text)}x".split())


@pytest.mark.slow
def test_every_result_has_a_caption_of_the_words_in_tables_yaml():
    words = edition(load_specs(), context())
    made = captions(words)
    assert {*TABLES, *FIGURES, PROJECT} < set(made)
    for name, spec in words.specs.tables.items():
        told = seen(made[name])
        for part in (spec.title, spec.caption, spec.note, words.standing):
            assert " ".join(plain(part).split()) in told
        listed = _labels(name, "html", None)
        assert (listed["result"], listed["form"]) == (name, "html")
        assert listed["shows"] and spec.title.startswith(listed["shows"])
        assert listed["shows"] == spec.title or ": " in spec.title
    for name, figure in words.specs.figures.items():
        assert " ".join(plain(figure.caption).split()) in seen(made[name])


def test_hostile_titles_are_only_shown():
    nasty = "{{ 7*7 }}{% for x in y %}\n====\n.. include:: /etc/passwd <b> *x"
    words = edition(load_specs(), context(title=nasty, question=nasty))
    told = seen(captions(words)[PROJECT])
    assert told.count(plain(nasty)) == 2
