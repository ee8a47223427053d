"""``framing explain``: what stands behind the probability of one passage.

:func:`explain` takes a stored model apart for one passage; :func:`terminal_text` and
:func:`html_page` show the same for readers of both kinds.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framing.cli.classify import STREAM, Instrument, codebook_note, load_instrument, prose
from framing.common.problems import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd

    from framing.codebook.codebook import Codebook, Cue

SCORES = Path("build/scores.tsv")
CASE = Path("results/tables/T7-essay.csv")
COMMITTED = ("results", "corpus")
"""Folders that are committed, so that no prose may go there."""

_WIDTH = 79  # columns of a terminal that is not asked for its size
_WIDEST = 110  # columns beyond which prose is hard to read
_DECIMALS = 6

# The rule of framing.corpus.words, to find a word's place in the prose. What is counted comes from
# word_counts itself: here a difference could only move an underline.
_WORD = re.compile(r"[^\W\d_]+(?:['\u2018\u2019\u02bc][^\W\d_]+)*|\d+(?:[.,]\d+)*")
# Controls would act on the terminal, and marks of direction turn around what stands beside them.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
_UNSAFE = re.compile(f"[{_CONTROLS}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_HTML = re.compile(f"[{_CONTROLS}]")

_EXAMPLES = """\
examples:
  framing explain 2f907728e9
  framing explain 2f907728e9 --code equality --top 20 --html ~/why.html
  framing explain --text "They want a seat at the table, not orders."
  framing explain --text - < passage.txt

Every line shows what something adds to the score (or takes from it); the lines add up to it, and
the last line says how the score becomes the probability. The explanation is of the final model,
trained on all codings. The published probability of a passage of the corpus comes from the model of
its source's fold, which had seen nothing of that source, and so differs.

Where the prose is at hand it is shown with the hits of cues [in brackets] and the weightiest words
_underlined_, or so coloured in a terminal (unless NO_COLOR is set).

