"""Codings: who coded what, and how several coders become one code."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from framing.codebook.codes import Code
from framing.codebook.kinds.kind import STANDARD
from framing.coding.variables import MACHINE, Variable, expanded, yes_no_variables
from framing.common.files import LINE, read_table, read_text, row_problems
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import id_problems, is_id

CODER_COLUMNS = ("coder", "kind", "codebook", "description")
MODEL = "model"
"""The column of ``coders.tsv`` that may be left out: which model a machine coder is a run of."""
HUMAN = "human"
KINDS = HUMAN, MACHINE
NOT_CODED = "NA"
RESPONSES, JOURNAL = "responses.jsonl", "journal.jsonl"
"""What a coder's folder may hold beside the table: what a program answered, what a page noted."""
ALL_CODED = "coded.tsv"
"""In a coder's folder: codes of every passage, drawn or not, of a program that coded them all."""
STABILITY, RELIABILITY = "stability", "reliability"
"""What agreement of coders shows: of runs of one model that it answers alike, else more."""
RECORDS = (RESPONSES, JOURNAL, ALL_CODED)
"""What may lie in ``corpus/codings/CODER/``: records that a coder's table is made from."""


def read_coders(path: Path) -> pd.DataFrame:
    """Read ``coders.tsv``: ``coder kind codebook description model``, one row a coder.

    ``kind`` is ``human`` or ``machine``: codings by language models are never called human.
    ``model`` says in free words which model a machine coder is a run of, in the same words for runs
    of the same one; the column may be missing, and is then empty in what is returned. There may be
    no row: nobody has coded yet. Raises :class:`InputError` on unusable or repeated ids, other
    kinds, and a human coder with a model.
    """
    header = read_text(path).split("\n", 1)[0].split("\t")
    frame = read_table(path, [*CODER_COLUMNS, *([MODEL] if MODEL in header else [])])
    if MODEL not in frame.columns:
        frame.insert(len(CODER_COLUMNS), MODEL, "")
    problems = id_problems(frame, path, "coder")
    problems += row_problems(
        frame, path, (frame["kind"] == HUMAN) & (frame[MODEL].str.strip() != ""),
        lambda row: f"coder {row.coder!r} is human and a run of the model {row.model!r}",
        "Write machine as kind, or leave the model empty.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, ~frame["kind"].isin(KINDS),
        lambda row: f"coder {row.coder!r} is of the kind {row.kind!r}",
        "Write human or machine.",
    )  # fmt: skip
    raise_if_any(problems)
    return frame.drop(columns=LINE)


def foreign_files(folder: Path) -> list[Problem]:
    """Return what lies among codings and is no ``.tsv``: it would be passed over in silence.

    Hidden files may be there, and folders of coders with nothing but their records
    (:data:`RECORDS`).
    """
    return [
        Problem(path, "is no table of codings of the project's own form (CODER.tsv), so that its "
                "codings would not count",
                "Move it out of the folder; from there `framing codings import FILE` takes over "
                "what is in it.")
        for path in sorted(folder.glob("*"))
        if not path.name.startswith(".")
        and (path.suffix != ".tsv" or path.is_dir())
        and not _is_record(path)
    ]  # fmt: skip


def _is_record(folder: Path) -> bool:
    """Return whether a folder is a coder's, and holds records and nothing else."""
    if not folder.is_dir() or not is_id(folder.name):
        return False
    inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return bool(inside) and all(path.name in RECORDS and path.is_file() for path in inside)


