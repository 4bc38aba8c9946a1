"""Training commands: once each, in order, refused when they cannot be computed, and versions that never change."""

import math
from typing import Any

import pytest
from conftest import Engine, data, datum


def weights_of(engine: Engine, agent: str) -> dict[str, Any]:
    """A copy of the agent's current parameters."""
    parameters = engine.policies.agents[agent].weights.parameters()
    return {name: parameter.detach().clone() for name, parameter in parameters.items()}


def step(engine: Engine, agent: str, seq: int, lr: float = 1e-2) -> None:
    """One optimiser step on some data; uses seq and seq + 1."""
    engine.post("/train/forward_backward", agent=agent, seq=seq, data=data(4, seq))
    engine.post("/train/optim_step", agent=agent, seq=seq + 1, adam={"lr": lr})


def test_creating_an_agent_again_with_the_same_settings_changes_nothing(engine: Engine) -> None:
    first = engine.post("/train/create", agent="solver", kind="full")
    assert first["model"] == "solver@v0" and first["version"] == 0 and first["parameters"] > 1000
    step(engine, "solver", 1)
    assert engine.post("/train/create", agent="solver", kind="full") == first
    status, reply = engine.refusal("/train/create", agent="solver", kind="lora")
    assert status == 409 and "other settings" in reply["error"]["message"]
    assert engine.client.get("/train/state").json()["agents"][0]["lastSeq"] == 2


@pytest.mark.parametrize("kind", ["full", "lora"])
def test_a_repeated_command_is_answered_again_and_not_applied_again(engine: Engine, kind: str) -> None:
    engine.post("/train/create", agent="solver", kind=kind, rank=4, alpha=8)
    bodies = [
        ("/train/forward_backward", {"seq": 1, "data": data(3)}),
        ("/train/optim_step", {"seq": 2, "adam": {"lr": 0.01}}),
        ("/train/publish", {"seq": 3}),
        ("/train/save", {"seq": 4, "name": "one"}),
    ]
    replies = [engine.post(path, agent="solver", **body) for path, body in bodies]
    before = weights_of(engine, "solver")
    assert [engine.post(path, agent="solver", **body) for path, body in bodies] == replies
    after = weights_of(engine, "solver")
    assert all(before[name].equal(after[name]) for name in before)
    agent = engine.client.get("/train/state").json()["agents"][0]
    assert (agent["lastSeq"], agent["step"], agent["version"]) == (4, 1, 1)
    assert [row["name"] for row in agent["checkpoints"]] == ["init", "one"]


def test_a_gap_in_seq_is_refused_with_the_expected_one(engine: Engine) -> None:
    engine.post("/train/create", agent="solver", kind="full")
    status, reply = engine.refusal("/train/publish", agent="solver", seq=3)
    assert status == 409 and reply["expected"] == 1


def test_a_seq_used_for_another_command_is_refused(engine: Engine) -> None:
    engine.post("/train/create", agent="solver", kind="full")
    engine.post("/train/forward_backward", agent="solver", seq=1, data=data(2))
    status, reply = engine.refusal("/train/forward_backward", agent="solver", seq=1, data=data(3))
    assert status == 409 and "another command" in reply["error"]["message"] and reply["expected"] == 2


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("too few log-probs", {"logprobs": [0.0]}, "data[1] has 6 tokens but 1 log-probs"),
    ("too many advantages", {"advantages": [0.0] * 7}, "data[1] has 6 tokens but 7 advantages"),
    ("a token outside the vocabulary", {"tokenIds": [1, 2, 3, 4, 5, 102]}, "data[1] holds token 102"),
    ("a negative prompt token", {"promptTokenIds": [-1]}, "data[1] holds token -1"),
    ("a null advantage", {"advantages": [None] * 6}, "data.1.advantages.0"),
    ("no prompt", {"promptTokenIds": []}, "data.1.promptTokenIds"),
    ("temperature zero", {"temperature": 0}, "data.1.temperature"),
    ("a row longer than the context", {"promptTokenIds": [1] * 200}, "data[1] is 206 tokens long"),
    ("an unknown field", {"reward": 1}, "data.1.reward"),
]


