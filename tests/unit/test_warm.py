"""Processes that begin warm do what processes do, and know nothing of each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.warm import Warm

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are divided on Linux alone"),
]

SCRIPTS = {
    "prints and ends": "print('said'); import sys; print('more', file=sys.stderr)",
    "its status": "raise SystemExit(3)",
    "a reason": "raise SystemExit('a reason')",
    "an error": "def f():\n    return [][0]\n\nprint('before')\nf()",
    "an error of syntax": "x = = 1",
    "what it was given": "import os, sys\nprint(sys.argv, os.getcwd(), sys.path[0], __name__, "
    "__file__, os.environ['GIVEN'], sorted(os.environ), sys.stdin.read())",
    "at its end": "import atexit, threading, time\natexit.register(print, 'at exit')\n"
    "threading.Thread(target=lambda: (time.sleep(0.05), print('thread'))).start()",
    "a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
    "Ctrl-C": "import os, signal\nprint('on')\nos.kill(os.getpid(), signal.SIGINT)",
    "what it has loaded": "import sys\nprint(sys.modules['__main__'].__file__, 'pytest' in "
    "sys.modules)",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_ends_as_a_process_from_nothing(name: str, tmp_path: Path, warm: Warm) -> None:
    script = tmp_path / "folder" / "script.py"
    script.parent.mkdir()
    script.write_text(SCRIPTS[name], encoding="utf-8")
    command = [sys.executable, "folder/script.py", "one", "two words"]
    environment = os.environ | {"GIVEN": "a\nvalue"}
    cold = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    found = warm.run(command, tmp_path, environment)
    assert (found.returncode, found.stdout) == (cold.returncode, cold.stdout)
    assert found.stderr == cold.stderr


def test_modules_are_run_as_well(tmp_path: Path, warm: Warm) -> None:
    (tmp_path / "own.py").write_text("import sys\nprint(sys.argv, __name__, sys.path[0])\n")
    command = [sys.executable, "-m", "own", "--word"]
    cold = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert warm.run(command, tmp_path).stdout == cold.stdout


def test_none_leaves_anything_to_the_next(tmp_path: Path, warm: Warm) -> None:
    """Not even its random numbers, and where they run side by side."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys, random, tempfile, numpy, framing.common.config as config\n"
        "print(random.random(), numpy.random.random(), tempfile.gettempdir(), len(sys.path),\n"
        "      hasattr(config, 'left'), os.environ.get('LEFT'))\n"
        "config.left = os.environ['LEFT'] = 'x'\nsys.path.append('x')\nos.chdir('/')\n"
    )
    said: list[str] = []

    def runs(folder: Path) -> None:
        folder.mkdir()
        for _ in range(10):
            done = warm.run(
                [sys.executable, str(script)], tmp_path, os.environ | {"TMPDIR": str(folder)}
            )
            said.append(done.stdout + done.stderr)

    threads = [threading.Thread(target=runs, args=(tmp_path / name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers, others = zip(*((one.split()[:2], tuple(one.split()[2:])) for one in said), strict=True)
    assert len({number for pair in numbers for number in pair}) == 2 * len(said)
    (length,) = {other[1] for other in others}
    assert set(others) == {
        (str(tmp_path / name), length, "False", "None") for name in "ab"
    }  # fmt: skip


def test_it_can_be_told_to_end(tmp_path: Path, warm: Warm) -> None:
    (tmp_path / "script.py").write_text("import time\nprint('on', flush=True)\ntime.sleep(60)\n")
    reading, writing = os.pipe()
    with open(os.devnull, "rb") as none:  # noqa: PTH123
        process = warm.start(
            [sys.executable, "script.py"], (none.fileno(), writing, writing), tmp_path
        )
    assert process is not None
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as said:
        assert said.readline() == "on\n"
        process.terminate()
        assert process.wait(10) == -signal.SIGTERM
        assert said.read() == ""


@pytest.mark.parametrize(("name", "value"), [("PYTHONHASHSEED", "7"), ("LC_ALL", "C.UTF-8")])
def test_what_asks_for_another_python_gets_one(
    tmp_path: Path, warm: Warm, name: str, value: str
) -> None:
    if os.environ.get(name) == value:
        value += "1"
    (tmp_path / "script.py").write_text("import sys\nprint('snakemake' in sys.modules)\n")
    command = [sys.executable, "script.py"]
    assert warm.run(command, tmp_path).stdout == "True\n"
    assert warm.run(command, tmp_path, os.environ | {name: value}).stdout == "False\n"
    assert warm.start(command, (0, 1, 2), tmp_path, os.environ | {name: value}) is None