def read_codings(
    folder: Path,
    coders: Sequence[str],
    codes: Sequence[Code],
    sample: pd.DataFrame,
    waiting: Collection[str] = (),
) -> pd.DataFrame:
    """Read every coder's file ``<folder>/<coder>.tsv`` into one long table.

    ``sample`` has a column ``passage_id``: the drawn passages. ``waiting`` are those that may have
    no codings yet: of a confirmation draw whose design counts the others only. Returns ``passage_id
    coder code value unsure`` (ints), sorted by the order of ``sample``, code and coder; codes are
    indicators, each 0 or 1 (:func:`framing.coding.variables.expanded`). Cells marked ``NA`` (not
    coded) are left out, and ``unsure`` is 0 where a coder was not asked (``NA``). Raises
    :class:`InputError` on files without a coder, rows under another coder's name, repeated or
    undrawn passages, values that are neither a level of the code nor ``NA``, drawn passages that
    nobody coded, and files of another kind (:func:`foreign_files`).
    """
    problems = foreign_files(folder)
    problems += [
        Problem(path, f"holds codings of {path.stem!r}, whom coders.tsv does not name",
                "Add the coder to coders.tsv or remove the file.")
        for path in sorted(folder.glob("*.tsv"))
        if path.stem not in coders
    ]  # fmt: skip
    frames = []
    for coder in coders:
        try:
            frames.append(_read_coder(folder / f"{coder}.tsv", coder, codes, sample))
        except InputError as error:
            problems += error.problems
    raise_if_any(problems)
    long = pd.concat(frames, ignore_index=True)
    expected = sample[~sample["passage_id"].isin(list(waiting))]
    raise_if_any(_uncoded(folder, long, [code.name for code in codes], expected))
    rank = {name: number for number, name in enumerate(sample["passage_id"])}
    long = expanded(long, codes)
    order = {level.indicator: n for n, level in enumerate(v for c in codes for v in c.counted)}
    long = long.assign(_passage=long["passage_id"].map(rank), _code=long["code"].map(order))
    long = long.sort_values(["_passage", "_code", "coder"], kind="stable", ignore_index=True)
    return long[["passage_id", "coder", "code", "value", "unsure"]]


def _read_coder(
    path: Path, coder: str, codes: Sequence[Code], sample: pd.DataFrame
) -> pd.DataFrame:
    names = [code.name for code in codes]
    columns = ["passage_id", "coder", *names, "unsure"]
    if not path.exists():
        raise InputError(
            Problem(path, "does not exist", f"Give it the columns {' '.join(columns)} and a row a "
                    f"passage, or take {coder!r} out of coders.tsv until there are codings.")
        )  # fmt: skip
    frame = read_table(path, columns)
    problems = row_problems(
        frame, path, frame["coder"] != coder,
        lambda row: f"names the coder {row.coder!r} in the file of {coder!r}",
        "Keep one file a coder, named after the coder.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, frame["passage_id"].duplicated(),
        lambda row: f"codes the passage {row.passage_id!r} twice",
        "Keep one row a passage and coder.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, ~frame["passage_id"].isin(sample["passage_id"]),
        lambda row: f"codes the passage {row.passage_id!r}, which no draw took",
        "Only passages of sample.tsv and of draws count: correct the id or remove the row.",
    )  # fmt: skip
    for column, allowed in [*((code.name, (*code.cells, NOT_CODED)) for code in codes),
                            ("unsure", ("0", "1", NOT_CODED))]:  # fmt: skip
        problems += row_problems(
            frame, path, ~frame[column].isin(allowed),
            _has(column), f"Write {' or '.join(allowed)}.",
        )  # fmt: skip
    if frame.empty:
        problems.append(Problem(path, "holds no coding", "Add rows, or remove file and coder."))
    raise_if_any(problems)
    long = frame.melt(id_vars=["passage_id", "coder", "unsure"], value_vars=names, var_name="code")
    long = long.assign(unsure=long["unsure"].replace(NOT_CODED, "0"))
    return long[long["value"] != NOT_CODED].astype({"unsure": int})


def coded_passages(folder: Path) -> frozenset[str]:
    """Return the passages that have a coding in some file of ``folder``, whatever it says.

    A row in which every code is ``NA`` is no coding. Only ids count here; whether codings are right
    is asked by :func:`read_codings`. Raises :class:`InputError` where a file is no table.
    """
    found: set[str] = set()
    for path in sorted(folder.glob("*.tsv")):
        frame = read_table(path, ["passage_id"], extra=True)
        codes = frame.drop(columns=["passage_id", "coder", "unsure", LINE], errors="ignore")
        has = ~codes.isin([NOT_CODED, ""]).all(axis=1)
        found |= set(frame["passage_id"][has])
    return frozenset(found)


