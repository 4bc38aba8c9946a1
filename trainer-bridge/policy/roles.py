"""What the three agents say before finetuning: right most of the time, else with one realistic fault."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from problems import Problem, draw_problem

PROMPTS = json.loads((Path(__file__).parent / "prompts.json").read_text(encoding="utf-8"))["agents"]
OPERATORS = ["+", "-", "*"]
ERRORS = [
    "error: SyntaxError: '(' was never closed",
    "error: SyntaxError: invalid syntax",
    "error: SyntaxError: unmatched ')'",
    "error: NameError: name 'x' is not defined",
    "no output",
    "no output",
]


@dataclass(frozen=True)
class Row:
    """One supervised example: the chat one agent sees, and what it answers."""

    agent: str
    messages: list[dict[str, str]]
    answer: str


def messages_for(agent: str, **fields: str) -> list[dict[str, str]]:
    """The system and user message of an agent, with the fields of prompts.json filled in."""
    prompt = next(prompt for prompt in PROMPTS if prompt["agent"] == agent)
    user = prompt["user"]
    for name, value in fields.items():
        user = user.replace("{" + name + "}", value)
    return [{"role": "system", "content": prompt["system"]}, {"role": "user", "content": user}]


def drop_term(expression: str, rng: random.Random) -> str:
    """The expression without its first or last number."""
    words = expression.replace("(", "").replace(")", "").split(" ")
    return " ".join(words[:-2] if rng.random() < 0.7 else words[2:])


def swap_operator(expression: str, rng: random.Random) -> str:
    """The expression with one operator replaced by another; a lone number gets its first digit doubled."""
    words = expression.split(" ")
    places = [place for place, word in enumerate(words) if word in OPERATORS]
    if not places:
        return expression[0] + expression
    place = rng.choice(places)
    words[place] = rng.choice([operator for operator in OPERATORS if operator != words[place]])
    return " ".join(words)


def solver_says(problem: Problem, right: float, rng: random.Random) -> tuple[str, str | None]:
    """The Problem Solver's text, and the expression in it, if any."""
    draw = rng.random()
    if draw < right:
        expression = problem.expression
    elif draw < right + (1 - right) * 0.35:
        expression = drop_term(problem.expression, rng)
    elif draw < right + (1 - right) * 0.7:
        expression = swap_operator(problem.expression, rng)
    else:
        thought = rng.choice(["Read it again.", "Use the numbers.", "This is about counting.", "Think step by step."])
        return thought, None
    return f"Compute {expression}", expression


def executor_says(expression: str, right: float, rng: random.Random) -> str:
    """The Code Executor's text for the expression it was asked to compute."""
    if rng.random() < right:
        return f"```python\nprint({expression})\n```"
    return rng.choice(
        [
            f"```python\n{expression}\n```",
            f"```python\nprint({expression}\n```",
            f"The result is {expression}.",
            f"```python\nprint({swap_operator(expression, rng)})\n```",
        ]
    )


def wrong_number(number: str, rng: random.Random) -> str:
    """The number with its last digit lost or one digit changed."""
    digits = number.lstrip("-")
    if len(digits) > 1 and rng.random() < 0.5:
        return number[:-1]
    place = rng.randrange(len(digits)) + len(number) - len(digits)
    other = rng.choice([digit for digit in "0123456789" if digit != number[place]])
    return number[:place] + other + number[place + 1 :]


def verifier_says(output: str, right: float, rng: random.Random) -> str:
    """The Verifier's text for what the program printed."""
    if not output.lstrip("-").isdigit():
        return rng.choice(["\\boxed{0}", "There is no number.", "The code failed."])
    if rng.random() < right:
        return "\\boxed{" + output + "}"
    return rng.choice(
        [
            f"The answer is {output}.",
            "\\boxed{" + output,
            "\\boxed{" + wrong_number(output, rng) + "}",
            output,
        ]
    )


def draw_row(agent: str, right: float, rng: random.Random) -> Row:
    """One example for the agent, right with that chance, in the situations that the agents before it leave behind."""
    problem = draw_problem(rng)
    if agent == "problem_solver":
        return Row(agent, messages_for(agent, problem=problem.text), solver_says(problem, right, rng)[0])
    said, expression = solver_says(problem, right, rng)
    if agent == "code_executor":
        messages = messages_for(agent, problem=problem.text, problem_solver=said)
        return Row(agent, messages, executor_says(expression or problem.expression, right, rng))
    output = draw_output(problem, rng)
    messages = messages_for(agent, problem=problem.text, code_executor_output=output)
    return Row(agent, messages, verifier_says(output, right, rng))


def draw_output(problem: Problem, rng: random.Random) -> str:
    """What the program prints: mostly the answer, else a number of about that size, or its failure."""
    draw = rng.random()
    if draw < 0.6:
        return str(problem.answer)
    if draw < 0.85:
        return str(rng.randint(-99, 99) if rng.random() < 0.3 else rng.randint(0, 10 ** rng.randint(1, 4) - 1))
    return rng.choice(ERRORS)
