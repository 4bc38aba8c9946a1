"""One sequence being sampled: its prompt, its settings, and what came so far."""

from collections.abc import Callable

import numpy as np

from touchline_engine.errors import EngineError

CHUNK = 64  # random numbers drawn at a time


class Sequence:
    """A row of a lane. `on_token` and `on_end` are called from the compute thread."""

    def __init__(
        self,
        prompt: list[int],
        max_tokens: int,
        stop_token_ids: frozenset[int],
        seed: list[int] | None = None,
        temperature: float = 1.0,
        top_p: float = 1.0,
        top_logprobs: int = 0,
        has_stopped: Callable[[list[int]], bool] | None = None,
    ) -> None:
        self.prompt = prompt
        self.temperature = temperature
        self.top_p = top_p
        self.top_logprobs = top_logprobs
        self.tokens: list[int] = []
        self.logprobs: list[float] = []
        self.top: list[list[tuple[int, float]]] = []
        self.finish_reason: str | None = None
        self.failure: EngineError | None = None
        self.on_token: Callable[[], None] | None = None
        self.on_end: Callable[[], None] | None = None
        self._max_tokens = max_tokens
        self._stop_token_ids = stop_token_ids
        self._has_stopped = has_stopped
        self._rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
        self._uniforms = self._rng.random(CHUNK)

    @property
    def is_finished(self) -> bool:
        """Whether it has left, or is about to leave, its lane."""
        return self.finish_reason is not None

    def next_uniform(self) -> float:
        """The random number of the next token, in [0, 1)."""
        place = len(self.tokens) % CHUNK
        if place == 0 and self.tokens:
            self._uniforms = self._rng.random(CHUNK)
        return float(self._uniforms[place])

    def take(self, token: int, logprob: float, top: list[tuple[int, float]]) -> None:
        """Adds a drawn token and notices the end."""
        if self.is_finished:
            return
        self.tokens.append(token)
        self.logprobs.append(logprob)
        self.top.append(top)
        if token in self._stop_token_ids or (self._has_stopped is not None and self._has_stopped(self.tokens)):
            self.end("stop")
        elif len(self.tokens) >= self._max_tokens:
            self.end("length")
        elif self.on_token is not None:
            self.on_token()

    def end(self, reason: str, failure: EngineError | None = None) -> None:
        """Ends the sequence once; a second call changes nothing."""
        if not self.is_finished:
            self.finish_reason = reason
            self.failure = failure
            if self.on_end is not None:
                self.on_end()
