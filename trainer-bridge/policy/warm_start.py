"""Makes the small policy the demo starts from: a Qwen3 of 0.8 M parameters that does its jobs right half of the time.

    python warm_start.py --out warm --seed 7

It learns by supervised examples of noisy role behaviour (roles.py): first the jobs, then, in a short last phase, how
often to fail at them, so that the team starts at about one success in four and finetuning has something to teach.
Prints the figures of the run as one JSON line at the end.
"""

import argparse
import json
import math
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from roles import Row, draw_row
from tokenizer import save_tokenizer
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

AGENTS = ["problem_solver", "code_executor", "verifier"]
CONTEXT = 1024
IGNORED = -100
ROWS = 64  # examples a step
MICRO_BATCH = 22


def token_id(value: object) -> int:
    """A special token's id, which this tokenizer always has."""
    assert isinstance(value, int)
    return value


def build_policy(tokenizer: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    """The untrained policy: hidden 128, four layers, heads of 32, tied embeddings."""
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=32,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=True,
        initializer_range=0.05,
        bos_token_id=None,
        eos_token_id=token_id(tokenizer.eos_token_id),
        pad_token_id=token_id(tokenizer.pad_token_id),
        dtype="float32",
    )
    policy = Qwen3ForCausalLM(config)
    policy.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=True, temperature=1.0
    )
    return policy


def encode(tokenizer: PreTrainedTokenizerFast, row: Row) -> tuple[list[int], list[int]]:
    """Token ids of prompt and answer; the answer ends with the end token."""
    prompt = tokenizer.apply_chat_template(row.messages, add_generation_prompt=True, tokenize=False)
    assert isinstance(prompt, str)
    answer = tokenizer.encode(row.answer, add_special_tokens=False)
    return tokenizer.encode(prompt, add_special_tokens=False), [*answer, token_id(tokenizer.eos_token_id)]


def collate(pairs: list[tuple[list[int], list[int]]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-padded ids_BT and labels_BT in which only answer tokens count."""
    width = max(len(prompt) + len(answer) for prompt, answer in pairs)
    ids_BT = torch.full((len(pairs), width), pad)
    labels_BT = torch.full((len(pairs), width), IGNORED)
    for place, (prompt, answer) in enumerate(pairs):
        end = len(prompt) + len(answer)
        ids_BT[place, :end] = torch.tensor(prompt + answer)
        labels_BT[place, len(prompt) : end] = torch.tensor(answer)
    return ids_BT, labels_BT


def answer_loss(policy: Qwen3ForCausalLM, ids_BT: torch.Tensor, labels_BT: torch.Tensor) -> torch.Tensor:
    """Summed cross-entropy of the answer tokens."""
    logits_BTV = policy(input_ids=ids_BT, use_cache=False).logits[:, :-1]
    return torch.nn.functional.cross_entropy(
        logits_BTV.reshape(-1, logits_BTV.shape[-1]),
        labels_BT[:, 1:].reshape(-1),
        ignore_index=IGNORED,
        reduction="sum",
    )


@dataclass(frozen=True)
class Phase:
    """One stretch of supervised steps."""

    right: float  # chance that an example shows the job done right
    steps: int
    peak_lr: float
    warm_up: int


PHASES = [
    Phase(right=0.64, steps=600, peak_lr=2e-3, warm_up=40),
    Phase(right=0.92, steps=500, peak_lr=1.5e-3, warm_up=20),  # copies numbers without a slip
    Phase(right=0.55, steps=80, peak_lr=4e-4, warm_up=5),  # fails at its job often enough
]


def train(policy: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast, phase: Phase, seed: int) -> dict[str, float]:
    """Trains one phase in place; returns its figures."""
    rng = random.Random(seed)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=phase.peak_lr, betas=(0.9, 0.95), weight_decay=0.01)
    started, tokens, recent = time.monotonic(), 0, 0.0
    for step in range(phase.steps):
        cosine = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / phase.steps))
        lr = phase.peak_lr * min(1.0, (step + 1) / phase.warm_up) * cosine
        for group in optimizer.param_groups:
            group["lr"] = lr
        agents = [AGENTS[place % len(AGENTS)] for place in range(ROWS)]
        pairs = [encode(tokenizer, draw_row(agent, phase.right, rng)) for agent in agents]
        pairs.sort(key=lambda pair: len(pair[0]) + len(pair[1]))  # rows of like length share a micro-batch
        answer_tokens = sum(len(answer) for _, answer in pairs)
        optimizer.zero_grad()
        total = 0.0
        for start in range(0, ROWS, MICRO_BATCH):
            ids_BT, labels_BT = collate(pairs[start : start + MICRO_BATCH], token_id(tokenizer.pad_token_id))
            loss = answer_loss(policy, ids_BT, labels_BT) / answer_tokens
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        tokens += sum(len(prompt) + len(answer) for prompt, answer in pairs)
        recent = total if step == 0 else 0.95 * recent + 0.05 * total
        if step % 25 == 0 or step == phase.steps - 1:
            print(f"step {step:4d}  loss {recent:.4f}  lr {lr:.1e}  {time.monotonic() - started:.0f} s", flush=True)
    seconds = time.monotonic() - started
    return {"right": phase.right, "steps": phase.steps, "loss": round(recent, 4), "seconds": round(seconds, 1)}


def main() -> None:
    """Reads the command line, writes a model folder and prints the figures."""
    parser = argparse.ArgumentParser(description="Make the warm weights of the small policy.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "warm")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = save_tokenizer(options.out, CONTEXT)
    policy = build_policy(tokenizer)
    phases = [train(policy, tokenizer, phase, options.seed + place) for place, phase in enumerate(PHASES)]
    policy.save_pretrained(str(options.out))
    parameters = sum(parameter.numel() for parameter in policy.parameters())
    print(json.dumps({"seed": options.seed, "parameters": parameters, "phases": phases}))


if __name__ == "__main__":
    main()
