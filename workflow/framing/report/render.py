"""Result tables as text: CSV with everything, LaTeX and HTML as a reader wants them.

A table is first laid out once (:func:`framing.report.layout.lay_out`), then written by
:func:`latex_text` or :func:`html_text`; nothing a cell holds can break out of its markup.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

import pandas as pd

from framing.report.latex_width import fit, head_lines
from framing.report.layout import Cell, Head, Sheet, lay_out
from framing.tables.captions import Edition, plain
from framing.tables.specs import TableSpec

LONG = 35  # printed lines above which a LaTeX table runs over pages
PAGE = 40  # lines that a page holds, notes below the table included
NOTE = 105  # characters of a line of them


# --- LaTeX ----------------------------------------------------------------------------------------

_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "-": "-{}", ",": ",{}", "'": "'{}",
    **{char: "\\" + char for char in "&%$#_{}"},
    "–": r"\textendash{}", "—": r"\textemdash{}", "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}", "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}",
    "…": r"\ldots{}", "×": r"$\times$", "·": r"$\cdot$", "−": "$-$", "±": r"$\pm$",
    "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$", "→": r"$\rightarrow$", "α": r"$\alpha$",
    "«": r"$\ll$", "»": r"$\gg$", "°": r"\textdegree{}", "§": r"\S{}", "€": "EUR", "ß": r"\ss{}",
    "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
}  # fmt: skip
_ENDLESS = re.compile(r"(\S{200})\S+")
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u0304": "=",
    "\u0307": ".", "\u0306": "u", "\u030c": "v", "\u030b": "H", "\u030a": "r", "\u0327": "c",
    "\u0323": "d", "\u0331": "b",
}  # fmt: skip


def latex(text: str) -> str:
    r"""Return text that LaTeX shows as it is, whatever it holds.

    Specials, brackets and pairs that fonts join (``--``, ``,,``) are guarded; dashes, quotes and
    letters with accents become commands every engine and font encoding knows. Letters of other
    scripts are passed on: they need a document set up for that script (or XeLaTeX, LuaLaTeX).
    Words of more than 200 characters are cut: LaTeX gives up on them, and no page has room.
    """
    out = []
    text = _ENDLESS.sub(r"\1…", unicodedata.normalize("NFC", plain(text)))
    for char, after in zip(text, text[1:] + " ", strict=False):
        if char in "-,'":
            out.append(_LATEX[char] if after == char else char)
        elif char in _LATEX:
            out.append(_LATEX[char])
        elif char.isascii():
            out.append(char)
        else:
            out.append(_accented(char))
    return "".join(out)


def _accented(char: str) -> str:
    parts = unicodedata.normalize("NFD", char)
    if len(parts) == 2 and parts[0].isascii() and parts[1] in _ACCENTS:
        return f"\\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    return char


def foreign(text: str) -> list[str]:
    """Return the characters of LaTeX text that plain pdfLaTeX has no command for, sorted."""
    return sorted({char for char in text if not char.isascii()})


def latex_text(
    frame: pd.DataFrame, spec: TableSpec, edition: Edition, sheet: Sheet | None = None
) -> str:
    r"""Return a table for ``\input`` into a document that loads booktabs and longtable.

    Caption and label (``tab:<id>``) stand above, notes and N below; tables that do not fit one
    page run over several. Tables are set to fit the line of ``article``
    (:mod:`framing.report.latex_width`). ``sheet`` is the table as laid out, where that was done
    already.
    """
    sheet = sheet or lay_out(frame, spec, edition)
    fitted = fit(sheet)
    setting, shares = fitted.setting, fitted.shares
    end = "\\tabularnewline[2pt]" if setting.stacked else "\\tabularnewline"
    width = len(sheet.heads)
    body = []
    for number_, (title, rows) in enumerate(sheet.sections):
        if title:
            space = "\\addlinespace\n" if number_ else ""
            body.append(
                f"{space}\\multicolumn{{{width}}}{{@{{}}p{{\\linewidth}}@{{}}}}"
                f"{{\\raggedright\\textit{{{latex(title)}}}}}"
                "\\\\*"  # the star keeps a page from ending here
            )
        body += [
            " & ".join(
                _latex_cell(cell, place in shares, setting.stacked)
                for place, cell in enumerate(row)
            )
            + end
            for row in rows
        ]
    if not any(rows for _, rows in sheet.sections):
        words = latex(edition.specs.phrases["no_rows"])
        body = [f"\\multicolumn{{{width}}}{{@{{}}l}}{{{words}}}\\tabularnewline"]
    layout = "".join(
        f"p{{{shares[place]:g}\\linewidth}}" if place in shares else "r" if head.numeric else "l"
        for place, head in enumerate(sheet.heads)
    )
    head = " & ".join(map(_latex_head, sheet.heads)) + "\\tabularnewline"
    caption = f"\\caption{{{latex(spec.caption)}}}\\label{{tab:{spec.id}}}"
    size = f"\\{setting.size}\\setlength{{\\tabcolsep}}{{{setting.gap:g}pt}}"
    parts = (layout, head, "\n".join(body), caption, size, _latex_notes(sheet, spec, edition))
    whole = fitted.lines + len(parts[-1]) / NOTE
    runs_on = fitted.lines > LONG or whole > PAGE
    text = _longtable(*parts, width) if runs_on else _float(*parts)
    strange = ", ".join(f"U+{ord(char):04X}" for char in foreign(text))
    notice = f"% Needs fonts for {strange}: XeLaTeX, LuaLaTeX or a fontenc.\n" if strange else ""
    return f"% {spec.id}; load the packages booktabs and longtable.\n{notice}{text}"


def _float(layout: str, head: str, body: str, caption: str, size: str, notes: str) -> str:
    return (
        f"\\begin{{table}}[htbp]\n\\centering\n{size}\n{caption}\n\\par\\smallskip\n\\begin{{tabular}}"
        f"{{@{{}}{layout}@{{}}}}\n\\toprule\n{head}\n\\midrule\n{body}\n\\bottomrule\n"
        f"\\end{{tabular}}\n\\par\\medskip\n\\begin{{minipage}}{{\\linewidth}}\n{notes}\n"
        "\\end{minipage}\n\\end{table}\n"
    )


def _longtable(
    layout: str, head: str, body: str, caption: str, size: str, notes: str, width: int
) -> str:
    top = f"\\toprule\n{head}\n\\midrule\n"
    again = f"\\multicolumn{{{width}}}{{@{{}}l}}{{Table \\thetable{{}}, continued}}\\tabularnewline"
    return (
        f"\\begingroup\n{size}\\setlength{{\\LTcapwidth}}{{\\linewidth}}\n\\begin{{longtable}}{{@{{}}{layout}@{{}}}}\n"
        f"{caption}\\tabularnewline\n{top}\\endfirsthead\n{again}\n{top}\\endhead\n"
        f"\\bottomrule\n\\endfoot\n{body}\n\\end{{longtable}}\n\\noindent\n{notes}\n\\par\n"
        "\\endgroup\n"
    )


def _latex_head(head: Head) -> str:
    text = "\\\\".join(latex(line) for line in head_lines(head))
    if "\\\\" in text:
        text = f"\\shortstack[r]{{{text}}}"
    return f"\\textbf{{{text}}}" if head.leading else text


def _latex_cell(cell: Cell, broken: bool, stacked: bool) -> str:
    mark = f"\\textsuperscript{{{cell.mark}}}" if cell.mark else ""
    text = latex(cell.text)
    if cell.interval and stacked:
        second = latex(cell.interval)
        return f"\\begin{{tabular}}[t]{{@{{}}r@{{}}}}{text}\\\\{second}{mark}\\end{{tabular}}"
    if cell.interval:
        text += f" {latex(cell.interval)}"
    if broken:
        # This redefines the double backslash: rows end in \tabularnewline instead.
        return f"\\raggedright {text}{mark}"
    return text + mark


def _latex_notes(sheet: Sheet, spec: TableSpec, edition: Edition) -> str:
    marks = "".join(
        f"\n\\par\\noindent\\textsuperscript{{{mark}}} {latex(status)}"
        for status, mark in sheet.marks.items()
    )
    legend = f" {latex(edition.specs.phrases['status'])}" if marks else ""
    return f"\\textit{{Note.}} {latex(spec.note)}{legend} {latex(edition.standing)}{marks}"


# --- HTML -----------------------------------------------------------------------------------------


def html(text: str) -> str:
    """Return text escaped for HTML content and attributes, on one line."""
    return escape(plain(text), quote=True)


def html_text(
    frame: pd.DataFrame,
    spec: TableSpec,
    edition: Edition,
    *,
    standing: bool = True,
    anchor: str = "",
    explorer: str = "",
    sheet: Sheet | None = None,
) -> str:
    """Return a table as an HTML fragment with caption, heads, notes.

    Its id is ``anchor``, or else the table's. ``standing`` adds what is said under every table (N,
    machine coders, digests); a page that says so once may leave it out. ``explorer`` is the address
    of the passage explorer, to which cells then lead. ``sheet`` is as in :func:`latex_text`.
    """
    sheet = sheet or lay_out(frame, spec, edition)
    width = len(sheet.heads)
    heads = "".join(
        f'<th scope="col"{_html_class(head)}>{html(head.label)}</th>' for head in sheet.heads
    )
    bodies = []
    for title, rows in sheet.sections:
        lines = [
            f'<tr class="section"><th scope="rowgroup" colspan="{width}">'
            f"<span>{html(title)}</span></th></tr>"
        ] * bool(title)
        for row in rows:
            cells = [
                _html_cell(cell, head, place, explorer)
                for place, (cell, head) in enumerate(zip(row, sheet.heads, strict=True))
            ]
            lines.append(f"<tr>{''.join(cells)}</tr>")
        bodies.append("<tbody>\n" + "\n".join(lines) + "\n</tbody>")
    if not any(rows for _, rows in sheet.sections):
        words = html(edition.specs.phrases["no_rows"])
        bodies = [f'<tbody>\n<tr><td colspan="{width}">{words}</td></tr>\n</tbody>']
    legend = f" {html(edition.specs.phrases['status'])}" if sheet.marks else ""
    always = f" {html(edition.standing)}" if standing else ""
    marks = "".join(
        f"\n<p><sup>{mark}</sup> {html(status)}</p>" for status, mark in sheet.marks.items()
    )
    body = "\n".join(bodies)
    return (
        f'<figure class="table" id="{anchor or spec.id}">\n'
        f'<div class="scroll" role="region" tabindex="0" aria-label="{html(spec.title)}">\n'
        f'<table>\n<caption><div><span class="id">{spec.id}</span> {html(spec.caption)}</div>'
        "</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n{body}\n</table>\n</div>\n"
        f'<figcaption class="note"><p><i>Note.</i> {html(spec.note)}{legend}{always}</p>{marks}'
        "</figcaption>\n</figure>\n"
    )


def _html_class(head: Head) -> str:
    names = ["number"] * head.numeric + ["leading"] * head.leading
    return f' class="{" ".join(names)}"' if names else ""


def _html_cell(cell: Cell, head: Head, place: int, explorer: str) -> str:
    tag, scope = ("th", ' scope="row"') if place == 0 else ("td", "")
    status = f' data-status="{html(cell.status)}"' if cell.status else ""
    bounds = f' <span class="interval">{html(cell.interval)}</span>' if cell.interval else ""
    mark = f"<sup>{cell.mark}</sup>" if cell.mark else ""
    text = html(cell.text)
    if explorer and cell.passages is not None:
        text = f'<a class="passages" href="{html(f"{explorer}#{cell.passages}")}">{text}</a>'
    return f"<{tag}{scope}{_html_class(head)}{status}>{text}{bounds}{mark}</{tag}>"
