"""The one thread that touches tensors: it runs training commands in order and samples between them.

One thread means no lock around the weights, one pool of CPU threads, and the same order of additions on every replay.
"""

import ctypes
import gc
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touchline_engine.errors import EngineError

if TYPE_CHECKING:
    from touchline_engine.policies import Policies
    from touchline_engine.sampler import Sampler

GAP_SECONDS = 0.004  # an idle engine's first request waits for others to share its batch while they come this close,
GATHER_SECONDS = 0.05  # but no longer than this
IDLE_SECONDS = 0.5  # after this without work, freed memory is given back to the system


class Compute:
    """Loads torch and the base in the background, then runs jobs."""

    def __init__(self, base_folder: Path, state_folder: Path, device: str, threads: int) -> None:
        self.status = "starting"
        self.message: str | None = None
        self.device = device
        self._base_folder = base_folder
        self._state_folder = state_folder
        self._threads = threads
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="compute", daemon=True)

    def start(self) -> None:
        """Begins loading."""
        self._thread.start()

    def submit(self, job: Callable[["Policies", "Sampler"], Any]) -> Future[Any]:
        """Queues a job for the compute thread; refused while loading or after a failed start."""
        if self.status != "ready":
            text = (
                "The engine is still loading; try again in a few seconds."
                if self.status == "starting"
                else (f"The engine could not start: {self.message}")
            )
            raise EngineError(503, text, self.status)
        future: Future[Any] = Future()
        self._jobs.put((future, lambda: job(self.policies, self.sampler)))
        return future

    def _run(self) -> None:
        try:
            self._load()
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self.status, self.message = "failed", f"{type(error).__name__}: {error}"
            return
        self.status = "ready"
        while True:
            if self.sampler.is_idle:
                self._do(*self._next_job())
                self._gather()
            while not self._jobs.empty():
                self._do(*self._jobs.get())
            self.sampler.step()

    def _next_job(self) -> "tuple[Future[Any], Callable[[], Any]]":
        try:
            return self._jobs.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return_free_memory()
            return self._jobs.get()

    def _gather(self) -> None:
        until = time.monotonic() + GATHER_SECONDS
        while not self.sampler.is_idle and time.monotonic() < until:
            try:
                self._do(*self._jobs.get(timeout=GAP_SECONDS))
            except queue.Empty:
                return

    def _load(self) -> None:
        gc.disable()  # thousands of modules are loaded and none of them is garbage: a sixth of the start is saved
        import torch

        from touchline_engine.policies import Policies
        from touchline_engine.sampler import Sampler

        torch.set_num_threads(self._threads)
        torch.use_deterministic_algorithms(True, warn_only=True)
        self.device = ("cuda" if torch.cuda.is_available() else "cpu") if self.device == "auto" else self.device
        self.policies = Policies(self._base_folder, self._state_folder, torch.device(self.device))
        self.sampler = Sampler(self.policies)
        gc.freeze()
        gc.enable()

    def _do(self, future: "Future[Any]", job: Callable[[], Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(job())
        except BaseException as error:  # handed to the caller: a failing request never ends the engine
            future.set_exception(error)


def return_free_memory() -> None:
    """Gives back what glibc keeps of freed activations; other C libraries do so by themselves."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
