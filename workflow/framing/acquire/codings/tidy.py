"""Texts, codes and probabilities as one table, for R, Python and labelling programs.

Names are those of quanteda (``doc_id``, ``text``), so that ``corpus(read.csv(FILE))`` works as it
is. Passages of a confirmation draw that waits for its codings are left out: nobody is to look at
them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

import pandas as pd

from framing.acquire.codings.check import State
from framing.coding.codings import combine_coders
from framing.coding.variables import variables_of
from framing.common.files import table_text


def tidy_table(
    state: State,
    codings: pd.DataFrame,
    scores: pd.DataFrame | None,
    texts: Mapping[str, str],
    held_out: Collection[str],
) -> pd.DataFrame:
    """Return a row a passage, in the order of ``passages.tsv``, but for those ``held_out``.

    Columns: ``doc_id text source_id title speaker group date`` and, for each code, ``CODE`` (the
    coders combined: 0, 1, or missing where not coded), ``CODE.CODER`` (what each coder said) and,
    where there are ``scores`` (``passage_id code probability decision``), ``CODE.probability`` and
    ``CODE.decision``. ``text`` is there where ``texts`` (by source) has any, and empty for others.
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
    for code in state.codes:
        for name, values in _said(code, state, codings, scores):
            found = values.reindex(table["doc_id"]).to_numpy()
            real = name.endswith(".probability")
            table[name] = found.astype(float) if real else pd.array(found, dtype="Int64")
    return table


def _said(
    code: str, state: State, codings: pd.DataFrame, scores: pd.DataFrame | None
) -> Iterator[tuple[str, pd.Series]]:
    """Yield the columns of a code, each a series by passage: combined, by coder, by classifier."""
    own = codings[codings["code"] == code]
    variables = variables_of({code: state.codebook.codes[code]})
    if not own.empty:
        combined = combine_coders(own, state.config["coders"], variables)
        yield code, combined.set_index("passage_id")["label"]
        for coder, part in own.groupby("coder", sort=False):
            yield f"{code}.{coder}", part.set_index("passage_id")["value"]
    if scores is not None:
        made = scores[scores["code"] == code].set_index("passage_id")
        for name in ("probability", "decision"):
            yield f"{code}.{name}", made[name]


def tidy_csv(table: pd.DataFrame) -> str:
    """Return the table as CSV (RFC 4180): UTF-8, LF, six decimals, missing values empty."""
    return table_text(table, sep=",")


def labelling_lines(table: pd.DataFrame, codes: Collection[str]) -> str:
    """Return a line of JSON a passage, as doccano takes documents with several labels.

    ``id``, ``text`` and ``label`` (the codes that a coded passage carries), with the source beside
    them; a passage that is not coded has no ``label``.
    """
    lines = []
    for row in table.to_dict("records"):
        line = {"id": row["doc_id"], "text": row["text"]}
        said = {code: row[code] for code in codes if code in row and not pd.isna(row[code])}
        if said:
            line["label"] = [code for code, value in said.items() if value == 1]
        line |= {name: row[name] for name in ("source_id", "title", "speaker", "date")}
        lines.append(json.dumps(line, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)
