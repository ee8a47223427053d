"""Settings from their one home, ``workflow/schemas/config.schema.yaml``.

A property of the schema says of a setting its type and limits, what it changes (``description``),
what holds where a project does not set it (``default``) and what a new project begins with
(``start``, ``when``, ``example``). From these come the values that are not set, the commented
configuration of ``framing init`` and the page docs/settings.md.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from framing.common.config import read_schema

WIDTH = 100
_PLAIN = re.compile(r"[\w.-]+")
_HEAD = (
    "Every analytic choice of the project. A misspelt key is an error, so nothing here is ignored. "
    "Most settings can stay as they are; those marked NOW should be yours before texts join, those "
    "marked LATER once there are codings. docs/settings.md of the workflow lists them all, with "
    "those that have a default and are left out here."
)
_LIMITS = {
    "minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}",
}  # fmt: skip


def schema() -> dict[str, Any]:
    """Return the schema of a configuration."""
    return read_schema("config.schema.yaml")


def with_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return (sections of) a configuration, what is not set having the default of the schema.

    A setting with settings below it is taken key by key, every other one whole.
    """
    known = schema()
    return {
        name: _filled(value, known["properties"].get(name, {}), known["$defs"])
        for name, value in data.items()
    }


def settled(section: str, own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a section of the configuration as it holds: what ``own`` sets, else the defaults."""
    found: dict[str, Any] = with_defaults({section: own or {}})[section]
    return found


def _filled(data: Any, node: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(node, Mapping) and "$ref" in node:
        node = known[node["$ref"].rpartition("/")[2]]
    if not isinstance(node, Mapping):
        return data
    if isinstance(data, list):
        return [_filled(value, node.get("items", {}), known) for value in data]
    if not isinstance(data, Mapping):
        return data
    properties, others = node.get("properties", {}), node.get("additionalProperties", {})
    missing = {
        name: default
        for name, one in properties.items()
        if name not in data and (default := _default(one, known)) is not None
    }
    return {
        name: _filled(value, properties.get(name, others), known)
        for name, value in {**data, **missing}.items()
    }


def _default(node: Any, known: Mapping[str, Any]) -> Any:
    """Return what holds where a setting is not set: its default, or those of settings below it."""
    if not isinstance(node, Mapping) or "default" in node:
        return node["default"] if isinstance(node, Mapping) else None
    return _filled({}, node, known) or None if "properties" in node else None


# --- a new project's configuration ----------------------------------------------------------------


def starting_text(given: Mapping[str, Any], notes: Mapping[str, str]) -> str:
    """Return the commented configuration that a new project begins with.

    ``given`` are values by path (``project.title``) in place of those of the schema, ``notes``
    remarks by path that come before a setting.
    """
    lines = _comment(_HEAD)
    for name, node in schema()["properties"].items():
        section = _start(name, node, given, notes, 0)
        if section:
            lines += ["", *section]
    return "\n".join(lines) + "\n"


def _start(
    path: str,
    node: Mapping[str, Any],
    given: Mapping[str, Any],
    notes: Mapping[str, str],
    indent: int,
) -> list[str]:
    """Return the lines of a setting with its comment; none where a new project does not set it."""
    name, margin = path.rpartition(".")[2], " " * indent
    about = " ".join(filter(None, [f"{node['when']}." if "when" in node else "",
                                   node.get("description", ""), notes.get(path, "")]))  # fmt: skip
    comment = [*_comment(about, indent), *_example(node, margin)]
    value = given.get(path, node.get("start"))
    if value is not None:
        lines = _value(name, value, margin, node)
        short = f"{lines[0]:<22} # {about}"
        if len(lines) == 1 and indent and len(short) <= WIDTH and "example" not in node:
            return [short]
        return comment + lines
    below = [
        line
        for key, one in node.get("properties", {}).items()
        for line in _start(f"{path}.{key}", one, given, notes, indent + 2)
    ]
    return [*comment, f"{margin}{name}:", *below] if below else []


def _comment(text: str, indent: int = 0) -> list[str]:
    margin = " " * indent + "# "
    text = text[:1].upper() + text[1:]
    return textwrap.wrap(text, WIDTH, initial_indent=margin, subsequent_indent=margin,
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip


def _example(node: Mapping[str, Any], margin: str) -> list[str]:
    lines = node.get("example", "").splitlines()
    return [f"{margin}# For example:", *(f"{margin}#   {line}" for line in lines)] if lines else []


def _value(name: str, value: Any, margin: str, node: Mapping[str, Any]) -> list[str]:
    """Return a setting as YAML: on one line, but for things with ids of the project's own."""
    if isinstance(value, dict) and value and "properties" not in node:
        inner = [f"{margin}  {_key(key)}: {_flow(one)}" for key, one in value.items()]
        return [f"{margin}{name}:", *inner]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [f"{margin}{name}:", *(f"{margin}  - {_flow(one)}" for one in value)]
    return [f"{margin}{name}: {_flow(value)}"]


def _key(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and not name.isdecimal() else _flow(name)


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=float("inf"), sort_keys=False
    )
    return text.removesuffix("...\n").strip()


# --- the page of all settings ---------------------------------------------------------------------


def settings_page() -> str:
    """Return docs/settings.md: every setting with its type, default, start, and what it changes."""
    parts = [
        "# Settings",
        "Made from `workflow/schemas/config.schema.yaml` (`python -m framing.common.settings`): "
        "not to be edited by hand. “Default” holds where a project does not set it; a setting "
        "without one must be set where its section is. “New project” is what `framing init` "
        "writes.",
    ]
    for name, node in schema()["properties"].items():
        rows = list(_rows(name, node)) if "properties" in node else [_row(name, node)]
        table = ["| setting | type | default | new project | what it changes |",
                 "|---|---|---|---|---|", *rows]  # fmt: skip
        parts += [f"## {name}", _cell(node["description"]), "\n".join(table)]
    return "\n\n".join(parts) + "\n"


def _rows(path: str, node: Mapping[str, Any]) -> Iterator[str]:
    for name, below in node["properties"].items():
        whole = f"{path}.{name}"
        yield _row(whole, below)
        if "properties" in below:
            yield from _rows(whole, below)


def _row(path: str, node: Mapping[str, Any]) -> str:
    cells = [f"`{path}`", _type(node), _shown(node, "default"), _shown(node, "start"),
             _cell(node.get("description", ""))]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _shown(node: Mapping[str, Any], key: str) -> str:
    if key not in node:
        return ""
    text = _flow(node[key])
    return f"`{_cell(text)}`" if len(text) <= 60 else "(long: see the schema)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(node: Mapping[str, Any]) -> str:
    if "$ref" in node:
        return _type(schema()["$defs"][node["$ref"].rpartition("/")[2]])
    if "enum" in node:
        return " or ".join(f"`{one}`" for one in node["enum"])
    if "const" in node:
        return f"`{node['const']}`"
    if "oneOf" in node:
        return ", or ".join(_type(one) for one in node["oneOf"])
    if node.get("type") == "array":
        return f"list of {_type(node.get('items', {})) or 'values'}"
    limits = [text.format(node[key]) for key, text in _LIMITS.items() if key in node]
    names = {"object": "mapping", "boolean": "yes or no", "string": "text"}
    kind = str(node.get("type", ""))
    return " ".join([names.get(kind, kind), *limits])


if __name__ == "__main__":
    print(settings_page(), end="")
