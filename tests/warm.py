"""Python processes that begin with everything imported, for tests that start many of them.

A run of the workflow starts a Python for each of its jobs, and each spends more time on importing
numpy, pandas and scikit-learn than on its work. Here one process imports them, once, and then does
nothing but divide itself (``os.fork``): a child does what ``python -m MODULE ...`` or ``python
SCRIPT`` would do, with the directory, environment and streams that it was given, and ends with the
same exit status. Snakemake in such a child has its jobs' scripts run the same way, by the same
process: this has one thread, runs nothing of a project and so has nothing to pass on but modules.

It is no process from nothing, so what rests on that must not be tested by it: kills, locks, other
hash seeds or locales, the command line of Python itself. Where a process cannot be divided, and
where the environment asks for another Python than this one (:func:`_as_here`), ``None`` is
returned, and a process is started as usual.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NoReturn

ONE_THREAD = {
    f"{name}_NUM_THREADS": "1"
    for name in ("OMP", "OPENBLAS", "MKL", "GOTO", "NUMEXPR")
} | {"VECLIB_MAXIMUM_THREADS": "1"}  # fmt: skip
_AT_START = (
    "PYTHON", "LC_", "LANG", "TZ", "LD_", "MALLOC_", "MPL", "HOME", "XDG_", "OMP_", "OPENBLAS_",
    "MKL_",
)  # fmt: skip
"""Variables that a Python, or a library below it, reads once: beginnings of their names."""
_NO_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}  # of the memory of pyarrow
_ENVIRONMENT = dict(os.environ)  # as no test has changed it yet

LIBRARIES = (
    "numpy", "pandas.core.methods.to_dict", "pandas.core.reshape.reshape", "pyarrow.pandas_compat",
    "scipy.optimize", "scipy.sparse.linalg", "scipy.stats", "sklearn.linear_model",
    "sklearn.metrics", "sklearn.naive_bayes", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf", "matplotlib.backends.backend_svg", "matplotlib.figure",
    "matplotlib.style", "PIL.GifImagePlugin", "PIL.JpegImagePlugin", "formulaic", "httpx2",
    "jinja2", "jsonschema", "nltk.stem", "regex", "waitress", "werkzeug.wrappers", "xlsxwriter",
    "yaml", "nbformat", "platformdirs", "smart_open", "snakemake.api", "snakemake.cli",
    "snakemake.executors.local", "snakemake.profiles", "snakemake.report.html_reporter",
    "snakemake.scheduling.greedy", "snakemake.storage", "snakemake.workflow",
)  # fmt: skip
"""What is imported in advance, where it is there: what takes long, and what most runs ask for."""
_RUNPY = runpy.run_module.__code__.co_filename


# --- the process that is divided ------------------------------------------------------------------


def _serve(listener: socket.socket) -> None:
    """Divide this process for whoever connects, until its standard input is closed."""
    gc.disable()
    import framing

    own = pkgutil.walk_packages(framing.__path__, "framing.")
    for name in (*LIBRARIES, *(module.name for module in own)):
        if not name.endswith("__main__"):
            with suppress(ImportError):
                importlib.import_module(name)
    _divide_for_jobs(listener.getsockname())
    assert len(os.listdir("/proc/self/task")) == 1, "a library has started a thread"  # noqa: PTH208
    gc.enable()
    gc.freeze()  # what is shared stays shared: no collection writes to it
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            break
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _attend(connection)
        connection.close()
        while _reaped(os.WNOHANG):
            pass
    listener.close()
    # What a test has left behind ends here: this process leads the group.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    while _reaped(0):
        pass


def _reaped(how: int) -> int:
    try:
        return os.waitpid(-1, how)[0]
    except ChildProcessError:
        return 0


def _attend(connection: socket.socket) -> NoReturn:
    """Start what is asked for; say its number, and at its end its status."""
    status = 1
    try:
        _, user, _ = struct.unpack("3i", connection.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))  # fmt: skip
        if user != os.getuid():
            os._exit(1)
        data, streams, _, _ = socket.recv_fds(connection, 4, 3)
        asked = json.loads(_received(connection, struct.unpack("I", data)[0]))
        child = os.fork()
        if child == 0:
            connection.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            os.closerange(3, max(streams) + 1)
            _become(**asked)
        for stream in streams:
            os.close(stream)
        connection.sendall(struct.pack("i", child))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(struct.pack("i", status))
    except OSError:
        pass  # nobody waits for it any more
    finally:
        os._exit(0)


def _received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def _become(arguments: list[str], directory: str, environment: dict[str, str]) -> NoReturn:
    """Do what ``python ARGUMENTS`` does, to its end."""
    status = 1
    try:
        # Whoever runs the tests in the background has told them to ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(directory)
        tempfile.tempdir = None
        sys.modules["numpy"].random.seed()
        _run(arguments)
        status = 0
    except SystemExit as end:
        status = _status(end.code)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            status = -signal.SIGINT
        here = error.__traceback__
        while here is not None and here.tb_frame.f_code.co_filename in (__file__, _RUNPY):
            here = here.tb_next
        traceback.print_exception(type(error), error, here)
    finally:
        try:
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            status = status or 120
        if status == -signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(status)


def _run(arguments: list[str]) -> None:
    if arguments[0] == "-m":
        sys.path.insert(0, str(Path.cwd()))
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        script = Path.cwd() / arguments[0]
        sys.path.insert(0, str(script.resolve().parent))
        sys.argv = arguments
        main = sys.modules["__main__"] = ModuleType("__main__")
        main.__file__ = str(script)
        exec(compile(script.read_bytes(), str(script), "exec"), vars(main))


def _status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _divide_for_jobs(address: bytes) -> None:
    """Have Snakemake start its jobs' scripts by the process that listens at ``address``.

    Everything before and after stays Snakemake's: the script it writes, the environment that it
    gives to a job, what it makes of the exit status.
    """
    shell: Any = importlib.import_module("snakemake.shell")

    def start(command: str, *given: Any, env: dict[str, str], **more: Any) -> Any:
        words = shlex.split(command)
        prefix = ["set", "-euo", "pipefail;", sys.executable]
        plain = more.get("stdout") in (None, sys.stdout) and words[:-1] == prefix
        if plain and _as_here(env, os.environ):
            streams = (0, 1, 2)
            return _Child(address, words[-1:], Path.cwd(), env, streams)
        return subprocess.Popen(command, *given, env=env, **more)

    class Divided:
        """The module ``subprocess`` as Snakemake sees it."""

        Popen = staticmethod(start)

        def __getattr__(self, name: str) -> Any:
            return getattr(subprocess, name)

    shell.sp = Divided()


# --- whoever wants a process of it ----------------------------------------------------------------


class _Child:
    """A child that runs: what Snakemake and the tests need of a ``subprocess.Popen``."""

    stdout: IO[str] | None = None

    def __init__(
        self, address: bytes, arguments: Sequence[str], directory: Path,
        environment: Mapping[str, str], streams: Sequence[int],
    ) -> None:  # fmt: skip
        self.returncode: int | None = None
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(address)
        asked = {"arguments": [*arguments], "directory": str(directory),
                 "environment": dict(environment)}  # fmt: skip
        data = json.dumps(asked).encode("ascii")
        socket.send_fds(self._connection, [struct.pack("I", len(data))], [*streams])
        self._connection.sendall(data)
        self.pid = self._number()

    def _number(self) -> int:
        return int(struct.unpack("i", _received(self._connection, 4))[0])

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._connection.settimeout(timeout)
            self.returncode = self._number()
            self._connection.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Return what it still says, at its end."""
        text = ""
        if self.stdout is not None and not self.stdout.closed:
            with self.stdout as said:
                text = said.read()
        self.wait(timeout)
        return text, None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


