"""Computes credit/vectors.json from the formulae with torch in float64, apart from the TypeScript it checks.

Usage: python trainer-bridge/credit/vectors.py > trainer-bridge/credit/vectors.json
"""

import json
import sys
from typing import Any

import torch


def sample(action_id: str, reward: float | None, gaps: list[float], truncated: bool = False) -> dict[str, Any]:
    """One action whose log-prob under the old policy exceeds the reference's by `gaps`."""
    logp_ref = [-(0.25 + 0.5 * ((t * 7 + len(action_id)) % 5)) for t in range(len(gaps))]
    logp_old = [ref + gap for ref, gap in zip(logp_ref, gaps, strict=True)]
    return {
        "actionId": action_id,
        "reward": reward,
        "logpOld": logp_old,
        "logpRef": logp_ref,
        "isTruncated": truncated,
    }


def expected(samples: list[dict[str, Any]], beta: float, floor: float) -> dict[str, Any]:
    """Padded, masked tensors: reward on the last token, reverse cumulative sum, masked moments."""
    length = max((len(s["logpOld"]) for s in samples), default=0)
    shape = (len(samples), max(length, 1))
    kl, reward, mask = torch.zeros(shape), torch.zeros(shape), torch.zeros(shape)
    for i, s in enumerate(samples):
        n = len(s["logpOld"])
        if n == 0 or s["isTruncated"] or s["reward"] is None:
            continue
        mask[i, :n] = 1
        kl[i, :n] = torch.tensor(s["logpOld"]) - torch.tensor(s["logpRef"])
        reward[i, n - 1] = s["reward"]
    token_reward = reward - beta * kl * mask
    returns = token_reward.flip(1).cumsum(1).flip(1) * mask
    count = mask.sum()
    if count == 0:
        advantages = torch.zeros(shape)
        mean = std = None
    else:
        m = (returns * mask).sum() / count
        v = (((returns - m) ** 2) * mask).sum() / count
        advantages = (returns - m) / v.sqrt().clamp(min=floor) * mask
        mean, std = m.item(), v.sqrt().item()
    kl_mean = (kl * mask).sum().item() / count.item() if count else None
    per_sample = [advantages[i, : len(s["logpOld"])].tolist() for i, s in enumerate(samples)]
    divided = [
        (advantages[i, : len(s["logpOld"])] / count if count else advantages[i, : len(s["logpOld"])]).tolist()
        for i, s in enumerate(samples)
    ]
    return {
        "advantages": per_sample,
        "stepAdvantages": divided,
        "meanReturn": mean,
        "stdReturn": std,
        "kl": kl_mean,
        "tokenCount": int(count.item()),
        "trainedCount": int((mask.sum(1) > 0).sum().item()),
        "isSkipped": count.item() == 0,
    }


def cases() -> list[tuple[str, list[dict[str, Any]], float, float]]:
    """Name, samples, beta, floor on std."""
    mixed = [
        sample("a", 0.2, [0.1, -0.3, 0.05]),
        sample("bb", 0.9, [0.0, 0.2]),
        sample("ccc", 0.55, [-0.15, 0.4, 0.3, -0.2, 0.01]),
        sample("dddd", 1.0, [0.7]),
    ]
    overridden = [{**s, "reward": 0.0} if s["actionId"] == "bb" else s for s in mixed]
    equal = [sample(name, 0.5, [0.02, -0.01, 0.03]) for name in ("a", "bb", "ccc")]
    flat = [sample(name, 0.5, [0.0, 0.0]) for name in ("a", "bb", "ccc")]
    holes = [
        sample("a", 0.2, [0.1, -0.3, 0.05]),
        sample("bb", None, [0.5, 0.5]),
        sample("ccc", 1.0, [0.9] * 6, truncated=True),
        sample("dddd", 0.8, [0.3, -0.1]),
        sample("eeeee", 0.4, []),
    ]
    masked = [sample("a", None, [0.1]), sample("bb", 0.7, [0.2, 0.1], truncated=True)]
    long = [
        sample("x" * (i + 1), (i * 37 % 11) / 10, [((i + t) % 7 - 3) / 10 for t in range(3 + i % 5)]) for i in range(40)
    ]
    return [
        ("actions of different lengths", mixed, 0.01, 0.05),
        ("an override of 0 takes the place of 0.9", overridden, 0.01, 0.05),
        ("a strong KL penalty", mixed, 0.5, 0.05),
        ("no KL penalty", mixed, 0.0, 0.05),
        ("equal rewards: the floor keeps KL noise small", equal, 0.01, 0.05),
        ("zero variance gives zero advantages", flat, 0.01, 0.05),
        ("a single action", [sample("a", 0.9, [0.1, -0.2, 0.3])], 0.01, 0.05),
        ("a single token", [sample("a", 0.9, [0.1])], 0.01, 0.05),
        ("truncated, unscored and empty actions stay out of the moments", holes, 0.01, 0.05),
        ("all actions masked: the agent is skipped", masked, 0.01, 0.05),
        ("no action at all: the agent is skipped", [], 0.01, 0.05),
        ("forty actions", long, 0.01, 0.05),
        ("a high floor", mixed, 0.01, 0.5),
    ]


def main() -> None:
    """Prints all vectors as JSON."""
    torch.set_default_dtype(torch.float64)
    rows = [
        {
            "name": name,
            "samples": samples,
            "klCoefficient": beta,
            "stdFloor": floor,
            "expected": expected(samples, beta, floor),
        }
        for name, samples, beta, floor in cases()
    ]
    json.dump(rows, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