@pytest.mark.parametrize(("_name", "fault", "message"), BAD, ids=[row[0] for row in BAD])
def test_bad_data_is_refused_and_nothing_changes(
    engine: Engine, _name: str, fault: dict[str, Any], message: str
) -> None:
    engine.post("/train/create", agent="solver", kind="full")
    rows = [datum(1), {**datum(2), **fault}]
    status, reply = engine.refusal("/train/forward_backward", agent="solver", seq=1, data=rows)
    assert status == 400 and message in reply["error"]["message"]
    assert engine.policies.agents["solver"].gradients == {}
    engine.post("/train/forward_backward", agent="solver", seq=1, data=[datum(1)])


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(engine: Engine, number: float) -> None:
    engine.post("/train/create", agent="solver", kind="full")
    row = datum(1)
    row["advantages"][2] = 12345.5
    body = f'{{"agent":"solver","seq":1,"data":[{row}]}}'.replace("'", '"')
    text = body.replace("12345.5", "NaN" if math.isnan(number) else "1e999")
    reply = engine.client.post("/train/forward_backward", content=text, headers={"content-type": "application/json"})
    assert reply.status_code == 400 and "finite" in reply.text


def test_an_optimiser_step_without_a_gradient_is_refused(engine: Engine) -> None:
    engine.post("/train/create", agent="solver", kind="full")
    status, _ = engine.refusal("/train/optim_step", agent="solver", seq=1)
    assert status == 400
    engine.post("/train/publish", agent="solver", seq=1)


def test_an_unknown_agent_names_the_ones_there_are(engine: Engine) -> None:
    engine.post("/train/create", agent="solver", kind="full")
    status, reply = engine.refusal("/train/publish", agent="coder", seq=1)
    assert status == 404 and "solver" in reply["error"]["message"]


@pytest.mark.parametrize("kind", ["full", "lora"])
def test_a_published_version_never_changes(engine: Engine, kind: str) -> None:
    engine.post("/train/create", agent="solver", kind=kind, rank=4, alpha=8)
    rows = [{"promptTokenIds": [2, 9, 4], "tokenIds": [30, 31, 5]}]

    def logprobs(model: str) -> list[float]:
        return engine.post("/train/forward", model=model, data=rows)["logprobs"][0]

    base = logprobs("base")
    assert logprobs("solver") == logprobs("solver@v0") == base
    step(engine, "solver", 1)
    assert engine.post("/train/publish", agent="solver", seq=3)["model"] == "solver@v1"
    one = logprobs("solver@v1")
    assert one == pytest.approx(logprobs("solver"), abs=1e-6) and one != base
    step(engine, "solver", 4)
    assert logprobs("solver@v1") == one and logprobs("solver") != one
    assert logprobs("solver@v0") == logprobs("base") == base
    engine.post("/train/publish", agent="solver", seq=6)
    sampled = engine.post("/v1/completions", model="solver", prompt=[2, 9, 4], max_tokens=4)
    assert sampled["model"] == "solver@v2"
    names = [row["id"] for row in engine.client.get("/v1/models").json()["data"]]
    assert names == ["base", "solver", "solver@v0", "solver@v1", "solver@v2"]


def test_agents_do_not_touch_each_other(engine: Engine) -> None:
    for agent, kind in (("one", "lora"), ("two", "lora"), ("three", "full")):
        engine.post("/train/create", agent=agent, kind=kind, rank=4, alpha=8, seed=1)
    before = {agent: weights_of(engine, agent) for agent in ("two", "three")}
    step(engine, "one", 1)
    for agent, known in before.items():
        now = weights_of(engine, agent)
        assert all(known[name].equal(now[name]) for name in known)


def test_loading_a_checkpoint_goes_back_to_its_weights_and_seq(engine: Engine) -> None:
    engine.post("/train/create", agent="solver", kind="full")
    step(engine, "solver", 1)
    engine.post("/train/save", agent="solver", seq=3, name="good")
    known = weights_of(engine, "solver")
    step(engine, "solver", 4)
    reply = engine.post("/train/load", agent="solver", name="good")
    assert reply["lastSeq"] == 3 and reply["step"] == 1
    now = weights_of(engine, "solver")
    assert all(known[name].equal(now[name]) for name in known)
    status, refused = engine.refusal("/train/load", agent="solver", name="bad")
    assert status == 404 and "init, good" in refused["error"]["message"]


def test_more_versions_than_fit_in_memory_stay_sampleable(engine: Engine) -> None:
    engine.post("/train/create", agent="solver", kind="lora", rank=2, alpha=4)
    for version in range(11):
        step(engine, "solver", 1 + 3 * version)
        engine.post("/train/publish", agent="solver", seq=3 + 3 * version)
    rows = [{"promptTokenIds": [2, 9, 4], "tokenIds": [30, 31, 5]}]
    seen = [engine.post("/train/forward", model=f"solver@v{v}", data=rows)["logprobs"][0] for v in range(12)]
    again = [engine.post("/train/forward", model=f"solver@v{v}", data=rows)["logprobs"][0] for v in range(12)]
    assert seen == again and len({tuple(row) for row in seen}) == 12
