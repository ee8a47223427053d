"""Several files change as one, whenever the command is killed, and one command at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from framing.common.problems import InputError
from framing.project import lock
from framing.project.lock import LIST, LOCK, PENDING, alone, commit, prepared, recover, settle

BEFORE = {"corpus/a.tsv": "old a\n", "corpus/gone.txt": "old gone\n"}
AFTER = {"corpus/a.tsv": "new a\n", "corpus/deep/b.txt": "new b – ü\n"}


def state(folder: Path) -> dict[str, str]:
    """What a project holds, but for locks."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LOCK.name
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return made(tmp_path)


def made(folder: Path) -> Path:
    """Make a project as it is before the change."""
    for name, text in BEFORE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def change(project: Path) -> None:
    commit({Path(name): text for name, text in AFTER.items()}, [Path("corpus/gone.txt")], project)


def test_a_change_is_made_whole_and_leaves_nothing_behind(project: Path) -> None:
    change(project)
    assert state(project) == AFTER
    assert not (project / PENDING).exists()


KILLED = """
import os, sys
from pathlib import Path
from framing.project import lock as transaction

deadly = calls = 0
transaction._MANY = {many}

def counted(original):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == deadly:
            os._exit(9)
        return original(*arguments, **options)
    return call

for name in ("replace", "unlink", "mkdir", "open"):
    setattr(Path, name, counted(getattr(Path, name)))

# A process for each step, forked from this one, which has read the package for all of them.
for folder in sys.argv[1:]:
    deadly += 1
    child = os.fork()
    if not child:
        transaction.commit({after}, [Path("corpus/gone.txt")], Path(folder))
        os._exit(0)
    end = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(end, flush=True)
    if end == 0:
        break
"""


@pytest.mark.slow
@pytest.mark.parametrize("many", [1, 1000])
def test_a_kill_at_any_step_leaves_all_or_nothing(tmp_path: Path, root: Path, many: int) -> None:
    """Killed before each call that touches the disk: the next command finds one of two states."""
    after = "{" + ", ".join(f"Path({name!r}): {text!r}" for name, text in AFTER.items()) + "}"
    projects = [made(tmp_path / str(step)) for step in range(1, 40)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED.replace("{after}", after).replace("{many}", str(many)),
         *map(str, projects)],
        env={**os.environ, "PYTHONPATH": str(root / "workflow")}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    ends, seen = done.stdout.split(), []
    for project in projects[: len(ends)]:
        recover(project)
        assert state(project) in (BEFORE, AFTER), project.name
        assert not (project / PENDING).exists()
        seen.append(state(project) == AFTER)
    assert ends[-1] == "0" and {*ends[:-1]} == {"9"}  # it came through in the end
    assert seen[0] is False and seen[-1] is True
    assert seen == sorted(seen)  # once decided, it stays decided
    assert len(seen) > 8


def test_a_full_disk_leaves_everything_as_it_was(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        change(project)
    assert state(project) == BEFORE


def test_many_files_on_a_full_disk_leave_everything_as_it_was(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lock, "_MANY", 1)
    monkeypatch.setattr(lock, "_all_on_disk", full)
    with pytest.raises(InputError, match="No space left on device"):
        change(project)
    assert state(project) == BEFORE


@pytest.mark.parametrize("together", [False, True])
def test_files_are_put_on_the_disk_together_or_one_by_one(
    project: Path, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    monkeypatch.setattr(lock, "_MANY", 1)
    if not together:  # as where a system has no such call
        monkeypatch.setattr(lock, "_all_on_disk", lambda _: False)
    change(project)
    assert state(project) == AFTER


def test_a_change_that_is_not_decided_is_none(project: Path) -> None:
    with prepared(project) as pending:
        pending.write(Path("corpus/a.tsv"), "new a\n")
        with pending.open(Path("corpus/deep/b.txt")) as file:
            file.write(b"new b")
        (pending.folder / "aside.scratch").write_text("put down meanwhile")
        assert (project / PENDING).is_dir()
    assert state(project) == BEFORE
    assert not (project / PENDING).exists()


@pytest.mark.parametrize("error", [InputError([]), KeyboardInterrupt(), ValueError()])
def test_a_change_that_fails_on_the_way_is_none(project: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), prepared(project) as pending:
        pending.write(Path("corpus/a.tsv"), "new a\n")
        raise error
    assert state(project) == BEFORE
    assert not (project / PENDING).exists()


def test_what_was_put_down_meanwhile_goes_when_the_change_is_made(project: Path) -> None:
    with prepared(project) as pending:
        (pending.folder / "aside.scratch").write_text("put down meanwhile")
        pending.write(Path("corpus/a.tsv"), "new a\n")
        with pending.open(Path("corpus/deep/b.txt")) as file:
            file.write("new b – ü\n".encode())
        pending.decide([Path("corpus/gone.txt")])
    assert state(project) == AFTER
    assert not (project / PENDING).exists()


def test_what_a_killed_command_left_is_settled_before_a_project_is_read(project: Path) -> None:
    (project / PENDING).mkdir()
    (project / PENDING / "0").write_text("half", encoding="utf-8")
    settle(project)
    assert state(project) == BEFORE
    (project / PENDING).mkdir()
    (project / PENDING / "0").write_text("new a\n", encoding="utf-8")
    (project / PENDING / LIST).write_text(
        '{"moves": {"0": "corpus/a.tsv"}, "removals": ["corpus/gone.txt"]}', encoding="utf-8"
    )
    settle(project)
    assert state(project) == {"corpus/a.tsv": "new a\n"}
    settle(project)  # nothing to do


def test_two_commands_at_once_do_not_mix(project: Path) -> None:
    with (
        alone(project),
        pytest.raises(InputError, match=r"another run is at work in this directory\. Wait"),
        alone(project),
    ):
        pass
    with alone(project):  # and afterwards it is free again
        pass


def test_nobody_throws_away_what_a_living_command_is_about_to_do(project: Path) -> None:
    with alone(project):
        (project / PENDING).mkdir()
        with pytest.raises(InputError, match="another run"):
            settle(project)
        assert (project / PENDING).is_dir()
