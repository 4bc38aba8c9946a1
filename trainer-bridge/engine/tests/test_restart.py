"""A killed engine goes on from its newest whole checkpoint, and the replayed commands give the same bits."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Engine, data

COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("forward_backward", {"data": data(4, 1)}),
    ("optim_step", {"adam": {"lr": 0.01, "gradClipNorm": 1.0}}),
    ("publish", {}),
    ("save", {"name": "one"}),
    ("forward_backward", {"data": data(4, 2)}),
    ("forward_backward", {"data": data(3, 3)}),
    ("save", {"name": "half"}),
    ("optim_step", {"adam": {"lr": 0.01, "weightDecay": 0.01}}),
    ("publish", {}),
    ("forward_backward", {"data": data(5, 4)}),
    ("optim_step", {"adam": {"lr": 0.02}}),
    ("publish", {}),
]


def send(engine: Engine, first: int, last: int) -> list[Any]:
    """Sends the commands with seq first..last, as the bridge replays them."""
    return [
        engine.post(f"/train/{COMMANDS[seq - 1][0]}", agent="solver", seq=seq, **COMMANDS[seq - 1][1])
        for seq in range(first, last + 1)
    ]


@pytest.mark.parametrize("kind", ["full", "lora"])
def test_a_restart_at_any_point_ends_at_the_same_bits(base_folder: Path, tmp_path: Path, kind: str) -> None:
    def start(name: str) -> Engine:
        engine = Engine(base_folder, tmp_path / name)
        engine.post("/train/create", agent="solver", kind=kind, rank=4, alpha=8, seed=2)
        return engine

    def without_paths(replies: list[Any]) -> list[Any]:
        return [{key: value for key, value in reply.items() if key != "path"} for reply in replies]

    straight = start("straight")
    expected = without_paths(send(straight, 1, len(COMMANDS)))
    known = straight.policies.agents["solver"].weights.parameters()
    for died_after in (1, 6, 8, 9):
        send(start(f"died{died_after}"), 1, died_after)
        again = start(f"died{died_after}")
        last = again.client.get("/train/state").json()["agents"][0]["lastSeq"]
        assert last == max(seq for seq in (0, 4, 7) if seq <= died_after)
        replies = send(again, 1, len(COMMANDS))
        assert without_paths(replies) == expected, died_after
        now = again.policies.agents["solver"].weights.parameters()
        assert all(known[name].equal(now[name]) for name in known), died_after
        assert [path.name for path in sorted((tmp_path / f"died{died_after}").rglob("v*"))] == [
            "versions",
            "v1",
            "v2",
            "v3",
        ]


@pytest.mark.parametrize("fault", ["no manifest", "cut weights", "changed optimiser", "only a draft"])
def test_a_damaged_checkpoint_is_never_loaded(base_folder: Path, tmp_path: Path, fault: str) -> None:
    engine = Engine(base_folder, tmp_path)
    engine.post("/train/create", agent="solver", kind="full")
    send(engine, 1, 7)
    newest = tmp_path / "agents/solver/checkpoints/half@7"
    weights, optimizer = newest / "weights.safetensors", newest / "optimizer.safetensors"
    if fault == "no manifest":
        (newest / "state.json").unlink()
    elif fault == "cut weights":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif fault == "changed optimiser":
        optimizer.write_bytes(optimizer.read_bytes()[:-4] + b"\x01\x02\x03\x04")
    else:
        newest.rename(newest.parent / ".draft-1")
    again = Engine(base_folder, tmp_path)
    assert again.client.get("/train/state").json()["agents"][0]["lastSeq"] == 4
    assert not list(newest.parent.glob(".draft-*"))
    send(again, 5, len(COMMANDS))


def test_published_versions_stay_sampleable_after_a_restart(base_folder: Path, tmp_path: Path) -> None:
    rows = [{"promptTokenIds": [2, 9, 4], "tokenIds": [30, 31, 5]}]
    engine = Engine(base_folder, tmp_path)
    engine.post("/train/create", agent="solver", kind="full")
    send(engine, 1, 12)
    known = [engine.post("/train/forward", model=f"solver@v{version}", data=rows) for version in range(4)]
    again = Engine(base_folder, tmp_path)
    assert [again.post("/train/forward", model=f"solver@v{version}", data=rows) for version in range(4)] == known
    assert again.post("/v1/completions", model="solver", prompt=[2, 9, 4], max_tokens=2)["model"] == "solver@v3"


def test_a_history_that_differs_after_going_back_gets_new_version_names(base_folder: Path, tmp_path: Path) -> None:
    engine = Engine(base_folder, tmp_path)
    engine.post("/train/create", agent="solver", kind="full")
    send(engine, 1, 9)
    engine.post("/train/load", agent="solver", name="one")
    engine.post("/train/forward_backward", agent="solver", seq=5, data=data(2, 77))
    engine.post("/train/optim_step", agent="solver", seq=6)
    assert engine.post("/train/publish", agent="solver", seq=7)["model"] == "solver@v3"
    assert Engine(base_folder, tmp_path).client.get("/train/state").json()["agents"][0]["lastSeq"] == 4


class Process:
    """The engine as its own process, as the bridge starts it."""

    def __init__(self, base: Path, state: Path) -> None:
        arguments = ["-m", "touchline_engine", "--base", str(base), "--state-dir", str(state), "--threads", "1"]
        self.process = subprocess.Popen(
            [sys.executable, *arguments, "--exit-with-parent"],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert self.process.stdout is not None
        self.hello = json.loads(self.process.stdout.readline())
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.hello['port']}", timeout=60)

    def wait_until_ready(self) -> None:
        """Polls health."""
        while self.client.get("/healthz").json()["status"] == "starting":
            time.sleep(0.05)

    def post(self, path: str, **body: Any) -> Any:
        """The reply of a request that must succeed."""
        reply = self.client.post(path, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()


def test_kill_9_loses_nothing_that_was_acknowledged(base_folder: Path, tmp_path: Path) -> None:
    first = Process(base_folder, tmp_path)
    try:
        assert first.hello["event"] == "listening"
        assert first.client.get("/healthz").json()["status"] in ("starting", "ready")
        first.wait_until_ready()
        first.post("/train/create", agent="solver", kind="full")
        replies = [first.post(f"/train/{n}", agent="solver", seq=s, **b) for s, (n, b) in enumerate(COMMANDS[:10], 1)]
        # Killed while it is writing a checkpoint: the answer never comes.
        first.client.timeout = httpx.Timeout(0.004)
        with pytest.raises(httpx.HTTPError):
            for seq in range(11, 100):
                first.post("/train/save", agent="solver", seq=seq, name="late")
    finally:
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    second = Process(base_folder, tmp_path)
    try:
        second.wait_until_ready()
        last = second.client.get("/train/state").json()["agents"][0]["lastSeq"]
        assert last >= 7
        again = [second.post(f"/train/{n}", agent="solver", seq=s, **b) for s, (n, b) in enumerate(COMMANDS[:10], 1)]
        assert again == replies
        assert second.process.stdin is not None and second.process.stdout is not None
        second.process.stdin.close()
        assert second.process.wait(10) == 0, "it exits when its parent's pipe closes"
        assert second.process.stdout.read() == b"", "nothing but the first line is written to stdout"
    finally:
        second.process.kill()
        second.process.wait()


def test_sigterm_ends_it(base_folder: Path, tmp_path: Path) -> None:
    engine = Process(base_folder, tmp_path)
    engine.process.terminate()
    assert engine.process.wait(10) in (0, -signal.SIGTERM)
