"""Codes with levels in REFI-QDA: written as codes below codes, read by path, drafted from."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from framing.acquire.read.settings import reading_settings
from framing.acquire.refi.align import Corpus
from framing.acquire.refi.codebooks import code_of, codebook_bytes, entry_of, read_codebook
from framing.acquire.refi.drafts import OPEN, draft_of
from framing.acquire.refi.ids import made_guid
from framing.acquire.refi.mapping import map_onto_passages, matched_codes
from framing.acquire.refi.project import ProjectCode
from framing.acquire.refi.settings import Rule
from framing.cli.main import main
from framing.codebook.codebook import load_codebook, written_codebook
from framing.common.paths import CODEBOOK, CODINGS
from framing.common.problems import InputError
from tests.unit.levels_project import make
from tests.unit.test_codings_levels import ALL
from tests.unit.test_refi import gid, project, qde, selection, source

pytest.importorskip("lxml")
pytestmark = pytest.mark.slow

LIMITS = reading_settings()["reading"]["limits"]
SHARED = Path("..") / "shared" / "refi"


@pytest.fixture
def tram(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make(mini, tmp_path / "tram"))
    return tmp_path


def framing(*arguments: str | Path) -> int:
    return main([str(one) for one in arguments])


# --- names ----------------------------------------------------------------------------------------


def test_levels_are_known_by_the_code_above_them() -> None:
    paths = ["STANCE", "Stance/In favour", "Old/stance/against", "neutral", "Tone/neutral",
             "mood.-1", "0", "Mood/0"]  # fmt: skip
    found = [ProjectCode(path.rpartition("/")[2], path, path, path.rpartition("/")[0])
             for path in paths]  # fmt: skip
    assert matched_codes(found, ALL) == {
        "Stance/In favour": "stance.for", "Old/stance/against": "stance.against",
        "neutral": "stance.neutral", "mood.-1": "mood.-1", "0": "mood.0", "Mood/0": "mood.0",
    }  # fmt: skip
    assert matched_codes(found, ALL, {"Tone/neutral": "stance.neutral"})["Tone/neutral"] == (
        "stance.neutral"
    )


# --- selections -----------------------------------------------------------------------------------

A, B, C = "The lock is dear.", "The ferry is fair.", "The tram is late!"
TEXT = f"{A}\n\n{B}\n\n{C}"
SPANS = [(0, 17), (19, 37), (39, 56)]
S, FOR, AGAINST, COST = (gid(name) for name in ("s", "for", "against", "cost"))
CODES = (
    f'<CodeBook><Codes><Code guid="{COST}" name="cost" isCodable="true"/>'
    f'<Code guid="{S}" name="Stance" isCodable="true"><Code guid="{FOR}" name="for" '
    f'isCodable="true"/><Code guid="{AGAINST}" name="against" isCodable="true"/></Code></Codes>'
    "</CodeBook>"
)
CORPUS = Corpus(
    pd.DataFrame([("harbour", "", "")], columns=["source_id", "title", "sha256"]),
    pd.DataFrame([(f"p{n}", "harbour", *span) for n, span in enumerate(SPANS)],
                 columns=["passage_id", "source_id", "start", "end"]),
    {"harbour": TEXT}, {},
)  # fmt: skip


def selected(*given: tuple[int, str]) -> str:
    return "".join(selection(*SPANS[place], code) for place, code in given)


def mapped(where: Path, *given: tuple[int, str]) -> Any:
    found = project(where, qde(source(selected(*given)), codes=CODES), TEXT)
    return map_onto_passages(found, CORPUS, ALL, Rule(0.5))


def values(found: Any, code: str) -> list[int | None]:
    own = found.table[(found.table["coder"] == "ann") & (found.table["code"] == code)]
    return [None if value is pd.NA else int(value) for value in own["value"]]


def test_a_level_sets_the_others_and_none_is_not_absence(tmp_path: Path) -> None:
    found = mapped(tmp_path, (0, FOR), (1, AGAINST), (1, COST))
    assert values(found, "stance.for") == [1, 0, None]
    assert values(found, "stance.against") == [0, 1, None]
    assert values(found, "stance.neutral") == [0, 0, None]
    assert values(found, "cost") == [0, 1, 0]
    assert values(found, "mood.0") == [None] * 3
    assert found.unplaced.empty
    kinds = {one.kind: one.examples for one in found.losses}
    assert "places of codes under another" not in kinds
    assert kinds["codes of the codebook that the project lacks (not coded)"][0] == "stance.neutral"


def test_two_levels_of_a_passage_have_no_place(tmp_path: Path) -> None:
    found = mapped(tmp_path, (0, FOR), (0, AGAINST), (1, FOR))
    assert values(found, "stance.for") == [None, 1, None]
    (row,) = found.unplaced.to_dict("records")
    assert (row["code"], row["nearest"]) == ("stance (for and against)", "p0")
    assert "several levels" in row["why"]


def test_a_code_without_its_level_is_a_loss(tmp_path: Path) -> None:
    found = mapped(tmp_path, (0, S), (1, FOR))
    assert values(found, "stance.for") == [None, 1, None]
    assert ("codings with a code but none of its levels", 1) in [
        (one.kind, one.count) for one in found.losses
    ]


# --- out and in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("out", [(), ("--crlf",), ("--passages-only",)])
def test_codings_of_every_kind_come_back_as_they_left(tram: Path, out: Any) -> None:
    path = CODINGS / "machine-1.tsv"
    before = path.read_bytes()
    assert framing("codings", "export", tram / "x.qdpx", *out) == 0
    path.unlink()
    assert framing("codings", "import", tram / "x.qdpx", "--read-all") == 0
    assert path.read_bytes() == before


def test_what_does_not_fit_refuses_or_is_listed(tram: Path, capsys: Any) -> None:
    """A level given twice, as by two selections in another program: told, and nothing written."""
    framing("codings", "export", tram / "x.qdpx")
    with zipfile.ZipFile(tram / "x.qdpx") as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    xml = parts["project.qde"].decode()
    one, other = (made_guid("code", f"stance.{name}") for name in ("for", "against"))
    first = xml.index(f'<CodeRef targetGUID="{one}"')
    end = xml.index("</Coding>", first) + len("</Coding>")
    user = xml[xml.rindex("creatingUser=", 0, first) :].split('"')[1]
    doubled = (f'<Coding guid="{gid("new")}" creatingUser="{user}"><CodeRef targetGUID="{other}"/>'
               "</Coding>")  # fmt: skip
    parts["project.qde"] = (xml[:end] + doubled + xml[end:]).encode()
    with zipfile.ZipFile(tram / "y.qdpx", "w") as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    (CODINGS / "machine-1.tsv").unlink()
    capsys.readouterr()
    assert framing("codings", "import", tram / "y.qdpx", "--read-all") == 1
    said = capsys.readouterr().err
    assert "1 coding that cannot be taken over, as its passage has several levels" in said
    assert "(nearest:" in said and not (CODINGS / "machine-1.tsv").exists()


@pytest.mark.parametrize(("given", "said"), [
    (("--label", "Hawk=stance.warm"), "'stance.warm' is no code of the codebook"),
    (("--label", "for=stance"), "'stance' is no code of the codebook"),
])  # fmt: skip
def test_labels_that_stand_for_nothing_are_refused(tram: Path, capsys: Any, given: Any,
                                                   said: str) -> None:  # fmt: skip
    framing("codings", "export", tram / "x.qdpx")
    assert framing("codings", "import", tram / "x.qdpx", *given) == 1
    assert said in capsys.readouterr().err


# --- codebooks ------------------------------------------------------------------------------------


def found_in(folder: Path, codebook: Any) -> list[ProjectCode]:
    path = folder / "codes.qdc"
    path.write_bytes(codebook_bytes(codebook, "framing")[0])
    return list(read_codebook(path, LIMITS)[0])


def test_a_codebook_of_every_kind_comes_back_as_it_was(tram: Path) -> None:
    codebook = written_codebook(CODEBOOK)
    found = found_in(tram, codebook)
    below = {one.path: [other for other in found if other.parent == one.path] for one in found}
    back = {one.name: code_of(one, below[one.path]) for one in found if not one.parent}
    assert back == codebook.codes
    stance = next(one for one in found if one.path == "stance")
    assert not stance.codable and "Kind: one of\nTies: neutral, against, for" in stance.description


def test_a_draft_of_our_own_codebook_has_its_codes(tram: Path, capsys: Any) -> None:
    framing("codings", "export", tram / "codes.qdc")
    assert framing("codebook", "import", tram / "codes.qdc", "--output", tram / "draft.yaml") == 0
    said = capsys.readouterr().out
    assert "stance/for: stance.for" in said and "mood/-1: mood.-1" in said
    assert load_codebook(tram / "draft.yaml").codes == written_codebook(CODEBOOK).codes
    assert OPEN in (tram / "draft.yaml").read_text("utf-8")


def code(path: str, description: str = "", codable: bool = True) -> ProjectCode:
    above, _, name = path.rpartition("/")
    return ProjectCode(name, path, gid(path), above, "", description, codable)


FOREIGN = [
    code("Stance", "On the tram."), code("Stance/Pro (loud)", "Wants it."), code("Stance/Contra"),
    code("Themes", codable=False), code("Themes/Money"), code("Themes/Money/Fares"),
    code("Érgo"),
]  # fmt: skip


def drafted(tmp_path: Path, found: list[ProjectCode], **given: Any) -> Any:
    path = tmp_path / "draft.yaml"
    draft = draft_of(found, "codes", "codes.qdc", **given)
    path.write_text(draft.text, "utf-8")
    return draft, load_codebook(path).codes


def test_a_draft_of_another_program(tmp_path: Path) -> None:
    draft, codes = drafted(tmp_path, FOREIGN)
    assert list(codes) == ["stance", "pro-loud", "contra", "money", "fares", "ergo"]
    assert all(one.kind.present for one in codes.values())
    assert codes["stance"].definition == "On the tram." and codes["contra"].definition == OPEN
    assert codes["contra"].levels[1].present == (OPEN,)
    assert draft.left_out == ("Themes",) and draft.called["Stance/Pro (loud)"] == "pro-loud"
    draft, codes = drafted(tmp_path, FOREIGN, hierarchies=True)
    assert list(codes) == ["stance", "money", "fares", "ergo"], "one below another is no choice"
    stance = codes["stance"]
    assert (stance.kind.name, stance.cells) == ("one of", ("pro-loud", "contra"))
    assert stance.levels[0].definition == "Wants it." and stance.levels[0].label == "Pro (loud)"
    assert draft.called["Stance/Contra"] == "stance.contra"


def test_what_gives_no_id_or_two_times_the_same_is_refused() -> None:
    found = [code("Pro!"), code("pro"), code("漢"), code("7")]
    with pytest.raises(InputError) as caught:
        draft_of(found, "x", "codes.qdc")
    said = str(caught.value)
    assert "has 2 codes whose names give no id: '漢'; '7'" in said
    assert "has 1 id that several codes would have: pro: 'Pro!' and 'pro'" in said
    levels = [code("S"), code("S/a b"), code("S/A-B")]
    with pytest.raises(InputError, match="1 id that several codes would have: a-b"):
        draft_of(levels, "x", "codes.qdc", hierarchies=True)
    with pytest.raises(InputError, match="holds no code"):
        draft_of([], "x", "codes.qdc")


def test_a_description_says_of_itself_only_what_has_the_form() -> None:
    plain = entry_of(code("Tone", "Kind: friendly\nNumber: many"))
    assert plain["definition"] == "Kind: friendly Number: many" and plain["label"] == "Tone"


def test_nothing_is_written_over(tram: Path, capsys: Any) -> None:
    framing("codings", "export", tram / "codes.qdc")
    before = CODEBOOK.read_bytes()
    assert framing("codebook", "import", tram / "codes.qdc") == 1
    assert "is there already" in capsys.readouterr().err and CODEBOOK.read_bytes() == before
    assert framing("codebook", "import", tram / "codes.qdc", "--dry-run") == 0
    assert "Nothing was written" in capsys.readouterr().out
    CODEBOOK.unlink()
    assert framing("codebook", "import", tram / "codes.qdc") == 0
    assert set(load_codebook(CODEBOOK).codes) == {"cost", "fairness", "heritage", "stance", "mood"}


# --- the published schema -------------------------------------------------------------------------


def test_what_is_written_is_valid(root: Path, tram: Path) -> None:
    from lxml import etree

    if not (root / SHARED).is_dir():
        pytest.skip("the published schema is not beside the repository")
    framing("codings", "export", tram / "x.qdpx")
    schema = etree.XMLSchema(etree.parse(root / SHARED / "Project-mrt2019.xsd"))
    with zipfile.ZipFile(io.BytesIO((tram / "x.qdpx").read_bytes())) as archive:
        found = etree.fromstring(archive.read("project.qde"))
    assert schema.validate(found), schema.error_log
