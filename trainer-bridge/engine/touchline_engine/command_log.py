"""Remembers each agent's commands by seq, so that a repeated one is answered again but not applied again."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from touchline_engine.errors import EngineError

REMEMBERED = 128  # replies kept; an older repeat is refused, not applied

Reply = dict[str, Any]


class CommandLog:
    """The last applied seq of one agent and the replies to its latest commands."""

    def __init__(self, last_seq: int = 0, replies: dict[str, Any] | None = None) -> None:
        self.last_seq = last_seq
        self._replies: OrderedDict[int, tuple[str, Reply]] = OrderedDict(
            (int(seq), (digest, reply)) for seq, (digest, reply) in (replies or {}).items()
        )

    def run(self, seq: int, command: object, apply: Callable[[], Reply]) -> Reply:
        """Applies the command if its seq is the next one; answers from memory if it was applied before.

        An error inside `apply` leaves seq where it was, so the caller may send the command again.
        """
        digest = digest_of(command)
        if seq <= self.last_seq:
            return self._remembered(seq, digest)
        if seq != self.last_seq + 1:
            expected = self.last_seq + 1
            raise EngineError(
                409,
                f"seq {seq} leaves a gap: the next command of this agent is {expected}. Nothing was changed; "
                f"send the commands from {expected} on.",
                "seq_gap",
                expected=expected,
            )
        reply = apply()
        self.remember(seq, digest, reply)
        return reply

    def remember(self, seq: int, digest: str, reply: Reply) -> None:
        """Marks the command as applied."""
        self.last_seq = seq
        self._replies[seq] = (digest, reply)
        while len(self._replies) > REMEMBERED:
            self._replies.popitem(last=False)

    def _remembered(self, seq: int, digest: str) -> Reply:
        if seq not in self._replies:
            raise EngineError(
                410,
                f"seq {seq} was applied before, but its reply is no longer kept. Nothing was changed; "
                f"go on with {self.last_seq + 1}.",
                "reply_forgotten",
                expected=self.last_seq + 1,
            )
        known, reply = self._replies[seq]
        if known != digest:
            raise EngineError(
                409,
                f"seq {seq} was used before for another command. Nothing was changed; "
                f"the next command of this agent is {self.last_seq + 1}.",
                "seq_reused",
                expected=self.last_seq + 1,
            )
        return reply

    def to_json(self) -> dict[str, Any]:
        """The remembered replies, as they are saved in a checkpoint."""
        return {str(seq): [digest, reply] for seq, (digest, reply) in self._replies.items()}


def digest_of(command: object) -> str:
    """A short hash that tells two commands apart."""
    return hashlib.sha256(json.dumps(command, sort_keys=True).encode()).hexdigest()[:16]
