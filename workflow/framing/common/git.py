"""What git knows of a project: earlier states of its files."""

from __future__ import annotations

import subprocess


def git(*arguments: str) -> bytes | None:
    """Return what git prints in the working directory; None where it fails or is not installed."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
