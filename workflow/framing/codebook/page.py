"""The codebook as a Markdown page."""

from __future__ import annotations

from pathlib import Path

from framing.codebook.codebook import Codebook
from framing.codebook.codes import Code, Level


def render_markdown(codebook: Codebook) -> str:
    """Return the codebook as a Markdown page: texts, codes with exemplars, a table of cues."""
    parts = [
        f"# {codebook.name}",
        f"Codebook {codebook.version}. This page is rendered from `{Path(codebook.place).name}`.",
    ]
    told = [("Question", codebook.question), *codebook.guidance]
    parts += [f"**{title}.** {text}" for title, text in told]
    for code in codebook.codes.values():
        parts += _code_section(code)
    parts += _cue_section(codebook)
    return "\n\n".join(parts) + "\n"


def _code_section(code: Code) -> list[str]:
    parts = [f"## {code.label} (`{code.name}`)", code.definition]
    if code.kind.present:
        return parts + _level_section(code.levels[-1], "Present when the passage has:", "###")
    levels = ", ".join(f"{level.label} (`{level.name}`)" for level in code.levels)
    parts.append(f"Each passage has one level of these, in this order: {levels}.")
    for level in code.levels:
        parts.append(f"### {level.label} (`{level.name}`)")
        parts += [level.definition] if level.definition else []
        parts += _level_section(level, "It holds when the passage has:", "####")
    return parts


def _level_section(level: Level, opening: str, heading: str) -> list[str]:
    parts = []
    if level.present:
        rules = "\n".join(f"{n}. {rule}" for n, rule in enumerate(level.present, start=1))
        parts += [opening, rules]
    if level.not_enough:
        parts += ["Not enough:", "\n".join(f"- {rule}" for rule in level.not_enough)]
    for title, exemplars in (
        ("Exemplars that carry it", level.carrying), ("Near misses", level.near_misses),
    ):  # fmt: skip
        if exemplars:
            parts.append(f"{heading} {title}")
            parts.append("\n".join(f"- {each.text} *{each.reason}*" for each in exemplars))
    return parts


def _cue_section(codebook: Codebook) -> list[str]:
    parts = [
        "## Cues",
        "A cue votes for (+) or against (−) codes. The syntax is described in `docs/cues.md`.",
    ]
    rows = ["| cue | votes | says | pattern and conditions |", "|---|---|---|---|"]
    for cue in codebook.cues:
        votes = ", ".join(f"{code} {'+' if vote > 0 else '−'}" for code, vote in cue.votes.items())
        how = "; or ".join(_code_text(pattern) for pattern in cue.pattern)
        conditions = [
            f"{word} {'; or '.join(_code_text(pattern) for pattern in patterns)}"
            for word, patterns in (("with", cue.required), ("unless", cue.forbidden))
            if patterns
        ]
        if conditions:
            conditions.append(f"in the same {cue.within}")
        conditions += [f"case: {cue.case}"] if cue.case != "ignore" else []
        conditions += [f"negated: {cue.negated}"] if cue.negated != "any" else []
        cell = " · ".join([how, *conditions])
        rows.append(f"| {cue.name} | {votes} | {_cell(cue.description)} | {cell} |")
    parts.append("\n".join(rows))
    if codebook.terms:
        parts.append("### Terms")
        parts.append(
            "\n".join(
                f"- `<{name}>`: {_code_text(codebook.terms[name])}" for name in codebook.terms
            )
        )
    if codebook.negators:
        words = ", ".join(_code_text(word) for word in codebook.negators)
        parts.append("### Negators")
        parts.append(f"Searched {codebook.negation_window} words before a hit: {words}.")
    return parts


def _code_text(pattern: str) -> str:
    """Return a pattern as inline code that also survives in a table's cell."""
    ticks = "``" if "`" in pattern else "`"
    return f"{ticks}{_cell(' '.join(pattern.split()))}{ticks}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
