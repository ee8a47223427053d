"""The programs that can code. A new one is a module that makes it, and its place in the list.

Its function is given an :class:`framing.acquire.machine.asking.Asking` and returns a
:class:`framing.acquire.machine.asking.Program`. Options of its own stand in
``framing.cli.code_machine``.
"""

from __future__ import annotations

from collections.abc import Callable

from framing.acquire.machine import chat, command
from framing.acquire.machine.asking import Asking, Program

CHAT, COMMAND = "chat", "command"

PROGRAMS: dict[str, Callable[[Asking], Program]] = {CHAT: chat.program, COMMAND: command.program}
"""By the name that ``--program`` gives."""