def _has(column: str) -> Any:
    return lambda row: f"passage {row.passage_id!r} has {column} {row[column]!r}"


def first_coding(folder: Path, passages: Collection[str]) -> tuple[Path, int] | None:
    """Return file and line of the first coding of one of ``passages`` in ``folder``, if any."""
    for path in sorted(folder.glob("*.tsv")):
        frame = read_table(path, ["passage_id"], extra=True)
        lines = frame.loc[frame["passage_id"].isin(list(passages)), LINE]
        if len(lines):
            return path, int(lines.iloc[0])
    return None


def _uncoded(
    folder: Path, long: pd.DataFrame, codes: Sequence[str], sample: pd.DataFrame
) -> list[Problem]:
    problems = []
    for code in codes:
        done = set(long.loc[long["code"] == code, "passage_id"])
        left = [name for name in sample["passage_id"] if name not in done]
        if left:
            problems.append(
                Problem(folder, f"{len(left)} drawn passages have no coding of {code!r}: "
                        f"{', '.join(left[:5])}{' …' if len(left) > 5 else ''}",
                        f"Code them, each in the file of at least one coder ({folder}/CODER.tsv): "
                        "leaving drawn passages out would bias every estimate.")
            )  # fmt: skip
    return problems


def standard_problems(
    codings: pd.DataFrame, rule: Mapping[str, Any], folder: Path
) -> list[Problem]:
    """Return which coded passages the standard has not coded, one problem a code.

    ``rule`` is the configuration's ``coders``, ``folder`` holds the codings. Whom ``coders.tsv``
    does not know the configuration's own check names.
    """
    if rule["rule"] != STANDARD or rule["standard"] not in set(codings["coder"]):
        return []
    problems = []
    for code, own in codings.groupby("code", sort=False):
        done = set(own.loc[own["coder"] == rule["standard"], "passage_id"])
        left = [name for name in dict.fromkeys(own["passage_id"]) if name not in done]
        if left:
            problems.append(
                Problem(folder / f"{rule['standard']}.tsv",
                        f"{len(left)} passages that others coded have no coding of {code!r} by "
                        f"the standard: {', '.join(left[:5])}{' …' if len(left) > 5 else ''}",
                        "Let the standard code them, or take another rule (coders.rule).")
            )  # fmt: skip
    return problems


def combine_coders(
    codings: pd.DataFrame,
    rule: Mapping[str, Any],
    variables: Sequence[Variable] | None = None,
) -> pd.DataFrame:
    """Return one code a passage: ``passage_id code label coders share tied``.

    ``codings`` are those of indicators (:func:`read_codings`) of ``variables``, by default of
    yes/no codes; what is returned has their order. ``rule['rule']`` is ``majority``, ``any``,
    ``all`` or ``standard``: the code of the coder ``rule['standard']``, on passages that this one
    coded. What a majority is the kind of a code says (:mod:`framing.codebook.kinds`): more than
    half of the coders, where an exact tie counts as ``rule['tie']``, ``present`` or ``absent``; the
    category that most of them gave; their median. ``coders`` counts who coded the passage and
    ``share`` is the part of them who found the code present; of a standard it is the standard's
    code, as the others have no say. ``tied`` is 1 where the coders were split evenly and a rule
    decided. Where there is an adjudicator (``rule['adjudicator']``) this one's code counts on the
    passages that this one coded, as a standard's does, and the rule combines the others everywhere
    else; ``coders`` does not count the adjudicator.
    """
    if rule["rule"] == STANDARD:
        return _of_standard(codings, rule["standard"])
    settled = codings[codings["coder"] == rule.get("adjudicator", "")]
    if len(settled):
        others = independent(codings, rule)
        return _adjudicated(combine_coders(others, rule, variables), settled)
    frame = (
        codings.groupby(["passage_id", "code"], sort=False)["value"]
        .agg(present="sum", coders="count")
        .reset_index()
    )
    frame["label"], frame["tied"] = 0, 0
    if variables is None:
        variables = yes_no_variables(frame["code"].unique())
    for one in variables:
        own = {name: frame[frame["code"] == name] for name in one.indicators}
        rows = {name: part.index.to_numpy() for name, part in own.items()}
        counts = one.counts({name: part["present"].to_numpy() for name, part in own.items()},
                            own[one.indicators[0]]["coders"].to_numpy())  # fmt: skip
        tie = rule["tie"] if one.kind.present else one.ties
        level, split = one.kind.combine(counts, rule["rule"], tie)
        for name, place in zip(one.indicators, one.places, strict=True):
            frame.loc[rows[name], "label"] = (level == place).astype(int)
            frame.loc[rows[name], "tied"] = split.astype(int)
    frame["share"] = frame["present"] / frame["coders"]
    return frame[["passage_id", "code", "label", "coders", "share", "tied"]]


