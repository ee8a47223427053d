"""A SLURM of one machine, for tests: no systemd, no control groups, no accounts. Needs root.

Everything lies in one folder but ``/etc/slurm/slurm.conf``: the plugin takes ``SLURM_CONF`` out of
the environment of what it starts within a job, so that no other place will do.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

CONF = Path("/etc/slurm/slurm.conf")
_MARK = "# Of a test run, in the folder "
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")
PATIENCE = 30.0
"""Seconds until all daemons must be up, and until one must have ended."""


def missing() -> str:
    """Return why there can be no SLURM here, or nothing."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "its daemons are started by root alone"
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        return f"lacks {lacking[0]} (Debian's packages slurm-wlm and munge)"
    if CONF.exists() and _left_behind() is None:
        return f"{CONF} is there: this machine has a SLURM of its own"
    return ""


@contextlib.contextmanager
def slurm(base: Path) -> Iterator[None]:
    """Run a SLURM while the block is at work; ``base`` must be a new folder that all may enter.

    Raises :class:`RuntimeError` with what daemons said where it does not come up. A test run that
    is ended by SIGTERM takes it down, too; one that was killed leaves that to the next one.
    """
    if (left := _left_behind()) is not None:
        _stop(left)
        shutil.rmtree(left, ignore_errors=True)
    for name in ("state", "spool", "log", "munge"):
        (base / name).mkdir(parents=True)
    for folder in (base, base / "munge"):
        folder.chmod(0o755)  # munged takes no other
    CONF.parent.mkdir(exist_ok=True)
    CONF.write_text(_conf(base), encoding="utf-8")
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        _start(base)
        yield
    finally:
        _stop(base)
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt  # by which tests end in good order


def _left_behind() -> Path | None:
    """Return the folder of a SLURM that a killed test run left, if the configuration is of one."""
    if not CONF.exists():
        return None
    first = CONF.read_text(encoding="utf-8").partition("\n")[0]
    return Path(first.removeprefix(_MARK)) if first.startswith(_MARK) else None


def _conf(base: Path) -> str:
    host = socket.gethostname().partition(".")[0]
    cores = len(os.sched_getaffinity(0))
    with Path("/proc/meminfo").open(encoding="ascii") as file:
        megabytes = int(file.readline().split()[1]) // 1024
    controller, node = _free_ports(2)
    # A job a core: memory is promised generously, as nothing holds jobs to it here.
    return f"""\
{_MARK}{base}
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={base}/munge/munge.socket
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0
ReturnToService=2
MinJobAge=600
KillWait=2
MailProg=/bin/true
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool
SlurmctldPidFile={base}/slurmctld.pid
SlurmdPidFile={base}/slurmd.pid
SlurmctldLogFile={base}/log/slurmctld.log
SlurmdLogFile={base}/log/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={megabytes} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]


def _start(base: Path) -> None:
    munge = base / "munge"
    key = munge / "munge.key"
    key.touch(mode=0o400)
    key.write_bytes(secrets.token_bytes(1024))
    _run(
        "munged", "--force", f"--key-file={key}", f"--socket={munge}/munge.socket",
        f"--pid-file={base}/munged.pid", f"--log-file={base}/log/munged.log",
        f"--seed-file={munge}/munge.seed",
    )  # fmt: skip
    _run("slurmctld")
    _run("slurmd")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if "1" in _run("sinfo", "-h", "-t", "idle", "-o", "%D", check=False).split():
            return
        time.sleep(0.2)
    said = [path.read_text("utf-8", "replace")[-2000:] for path in (base / "log").glob("*.log")]
    raise RuntimeError("SLURM did not come up:\n" + "\n".join(said))


def _run(*command: str, check: bool = True) -> str:
    # Daemons keep what they inherit open: a pipe to them would never end.
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, text=True, check=False, timeout=PATIENCE,
        stdout=subprocess.PIPE if command[0] == "sinfo" else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if check and done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}")
    return done.stdout or ""


def _stop(base: Path) -> None:
    """End all jobs and daemons, whatever state they are in, and remove the configuration."""
    try:
        if (base / "slurmctld.pid").exists():
            with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
                _run("scancel", "--user=root", "--signal=KILL", check=False)
                _run("scancel", "--user=root", check=False)
        for name in ("slurmd.pid", "slurmctld.pid", "munged.pid"):
            _end(base / name)
    finally:
        CONF.unlink(missing_ok=True)


def _end(noted: Path) -> None:
    """End the daemon whose id a file has, by force where it does not end by itself."""
    try:
        pid = int(noted.read_text("ascii"))
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            # One that has ended and that nobody has waited for still has an id.
            if ") Z" in Path(f"/proc/{pid}/stat").read_text("ascii"):
                return
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return  # there is none, or it has ended
