"""The option ``--jobs`` of commands that can work by several processes."""

from __future__ import annotations

import argparse

from framing.common.processes import MOST


def number_of_jobs(text: str) -> int:
    """Return a number of processes; raise what argparse takes for wrong usage on any other text."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {MOST}")
    return number
