"""The shipped team, trained by the engine's own commands, gets better on held-out problems."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from conftest import Engine
from problems import draw_problem
from team import Team, held_out, success

POLICY = Path(__file__).parents[2] / "policy"


class Direct:
    """The engine in this process; the chats of one agent go out together."""

    def __init__(self, engine: Engine) -> None:
        self.post = engine.post

    def chat_all(self, model: str, chats: list[Any], seed: int, temperature: float, max_tokens: int) -> list[Any]:
        """All chats at once, each with a seed of its own."""
        fields = {"temperature": temperature, "max_tokens": max_tokens, "logprobs": True, "return_token_ids": True}

        def one(index: int) -> Any:
            body = {"model": model, "messages": chats[index], "seed": seed * 100_000 + index, **fields}
            return self.post("/v1/chat/completions", **body)

        with ThreadPoolExecutor(32) as pool:
            return list(pool.map(one, range(len(chats))))


def test_the_teams_success_rises(tmp_path: Path) -> None:
    team = Team(Direct(Engine(POLICY / "warm", tmp_path)), "full", lr=4e-4, minibatch=16)
    rng, exam = random.Random(1), held_out(48)
    before = success(team.rollouts(exam, 10_000))
    for iteration in range(3):
        team.train(team.rollouts([draw_problem(rng) for _ in range(32)], iteration), rng)
    after = success(team.rollouts(exam, 10_000))
    assert before < 0.45
    assert after > before + 0.15, (before, after)