exit status: 0 done; 1 there is no such passage, or models or facts are missing; 2 wrong usage
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``explain`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "explain", parents=[common], help="say which cues and words are behind a passage's codes",
        description="Show for each code the probability of one passage, the decision, and what "
        "stands behind it: the cues that spoke, the rules of the codebook that its words are close "
        "to or far from, and the words that weigh most for and against.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "passage", nargs="?", metavar="PASSAGE_ID", help="id of a passage of the corpus"
    )
    which.add_argument("--text", help="any text instead of a passage; - for standard input")
    parser.add_argument("--code", help="only this code (default: every code of the codebook)")
    parser.add_argument(
        "--top", type=_whole, default=6, metavar="N",
        help="so many words, and rules, for and against (default: 6)",
    )  # fmt: skip
    parser.add_argument(
        "--html", metavar="FILE", help="write the explanation as a page of its own, too"
    )
    parser.set_defaults(run=run)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


# --- taking a model apart -------------------------------------------------------------------------


@dataclass(frozen=True)
class Evidence:
    """One thing that spoke: what it is, what it adds to the score, and more about it.

    ``kind`` is ``cue`` (with its patterns), ``rule`` (similarity to it), ``word``, ``rest`` (all
    others of a kind) or ``intercept``; ``name`` names cue, rule or term; ``note`` is for readers.
    """

    kind: str
    name: str
    amount: float
    note: str


@dataclass(frozen=True)
class Explanation:
    """Why a model gives a passage its probability. The amounts of ``evidence`` add up to ``score``.

    ``limits`` are the largest usual share of unknown words and the smallest usual similarity. A
    constant model has no evidence; ``constant`` says why it is one.
    """

    code: str
    probability: float
    decision: int
    threshold: float
    evidence: tuple[Evidence, ...]
    score: float
    slope: float
    offset: float
    constant: str
    unknown: float
    similarity: float
    limits: tuple[float, float]
    unfamiliar: bool

    def words(self) -> dict[str, float]:
        """Return the terms shown, with what each adds."""
        return {one.name: one.amount for one in self.evidence if one.kind == "word"}


def explain(
    model: Mapping[str, Any],
    counts: Mapping[str, int],
    hits: Mapping[str, int],
    codebook: Codebook,
    top: int,
) -> Explanation:
    """Return what stands behind a stored model's prediction for one passage.

    ``counts`` and ``hits`` are as in :func:`framing.classifier.model_file.predict`; ``codebook``
    says what cues and rules mean. Of words and rules the ``top`` ones for and the ``top`` ones
    against are shown, the largest first and equals by name, the others together.
    """
    from framing.classifier.model_file import predict

    found = predict(model, counts, hits)
    constant = model["constant"] is not None
    amounts = {(kind, name): amount for kind, name, amount in found.parts}
    evidence: list[Evidence] = []
    if not constant:
        evidence = [
            *_cue_evidence(model, hits, amounts, codebook),
            *_rule_evidence(amounts, codebook, top),
            *_word_evidence(model, counts, amounts, top),
            Evidence("intercept", "", amounts["intercept", ""], "where all begin"),
        ]
    usual = model["usual"]
    return Explanation(
        code=model["code"],
        probability=found.probability,
        decision=found.decision,
        threshold=model["threshold"],
        evidence=tuple(evidence),
        score=math.fsum(amounts.values()),
        slope=0.0 if constant else model["slope"],
        offset=0.0 if constant else model["offset"],
        constant=(model["reason"] or "trained on one class only") if constant else "",
        unknown=found.unknown,
        similarity=found.similarity,
        limits=(usual["most_unknown"], usual["least_similar"]),
        unfamiliar=found.unfamiliar,
    )


def _cue_evidence(
    model: Mapping[str, Any],
    hits: Mapping[str, int],
    amounts: Mapping[tuple[str, str], float],
    codebook: Codebook,
) -> list[Evidence]:
    from framing.codebook.hits import cue_and_pattern, hits_by_cue

    cues = {cue.name: cue for cue in codebook.cues}
    rows = []
    for name, times in hits_by_cue(hits).items():
        if name not in model["cues"]:
            continue
        own = sorted(number for cue, number in map(cue_and_pattern, hits) if cue == name)
        parts = [amounts.get(("pattern", f"{name}/{number}"), 0.0) for number in own]
        amount = math.fsum([amounts.get(("cue", name), 0.0), *parts])
        found = f"{times} hit{'s' if times > 1 else ''} ({_patterns(own)})"
        note = f"{found}, {_side(cues.get(name), model['code'])}"
        rows.append(Evidence("cue", name, amount, note))
    return sorted(rows, key=lambda one: (-abs(round(one.amount, _DECIMALS)), one.name))


def _patterns(numbers: Sequence[int]) -> str:
    return f"pattern{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _side(cue: Cue | None, code: str) -> str:
    """Return what the codebook says of a cue: which way it is meant to speak, and what it means."""
    if cue is None:
        return "no cue of the codebook"
    side = {1: "meant for", -1: "meant against", 0: "meant for other codes"}
    return f"{side[cue.votes.get(code, 0)]}: {cue.description}"


def _rule_evidence(
    amounts: Mapping[tuple[str, str], float], codebook: Codebook, top: int
) -> list[Evidence]:
    rules = {name: amount for (kind, name), amount in amounts.items() if kind == "rule"}
    texts = codebook.rules
    return _strongest("rule", rules, {name: texts.get(name, "") for name in rules}, top)


def _strongest(
    kind: str, amounts: Mapping[str, float], notes: Mapping[str, str], top: int
) -> list[Evidence]:
    """Return the ``top`` things for and against, the largest first, and the others together."""
    ranked = sorted(amounts, key=lambda name: (-abs(round(amounts[name], _DECIMALS)), name))
    shown = [name for name in ranked if amounts[name] > 0][:top]
    shown += [name for name in ranked if amounts[name] < 0][:top]
    rows = [Evidence(kind, name, amounts[name], notes[name]) for name in shown]
    others = [amount for name, amount in amounts.items() if name not in shown]
    if others:
        note = f"{len(others)} other {kind}{'s' if len(others) > 1 else ''}"
        rows.append(Evidence("rest", "", math.fsum(others), note))
    return rows


def _word_evidence(
    model: Mapping[str, Any],
    counts: Mapping[str, int],
    amounts: Mapping[tuple[str, str], float],
    top: int,
) -> list[Evidence]:
    forms = word_forms(model, counts)
    words = {name: amount for (kind, name), amount in amounts.items() if kind == "word"}
    return _strongest("word", words, {term: ", ".join(forms[term]) for term in words}, top)


def word_forms(model: Mapping[str, Any], counts: Iterable[str]) -> dict[str, list[str]]:
    """Return, for each term that the model knows, the words of a passage that it stands for."""
    from framing.classifier.features import stem

    forms: dict[str, list[str]] = {}
    for word in sorted(counts):
        term = stem(word) if model["settings"]["stem"] else word
        if term in model.get("words", {}):
            forms.setdefault(term, []).append(word)
    return forms


# --- the passage ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Published:
    """What the tables say of a passage and code, and where."""

    probability: float
    decision: int
    label: str
    place: str


@dataclass(frozen=True)
class Passage:
    """What is known of the passage to explain.

    ``heading`` are lines about it, ``absent`` says why there is no ``text``; ``hits_at`` are the
    hits of cues in the text (cue, start, end); ``published`` is what the tables say, None for a
    text outside the corpus; ``notes`` are things to know first.
    """

    heading: tuple[str, ...]
    counts: Mapping[str, int]
    hits: Mapping[str, int]
    text: str | None
    absent: str
    hits_at: tuple[tuple[str, int, int], ...]
    published: Mapping[str, Published] | None
    notes: tuple[str, ...]


def passage_of_text(instrument: Instrument, text: str) -> Passage:
    """Return a text outside the corpus as a passage; raise :class:`InputError` where it is none."""
    from framing.codebook.cues import cue_spans, pattern_hits
    from framing.corpus.words import word_counts

    if re.search("[\ud800-\udfff]", text):
        raise InputError(Problem("--text", "is not valid UTF-8", "Save it as UTF-8."))
    text = prose(text)
    if not text:
        raise InputError(Problem("--text", "is empty", "Give the text of a passage."))
    return Passage(
        heading=(f"a text of {len(text.split())} words",),
        counts=word_counts(text),
        hits=pattern_hits(instrument.compiled, text),
        text=text,
        absent="",
        hits_at=tuple(cue_spans(instrument.compiled, text)),
        published=None,
        notes=(),
    )


def passage_of_corpus(instrument: Instrument, passage_id: str) -> Passage:
    """Return a passage of the project in the working directory, by its derived facts.

    Its prose is read where it is at hand. Raises :class:`InputError` where there is no such passage
    (with the ids most like it), where it awaits its coding in a confirmation draw, and where its
    facts are missing or do not fit.
    """
    from framing.codebook.cues import cue_spans
    from framing.common.config import load_config
    from framing.corpus.derived import UPDATE, read_facts, staleness
    from framing.corpus.tables import read_passages, read_sources
    from framing.corpus.texts import read_canonical, texts_at_hand
    from framing.project.load import (
        CONFIG,
        DERIVED,
        PASSAGES,
        SOURCES,
        coded_of,
        cue_digests,
        waiting,
    )
    from framing.sampling.draw import DRAWS, read_draws

    config = load_config(CONFIG)
    sources = read_sources(SOURCES, config["groups"])
    passages = read_passages(PASSAGES, sources)
    own = passages[passages["passage_id"] == passage_id]
    if own.empty:
        raise InputError(unknown_passage(passage_id, passages))
    draws = read_draws(DRAWS)
    if passage_id in waiting(draws, coded_of(draws)):
        raise InputError(
            Problem(f"passage {passage_id!r}", "awaits its coding in a draw for confirmation: "
                    "until then nobody is to see it beside a guess of its code", "Name another.")
        )  # fmt: skip
    source_id = str(own["source_id"].iloc[0])
    source = sources[sources["source_id"] == source_id].iloc[0]
    path = DERIVED / f"{source_id}.json"
    facts = read_facts(path)
    row = next((row for row in facts["passages"] if row["passage_id"] == passage_id), None)
    if row is None:
        raise InputError(Problem(path, f"lacks the passage {passage_id}", UPDATE))
    notes = []
    stale = staleness(facts, cue_digests(instrument.codebook))
    if stale:
        notes.append(
            f"Cues changed since the facts of {source_id} were made, so hits may be out of date: "
            f"{', '.join(stale[:8])}{' …' if len(stale) > 8 else ''}. Run `framing derive`."
        )
    hand = texts_at_hand(config["corpus"]["texts"], [source_id])
    text = None
    if hand:
        text = read_canonical(hand[source_id], source["sha256"])[row["start"] : row["end"]]
    return Passage(
        heading=(
            f"passage {passage_id} of {source_id}, {row['words']} words",
            " · ".join(filter(None, (source["title"], source["speaker"], source["date"]))),
        ),
        counts=row["counts"],
        hits=row["hits"],
        text=text,
        absent=f"text not distributed: see {source['url'] or source['retrieved_from']}",
        hits_at=() if text is None else tuple(cue_spans(instrument.compiled, text)),
        published=published_scores(passage_id),
        notes=tuple(notes),
    )  # fmt: skip


def unknown_passage(passage_id: str, passages: pd.DataFrame) -> Problem:
    """Return what to say of an id that no passage has, with ids that may have been meant."""
    of_source = passages.loc[passages["source_id"] == passage_id, "passage_id"]
    if len(of_source):
        remedy = f"Name one of its passages: {', '.join(of_source[:8])}"
        return Problem(
            passage_id, "is a source, not a passage", remedy + (" …" if len(of_source) > 8 else ".")
        )
    close = get_close_matches(passage_id, list(passages["passage_id"]), n=3)
    remedy = f"Did you mean {' or '.join(close)}?" if close else "See corpus/passages.tsv."
    return Problem(f"passage {passage_id!r}", "does not exist", remedy)


def published_scores(passage_id: str) -> dict[str, Published]:
    """Return what the tables say of a passage, by code; empty where no table is at hand.

    The case study's table is committed; ``build/scores.tsv``, which a run makes, has all passages.
    """
    from framing.common.build import read_build

    for path, comma in ((CASE, ","), (SCORES, "\t")):
        try:
            if comma == ",":
                import pandas as pd

                table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
            else:
                table = read_build(path)
            own = table[table["passage_id"] == passage_id]
            found = {
                row["code"]: Published(
                    float(row["probability"]), int(row["decision"]), row["label"], str(path)
                )
                for row in own.to_dict("records")
            }
        except (OSError, KeyError, ValueError):  # not there, or of another version
            continue
        if found:
            return found
    return {}


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
    passage: Passage, explanations: Sequence[Explanation], models: Mapping[str, Mapping[str, Any]]
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
    explanations: Sequence[Explanation],
    prose_pieces: Sequence[Piece],
    *,
    colour: bool = False,
    width: int = _WIDTH,
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
    one: Explanation, passage: Passage, bold: Any, dim: Any, *, colour: bool, width: int
) -> list[str]:
    verdict = "present" if one.decision else "absent"
    lines = [
        bold(f"{one.code}: {verdict}")
        + f", probability {one.probability:.3f}, present from {one.threshold:.3f}"
    ]
    for sentence in remarks(one, passage):
        lines += textwrap.wrap(
            visible(sentence), width, initial_indent="  ", subsequent_indent="  "
        )
    for row in one.evidence:
        first, *rest = textwrap.wrap(visible(label(row)), max(width - 12, 20)) or [""]
        tint = _style("32" if row.amount > 0 else "31", colour)
        lines.append(f"  {tint(f'{row.amount:+8.3f}')}  {first}")
        lines += [f"{'':12}{line}" for line in rest]
    if not one.constant:
        lines.append(f"  {one.score:+8.3f}  {dim(formula(one))}")
    return lines


def label(row: Evidence) -> str:
    """Return what a line of evidence is about."""
    if row.kind == "rest":
        return row.note
    if row.kind == "word":
        return f"word {row.note}"
    kinds = {"cue": f"cue {row.name}", "rule": f"similarity to {row.name}"}
    return f"{kinds.get(row.kind, row.kind)}: {row.note}"


def formula(one: Explanation) -> str:
    """Return in words how the score becomes the probability."""
    sign = "-" if one.offset < 0 else "+"
    line = f"{one.slope:.3f} × score {sign} {abs(one.offset):.3f}"
    return f"score; probability = 1 / (1 + exp(-({line})))"


def remarks(one: Explanation, passage: Passage) -> list[str]:
    """Return what must be said of a code before its evidence."""
    said = []
    if one.constant:
        said.append(f"Every passage gets this probability: {one.constant}.")
    if passage.published is not None:
        published = passage.published.get(one.code)
        if published is None:
            said.append(
                "The published probability comes from the model of its source's fold and differs "
                f"from this one ({SCORES} would have it: run `snakemake`)."
            )
        else:
            decided = "present" if published.decision else "absent"
            said.append(
                f"Published: {published.probability:.3f}, {decided}, from the model of its "
                f"source's fold ({published.place}); here speaks the final model."
            )
            if published.label:
                coded = "present" if int(float(published.label)) else "absent"
                said.append(f"Coded {coded}, and the final model has learned from that.")
    if one.unfamiliar:
        said.append(
            f"Unfamiliar: {one.unknown:.0%} of its words are unknown (usual: up to "
            f"{one.limits[0]:.0%}), similarity to the passages learned from {one.similarity:.2f} "
            f"(usual: from {one.limits[1]:.2f})."
        )
    return said


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
    explanations: Sequence[Explanation],
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
    piece: Piece, explanations: Sequence[Explanation], descriptions: Mapping[str, str]
) -> str:
    shown = _html(piece.text)
    if piece.terms:
        weights = [
            (one.code, amount)
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


def _html_code(one: Explanation, passage: Passage) -> list[str]:
    verdict = "present" if one.decision else "absent"
    parts = [
        f"<h2>{_html(one.code)}: {verdict}</h2>",
        f"<p>Probability {one.probability:.3f}, present from {one.threshold:.3f}.</p>",
    ]
    parts += [f'<p class="note">{_html(sentence)}</p>' for sentence in remarks(one, passage)]
    rows = [
        f'<tr><td class="{"for" if row.amount > 0 else "against"}">{_signed(row.amount)}</td>'
        f"<td>{_html(label(row))}</td></tr>"
        for row in one.evidence
    ]
    if not one.constant:
        rows.append(f"<tr><td>{_signed(one.score)}</td><td>{_html(formula(one))}</td></tr>")
        parts += ["<table>", *rows, "</table>"]
    return parts


def _signed(amount: float) -> str:
    return f"{amount:+.3f}".replace("-", "\u2212")


# --- the command ----------------------------------------------------------------------------------


def chosen_codes(codes: Sequence[str], code: str | None) -> list[str]:
    """Return the codes to explain; raise :class:`InputError` where ``code`` is none of them."""
    if code is None:
        return list(codes)
    if code not in codes:
        close = get_close_matches(code, codes)
        remedy = f"Did you mean {close[0]!r}?" if close else f"Codes: {', '.join(codes)}."
        raise InputError(Problem("--code", f"unknown code {code!r}", remedy))
    return [code]


def page_path(name: str, here: Path, project: Path) -> Path:
    """Return where a page goes, relative names taken from ``here``.

    Raises :class:`InputError` where that is a folder, or lies in a folder of ``project`` that is
    committed: a page may hold prose.
    """
    path = (here / name).resolve()
    for folder in COMMITTED:
        if path.is_relative_to((project / folder).resolve()):
            raise InputError(
                Problem(path, f"lies in {folder}/, which is committed, and the page may hold prose",
                        "Write it somewhere else.")
            )  # fmt: skip
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
        raise InputError(Problem(path, what, "Give the name of a file."))
    return path


def _read_text(given: str) -> str:
    if given != STREAM:
        return given
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            Problem("standard input", f"is not valid UTF-8 (byte {error.start})",
                    "Save it as UTF-8.")
        ) from None  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Run the command in the project's directory; return the exit status."""
    from framing.common.files import write_text

    here = Path(getattr(arguments, "called_from", Path.cwd()))
    page = page_path(arguments.html, here, Path.cwd()) if arguments.html else None
    instrument = load_instrument()
    codes = chosen_codes(list(instrument.models), arguments.code)
    if arguments.text is not None:
        passage = passage_of_text(instrument, _read_text(arguments.text))
    else:
        passage = passage_of_corpus(instrument, arguments.passage)
    descriptions = {cue.name: cue.description for cue in instrument.codebook.cues}
    explanations = [
        explain(
            instrument.models[code], passage.counts, passage.hits, instrument.codebook,
            arguments.top,
        )
        for code in codes
    ]  # fmt: skip
    prose_pieces = marked(passage, explanations, instrument.models)
    if page is not None:
        write_text(page, html_page(passage, explanations, prose_pieces, descriptions))
    note = codebook_note()
    if note:
        print(f"note: {note}", file=sys.stderr)
    terminal = sys.stdout.isatty()
    colour = terminal and not os.environ.get("NO_COLOR")
    width = min(shutil.get_terminal_size((_WIDTH, 24)).columns, _WIDEST) if terminal else _WIDTH
    shown = terminal_text(passage, explanations, prose_pieces, colour=colour, width=width)
    # Whatever the locale can show is shown.
    encoding = sys.stdout.encoding or "utf-8"
    print(shown.encode(encoding, "backslashreplace").decode(encoding), end="")
    if page is not None:
        print(f"\nwritten: {page}")
    return 0
