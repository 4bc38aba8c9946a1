"""Draws arithmetic word problems for the small maths team from problems.json."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
DATA = json.loads((HERE / "problems.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Problem:
    """One task: its text, the expression that solves it, and the answer."""

    template_id: str
    text: str
    expression: str
    answer: int


def evaluate(steps: list[list[str]], numbers: dict[str, int]) -> list[int]:
    """The result of each step; a side is a number's letter or '#k', the k-th step's result."""
    results: list[int] = []
    for operator, *sides in steps:
        left, right = (results[int(side[1:]) - 1] if side.startswith("#") else numbers[side] for side in sides)
        results.append({"+": left + right, "-": left - right, "*": left * right}[operator])
    return results


def draw_problem(rng: random.Random) -> Problem:
    """One problem, as the comment in problems.json says."""
    template = rng.choice(DATA["templates"])
    words = {}
    for kind, choices in DATA["words"].items():
        if "{" + kind + "}" in template["text"]:
            words[kind] = rng.choice(choices)
    if "{name2}" in template["text"]:
        words["name2"] = rng.choice([name for name in DATA["words"]["name"] if name != words["name"]])
    while True:
        numbers = {letter: rng.randint(low, high) for letter, (low, high) in template["numbers"].items()}
        results = evaluate(template["steps"], numbers)
        if all(0 <= result <= DATA["largest"] for result in results):
            break
    fields = {**words, **{letter: str(value) for letter, value in numbers.items()}}
    return Problem(
        template_id=template["id"],
        text=template["text"].format(**fields),
        expression=template["expression"].format(**fields),
        answer=results[-1],
    )


if __name__ == "__main__":
    for line in range(20):
        problem = draw_problem(random.Random(line))
        print(problem.text, "|", problem.expression, "=", problem.answer)
