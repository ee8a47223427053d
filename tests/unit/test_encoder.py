"""The optional encoder: a row of its own in T3, and nothing else moves."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from framing.classifier import encoder as module
from framing.classifier.comparison import WITH_ENCODER
from framing.classifier.encoder import embed, model_files
from framing.classifier.features import learn_space, transform
from framing.classifier.inputs import Tables
from framing.classifier.training import evaluate_code, train_code
from framing.codebook.codebook import load_codebook
from framing.common.build import embedding_table, read_embeddings
from framing.common.config import load_config
from framing.common.files import write_table
from framing.common.paths import CODEBOOK, CONFIG, PASSAGES, SOURCES
from framing.common.problems import InputError
from framing.corpus.facts import all_prose, exemplar_facts
from framing.corpus.tables import read_passages, read_sources
from tests.unit.test_model import (
    PATTERNS,
    SETTINGS,
    VOTES,
    closeness,
    facts_of,
    flip,
    hit_rows,
    population,
    word_rows,
)
from tests.workflow.conftest import command, contents, copy_project, edit

PLAN = {"ablations": {"words alone": {"cue_scale": 0}}, "learning": {"shares": [1.0], "repeats": 1}}
SCALED = SETTINGS | {"encoder": "somewhere", "encoder_scale": 2.0}


def with_the_extra(test):
    """Mark a test that needs a real encoder."""
    reason = "needs sentence-transformers: pip install -e '.[test,encoder]'"
    absent = find_spec("sentence_transformers") is None
    return pytest.mark.encoder(pytest.mark.skipif(absent, reason=reason)(test))


@pytest.fixture
def project(mini: Path, tmp_path: Path) -> Path:
    return copy_project(mini, tmp_path / "project")


# --- vectors as a method --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Make passages whose code shows in their vectors, but neither in words nor in cues."""
    passages, words, hits, labels = population(31, signal=False)
    known = list(passages["passage_id"])
    votes = pd.DataFrame([(cue, "c", vote) for cue, vote in VOTES.items()])
    votes.columns = ["cue", "code", "vote"]
    taught = pd.DataFrame({"passage_id": ["exemplar/c/1"], "code": "c", "label": 1})
    ids = [*passages["passage_id"], "exemplar/c/1"]
    noise = np.random.default_rng(5).normal(size=(len(ids), 4))
    noise[:, 0] += 1.5 * np.array([*labels["label"], 1])
    vectors = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return Tables(
        passages, labels.assign(code="c"), word_rows(known, words), hit_rows(known, hits), PATTERNS,
        taught, closeness(words), votes,
        # In another order: rows are found by id.
        pd.DataFrame(vectors, index=pd.Index(ids, name="passage_id")).iloc[::-1],
    )  # fmt: skip


def test_vectors_are_a_block_of_features_of_their_own():
    plain = facts_of([{"a": 1}, {"a": 2, "b": 1}], [{"yes/1": 1}, {}])
    vectors = np.array([[0.6, -0.8], [0.0, 1.0]])
    facts, rows = replace(plain, vectors=vectors), np.array([1, 0])
    made = transform(facts, learn_space(facts, rows, SCALED), rows).toarray()
    without = transform(plain, learn_space(plain, rows, SETTINGS), rows).toarray()
    assert (made[:, :-2] == without).all()
    assert (made[:, -2:] == 2.0 * vectors[rows]).all()


@pytest.mark.slow
def test_the_encoder_is_one_more_method_and_leaves_the_others_alone(tables):
    plain = replace(tables, embeddings=None)
    made, learning = evaluate_code("c", tables, SCALED, PLAN)
    before, learning_before = evaluate_code("c", plain, SETTINGS, PLAN)
    own = made["method"] == WITH_ENCODER
    assert made[~own].reset_index(drop=True).equals(before)
    assert learning.equals(learning_before)
    label = tables.labels.set_index("passage_id")["label"]
    precision = {
        name: average_precision_score(label[part["passage_id"]], part["probability"])
        for name, part in made.groupby("method")
    }
    gained = precision.pop(WITH_ENCODER)
    assert gained > max(precision.values()) + 0.2


@pytest.mark.slow
def test_the_encoder_sees_nothing_of_the_sources_it_predicts(tables):
    plain = replace(tables, embeddings=None)
    scores, *_ = train_code("c", plain, SETTINGS)
    inside = scores["fold"] == 1
    flipped = flip(tables.labels, inside)
    first, again = (
        made[made["method"] == WITH_ENCODER].reset_index(drop=True)
        for made, _ in (
            evaluate_code("c", tables, SCALED, PLAN),
            evaluate_code("c", replace(tables, labels=flipped), SCALED, PLAN),
        )
    )
    assert first[inside].equals(again[inside])
    assert not first[~inside].equals(again[~inside])


