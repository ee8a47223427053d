"""Texts, codes and probabilities as one table, for R, Python and labelling programs.

Names are those of quanteda (``doc_id``, ``text``), so that ``corpus(read.csv(FILE))`` works as it
is. Passages of a confirmation draw that waits for its codings are left out: nobody is to look at
them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping

import pandas as pd

from framing.acquire.codings.check import State
from framing.codebook.codes import Code
from framing.coding.codings import combine_coders
from framing.coding.variables import variables_of
from framing.common.files import repeated, table_text
from framing.common.problems import Problem, raise_if_any


def tidy_table(
    state: State,
    codings: pd.DataFrame,
    scores: pd.DataFrame | None,
    texts: Mapping[str, str],
    held_out: Collection[str],
) -> pd.DataFrame:
    """Return a row a passage, in the order of ``passages.tsv``, but for those ``held_out``.

    Columns: ``doc_id text source_id title speaker group date`` and, for each code, ``CODE`` (the
    coders combined: 0, 1 or, of a code with levels, the level; missing where not coded),
    ``CODE.CODER`` (what each coder said) and, where there are ``scores`` (``passage_id code
    probability decision``), ``CODE.probability`` and ``CODE.decision``; of a code with levels
    ``CODE.LEVEL.probability`` for each and the level that was decided. ``text`` is there where
    ``texts`` (by source) has any, and empty for others. Raises :class:`InputError` where the name
    of a coder makes two columns one.
    """
    rows = state.passages[~state.passages["passage_id"].isin(set(held_out))]
    table = pd.DataFrame({"doc_id": rows["passage_id"].to_numpy()})
    if texts:
        table["text"] = [
            texts.get(one.source_id, "")[one.start : one.end]
            for one in rows[["source_id", "start", "end"]].itertuples(index=False)
        ]
    sources = state.sources.set_index("source_id").loc[rows["source_id"]]
    table["source_id"] = rows["source_id"].to_numpy()
    for name in ("title", "speaker", "group", "date"):
        table[name] = sources[name].to_numpy()
    columns = [one for code in state.codebook.codes.values()
               for one in _said(code, state, codings, scores)]  # fmt: skip
    raise_if_any(
        Problem("coders.tsv", f"has a coder whose column would be called {name!r} like another",
                "Export without this coder: --coder for each of the others.")
        for name in repeated([*table.columns, *(name for name, _, _ in columns)])
    )  # fmt: skip
    made = {
        name: pd.array(values.reindex(table["doc_id"]).to_numpy(), dtype=kind)
        for name, kind, values in columns
    }
    return pd.concat([table, pd.DataFrame(made, index=table.index)], axis=1)


def _said(
    code: Code, state: State, codings: pd.DataFrame, scores: pd.DataFrame | None
) -> Iterator[tuple[str, str, pd.Series]]:
    """Yield the columns of a code, combined, by coder, by classifier: name, type, by passage."""
    names = [level.indicator for level in code.counted]
    own = codings[codings["code"].isin(names)]
    kind = "Int64" if code.kind.present else "string"
    cells = cells_of(code)
    if not own.empty:
        combined = combine_coders(own, state.config["coders"], variables_of({code.name: code}))
        yield code.name, kind, cells(combined, "label")
        for coder, part in own.groupby("coder", sort=False):
            yield f"{code.name}.{coder}", kind, cells(part, "value")
    if scores is not None:
        made = scores[scores["code"].isin(names)]
        for name in names:
            by_passage = made[made["code"] == name].set_index("passage_id")
            yield f"{name}.probability", "float64", by_passage["probability"]
        yield f"{code.name}.decision", kind, cells(made, "decision")


def cells_of(code: Code) -> Callable[[pd.DataFrame, str], pd.Series]:
    """Return a function from indicators (``passage_id code`` and a column of 0 and 1) to cells.

    Of a yes/no code cells are the column itself, of any other the level whose indicator is 1.
    """

    def cells(table: pd.DataFrame, column: str) -> pd.Series:
        if code.kind.present:
            return table.set_index("passage_id")[column]
        names = {level.indicator: level.name for level in code.levels}
        present = table[table[column] == 1].set_index("passage_id")["code"]
        return present.map(names)

    return cells


def tidy_csv(table: pd.DataFrame) -> str:
    """Return the table as CSV (RFC 4180): UTF-8, LF, six decimals, missing values empty."""
    return table_text(table, sep=",")


def labelling_lines(table: pd.DataFrame, codes: Mapping[str, Code]) -> str:
    """Return a line of JSON a passage, as doccano takes documents with several labels.

    ``id``, ``text`` and ``label`` (the yes/no codes that a coded passage carries, and its levels as
    ``CODE.LEVEL``), with the source beside them; a passage that is not coded has no ``label``.
    """
    lines = []
    for row in table.to_dict("records"):
        line = {"id": row["doc_id"], "text": row["text"]}
        said = {name: str(row[name]) for name in codes if name in row and not pd.isna(row[name])}
        if said:
            line["label"] = [
                level.indicator
                for name, cell in said.items()
                for level in codes[name].counted
                if level.name == cell
            ]
        line |= {name: row[name] for name in ("source_id", "title", "speaker", "date")}
        lines.append(json.dumps(line, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)
