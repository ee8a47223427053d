"""An explanation for a terminal, and as a page."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from framing.classifier.explain import Evidence, Passage, word_forms
from framing.common.paths import SCORES

if TYPE_CHECKING:
    from framing.classifier.explain import Explanation
    from framing.classifier.explain_levels import LevelExplanation

    Explained = Explanation | LevelExplanation

WIDTH = 79  # columns of a terminal that is not asked for its size

# The rule of framing.corpus.words, to find a word's place in the prose. What is counted comes from
# word_counts itself: here a difference could only move an underline.
_WORD = re.compile(r"[^\W\d_]+(?:['\u2018\u2019\u02bc][^\W\d_]+)*|\d+(?:[.,]\d+)*")

# Controls would act on the terminal, and marks of direction turn around what stands beside them.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"

_UNSAFE = re.compile(f"[{_CONTROLS}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_NOT_HTML = re.compile(f"[{_CONTROLS}]")


# --- showing it -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """A stretch of prose within which nothing begins or ends: the cues that hit it, the words."""

    text: str
    cues: tuple[str, ...]
    terms: tuple[str, ...]


def pieces(
    text: str, cues: Iterable[tuple[str, int, int]], words: Iterable[tuple[str, int, int]]
) -> list[Piece]:
    """Cut a text where hits of cues and marked words (name, start, end) begin or end.

    The pieces joined are the text. Spans may overlap.
    """
    cues, words = list(cues), list(words)
    ends = {end for _, *span in [*cues, *words] for end in span}
    cuts = sorted({0, len(text), *ends})
    return [
        Piece(
            text[start:end],
            tuple(sorted({name for name, a, b in cues if a <= start and end <= b})),
            tuple(sorted({name for name, a, b in words if a <= start and end <= b})),
        )
        for start, end in pairwise(cuts)
    ]


def word_spans(text: str, terms: Mapping[str, Collection[str]]) -> list[tuple[str, int, int]]:
    """Return ``(term, start, end)`` of each word in a text that ``terms`` maps a term to."""
    from framing.corpus.words import word_counts

    term_of = {word: term for term, words in terms.items() for word in words}
    return [
        (term_of[word], match.start(), match.end())
        for match in _WORD.finditer(text)
        for word in word_counts(match.group())
        if word in term_of
    ]


def marked(
    passage: Passage, explanations: Sequence[Explained], models: Mapping[str, Mapping[str, Any]]
) -> list[Piece]:
    """Return the prose of a passage with hits of cues and the words that are shown."""
    if passage.text is None:
        return []
    terms: dict[str, set[str]] = {}
    for one in explanations:
        forms = word_forms(models[one.code], passage.counts)
        for term in one.words():
            terms.setdefault(term, set()).update(forms[term])
    return pieces(passage.text, passage.hits_at, word_spans(passage.text, terms))


def visible(text: str) -> str:
    r"""Return text safe for a terminal: controls and marks of direction as ``\uXXXX``."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def wrapped(text: str, width: int) -> str:
    """Return a text of equal length, broken into lines of ``width`` where words allow it."""
    signs, line, space = list(re.sub(r"\s", " ", text)), 0, -1
    for place, sign in enumerate(signs):
        if sign == " ":
            space = place
        if place - line >= width and space >= line:
            signs[space] = "\n"
            line = space + 1
    return "".join(signs)


