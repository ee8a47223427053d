"""A language model behind a server that speaks the OpenAI-compatible chat completions protocol.

One POST a question. It is asynchronous inside, because only that lets a deadline hold over all of
an answer; to the run it yields replies as they come. What went wrong on the way (a busy server, a
broken connection, half an answer) is tried again; what the model said wrong is said to it, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from framing.acquire.fetch.fetch import retry_after
from framing.acquire.machine.answers import REFUSED, read_answer
from framing.acquire.machine.asking import Asking, Failure, Program, Reply, Task, Try
from framing.acquire.machine.budget import tokens
from framing.acquire.machine.completion import Completion, error_code, read_completion
from framing.acquire.machine.endpoint import Endpoint, endpoint_of
from framing.common.extras import library
from framing.common.files import sha256
from framing.common.paths import CONFIG
from framing.common.problems import InputError, Problem

HTTP, EXTRA = "httpx2", "machine"
_FILTERED = ("content_filter", "content_policy_violation", "responsibleaipolicyviolation")
_UNFIT = (400, 413, 422)
"""Statuses that may be about one passage: too long, or not to a filter's liking."""
_ECHOED = 2000  # characters of an answer that the model is shown again
_LATER = "Run the same again later: what was answered is not asked again."


class _UnansweredError(Exception):
    """Raised where a question got no answer; ``fatal`` where others would get none either."""

    def __init__(self, what: str, remedy: str = _LATER, *, fatal: bool = False) -> None:
        super().__init__(what)
        self.what, self.remedy, self.fatal = what, remedy, fatal


