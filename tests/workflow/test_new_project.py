"""The whole life of a new project: begun, texts added, a sample drawn, coded, results verified."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from framing.cli import main as cli
from framing.common.files import read_table
from framing.release.manifest import manifest
from framing.workflow.results import Results

from .conftest import contents, edit, rows, write_rows

pytestmark = pytest.mark.slow

TABLES, FIGURES = Results(["machines"]).tables, Results(["machines"]).figures


LETTERS = {
    "baker": (
        "first", "2011-04-02",
        "The ovens are lit at two, and at two I ask nobody to get up with me. Whoever complains of "
        "the smell of bread at that hour has never been hungry on the way home.\n\n"
        "What I cannot bear is the noise of the yard behind the mill, where the lorries stand with "
        "their engines running until the gate is opened at six o'clock.\n\n"
        "My daughter sleeps above the shop. She has counted nineteen nights in a month on which "
        "the hammering woke her, and she is no longer on time for her lessons.\n\n"
        "The mill has been a good neighbour in other things. When the river came into our cellar "
        "they sent four men with pumps, and not one of them would take a coin for it.\n\n"
        "A wall of two metres would be enough, said the engineer whom we paid ourselves. The din "
        "would go over the roofs, and the street below could sleep until it is light.\n",
    ),
    "teacher": (
        "first", "2014",
        "The school moved into the old customs house in spring, with eleven rooms, one staircase "
        "and a garden in which the pupils have planted beans and a pear tree.\n\n"
        "Nobody told us that the drums are rehearsed next door on Tuesdays. One cannot teach the "
        "rivers of the continent against that racket, and one should not have to.\n\n"
        "We asked for peace and quiet from nine to twelve, which is not much. The answer came in "
        "June, on paper with a crest, and it spoke of the value of music.\n\n"
        "The beans have done well, all the same, and the pear tree carries three pears. Visitors "
        "are welcome on the last Friday of the month, from four o'clock until dusk.\n",
    ),
    "mill": (
        "second", "2012-11",
        "The mill employs sixty people and has ground the flour of this valley since the bridge "
        "was built. Orders have grown by a fifth, and a second shift begins in January.\n\n"
        "We take the question of noise seriously. From next week no lorry may enter the yard "
        "before six, and drivers who leave an engine running will be sent away again.\n\n"
        "A wall was considered and found too dear. The money is better spent on the new weir, "
        "from which the whole valley will have its light in the dry months too.\n\n"
        "The open day takes place on the first Sunday in May. Children may ride on the old cart, "
        "and the bakers of the town will again judge the best loaf.\n",
    ),
    "council": (
        "second", "2016-02-09",
        "The council heard the report on the bridge and took note of it. The repair will take two "
        "summers, and a ferry for carts will run from the landing below the church.\n\n"
        "Three letters on noise were read out. The council decided that hammering and music shall "
        "rest between ten at night and six in the morning, Sundays until eight.\n\n"
        "The member for the lower town asked who would see to it that the rule is kept. The chair "
        "answered that one constable cannot be in every yard, but will begin with the mill.\n\n"
        "The budget for lamps was passed without debate. The next session is to take place in the "
        "customs house, as the hall is needed for the flower show.\n",
    ),
}  # fmt: skip
LIGHTER = [  # the same choices in fewer repetitions
    ("draws: 1000 ", "draws: 20 "), ("draws: 2000 ", "draws: 20 "),
    ("shares: [0.25, 0.5, 0.75, 1.0], repeats: 3", "shares: [1.0], repeats: 1"),
    ("weighting: [passage, words, source]", "weighting: [passage]"),
    ("estimators: [classify-and-count, labels only, post-stratified, difference] #",
     "estimators: [labels only, difference] #"),
]  # fmt: skip


@pytest.fixture
def framing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Run ``framing`` in a new project's directory; return its exit status and what it said."""
    here = Path.cwd()

    def _framing(*arguments: str | Path) -> tuple[int, str]:
        os.chdir(tmp_path)
        status = cli.main([*map(str, arguments)])
        told = capsys.readouterr()
        return status, told.out + told.err

    yield _framing
    os.chdir(here)


