"""Check a built package with roc-validator, an implementation that is none of ours.

Its pins conflict with those of this project, so that it runs in an environment of its own (see
`.ci/run`): `python tests/crate/validate.py dist/replication ro-crate.jsonld`. The second file is
the JSON-LD context that comes with the library rocrate; the validator would fetch the same from
the web. Exit status 1 where a required check fails, after what else it recommends.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rdflib.plugins.parsers.jsonld
import rdflib.plugins.shared.jsonld.context
import rdflib.plugins.shared.jsonld.util
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.processor import SPARQLProcessor
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.services import validate
from rocrate_validator.utils.http import HttpRequester

ADDRESS = "w3id.org/ro/crate"


class Answer:
    """What a request for the context would bring."""

    status_code = 200

    def __init__(self, document: dict[str, Any]) -> None:
        self.headers = {"Content-Type": "application/ld+json"}
        self.document = document

    def json(self) -> dict[str, Any]:
        return self.document


def offline(document: dict[str, Any]) -> None:
    """Answer requests for the context of RO-Crate with ``document``, and refuse all others."""

    def get(_: HttpRequester, url: str, *__: Any, **___: Any) -> Answer:
        if ADDRESS not in url:
            raise OSError(f"no network here: {url}")
        return Answer(document)

    def instead(usual: Callable[..., Any]) -> Callable[..., Any]:
        def source(place: Any, *given: Any, **named: Any) -> Any:
            if isinstance(place, str) and ADDRESS in place:
                return document, None
            return usual(place, *given, **named)

        return source

    HttpRequester.get = get
    plugins = rdflib.plugins
    # Each has the function by a name of its own.
    for module in (
        plugins.shared.jsonld.util,
        plugins.shared.jsonld.context,
        plugins.parsers.jsonld,
    ):
        module.source_to_json = instead(module.source_to_json)


def remembering() -> None:
    """Read each question to the graph once: one of twenty is asked of every entity, and reading
    them took two thirds of the time. The answers are found anew each time.
    """
    usual = SPARQLProcessor.query
    read: dict[Any, Any] = {}

    def query(
        self: SPARQLProcessor, asked: Any, bindings: Any = None, names: Any = None,
        base: str | None = None, *rest: Any, **more: Any,
    ) -> Any:  # fmt: skip
        if isinstance(asked, str):
            key = (asked, base, *sorted((names or {}).items()))
            if key not in read:
                read[key] = translateQuery(parseQuery(asked), base, names)
            asked = read[key]
        return usual(self, asked, bindings, names, base, *rest, **more)

    SPARQLProcessor.query = query


def main(package: str, context: str) -> int:
    """Validate; print every finding; return the exit status."""
    whole = json.loads(Path(context).read_text(encoding="utf-8"))
    offline({"@context": whole["@context"]})
    remembering()
    found = validate(
        ValidationSettings(
            rocrate_uri=package, profile_identifier="ro-crate-1.3", offline=True,
            requirement_severity=Severity.RECOMMENDED, skip_availability_check=True,
        )
    )  # fmt: skip
    for issue in found.get_issues(Severity.RECOMMENDED):
        print(f"{issue.severity.name} {issue.check.identifier}: {issue.message}")
    return 0 if found.passed(Severity.REQUIRED) else 1


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
