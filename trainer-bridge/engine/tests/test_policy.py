"""The small policy's files: problems whose answers are right, a lossless tokenizer, warm weights that load."""

import random
from pathlib import Path

import pytest
from conftest import Engine
from problems import DATA, Problem, draw_problem
from roles import PROMPTS, draw_row, messages_for
from team import arithmetic
from tokenizer import build_tokenizer

POLICY = Path(__file__).parents[2] / "policy"


def many(count: int = 2000) -> list[Problem]:
    """Problems of every template."""
    rng = random.Random(1)
    return [draw_problem(rng) for _ in range(count)]


def test_every_problem_has_the_answer_of_its_expression() -> None:
    import ast

    problems = many()
    assert {problem.template_id for problem in problems} == {row["id"] for row in DATA["templates"]}
    for problem in problems:
        assert arithmetic(ast.parse(problem.expression, mode="eval").body) == problem.answer
        assert 0 <= problem.answer <= DATA["largest"]
        assert problem.text.isascii() and "{" not in problem.text
        assert all(
            number in problem.text for number in problem.expression.replace("(", " ").replace(")", " ").split()[::2]
        )


def test_two_people_in_a_problem_have_different_names() -> None:
    names = set(DATA["words"]["name"])
    for problem in many():
        found = [word.strip(".,") for word in problem.text.split() if word.strip(".,?") in names]
        if problem.template_id in ("gives-away", "two-people", "how-many-more", "two-gifts"):
            assert len(set(found)) == 2


def test_the_tokenizer_gives_every_character_back() -> None:
    tokenizer = build_tokenizer(1024)
    text = "".join(chr(code) for code in range(32, 127)) + "\n  two  spaces\n"
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert len(ids) == len(text) and tokenizer.decode(ids) == text
    assert tokenizer.encode("é", add_special_tokens=False) == [tokenizer.unk_token_id]


def test_the_prompts_are_the_agreed_strings() -> None:
    assert [row["agent"] for row in PROMPTS] == ["problem_solver", "code_executor", "verifier"]
    messages = messages_for("verifier", problem="How many?", code_executor_output="42")
    assert messages == [{"role": "system", "content": "Verifier"}, {"role": "user", "content": "How many?\n42"}]


@pytest.mark.parametrize("agent", ["problem_solver", "code_executor", "verifier"])
def test_warm_start_examples_are_right_about_as_often_as_they_should(agent: str) -> None:
    rng = random.Random(2)
    rows = [draw_row(agent, 0.6, rng) for _ in range(400)]
    assert len({row.answer for row in rows}) > 100
    starts = {"problem_solver": "Compute ", "code_executor": "```python\nprint(", "verifier": "\\boxed{"}
    assert 0.5 < sum(row.answer.startswith(starts[agent]) for row in rows) / len(rows) < 0.95


def test_the_shipped_weights_are_small_and_answer_in_their_role(tmp_path: Path) -> None:
    assert sum(path.stat().st_size for path in (POLICY / "warm").iterdir()) < 3_600_000
    engine = Engine(POLICY / "warm", tmp_path)
    assert engine.policies.context >= 512
    messages = messages_for("problem_solver", problem="Ada has 12 pens and buys 30 more. How many pens does Ada have?")
    reply = engine.post("/v1/chat/completions", model="base", messages=messages, max_tokens=40, n=32, seed=1)
    texts = [choice["message"]["content"] for choice in reply["choices"]]
    assert 8 < texts.count("Compute 12 + 30") < 31, texts
    assert all(choice["finish_reason"] == "stop" for choice in reply["choices"])
