"""The small maths team in a few lines, to see it learn: rollouts, a rule coach, REINFORCE++, all by the engine's wire.

The bridge does the same properly; this one is for the engine's own test and for trying hyper-parameters:

    python tests/team.py --iterations 12 --rollouts 64

`fake_python` stands in for the sandbox: it evaluates arithmetic inside print() and reports errors as Python words them.
"""

import ast
import operator
import random
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "policy"))

from problems import Problem, draw_problem
from roles import messages_for

AGENTS = ["problem_solver", "code_executor", "verifier"]
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
BETA, STD_FLOOR, MAX_TOKENS = 0.01, 0.05, 48


@dataclass
class Action:
    """What one agent wrote, with its tokens and its reward in 0..1."""

    agent: str
    text: str
    prompt: list[int]
    tokens: list[int]
    logprobs: list[float]
    finish_reason: str
    reward: float = 0.0


@dataclass
class Trajectory:
    """One rollout on one problem."""

    problem: Problem
    actions: list[Action] = field(default_factory=list)
    output: str = "no output"

    @property
    def has_succeeded(self) -> bool:
        """Whether the boxed number is the answer."""
        return self.actions[-1].text == f"\\boxed{{{self.problem.answer}}}"


def arithmetic(node: ast.expr) -> int:
    """The value of an expression of whole numbers with + - *."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -arithmetic(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](arithmetic(node.left), arithmetic(node.right))
    raise ValueError("not arithmetic")


def fake_python(text: str) -> str:
    """What the fenced program in the text prints."""
    fenced = re.search(r"```python\n(.*?)\n```", text, re.DOTALL)
    if fenced is None:
        return "no output"
    try:
        printed = []
        for statement in ast.parse(fenced[1]).body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                printed += [str(arithmetic(argument)) for argument in statement.value.args]
        return "\n".join(printed) or "no output"
    except SyntaxError as error:
        return f"error: SyntaxError: {error.msg}"
    except ValueError:
        return "error: NameError: name 'x' is not defined"


class Team:
    """Three agents on one engine. `engine.post(path, **body)` is all it needs."""

    def __init__(self, engine: Any, kind: str, lr: float, minibatch: int) -> None:
        self.engine, self.lr, self.minibatch = engine, lr, minibatch
        self.seq = dict.fromkeys(AGENTS, 0)
        for agent in AGENTS:
            engine.post("/train/create", agent=agent, kind=kind, rank=16, alpha=32)

    def rollouts(self, problems: list[Problem], seed: int, temperature: float = 1.0) -> list[Trajectory]:
        """One trajectory a problem, the agents one after another."""
        trajectories = [Trajectory(problem) for problem in problems]
        for agent in AGENTS:
            chats = []
            for trajectory in trajectories:
                fields = {"problem": trajectory.problem.text, "code_executor_output": trajectory.output}
                fields.update({action.agent: action.text for action in trajectory.actions})
                chats.append(messages_for(agent, **fields))
            replies = self.engine.chat_all(agent, chats, seed, temperature, MAX_TOKENS)
            for trajectory, reply in zip(trajectories, replies, strict=True):
                choice = reply["choices"][0]
                trajectory.actions.append(
                    Action(
                        agent,
                        choice["message"]["content"],
                        reply["prompt_token_ids"],
                        choice["token_ids"],
                        [row["logprob"] for row in choice["logprobs"]["content"]],
                        choice["finish_reason"],
                    )
                )
                if agent == "code_executor":
                    trajectory.output = fake_python(choice["message"]["content"])
        for trajectory in trajectories:
            coach(trajectory)
        return trajectories

    def train(self, trajectories: list[Trajectory], rng: random.Random) -> None:
        """One epoch of clipped REINFORCE++ for each agent, then a new version."""
        for agent in AGENTS:
            actions = [action for row in trajectories for action in row.actions if action.agent == agent]
            actions = [action for action in actions if action.finish_reason == "stop"]
            rows = [{"promptTokenIds": action.prompt, "tokenIds": action.tokens} for action in actions]
            reference = self.engine.post("/train/forward", model="base", data=rows)["logprobs"]
            advantages = normalised(actions, reference)
            order = rng.sample(range(len(actions)), len(actions))
            for start in range(0, len(order), self.minibatch):
                batch = order[start : start + self.minibatch]
                count = sum(len(actions[place].tokens) for place in batch)
                data = [
                    {**rows[i], "logprobs": actions[i].logprobs, "advantages": (advantages[i] / count).tolist()}
                    for i in batch
                ]
                self._send("forward_backward", agent, data=data, loss="ppo")
                self._send("optim_step", agent, adam={"lr": self.lr, "gradClipNorm": 1.0})
            self._send("publish", agent)

    def _send(self, command: str, agent: str, **body: Any) -> Any:
        self.seq[agent] += 1
        return self.engine.post(f"/train/{command}", agent=agent, seq=self.seq[agent], **body)


def coach(trajectory: Trajectory) -> None:
    """A process reward for each action: did this agent do its own job, whatever the others did?"""
    solver, executor, verifier = trajectory.actions
    answer, output = str(trajectory.problem.answer), trajectory.output
    asked = solver.text.removeprefix("Compute ")
    try:
        solver_value = str(arithmetic(ast.parse(asked, mode="eval").body)) if asked != solver.text else None
    except (SyntaxError, ValueError):
        solver_value = None
    solver.reward = 1.0 if solver_value == answer else 0.3 if solver_value else 0.0
    is_number = output.lstrip("-").isdigit()
    executor.reward = 1.0 if output == (solver_value or answer) else 0.4 if is_number else 0.1
    boxed = re.fullmatch(r"\\boxed\{(-?\d+)\}", verifier.text)
    verifier.reward = (1.0 if boxed and boxed[1] == output else 0.2 if boxed else 0.0) if is_number else 0.5


def normalised(actions: list[Action], reference: list[list[float]]) -> list[torch.Tensor]:
    """A = (G - mean) / max(std, floor), the moments over all tokens; G = R - beta * KL from here on."""
    returns = []
    for action, base in zip(actions, reference, strict=True):
        kl = torch.tensor(action.logprobs) - torch.tensor(base)
        returns.append(action.reward - BETA * kl.flip(0).cumsum(0).flip(0))
    tokens = torch.cat(returns)
    return [(row - tokens.mean()) / tokens.std(correction=0).clamp(min=STD_FLOOR) for row in returns]


def success(trajectories: list[Trajectory]) -> float:
    """Share of trajectories that succeeded."""
    return sum(row.has_succeeded for row in trajectories) / len(trajectories)


def held_out(count: int) -> list[Problem]:
    """Problems that no training iteration draws its own from: another stream of the generator."""
    rng = random.Random("held out")
    return [draw_problem(rng) for _ in range(count)]


class EngineOverHttp:
    """A started engine at a base URL."""

    def __init__(self, url: str) -> None:
        import httpx

        self._client = httpx.Client(base_url=url, timeout=300, limits=httpx.Limits(max_connections=256))

    def post(self, path: str, **body: Any) -> Any:
        """The reply of a request that must succeed."""
        reply = self._client.post(path, json=body)
        reply.raise_for_status()
        return reply.json()

    def chat_all(self, model: str, chats: list[Any], seed: int, temperature: float, max_tokens: int) -> list[Any]:
        """All chats at once, each with a seed of its own."""
        from concurrent.futures import ThreadPoolExecutor

        def one(index: int) -> Any:
            return self.post(
                "/v1/chat/completions",
                model=model,
                messages=chats[index],
                seed=seed * 100_000 + index,
                temperature=temperature,
                max_tokens=max_tokens,
                logprobs=True,
                return_token_ids=True,
            )

        with ThreadPoolExecutor(64) as pool:
            return list(pool.map(one, range(len(chats))))


def main() -> None:
    """Prints the curve."""
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--kind", default="full")
    parser.add_argument("--iterations", type=int, default=16)
    parser.add_argument("--rollouts", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--minibatch", type=int, default=16)
    options = parser.parse_args()
    team = Team(EngineOverHttp(options.url), options.kind, options.lr, options.minibatch)
    rng, exam = random.Random(1), held_out(128)
    for iteration in range(options.iterations + 1):
        score = success(team.rollouts(exam, 10_000))
        begun = time.monotonic()
        trajectories = team.rollouts([draw_problem(rng) for _ in range(options.rollouts)], iteration)
        sampled = time.monotonic()
        team.train(trajectories, rng)
        rewards = {a: sum(t.actions[i].reward for t in trajectories) / len(trajectories) for i, a in enumerate(AGENTS)}
        print(
            f"{iteration:3d}  held out {score:.2f}  rollouts {success(trajectories):.2f}  "
            + "  ".join(f"{agent} {reward:.2f}" for agent, reward in rewards.items())
            + f"  sample {sampled - begun:.1f} s  train {time.monotonic() - sampled:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
