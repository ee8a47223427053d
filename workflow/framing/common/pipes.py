"""Standard output whose reader has gone, as in ``framing … | head``."""

from __future__ import annotations

import os
import sys

PIPE_CLOSED = 141  # what shells report for this signal


def reader_left() -> int:
    """Say nothing more on standard output, and return the exit status for that.

    To be called on :class:`BrokenPipeError`: else Python would complain when it closes the stream.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED
