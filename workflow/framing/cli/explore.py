"""``framing explore``: the passage explorer with the prose of the texts at hand.

The page beside the report (``results/explorer.html``) has no prose. This one has, and therefore
never goes where it could be committed.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.progress import counted

if TYPE_CHECKING:
    import pandas as pd

    from framing.codebook.codebook import Codebook
    from framing.report.explorer import Prose

BUILD = Path("build")
DEFAULT = BUILD / "explorer.html"
REPORT = Path("results/report.html")
MADE = {
    "provenance": Path("results/provenance.json"),
    **{
        name: BUILD / f"{name}.tsv"
        for name in ("passages", "codings", "scores", "votes", "codes", "coders")
    },
}
"""What a run leaves for the explorer."""
_EXAMPLES = """\
examples:
  framing explore
  framing explore --output ~/explorer.html

Open the page in any browser: it loads nothing. Where a text is at hand its passages are shown with
the hits of cues marked, words can be searched in context, and the case study reads as a whole;
where it is not, the page says where the text is to be found. The page holds prose: do not pass it
on.

exit status: 0 done; 1 there has been no run, or a text is not the one it should be; 2 wrong usage
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``explore`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "explore", parents=[common], help="make the passage explorer with the prose at hand",
        description="Write the page results/explorer.html anew with the prose of the texts at hand "
        "(corpus.texts of the configuration), after a run of the workflow.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="FILE", help=f"where to write it (default: {DEFAULT.as_posix()})"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command in the project's directory; return the exit status."""
    from framing.codebook.codebook import load_codebook
    from framing.common.config import load_config
    from framing.common.files import write_text
    from framing.common.paths import CODEBOOK, CONFIG, SOURCES
    from framing.corpus.tables import read_sources
    from framing.project.load import project_reading
    from framing.project.parts import FOLDER, noted_hits
    from framing.report.explorer import explorer_html, load_explorer, prose_data
    from framing.sampling.combine import caveat_of
    from framing.sampling.draw import DRAWS, awaiting
    from framing.sampling.records import read_draws

    here = Path(getattr(arguments, "called_from", Path.cwd()))
    page = Path.cwd() / DEFAULT
    if arguments.output:
        page = private_path(arguments.output, here, Path.cwd())
    config, codebook = load_config(CONFIG), load_codebook(CODEBOOK)
    hits = noted_hits()
    raise_if_any(
        Problem(path, "does not exist", "Run `snakemake` first.")
        for path in (*MADE.values(), *(hits or [FOLDER]))
        if not path.is_file()
    )
    given = {**MADE, "hits": hits, "sources": SOURCES, "codebook": CODEBOOK}
    draws = read_draws(DRAWS)
    reading = project_reading(config, codebook, read_sources(SOURCES, config["groups"]), draws)
    caveat = "; ".join(filter(None, [caveat_of(draws), *reading.caveats]))
    tables, data, words = load_explorer(given, config, caveat, awaiting(draws, reading.states))
    prose = prose_at_hand(config, codebook, tables.sources, tables.passages)
    write_text(page, explorer_html(prose_data(data, prose), words, REPORT.resolve().as_uri()))
    absent = len(tables.passages) - len(prose.text)
    print(f"written: {page}")
    print(f"passages with prose: {len(prose.text)}; their text is absent: {absent}")
    if prose.text:
        print("The page holds prose of the sources: do not commit it or pass it on.")
    return 0


def private_path(name: str, here: Path, project: Path) -> Path:
    """Return where the page goes, relative names taken from ``here``.

    Raises :class:`InputError` where that is a folder, lies in one that does not exist, or lies in
    ``project`` outside ``build/``, from where it could be committed.
    """
    path = (here / name).resolve()
    project = project.resolve()
    if path.is_relative_to(project) and not path.is_relative_to(project / BUILD):
        where = (
            "results/, which" if path.is_relative_to(project / "results") else "the project, where"
        )
        raise InputError(
            Problem(path, f"lies in {where} files are committed, and the page holds prose",
                    f"Write it below {BUILD}/ or somewhere else.")
        )  # fmt: skip
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
        raise InputError(Problem(path, what, "Give the name of a file."))
    return path


def prose_at_hand(
    config: Mapping[str, Any], codebook: Codebook, sources: pd.DataFrame, passages: pd.DataFrame
) -> Prose:
    """Return the prose of the passages whose text is at hand, with the hits of cues in it.

    Raises :class:`InputError` with every text that is not the one whose passages are frozen.
    """
    from framing.codebook.cues import compile_cues, cue_spans
    from framing.corpus.texts import read_texts, texts_at_hand
    from framing.report.explorer import Prose

    digests = dict(zip(sources["source_id"], sources["sha256"], strict=True))
    hand = texts_at_hand(config["corpus"]["texts"], passages["source_id"].unique())
    texts = read_texts(hand, digests)
    compiled = compile_cues(codebook)
    own = passages[passages["source_id"].isin(texts)]
    rows = list(zip(own["passage_id"], own["source_id"], own["start"], own["end"], strict=True))
    text = {name: texts[source][start:end] for name, source, start, end in rows}
    spans = {
        name: cue_spans(compiled, prose)
        for name, prose in counted(list(text.items()), " passages", "looking for cues")
    }
    case = config["case_study"]
    places = [(start, end) for _, source, start, end in rows if source == case]
    return Prose(text, spans, between(texts[case], places) if case in texts else ())


def between(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    """Return what stands in a text before, between and after the places (start, end) in order."""
    starts = [start for start, _ in places] + [len(text)]
    ends = [0] + [end for _, end in places]
    return [text[end:start] for end, start in zip(ends, starts, strict=True)]