def test_the_life_of_a_new_project(tmp_path: Path, run, cold_run, warm, framing, monkeypatch):
    project = tmp_path / "valley"
    here = ("--directory", project)

    def ran(*expected: str, by=run) -> str:
        done = by(project)
        assert done.returncode == 0, done.stdout + done.stderr
        assert all(words in done.stdout for words in expected), done.stdout
        return done.stdout

    def checked(*expected: str) -> None:
        before = contents(project)
        status, said = framing("check", *here)
        assert status == 0 and all(words in said for words in expected), said
        assert contents(project) == before

    # No texts.
    status, _ = framing("init", "valley", "--groups", "first=Letters,second=Notices")
    assert status == 0
    for old, new in LIGHTER:
        edit(project / "config" / "config.yaml", old, new)
    checked("0 sources", "framing add FILE")
    ran("# First steps: valley", "framing add FILE", "--group first", by=cold_run)
    page = (project / "corpus" / "codebook" / "codebook.md").read_text(encoding="utf-8")
    assert "Quiet (`quiet`)" in page

    # Texts, no sample.
    for name, (group, date, text) in LETTERS.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
        status, said = framing(
            "add", tmp_path / f"{name}.txt", *here,
            "--title", name, "--group", group, "--date", date,
        )  # fmt: skip
        assert status == 0, said
    checked("4 sources, 17 passages, 0 drawn", "framing sample --size 17")
    said = ran("framing sample --size 17 --strata group")
    assert "| Letters | dated  |       2 |        9 |" in said
    hit = [line.split("|")[1:-1] for line in said.splitlines() if line.startswith("| noise-dist")]
    assert [[cell.strip() for cell in row] for row in hit] == [["noise-disturbs", "5", "2", "7"]]
    assert not (project / "results").exists()

    # A sample, no codings.
    status, said = framing(
        "sample", "--size", "15", "--strata", "group", "--seed", "4711", "--role", "development",
        *here,
    )  # fmt: skip
    assert status == 0, said
    checked("15 drawn for coding, 0 coders", "corpus/coders.tsv")
    coders = project / "corpus" / "coders.tsv"
    write_rows(coders, [*rows(coders), *([c, "machine", "0.1", "by a word"] for c in "xy")])
    ran("cp build/to-code/x.tsv corpus/codings/x.tsv")
    to_code = project / "build" / "to-code"
    sheet = rows(to_code / "x.tsv")
    drawn = read_table(project / "corpus" / "sample.tsv", (), extra=True)["passage_id"]
    assert sheet[0] == ["passage_id", "coder", "quiet", "unsure"]
    assert sheet[1:] == [[name, "x", "", "0"] for name in drawn]
    assert "> The council heard the report on the bridge" in (to_code / "passages.md").read_text(
        encoding="utf-8"
    )
    # A sheet that was begun is never overwritten.
    begun = [sheet[0], [*sheet[1][:2], "1", "0"], *sheet[2:]]
    write_rows(to_code / "x.tsv", begun)
    write_rows(coders, rows(coders)[:2])
    ran("15 drawn for coding, 1 coder")
    assert rows(to_code / "x.tsv") == begun
    again = run(project)
    assert "Nothing to be done" in again.stdout + again.stderr

    # Codings: half of them are refused, all of them give results.
    texts = {name: one[2] for name, one in LETTERS.items()}
    of = {row["passage_id"]: row for row in passages(project)}
    loud = [
        str(int(any(word in texts[of[name]["source_id"]][of[name]["start"] : of[name]["end"]]
                    for word in ("noise", "din", "racket", "hammering", "quiet"))))
        for name in drawn
    ]  # fmt: skip
    coded = [[name, "x", value, "0"] for name, value in zip(drawn, loud, strict=True)]
    codings = project / "corpus" / "codings" / "x.tsv"
    write_rows(codings, [sheet[0], *coded[:7]])
    status, said = framing("check", *here)
    assert status == 1
    assert "8 drawn passages have no coding of 'quiet'" in said
    assert "Code them, each in the file of at least one coder (corpus/codings/CODER.tsv)" in said
    write_rows(codings, [sheet[0], *coded])
    checked("All is well: 4 sources, 17 passages, 15 drawn for coding, 1 coders")
    said = ran("The report:")
    assert "First steps" not in said
    made = contents(project / "results")
    expected = {f"tables/{table}.{form}" for table in TABLES for form in ("csv", "md")}
    expected |= {f"figures/{figure}.svg" for figure in FIGURES}
    assert expected | {"report.html", "provenance.json", "manifest.tsv"} <= set(made)
    assert set(manifest(project / "results")["path"]) == set(made) - {"manifest.tsv"}
    assert not any(name.endswith("first-steps.md") for name in made)
    # tests/workflow/test_run.py has the same by processes from nothing.
    monkeypatch.setattr(
        "framing.release.reproduce.subprocess.run", lambda command, **_: warm.run(command)
    )
    assert framing("verify", *here)[0] == 0


def passages(project: Path) -> list[dict]:
    frame = read_table(project / "corpus" / "passages.tsv", (), extra=True)
    return frame.astype({"start": int, "end": int}).to_dict("records")