def terminal_text(
    passage: Passage,
    explanations: Sequence[Explained],
    prose_pieces: Sequence[Piece],
    *,
    colour: bool = False,
    width: int = WIDTH,
) -> str:
    """Return an explanation as aligned lines; ``colour`` uses ANSI codes."""
    bold, dim = _style("1", colour), _style("2", colour)
    lines = [bold(visible(passage.heading[0])), *map(visible, passage.heading[1:])]
    lines += [f"note: {visible(note)}" for note in passage.notes]
    lines.append("")
    if passage.text is None:
        lines.append(visible(passage.absent))
    else:
        lines += _marked_lines(prose_pieces, colour, width)
        if any(piece.cues or piece.terms for piece in prose_pieces):
            key = [
                _style("1;33", colour)("a cue hits" if colour else "[a cue hits]"),
                _style("4", colour)("a word with much weight" if colour else "_much weight_"),
            ]
            lines.append(dim("marked: ") + ", ".join(key))
    for one in explanations:
        lines += ["", *_code_lines(one, passage, bold, dim, colour=colour, width=width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _style(codes: str, colour: bool) -> Any:
    return (lambda text: f"\x1b[{codes}m{text}\x1b[0m") if colour else (lambda text: text)


def _marked_lines(prose_pieces: Sequence[Piece], colour: bool, width: int) -> list[str]:
    whole = wrapped("".join(piece.text for piece in prose_pieces), width - 2)
    out, place, in_cue = [], 0, False
    for piece in prose_pieces:
        shown = visible(whole[place : place + len(piece.text)])
        place += len(piece.text)
        if colour:
            codes = ";".join([*["1;33"] * bool(piece.cues), *["4"] * bool(piece.terms)])
            parts = [_style(codes, bool(codes))(part) for part in shown.split("\n")]
            out.append("\n".join(parts))
            continue
        if in_cue != bool(piece.cues):
            out.append("]" if in_cue else "[")
            in_cue = not in_cue
        out.append(f"_{shown}_" if piece.terms else shown)
    return [f"  {line}" for line in ("".join(out) + "]" * in_cue).split("\n")]


def _code_lines(
    one: Explained, passage: Passage, bold: Any, dim: Any, *, colour: bool, width: int
) -> list[str]:
    lines = [bold(f"{one.code}: {one.verdict}") + f", {one.chances}"]
    for sentence in remarks(one, passage):
        lines += textwrap.wrap(
            visible(sentence), width, initial_indent="  ", subsequent_indent="  "
        )
    for row in one.evidence:
        first, *rest = textwrap.wrap(visible(label(row)), max(width - 12, 20)) or [""]
        tint = _style("32" if row.amount > 0 else "31", colour)
        lines.append(f"  {tint(f'{row.amount:+8.3f}')}  {first}")
        lines += [f"{'':12}{line}" for line in rest]
        lines += [f"{'':12}{dim(levels(row.of_levels))}"] if row.of_levels else []
    if not one.constant:
        lines.append(f"  {one.score:+8.3f}  {dim(one.formula)}")
        lines += [f"{'':12}{dim(levels(one.of_levels))}"] if one.of_levels else []
    return lines


def label(row: Evidence) -> str:
    """Return what a line of evidence is about."""
    if row.kind == "rest":
        return row.note
    if row.kind == "word":
        return f"word {row.note}"
    kinds = {"cue": f"cue {row.name}", "rule": f"similarity to {row.name}"}
    return f"{kinds.get(row.kind, row.kind)}: {row.note}"


def levels(amounts: Iterable[tuple[str, float]]) -> str:
    """Return what is added to the score of each level."""
    return ", ".join(f"{name}: {amount:+.3f}" for name, amount in amounts)


def remarks(one: Explained, passage: Passage) -> list[str]:
    """Return what must be said of a code before its evidence."""
    said = []
    if one.constant:
        said.append(f"Every passage gets {one.these}: {one.constant}.")
    if passage.published is not None:
        published = one.before(passage.published)
        if published is None:
            said.append(
                "The published probability comes from the model of its source's fold and differs "
                f"from this one ({SCORES} would have it: run `snakemake`)."
            )
        else:
            said.append(
                f"Published: {published.decided}, from the model of its source's fold "
                f"({published.place}); here speaks the final model."
            )
            if published.coded:
                said.append(f"Coded {published.coded}, and the final model has learned from that.")
    if one.unfamiliar:
        said.append(
            f"Unfamiliar: {one.unknown:.0%} of its words are unknown (usual: up to "
            f"{one.limits[0]:.0%}), similarity to the passages learned from {one.similarity:.2f} "
            f"(usual: from {one.limits[1]:.2f})."
        )
    return [*said, one.lead] if one.lead else said


_STYLE = """\
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fff; --faint: #6b6b70;
  --for: #0b6b3a; --against: #a3262a; --mark: #ffe9a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ea; --paper: #18181a;
  --faint: #9a9aa0; --for: #6fd39a; --against: #ff8f8a; --mark: #5c4a12; } }
body { font: 1rem/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 46rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.25rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
blockquote { margin: 1.5rem 0; padding-left: 1rem; border-left: 3px solid var(--faint);
  white-space: pre-line; }
mark { background: var(--mark); color: inherit; }
u { text-decoration-thickness: 2px; text-underline-offset: 3px; }
u.for { text-decoration-color: var(--for); } u.against { text-decoration-color: var(--against); }
u.mixed { text-decoration-color: var(--faint); text-decoration-style: double; }
.note { color: var(--faint); }
table { border-collapse: collapse; } td { padding: .1rem .8rem .1rem 0; vertical-align: top; }
td:first-child { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.for { color: var(--for); } td.against { color: var(--against); }
tr:last-child td { border-top: 1px solid var(--faint); }
"""


def html_page(
    passage: Passage,
    explanations: Sequence[Explained],
    prose_pieces: Sequence[Piece],
    descriptions: Mapping[str, str],
) -> str:
    """Return an explanation as one HTML page that needs nothing else; all texts are escaped."""
    title = _html(passage.heading[0])
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        # Nothing is loaded and no script runs, whatever a text holds.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>",
        f"<h1>{title}</h1>",
    ]
    parts += [f'<p class="note">{_html(line)}</p>' for line in passage.heading[1:] if line]
    parts += [f'<p class="note">{_html(note)}</p>' for note in passage.notes]
    if passage.text is None:
        parts.append(f"<p>{_html(passage.absent)}</p>")
    else:
        body = "".join(_html_piece(piece, explanations, descriptions) for piece in prose_pieces)
        parts.append(f'<blockquote dir="auto">{body}</blockquote>')
        parts.append(
            '<p class="note"><mark>A cue hits</mark>, '
            '<u class="for">a word with much weight for a code</u>, '
            '<u class="against">against it</u>; hold the pointer over them.</p>'
        )
    for one in explanations:
        parts += _html_code(one, passage)
    return "\n".join([*parts, "</body>", "</html>"]) + "\n"


def _html(text: str) -> str:
    return escape(_NOT_HTML.sub("\ufffd", text))


def _html_piece(
    piece: Piece, explanations: Sequence[Explained], descriptions: Mapping[str, str]
) -> str:
    shown = _html(piece.text)
    if piece.terms:
        weights = [
            (one.about, amount)
            for one in explanations
            for term, amount in one.words().items()
            if term in piece.terms
        ]
        signs = {amount > 0 for _, amount in weights}
        side = "mixed" if len(signs) > 1 else "for" if signs == {True} else "against"
        title = "; ".join(f"{code} {amount:+.3f}" for code, amount in weights)
        shown = f'<u class="{side}" title="{_html(title)}">{shown}</u>'
    if piece.cues:
        title = "; ".join(f"{cue}: {descriptions.get(cue, '')}" for cue in piece.cues)
        shown = f'<mark title="{_html(title)}">{shown}</mark>'
    return shown


def _html_code(one: Explained, passage: Passage) -> list[str]:
    parts = [
        f"<h2>{_html(one.code)}: {_html(one.verdict)}</h2>",
        f"<p>{_html(one.chances[:1].upper() + one.chances[1:])}.</p>",
    ]
    parts += [f'<p class="note">{_html(sentence)}</p>' for sentence in remarks(one, passage)]
    rows = [
        f'<tr><td class="{"for" if row.amount > 0 else "against"}">{_signed(row.amount)}</td>'
        f"<td>{_html(label(row))}{_html_levels(row.of_levels)}</td></tr>"
        for row in one.evidence
    ]
    if not one.constant:
        rows.append(
            f"<tr><td>{_signed(one.score)}</td>"
            f"<td>{_html(one.formula)}{_html_levels(one.of_levels)}</td></tr>"
        )
        parts += ["<table>", *rows, "</table>"]
    return parts


def _html_levels(amounts: Sequence[tuple[str, float]]) -> str:
    return f'<div class="note">{_html(levels(amounts))}</div>' if amounts else ""


def _signed(amount: float) -> str:
    return f"{amount:+.3f}".replace("-", "\u2212")
