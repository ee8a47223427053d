"""The words of one project: specs with placeholders filled, and labels of its ids.

:func:`edition` fills what :mod:`framing.tables.specs` declares from a project's data and settings.
Nothing about any one project stands here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from framing.common.config import ALL
from framing.tables.specs import Specs

YEARS = re.compile(r"(?<=\d)-(?=\d)")  # the hyphen between two years, printed as a dash
_COUNTS = ("n_sources", "n_passages", "n_coded", "n_read", "n_unread", "n_outside")
_NUMBERS = dict(
    enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], start=2)
)
DIGEST_LENGTH = 12  # hexadecimal digits of a digest that notes show


@dataclass(frozen=True)
class Edition:
    """The words of one project: specs with placeholders filled, and labels of its ids.

    ``labels`` maps a vocabulary (``code``, ``group``, ``period``, ``estimator`` …) to labels by
    id, in display order; ``standing`` is what is said under every table (N, machine coders,
    digests); ``context`` is what it was made from.
    """

    specs: Specs
    labels: Mapping[str, Mapping[str, str]]
    standing: str
    context: Mapping[str, Any]

    @property
    def headline(self) -> Mapping[str, str]:
        """Return what is led with by ``estimator``, ``target`` and ``basis`` (of contrasts)."""
        headline: Mapping[str, str] = self.context["headline"]
        return headline

    @property
    def decimals(self) -> int:
        """Return the decimals of printed shares and numbers."""
        return int(self.context["decimals"])

    def label(self, vocabulary: str, value: str) -> str:
        """Return how an id is shown; an id without a label is shown as it is."""
        return self.labels.get(vocabulary, {}).get(value, value)

    def brief(self, vocabulary: str, value: str) -> str:
        """Return what an id of a vocabulary in words.yaml stands for, in a few words."""
        return _brief(self.specs.vocabularies[vocabulary][value])


def edition(specs: Specs, context: Mapping[str, Any]) -> Edition:
    """Return the words of one project.

    ``context`` holds ``title question groups`` (id → label) ``periods`` (ids) ``codes`` (id →
    label, combinations included) ``variables levels means`` (id → label, of codes before their
    levels, of these, and of their means)
    ``contrasts`` (id → thesis) ``coders`` (a phrase such as "three machine coders")
    ``agreement_shows`` (``stability`` of runs of one model, else ``reliability``) ``instrument``
    (whose predictions are corrected, where not the classifier's alone) ``machine_coders
    convenience`` (bool) ``n_sources n_passages n_coded n_read n_unread n_outside headline``
    (``estimator``, ``target``, ``basis``) ``licence confidence decimals case_study`` (mapping with
    ``source_id title``, or None) ``digests`` (name → sha256) ``how_to_rerun limits reading
    warnings`` (lists of sentences).
    """
    words = _words(specs, context)
    keys = [
        "n_by_hand" if context["convenience"] else "n",
        *(["outside"] if context["n_outside"] else []),
        *(["machine_coders"] if context["machine_coders"] else []),
        *(["instrument"] if context["instrument"] else []),
        "digest",
    ]
    filled = Specs(
        tables={
            name: replace(
                table,
                title=_fill(table.title, words),
                caption=_fill(table.caption, words),
                note=_fill(table.note, words),
            )
            for name, table in specs.tables.items()
        },
        figures={
            name: replace(
                figure,
                title=_fill(figure.title, words),
                caption=_fill(figure.caption, words),
                alt=_fill(figure.alt, words),
            )
            for name, figure in specs.figures.items()
        },
        vocabularies=specs.vocabularies,
        phrases={
            key: _fill(value, words) if isinstance(value, str) else _within(value, words)
            for key, value in specs.phrases.items()
        },
        methods=specs.methods,
        pages={
            name: replace(page, title=_fill(page.title, words), caption=_fill(page.caption, words))
            for name, page in specs.pages.items()
        },
        sections={
            name: {key: _fill(text, words) for key, text in section.items()}
            for name, section in specs.sections.items()
        },
    )
    standing = " ".join(filled.phrases[key] for key in keys)
    return Edition(filled, _labels(specs, context), standing, context)


def lettering(specs: Specs, context: Mapping[str, Any]) -> Edition:
    """Return what figures need of an edition: labels, and a context without counts.

    Placeholders are left as they are: captions and alternative texts are for the page. So a figure
    hangs on its table and on the configuration alone. ``context`` is that of
    :func:`framing.tables.context.named`.
    """
    return Edition(specs, _labels(specs, context), "", context)


def _labels(specs: Specs, context: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    total = specs.phrases["all"]
    labels = {
        name: {key: entry["label"] for key, entry in entries.items()}
        for name, entries in specs.vocabularies.items()
    }
    labels["code"] = {key: plain(label) for key, label in context["codes"].items()}
    labels["code"] |= {key: plain(label) for key, label in context["means"].items()}
    labels["variable"] = {key: plain(label) for key, label in context["variables"].items()}
    labels["level"] = {key: plain(label) for key, label in context["levels"].items()}
    labels["group"] = {
        ALL: total["group"],
        **{key: plain(label) for key, label in context["groups"].items()},
    }
    labels["period"] = {
        ALL: total["period"],
        **{key: YEARS.sub("–", plain(key)) for key in context["periods"]},
    }
    labels["contrast"] = {key: plain(label) for key, label in context["contrasts"].items()}
    return labels


@lru_cache(maxsize=1 << 16)  # cells of a table say the same again and again
def plain(text: str) -> str:
    """Return text on one line without control characters and marks of writing direction."""
    kept = (" " if char.isspace() else char for char in text)
    return " ".join("".join(c for c in kept if unicodedata.category(c) not in ("Cc", "Cf")).split())


def _fill(template: str, words: Mapping[str, str]) -> str:
    text = template.format_map(words).strip()
    return text[:1].upper() + text[1:]


def _within(phrases: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """Return phrases by name, filled; they may stand inside a sentence, and begin as they do."""
    return {
        key: value.format_map(words) if isinstance(value, str) else _within(value, words)
        for key, value in phrases.items()
    }


def _words(specs: Specs, context: Mapping[str, Any]) -> dict[str, str]:
    estimators, targets = specs.vocabularies["estimator"], specs.vocabularies["target"]
    estimator, target = (context["headline"][key] for key in ("estimator", "target"))
    case = context["case_study"]
    return {
        "title": context["title"],
        "question": context["question"],
        "licence": context["licence"],
        "coders": context["coders"],
        "agreement_shows": context["agreement_shows"],
        "judged_on": specs.phrases["judged_on"]["unread" if context["n_unread"] else "read"],
        "instrument": context["instrument"],
        "agreement_means": specs.phrases[context["agreement_shows"]],
        **{key: f"{context[key]:,}" for key in _COUNTS},
        "confidence": f"{100 * context['confidence']:g} %",
        "facts_digest": ", ".join(
            f"{name} {digest[:DIGEST_LENGTH]}" for name, digest in context["digests"].items()
        ),
        "headline_estimator": estimators[estimator]["label"],
        "headline_target": targets[target]["label"],
        "headline_estimator_text": _described(estimators, [estimator]),
        "headline_target_text": _described(targets, [target]),
        "headline_estimator_brief": _brief(estimators[estimator]),
        "headline_target_brief": _brief(targets[target]),
        "estimators": _described(estimators, estimators),
        "n_estimators": _NUMBERS.get(len(estimators), str(len(estimators))),
        "targets": _described(targets, targets),
        "verdicts": _described(specs.vocabularies["verdict"], specs.vocabularies["verdict"]),
        "case_title": case["title"] if case else specs.phrases["no_case"],
        "code_list": ", ".join(context["codes"].values()),
        "group_list": ", ".join(context["groups"].values()),
    }


def _brief(entry: Mapping[str, str]) -> str:
    return entry.get("brief", entry["label"])


def _described(entries: Mapping[str, Mapping[str, str]], keys: Iterable[str]) -> str:
    """Return "label: description; …" of the keys given, ending in a full stop."""
    parts = [f"{entries[key]['label']}: {entries[key]['description']}" for key in keys]
    return "; ".join(parts) + "."
