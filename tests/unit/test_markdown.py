"""Tables as Markdown: read back by a parser, and cells that cannot break their table."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from framing.report.layout import lay_out
from framing.report.markdown import markdown, markdown_text, paragraph
from framing.tables.captions import edition, plain
from tests.unit.output_samples import CODES, GROUPS, context
from tests.unit.words_read import load_specs

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKUP = "\\`*_{}[]()<>#+-.!|~$&;:=\"' \n1ax"


def parsed(text: str) -> list[tuple[str, str]]:
    """The kinds of blocks and their text, in order; inside a line only text and `sup` may be."""
    blocks, open_ = [], ""
    for token in PARSER.parse(text):
        if token.nesting == 1:
            open_ = token.type
        elif token.type == "inline":
            kinds = {child.type for child in token.children}
            assert kinds <= {"text", "html_inline", "em_open", "em_close", "strong_open",
                             "strong_close"}, kinds  # fmt: skip
            tags = {child.content for child in token.children if child.type == "html_inline"}
            assert tags <= {"<sup>", "</sup>"}
            said = "".join(c.content for c in token.children if c.type == "text")
            blocks.append((open_, said))
    return blocks


def only_text(inline) -> str:
    assert {child.type for child in inline.children} <= {"text"}
    return "".join(child.content for child in inline.children)


any_text = st.one_of(st.text(MARKUP, max_size=30), st.text(max_size=30))


@given(any_text)
@example("[a](b) ![c](d) [e]: f <http://g> &amp; `h` **i** ~~j~~ $k$ \\| \\")
@example("a\u202eb\x07 _c_")
def test_a_cell_shows_its_text_whatever_it_holds(text):
    tokens = PARSER.parse(f"| head |\n|:--|\n| {markdown(text)} |\n")
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 2
    assert only_text(cells[1]) == plain(text)


@given(any_text)
@example("- a")
@example("12. a")
@example("+")
@example("===")
@example("# a")
@example("> a")
@example("~~~")
@example("[a]: b")
def test_a_paragraph_is_one_whatever_it_holds(text):
    tokens = PARSER.parse(f"before\n\n{paragraph(text)}\n\nafter\n")
    if not plain(text):
        return
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"] * 3
    assert only_text(tokens[4]) == plain(text)


def test_intervals_stay_readable_in_the_source():
    assert markdown("[0.12, 0.24]") == "[0.12, 0.24]"
    assert markdown("pays_for × 2 | a*b") == r"pays\_for × 2 \| a\*b"


def test_a_page_has_the_rows_that_latex_and_html_print(words, frames):
    for name, spec in words.specs.tables.items():
        sheet = lay_out(frames[name], spec, words)
        blocks = parsed(markdown_text(frames[name], spec, words, "T0-0123456789ab"))
        heads = [text for kind, text in blocks if kind == "th_open"]
        assert heads == [plain(head.label) for head in sheet.heads]
        expected = []
        for title, rows in sheet.sections:
            if title:
                expected += [plain(title), *[""] * (len(heads) - 1)]
            for row in rows:
                expected += [plain(f"{cell.text} {cell.interval}") + cell.mark for cell in row]
        assert [text for kind, text in blocks if kind == "td_open"] == expected


def test_a_page_has_title_caption_notes_n_digests_licence_and_key(words, frames):
    spec = words.specs.tables["T5-trend"]
    text = markdown_text(frames["T5-trend"], spec, words, "T5-0123456789ab")
    rest = [(kind, said) for kind, said in parsed(text) if kind not in ("th_open", "td_open")]
    assert rest[0] == ("heading_open", f"{spec.id}: {spec.title}")
    paragraphs = [said for kind, said in rest[1:]]
    assert paragraphs[0] == plain(spec.caption)
    assert paragraphs[1].startswith(f"Note. {plain(spec.note)}")
    assert paragraphs[2] == "a not estimable: no coded passage"
    assert paragraphs[3] == plain(words.standing) and "N = 1,850" in paragraphs[3]
    assert words.context["digests"]["corpus"][:12] in paragraphs[3]
    assert paragraphs[4] == plain(words.specs.phrases["licence"])
    assert paragraphs[5] == "Key of this table: T5-0123456789ab"


def test_hostile_labels_and_statuses_change_no_table(frames):
    hostile = "|*_`<script>alert(1)</script>`_*| [x](http://y) \n\n# z"
    names = {"groups": {**GROUPS, "press": hostile}, "codes": {**CODES, "cost": hostile}}
    words = edition(load_specs(), context(title=hostile, **names))
    frame = frames["T4-prevalence"].assign(status=hostile)
    spec = words.specs.tables["T4-prevalence"]
    blocks = parsed(markdown_text(frame, spec, words))
    sheet = lay_out(frame, spec, words)
    cells = sum(len(rows) + 1 for _, rows in sheet.sections) * len(sheet.heads)
    assert sum(kind == "td_open" for kind, _ in blocks) == cells
    assert ("paragraph_open", f"a {plain(hostile)}") in blocks
    assert plain(hostile) in {text for kind, text in blocks if kind == "td_open"}


def test_a_table_without_rows_says_so(words, frames):
    spec = words.specs.tables["T8-cues"]
    blocks = parsed(markdown_text(frames["T8-cues"].iloc[:0], spec, words))
    cells = [text for kind, text in blocks if kind == "td_open"]
    assert cells[0] == words.specs.phrases["no_rows"] and not any(cells[1:])