class _PassingError(Exception):
    """Raised where another attempt may help; ``wait`` is what the server asks for, in seconds."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.what, self.wait = what, wait


def program(asking: Asking) -> Program:
    """Return the model that options name; the server is looked up, and not asked yet.

    Raises :class:`InputError` where it may not be asked, where the key is none that a request can
    carry, and where the library that speaks HTTP is not installed.
    """
    if not asking.model or not asking.endpoint:
        raise InputError(
            Problem("--model", "is to be asked at an address, and one of the two is not given",
                    "Give --model NAME and --endpoint URL.")
        )  # fmt: skip
    variable = asking.settings["key_variable"]
    if asking.key and not (asking.key.isascii() and asking.key.isprintable()
                           and " " not in asking.key):  # fmt: skip
        raise InputError(
            Problem(variable, "holds what cannot be a key: spaces or special characters",
                    "Set the environment variable anew.")
        )  # fmt: skip
    endpoint = endpoint_of(asking.endpoint, local_only=asking.settings["local_only"])
    library(HTTP, EXTRA, "--endpoint", "asked")
    return Chat(asking, endpoint)


class Chat:
    """A model behind a server."""

    def __init__(self, asking: Asking, endpoint: Endpoint) -> None:
        self._asking, self._endpoint = asking, endpoint
        self._settings = asking.settings

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return the settings that answers hang on."""
        known, omitted = self._settings, self._settings["omit"]
        fields = {name: known[name] for name in ("temperature", "seed", "max_tokens")
                  if name not in omitted}  # fmt: skip
        return fields | {"answers": known["answers"], "request": known["request"]}

    def answers(self, tasks: Iterator[Task]) -> Iterator[Reply | Failure]:
        """Yield a reply or a failure to each task, several being asked about at a time."""
        at_once = self._settings["concurrency"]
        with asyncio.Runner() as runner:
            client = self._client()
            try:
                asked: set[asyncio.Task[Reply | Failure]] = set()
                more = True
                while more or asked:
                    while more and len(asked) < at_once:
                        task = next(tasks, None)
                        more = task is not None
                        if task is not None:
                            work = self._answer(client, task)
                            asked.add(runner.get_loop().create_task(work))
                    if asked:
                        done, asked = runner.run(_first(asked))
                        yield from (one.result() for one in done)
            finally:
                runner.run(client.aclose())

    def _client(self) -> Any:
        import httpx2

        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self._asking.key:
            headers["Authorization"] = f"Bearer {self._asking.key}"
        if self._endpoint.local:
            headers["Host"] = self._endpoint.authority
        # What the environment names as a proxy is another machine: a local server needs none.
        return httpx2.AsyncClient(
            headers=headers, timeout=self._settings["seconds"], follow_redirects=False,
            trust_env=not self._endpoint.local,
        )  # fmt: skip

    async def _answer(self, client: Any, task: Task) -> Reply | Failure:
        try:
            return await self._asked(client, task)
        except _UnansweredError as error:
            return Failure(task, error.what, error.remedy, error.fatal)

    async def _asked(self, client: Any, task: Task) -> Reply:
        """Ask, and once more where the answer cannot be used and was no refusal."""
        asking, passage = self._asking, task.passage
        begun = monotonic()
        messages = [
            {"role": "system", "content": asking.prompt.system},
            {"role": "user", "content": asking.prompt.message(passage)},
        ]
        found, tries = [], []
        while True:
            one = await self._patiently(client, task, messages)
            reading = read_answer(one.text, passage.name, asking.codes, one.finish, one.refusal)
            found.append(one if one.counted else self._estimated(one, messages))
            tries.append(Try(reading, self._plain(one.finish)))
            if reading.usable or reading.defect == REFUSED or len(tries) == 2:
                break
            messages += [
                {"role": "assistant", "content": _echo(one.text)},
                {"role": "user", "content": asking.prompt.again(passage, reading.defect)},
            ]
        return Reply(
            task, tuple(tries), self._plain(found[-1].model) or asking.model,
            sum(one.input_tokens for one in found), sum(one.output_tokens for one in found),
            all(one.counted for one in found), monotonic() - begun,
            self._plain(found[-1].fingerprint),
        )  # fmt: skip

    def _estimated(self, one: Completion, messages: list[dict[str, str]]) -> Completion:
        per = self._settings["bytes_per_token"]
        sent = sum(tokens(message["content"], per) for message in messages)
        return one.with_tokens(sent, tokens(one.text, per))

    async def _patiently(
        self, client: Any, task: Task, messages: list[dict[str, str]]
    ) -> Completion:
        """Return an answer of the server; ask again where what went wrong may pass."""
        settings, attempts = self._settings, self._settings["attempts"]
        body = self._body(task, messages)
        for attempt in range(1, attempts + 1):
            try:
                return await self._once(client, body)
            except _PassingError as error:
                if attempt == attempts:
                    raise _UnansweredError(f"{error.what}, {_times(attempts)}") from None
                if error.wait is not None and error.wait > settings["longest_wait"]:
                    raise _UnansweredError(
                        f"the server asks to be left alone for {error.wait:.0f} seconds",
                        "Run the same again after that, or raise machine_coders.longest_wait.",
                        fatal=True,
                    ) from None
                waited = error.wait
            if waited is None:
                waited = backed_off(task, attempt, settings)
            await asyncio.sleep(waited)
        raise AssertionError("machine_coders.attempts is at least 1")

    def _body(self, task: Task, messages: list[dict[str, str]]) -> dict[str, Any]:
        settings = self._settings
        fields = {
            "temperature": settings["temperature"],
            # Repeats that share a seed would show nothing but that the server keeps its word.
            "seed": settings["seed"] + task.repeat - 1,
            "max_tokens": settings["max_tokens"],
        }
        body: dict[str, Any] = {"model": self._asking.model, "messages": messages, "stream": False}
        body |= {name: value for name, value in fields.items() if name not in settings["omit"]}
        if settings["answers"] == "schema":
            schema = {"name": "coding", "strict": True, "schema": self._asking.prompt.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif settings["answers"] == "object":
            body["response_format"] = {"type": "json_object"}
        return body | settings["request"]

    async def _once(self, client: Any, body: Mapping[str, Any]) -> Completion:
        """Ask once. What is said of errors quotes nothing that a server wrote but a short code."""
        import httpx2

        name = {"sni_hostname": self._endpoint.host} if self._endpoint.local else {}
        seconds = self._settings["seconds"]
        try:
            async with asyncio.timeout(seconds):
                url = self._endpoint.url
                async with client.stream("POST", url, json=body, extensions=name) as response:
                    data = await self._read(response)
        except (TimeoutError, httpx2.TimeoutException):
            raise _PassingError(f"no whole answer came within {seconds:g} seconds") from None
        except httpx2.TransportError as error:
            raise _PassingError(f"the connection failed ({type(error).__name__})") from None
        return self._taken(response.status_code, response.headers.get("Retry-After", ""), data)

    async def _read(self, response: Any) -> bytes:
        most, data = self._settings["bytes"], bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > most:
                raise _UnansweredError(
                    f"the answer has more than {most:,} bytes", "Raise machine_coders.bytes."
                )
        return bytes(data)

    def _taken(self, status: int, waiting: str, data: bytes) -> Completion:
        """Return the completion of an answer; raise what another status than 200 means."""
        settings = self._settings
        if status == 200:
            found = read_completion(data)
            if found is None:
                raise _PassingError("what came was no whole answer of the chat protocol")
            return found
        code = self._plain(error_code(data))
        told = f"answer {status}{f', {code}' if code else ''}"
        if status in settings["retried"] and code != "insufficient_quota":
            raise _PassingError(f"the server cannot answer now ({told})",
                                retry_after(waiting, datetime.now(UTC)))  # fmt: skip
        if status in _UNFIT and code.lower() in _FILTERED:
            return Completion("", code, "refused by a filter", "", 0, 0, counted=False)
        if status in (401, 403):
            raise _UnansweredError(
                f"the server wants a key, or refuses the one it got ({told})",
                f"Set the environment variable {settings['key_variable']} to the key.", fatal=True,
            )  # fmt: skip
        if status == 404:
            raise _UnansweredError(
                f"the server knows no such address or model ({told})",
                "Correct --endpoint (mostly it ends in /v1) or --model.", fatal=True,
            )  # fmt: skip
        if 300 <= status < 400:
            raise _UnansweredError(f"the server sends on to another address ({told})",
                                   "Give that address.", fatal=True)  # fmt: skip
        raise _UnansweredError(
            f"the server refuses the request ({told})",
            "Look at what it can: machine_coders.answers, omit and request in "
            f"{CONFIG}; a passage may also be too long for the model.",
            fatal=status not in _UNFIT,
        )

    def _plain(self, text: str) -> str:
        """Return what a server wrote as a short line; the key, should it be in it, is not."""
        line = "".join(sign if sign.isprintable() else " " for sign in text)
        if self._asking.key:
            line = line.replace(self._asking.key, "(key)")
        return " ".join(line.split())[:120]


async def _first(asked: set[asyncio.Task[Any]]) -> tuple[Any, Any]:
    return await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)


def backed_off(task: Task, attempt: int, settings: Mapping[str, Any]) -> float:
    """Return the seconds to wait after an attempt: twice as many each time, half of them by lot.

    The lot is drawn from the passage, so that two runs wait alike.
    """
    longest = min(settings["first_wait"] * 2 ** (attempt - 1), settings["longest_wait"])
    drawn = sha256(f"{task.passage.name}/{task.repeat}/{attempt}")
    part: float = int(drawn[:8], 16) / 0xFFFFFFFF
    return float(longest * (1 + part) / 2)


def _echo(text: str) -> str:
    """Return an answer as it is sent back: no longer than needed, and without half characters."""
    return text[:_ECHOED].encode("utf-8", "replace").decode("utf-8") or "(no text)"


def _times(number: int) -> str:
    return "in one attempt" if number == 1 else f"in {number} attempts"