def test_scores_and_models_know_no_encoder(tables):
    settings = SETTINGS
    scores, model, fits = train_code("c", tables, settings)
    before, model_before, fits_before = train_code("c", replace(tables, embeddings=None), settings)
    assert scores.equals(before)
    assert model == model_before
    assert fits == fits_before


def test_embeddings_are_read_back_as_they_were_written(tmp_path):
    vectors = np.array([[0.123457, -0.5], [0.0, 1.0]])
    write_table(tmp_path / "e.tsv", embedding_table(["b", "exemplar/a/1"], vectors))
    again = read_embeddings(tmp_path / "e.tsv")
    assert list(again.index) == ["b", "exemplar/a/1"]
    assert (again.to_numpy() == vectors).all()


# --- what may be wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nowhere", "sentence-transformers/all-MiniLM-L6-v2"])
def test_a_name_without_a_folder_is_refused_and_no_hub_is_asked(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for ask in (model_files, lambda folder: embed(folder, ["a"])):
        with pytest.raises(InputError, match=rf"no folder '{name}'.* on a hub is never fetched"):
            ask(name)


def test_a_folder_without_a_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"holds no sentence-transformers model.*modules\.json"):
        model_files(str(tmp_path))


def test_the_package_is_asked_for_only_where_a_model_is_there(tmp_path, monkeypatch):
    (tmp_path / "modules.json").write_text("[]", encoding="utf-8")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"not installed.*pip install 'framing\[encoder\]'"):
        embed(str(tmp_path), ["a"])


