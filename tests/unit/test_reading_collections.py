"""Collections of TEI documents, as ParlaMint's: each document once, and who speaks by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from framing.acquire.edit_corpus import settings_of
from framing.acquire.find import Found, Wanted, gathered
from framing.acquire.read.collections import is_collection, read_collection
from framing.common.files import sha256
from framing.common.problems import InputError

pytest.importorskip("lxml", reason="needs pip install 'framing[reading]'")

MOST = 10_000_000
SAID = (
    "The ferry is older than the bridge, and the bridge is closed whenever the wind blows from the "
    "north, as all of us know who have waited there with a pram in February.",
    "The honourable member has counted the winds and forgotten the fares, which nobody in this "
    "house has paid twice a day since the tram came to the door.",
)
PEOPLE = (
    '<listPerson xmlns="http://www.tei-c.org/ns/1.0"><person xml:id="BeckAda"><persName><surname>'
    "Beck</surname><forename>Ada</forename></persName></person></listPerson>"
)


def session(number: int, who: str = "#BeckAda") -> str:
    speeches = "".join(f'<u who="{who}"><seg>{text}</seg></u>' for text in SAID)
    return (
        f'<TEI xmlns="http://www.tei-c.org/ns/1.0" xml:id="sitting-{number}" xml:lang="en">'
        f"<teiHeader><fileDesc><titleStmt><title>Sitting {number}</title></titleStmt></fileDesc>"
        f"</teiHeader><text><body><div>{speeches}</div></body></text></TEI>"
    )


def corpus(header: str = "", body: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<teiCorpus xmlns="http://www.tei-c.org/ns/1.0" '
        'xmlns:xi="http://www.w3.org/2001/XInclude"><teiHeader><fileDesc/><profileDesc>'
        f"<particDesc>{header}</particDesc></profileDesc></teiHeader>{body}</teiCorpus>"
    )


def include(href: str) -> str:
    return f'<xi:include href="{href}"/>'


@pytest.fixture
def parliament(tmp_path: Path) -> Path:
    """Return the folder of a collection: its root, two sittings in a folder by year, persons."""
    folder = tmp_path / "parliament"
    (folder / "2015").mkdir(parents=True)
    for number in (1, 2):
        (folder / "2015" / f"Parl_2015-0{number}.xml").write_text(session(number), "utf-8")
    (folder / "Parl-listPerson.xml").write_text(PEOPLE, "utf-8")
    body = include("2015/Parl_2015-01.xml") + include("2015/Parl_2015-02.xml")
    (folder / "Parl.xml").write_text(corpus(include("Parl-listPerson.xml"), body), "utf-8")
    return folder


def found(what: str, here: Path) -> list[Found]:
    return list(gathered(Wanted([what], None, {}, "", here), settings_of({}), {}))


@pytest.mark.parametrize("what", ["parliament", "parliament/Parl.xml"])
def test_documents_in_files_are_read_once_and_know_who_speaks(parliament: Path, what: str):
    parts = found(what, parliament.parent)
    assert [part.wished_id for part in parts] == ["Parl_2015-01", "Parl_2015-02"]
    for number, part in enumerate(parts, start=1):
        document, origin = part.read(settings_of({}))
        assert document.metadata["title"] == f"Sitting {number}"
        assert set(document.speakers()) == {"Ada Beck"}
        assert [turn.text for turn in document.turns] == list(SAID)
        file = parliament / "2015" / f"Parl_2015-0{number}.xml"
        assert origin.raw_sha256 == sha256(file.read_bytes())
        assert f"Parl_2015-0{number}.xml" in part.place


def test_documents_within_the_collection_are_read(tmp_path: Path):
    inner = f"<teiCorpus><teiHeader/>{session(2)}</teiCorpus>"
    path = tmp_path / "all.xml"
    path.write_text(corpus(PEOPLE, session(1) + inner), "utf-8")
    parts = found("all.xml", tmp_path)
    assert [part.wished_id for part in parts] == ["sitting-1", "sitting-2"]
    assert set(parts[1].read(settings_of({}))[0].speakers()) == {"Ada Beck"}
    alone = found("all.xml", tmp_path)[0].read(settings_of({}))[1]
    assert alone.raw_sha256 == parts[0].read(settings_of({}))[1].raw_sha256


def test_a_documents_own_persons_come_first(parliament: Path):
    own = PEOPLE.replace(">Ada<", ">Adele<")
    file = parliament / "2015" / "Parl_2015-01.xml"
    text = file.read_text("utf-8").replace("</teiHeader>", f"{own}</teiHeader>")
    file.write_text(text, "utf-8")
    assert set(found("parliament", parliament.parent)[0].read(settings_of({}))[0].speakers()) == {
        "Adele Beck"
    }


@pytest.mark.parametrize(
    ("href", "said"),
    [
        ("2015/gone.xml", "names '2015/gone.xml', which is not there"),
        ("../secret.xml", "which is no file in its folder"),
        ("2015/..%2F..%2Fsecret.xml", "which is no file in its folder"),
        ("/etc/passwd", "which is no file in its folder"),
        ("file:///etc/passwd", "which is no file in its folder"),
        ("https://x.example/a.xml", "which is no file in its folder"),
        ("", "which is no file in its folder"),
        ("link.xml", "which is no file in its folder"),
    ],
)
@pytest.mark.parametrize("place", ["header", "body"])
def test_only_files_beside_a_collection_are_opened(parliament: Path, href, said, place):
    (parliament.parent / "secret.xml").write_text(session(9), "utf-8")
    (parliament / "link.xml").symlink_to(parliament.parent / "secret.xml")
    root = parliament / "Parl.xml"
    parts = {"header": "", "body": session(1), place: include(href)}
    root.write_text(corpus(parts["header"], parts["body"]), "utf-8")
    with pytest.raises(InputError, match=said):
        read_collection(root, "Parl.xml", MOST)
    (refused,) = found("parliament/Parl.xml", parliament.parent)
    with pytest.raises(InputError, match=said):
        refused.read(settings_of({}))


def test_what_is_wrong_with_a_collection_is_told_when_it_is_read(tmp_path: Path):
    path = tmp_path / "a.xml"
    for text, said in (
        ("<teiCorpus><TEI></teiCorpus>", "not well-formed XML"),
        ("<teiCorpus><teiHeader/></teiCorpus>", "collection without documents"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><teiCorpus><TEI/></teiCorpus>', "declares entities"),
    ):
        path.write_text(text, "utf-8")
        assert is_collection(path)
        with pytest.raises(InputError, match=said):
            found("a.xml", tmp_path)[0].read(settings_of({}))
    with pytest.raises(InputError, match="more than 10"):
        read_collection(path, "a.xml", 10)
    assert not is_collection(tmp_path / "none.xml")
    (tmp_path / "b.xml").write_text(session(1), "utf-8")
    assert not is_collection(tmp_path / "b.xml")
