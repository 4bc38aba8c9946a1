"""Keeps one lane for each set of weights in use and moves all of them one token at a time."""

import sys
import traceback
from collections import deque

import torch

from touchline_engine.errors import EngineError
from touchline_engine.lane import Lane
from touchline_engine.policies import Policies
from touchline_engine.sequence import Sequence

CPU_ROWS = 64  # sequences of one lane; more wait their turn, as wider lanes are no faster
GPU_ROWS = 256
FEW = 8  # fewer than this wait a few steps for others: letting rows into a busy lane copies its cache
PATIENCE = 4  # steps


class Sampler:
    """Sequences waiting and in their lanes. Used by the compute thread alone."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._lanes: dict[str, Lane] = {}
        self._waiting: dict[str, deque[Sequence]] = {}
        self._steps = 0
        self._max_rows = GPU_ROWS if policies.device.type == "cuda" else CPU_ROWS

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to decode."""
        return not self._waiting and not self._lanes

    def add(self, key: str, sequence: Sequence) -> None:
        """Lets a sequence wait for its lane."""
        self._waiting.setdefault(key, deque()).append(sequence)

    @torch.inference_mode()
    def step(self) -> None:
        """Admits who waits and moves every lane by one token. A lane that fails ends its own sequences only."""
        self._steps += 1
        for key in list(self._waiting.keys() | self._lanes.keys()):
            try:
                lane = self._admit(key)
                lane.step()
                if not lane.rows and key not in self._waiting:
                    self._close(key)
            except Exception as error:
                self._fail(key, error)

    def _admit(self, key: str) -> Lane:
        lane = self._lanes.get(key)
        if lane is None:
            with torch.inference_mode(False):
                lane = Lane(self._policies.hold(key), self._policies.device)
            self._lanes[key] = lane
        waiting = self._waiting.get(key)
        is_due = not lane.rows or self._steps % PATIENCE == 0
        if waiting and (is_due or len(waiting) >= FEW):
            entering: list[Sequence] = []
            while waiting and lane.live + len(entering) < self._max_rows:
                sequence = waiting.popleft()
                if not sequence.is_finished:
                    entering.append(sequence)
            if not waiting:
                del self._waiting[key]
            try:
                lane.admit(entering)
            except BaseException:
                self._waiting.setdefault(key, deque()).extend(entering)
                raise
        return lane

    def _close(self, key: str) -> None:
        del self._lanes[key]
        self._policies.drop(key)

    def _fail(self, key: str, error: Exception) -> None:
        traceback.print_exception(error, file=sys.stderr)
        failure = (
            error
            if isinstance(error, EngineError)
            else EngineError(
                500,
                f"Sampling from {key} failed ({type(error).__name__}); the engine goes on. See its log.",
                "sampling_failed",
            )
        )
        lane = self._lanes.get(key)
        for sequence in [*(lane.rows if lane else []), *self._waiting.pop(key, [])]:
            sequence.end("error", failure)
        if lane:
            self._close(key)