def test_files_of_the_model_are_those_in_sight(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: True)
    for name in ("modules.json", "b/weights", ".git/config", "b/.cache"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    assert model_files(str(tmp_path)) == [tmp_path / "b" / "weights", tmp_path / "modules.json"]


def test_an_encoder_without_a_scale_is_refused(project):
    edit(project / CONFIG, "  calibration_bins: 5", "  encoder: x\n  calibration_bins: 5")
    with pytest.raises(InputError, match="'encoder_scale' is a dependency of 'encoder'"):
        load_config(project / CONFIG)


def prose_of(project, monkeypatch):
    monkeypatch.chdir(project)
    config, codebook = load_config(CONFIG), load_codebook(CODEBOOK)
    sources = read_sources(SOURCES, config["groups"])
    passages = read_passages(PASSAGES, sources)
    return all_prose(config, codebook, sources, passages), passages, codebook, sources


def test_the_prose_of_every_passage_and_exemplar_is_found(project, monkeypatch):
    prose, passages, codebook, _ = prose_of(project, monkeypatch)
    taught, _ = exemplar_facts(codebook)
    assert list(prose) == [*passages["passage_id"], *taught["passage_id"]]
    words = [len(prose[name].split()) for name in passages["passage_id"]]
    assert words == list(passages["words"])
    first = codebook.indicators[taught["code"][0]].carrying[0].text
    assert prose[taught["passage_id"][0]] == first


def test_absent_texts_are_counted(project, monkeypatch):
    _, _, _, sources = prose_of(project, monkeypatch)
    for name in sources["source_id"][1:3]:
        (project / "corpus" / "texts" / f"{name}.txt").unlink()
    first, second = sources["source_id"][1:3]
    said = rf"every text, but of {len(sources)} those of 2 sources \({first}, {second}\) are absent"
    with pytest.raises(InputError, match=said):
        prose_of(project, monkeypatch)


# --- with a real encoder, made here ---------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a random one-layer transformer that reads single letters."""
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = ["[PAD]", "[UNK]", *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    reader = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    reader.normalizer = normalizers.Lowercase()
    reader.pre_tokenizer = pre_tokenizers.Whitespace()
    shape = BertConfig(
        vocab_size=len(pieces), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=64,
    )  # fmt: skip
    raw, folder = (tmp_path_factory.mktemp("tiny") / name for name in ("raw", "model"))
    torch.manual_seed(1)
    BertModel(shape).save_pretrained(raw)
    PreTrainedTokenizerFast(
        tokenizer_object=reader, pad_token="[PAD]", unk_token="[UNK]", model_max_length=64
    ).save_pretrained(raw)
    SentenceTransformer(str(raw), device="cpu").save(str(folder))
    return folder


@with_the_extra
def test_a_vector_depends_on_its_text_alone(tiny, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("asked the network"))
    texts = ["The tram is too dear.", "A short one", "Who pays for all of this? " * 20]
    vectors = embed(str(tiny), texts)
    assert vectors.shape == (3, 16)
    assert np.allclose((vectors**2).sum(axis=1), 1, atol=1e-5)
    assert (vectors == np.round(vectors, 6)).all()
    assert (embed(str(tiny), texts[::-1])[::-1] == vectors).all()
    assert (embed(str(tiny), texts[1:2]) == vectors[1:2]).all()
    assert np.abs(vectors[0] - vectors[1]).max() > 0.01


@with_the_extra
@pytest.mark.parametrize("lost", ["model.safetensors", "config.json"])
def test_a_broken_model_is_named_and_no_hub_is_asked(lost, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("asked the network"))
    broken = tmp_path / "broken"
    shutil.copytree(tiny, broken)
    (broken / lost).unlink()
    with pytest.raises(InputError, match=r"the model in '.*broken' does not work: "):
        embed(str(broken), ["a"])


@with_the_extra
def test_a_model_that_gives_no_number_is_refused(tiny, monkeypatch):
    import sentence_transformers

    spoilt = np.array([[1.0, np.nan], [0.0, 1.0]])
    monkeypatch.setattr(
        sentence_transformers.SentenceTransformer, "encode", lambda *_, **__: spoilt
    )
    with pytest.raises(InputError, match="no finite vector for 1 of 2 texts"):
        embed(str(tiny), ["a", "b"])


@with_the_extra
def test_without_a_setting_no_neural_package_is_imported(project):
    code = (
        "import sys; from framing.workflow import plan; from framing.tables import io;"
        "from framing.classifier import encoder, training;"
        "plan.plan({}); print(sorted({'torch', 'transformers', 'sentence_transformers'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def run(root: Path, project: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    done = subprocess.run(
        command(root, project, *arguments), capture_output=True, text=True, check=False,
        env=os.environ | variables, errors="replace",
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@with_the_extra
@pytest.mark.slow
def test_the_workflow_with_an_encoder_adds_a_row_and_moves_nothing_else(root, project, tiny):
    """All tables rest on scores, models and the predictions that T3, T9 and T13 are made from."""
    results, build = project / "results", project / "build"
    tables = [f"results/tables/{name}.csv" for name in ("T3-classifier", "T9-robustness")]
    status, said = run(root, project, *tables)
    assert status == 0, said
    before, scores = contents(results), (build / "scores.tsv").read_bytes()
    setting = f"  encoder: {tiny}\n  encoder_scale: 1.0\n"
    edit(project / CONFIG, "  calibration_bins: 5", setting + "  calibration_bins: 5")

    status, said = run(root, project, *tables)
    assert status == 0, said
    assert "Embedding every passage" in said
    assert "Training and cross-fitting" not in said
    assert (build / "scores.tsv").read_bytes() == scores
    after = contents(results)
    assert set(after) == set(before) >= {*(table[8:] for table in tables), "models/cost.json"}
    assert [name for name in after if after[name] != before[name]] == ["tables/T3-classifier.csv"]
    rows = after["tables/T3-classifier.csv"].decode().splitlines()
    own = [row for row in rows if f'"{WITH_ENCODER}"' in row]
    assert own[0].startswith(f'cost,"{WITH_ENCODER}",read,all,62,')
    assert len(own) == 3 * 4  # codes, by all sources and each group
    rest = [row for row in rows if row not in own]
    assert rest == before["tables/T3-classifier.csv"].decode().splitlines()

    vectors = (build / "embeddings.tsv").read_bytes()
    (build / "embeddings.tsv").unlink()
    status, said = run(root, project, "build/embeddings.tsv", OMP_NUM_THREADS="2", LC_ALL="C")
    assert status == 0, said
    assert (build / "embeddings.tsv").read_bytes() == vectors

    (project / "corpus" / "texts").rename(project / "elsewhere")
    status, said = run(root, project, *tables)
    assert status != 0
    assert "an encoder needs every text, but of 16 those of 16 sources (" in said
    assert contents(results) == after


@pytest.mark.slow
def test_an_encoder_that_is_none_stops_the_run_before_its_first_job(root, project):
    setting = "  encoder: some/model\n  encoder_scale: 1.0\n"
    edit(project / CONFIG, "  calibration_bins: 5", setting + "  calibration_bins: 5")
    status, said = run(root, project)
    assert status != 0
    assert "classifier.encoder: there is no folder 'some/model'" in said
    assert not (project / "build").exists()