def _of_standard(codings: pd.DataFrame, standard: str) -> pd.DataFrame:
    coders = codings.groupby(["passage_id", "code"], sort=False)["coder"].transform("count")
    own = codings.assign(coders=coders)[codings["coder"] == standard]
    own = own.assign(label=own["value"].astype(int), share=own["value"].astype(float), tied=0)
    return own[["passage_id", "code", "label", "coders", "share", "tied"]].reset_index(drop=True)


def independent(codings: pd.DataFrame, rule: Mapping[str, Any]) -> pd.DataFrame:
    """Return codings (or coders) without the adjudicator's, who saw what the others said.

    ``rule`` is the configuration's ``coders``.
    """
    return codings[codings["coder"] != rule.get("adjudicator", "")].reset_index(drop=True)


def _adjudicated(combined: pd.DataFrame, settled: pd.DataFrame) -> pd.DataFrame:
    """Return combined codes, the adjudicator's in their place where there is one."""
    keys = ["passage_id", "code"]
    value = combined[keys].merge(settled[[*keys, "value"]], on=keys, how="left")["value"]
    own = value.notna().to_numpy()
    code = value.to_numpy(dtype=float)
    return combined.assign(
        label=combined["label"].where(~own, code).astype(int),
        share=combined["share"].where(~own, code),
        tied=combined["tied"].where(~own, 0),
    )


def main_rule(rule: Mapping[str, Any]) -> str:
    """Return by which rule codes are combined: its name, or the coder who is the standard."""
    return str(rule["standard"] if rule["rule"] == STANDARD else rule["rule"])


def labels_by_coder(codings: pd.DataFrame, rule: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return what each coder alone would have had: coder → ``passage_id code label``.

    Only passages that the coder coded. With a standard (``rule``: the configuration's ``coders``)
    the standard alone: the others are measured by it, and the choice of coder is no open question.
    Without the adjudicator, who saw what the others said.
    """
    parts = dict(list(independent(codings, rule).groupby("coder", sort=True)))
    chosen = [rule["standard"]] if rule["rule"] == STANDARD else list(parts)
    return {
        str(name): parts[name][["passage_id", "code", "value"]]
        .rename(columns={"value": "label"})
        .reset_index(drop=True)
        for name in chosen
        if name in parts
    }


def runs_of_one_model(coders: pd.DataFrame) -> bool:
    """Return whether the coders, two or more, are all runs of one and the same model.

    ``coders`` has ``kind`` and ``model``. Their agreement then shows how stable the model's answers
    are: a mistake that the model makes each time is agreement, too.
    """
    if len(coders) < 2 or (coders["kind"] != MACHINE).any() or MODEL not in coders.columns:
        return False
    models = set(coders[MODEL].fillna("").str.strip())
    return len(models) == 1 and models != {""}


def coders_phrase(coders: pd.DataFrame) -> str:
    """Return who coded, in words: "three machine coders", "one human coder and …"."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    parts = []
    for kind in KINDS:
        number = int((coders["kind"] == kind).sum())
        if number:
            count = words[number] if number < len(words) else str(number)
            parts.append(f"{count} {kind} coder{'s' if number > 1 else ''}")
    return " and ".join(parts)
