"""What a run of a program may cost: tokens estimated beforehand, counted afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, inf

MILLION = 1_000_000
_AROUND = 8  # tokens that a protocol puts around each message


def tokens(text: str, per: float) -> int:
    """Return how many tokens a text is estimated to be: its bytes as UTF-8, by ``per`` a token."""
    return ceil(len(text.encode("utf-8", "backslashreplace")) / per)


def asked_tokens(system: str, message: str, schema: str, per: float) -> int:
    """Return how many tokens a question is estimated to be; servers count the schema, too."""
    return tokens(system, per) + tokens(message, per) + tokens(schema, per) + 2 * _AROUND


def cost(sent: float, came: float, price: Mapping[str, float]) -> float:
    """Return what tokens cost; ``price`` has ``input`` and ``output``, for a million each."""
    return (sent * price["input"] + came * price["output"]) / MILLION


@dataclass
class Budget:
    """What may still be spent: a question is asked only if its dearest answer can be paid.

    ``most`` is the highest cost, infinite for none. The dearest answer takes the whole of
    ``max_tokens``, cannot be used, and is asked for once more.
    """

    price: Mapping[str, float]
    max_tokens: int
    most: float = inf
    spent: float = 0.0
    _reserved: dict[tuple[str, int], float] = field(default_factory=dict)

    def grant(self, task: tuple[str, int], sent: int) -> bool:
        """Set aside what a question of ``sent`` tokens may cost; False where too little is left."""
        dearest = cost(2 * sent + self.max_tokens, 2 * self.max_tokens, self.price)
        if self.spent + sum(self._reserved.values()) + dearest > self.most:
            return False
        self._reserved[task] = dearest
        return True

    def settle(self, task: tuple[str, int], sent: int, came: int) -> None:
        """Put what an answer did cost in the place of what was set aside for it."""
        self._reserved.pop(task, None)
        self.spent += cost(sent, came, self.price)