Process = _Child | subprocess.Popen[str]


def _as_here(environment: Mapping[str, str], here: Mapping[str, str]) -> bool:
    """Whether a Python would start with ``environment`` as it has started with ``here``."""

    def read(variables: Mapping[str, str]) -> dict[str, str]:
        found = {name: value for name, value in variables.items() if name.startswith(_AT_START)}
        return ONE_THREAD | found

    return read(environment) == read(here)


class Warm:
    """Processes for one environment; the one that is divided starts when the first is asked for."""

    def __init__(self, environment: Mapping[str, str] = _ENVIRONMENT) -> None:
        self._environment = dict(environment)
        self._server: subprocess.Popen[bytes] | None = None
        self._address = b""

    def start(
        self, command: Sequence[str], streams: Sequence[int], directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> _Child | None:  # fmt: skip
        """Start a ``command`` of this Python; ``streams`` are its standard input, output, error.

        Return ``None`` where it must be started as usual.
        """
        given = os.environ if environment is None else environment
        python, *arguments = command
        if not (
            sys.platform == "linux"
            and python == sys.executable
            and _as_here(given, self._environment)
        ):
            return None
        if self._server is None:
            self._begin()
        return _Child(self._address, arguments, directory or Path.cwd(), given, streams)

    def run(
        self, command: Sequence[str], directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """Run a ``command`` to its end and return status and output, as text, by any way."""
        with (
            tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err,
            open(os.devnull, "rb") as none,  # noqa: PTH123
        ):  # fmt: skip
            streams = (none.fileno(), out.fileno(), err.fileno())
            running = self.start(command, streams, directory, environment)
            if running is None:
                return subprocess.run(
                    command, capture_output=True, text=True, cwd=directory, env=environment,
                    check=False, errors="replace",
                )  # fmt: skip
            status = running.wait()
            said = []
            for stream in (out, err):
                stream.seek(0)
                said.append(stream.read().decode("utf-8", "replace"))
        return subprocess.CompletedProcess([*command], status, *said)

    def talking(self, command: Sequence[str], directory: Path, *, cold: bool = False) -> Process:
        """Start a ``command``, of which ``stdout`` gives all that it says.

        By any way, or as people do where it is to be ``cold``.
        """
        reading, writing = os.pipe()
        none = os.open(os.devnull, os.O_RDONLY)
        try:
            streams = (none, writing, writing)
            running = None if cold else self.start(command, streams, directory)
        finally:
            os.close(writing)
            os.close(none)
        if running is None:
            os.close(reading)
            return subprocess.Popen(
                command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True,
                # Whoever runs the tests in the background has told them to ignore Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )  # fmt: skip
        running.stdout = os.fdopen(reading, encoding="utf-8")
        return running

    def _begin(self) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("")  # a name of the kernel's choice: no file, gone with the process
        listener.listen(64)
        self._address = listener.getsockname()
        self._server = subprocess.Popen(
            [sys.executable, __file__, str(listener.fileno())], stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()], env=self._environment | ONE_THREAD | _NO_THREAD,
            start_new_session=True,
        )  # fmt: skip
        listener.close()

    def close(self) -> None:
        """End the process that is divided, and what is left of its children."""
        if self._server is not None:
            assert self._server.stdin is not None
            self._server.stdin.close()
            self._server.wait()
            self._server = None


SHARED = Warm()
"""The one of a process that runs tests; ended by the fixture `warm`."""


if __name__ == "__main__":
    del sys.path[0]  # this file's folder
    _serve(socket.socket(fileno=int(sys.argv[1])))
