"""What a job on another machine knows of the run that sent it there."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from dataclasses import replace

import pytest

from framing.common.problems import InputError
from framing.project.lock import alone, hold
from framing.project.parts import FOLDER, NOTE
from framing.workflow.plan import KEPT, keep, kept, plan


@pytest.fixture
def project(mini, tmp_path, monkeypatch):
    for part in ("config", "corpus"):
        shutil.copytree(mini / part, tmp_path / part)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_job_reads_the_plan_of_its_run_and_touches_nothing(project):
    found = plan({"undated": "none-given"})
    keep(found)
    shutil.rmtree("corpus/derived")  # nothing of the project is read again
    for path in FOLDER.rglob(f"*{NOTE}"):
        os.utime(path, ns=(1, 1))
    with alone():  # as the run that waits for the job
        told = kept()
    assert replace(told, parts=[]) == replace(found, parts=[])
    assert told.config["undated"] == "none-given"
    assert (told.words(), told.hits("sampled")) == (found.words(), found.hits("sampled"))
    assert told.goals == found.goals
    times = {path.stat().st_mtime_ns for path in FOLDER.rglob(f"*{NOTE}")}
    assert times == {1}


@pytest.mark.slow
def test_a_second_run_leaves_the_plan_of_the_one_at_work_alone(project):
    keep(plan({}))
    before = KEPT.read_bytes()
    with alone():
        keep(plan({"undated": "none-given"}))
    assert KEPT.read_bytes() == before
    keep(plan({"undated": "none-given"}))
    assert KEPT.read_bytes() != before
    with alone():
        pass  # nobody holds the lock on


@pytest.mark.parametrize("content", [None, "{"])
def test_a_plan_that_is_gone_or_cut_off_is_said(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        KEPT.parent.mkdir()
        KEPT.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"build/plan\.json"):
        kept()


def test_a_file_system_without_locks_is_no_hindrance_and_one_that_fails_is_said(
    tmp_path, monkeypatch
):
    def refuses(number):
        def flock(*_):
            raise OSError(number, os.strerror(number))

        return flock

    for number in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
        monkeypatch.setattr(fcntl, "flock", refuses(number))
        assert hold(tmp_path) is None
    monkeypatch.setattr(fcntl, "flock", refuses(errno.EIO))
    with pytest.raises(InputError, match="cannot be read or written"):
        hold(tmp_path)
