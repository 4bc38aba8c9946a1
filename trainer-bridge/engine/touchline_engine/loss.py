"""The policy-gradient loss on given per-token advantages, and the log-probs it needs.

Left out on purpose: rewards, KL terms, moments, masks and the division by the token count. The bridge multiplies all of
them into the advantages, so the loss here is a plain sum and a batch may be split over calls in any way.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from touchline_engine.wire import Datum

MAX_LOG_RATIO = 20.0


@dataclass(frozen=True)
class MicroBatch:
    """Right-padded rows of like length. N counts the action tokens of all rows, in the order of `places`."""

    places: list[int]  # index of each row in the caller's data
    ids_BT: Tensor
    rows_N: Tensor
    columns_N: Tensor  # where the logits of each action token stand: one before the token
    tokens_N: Tensor
    old_logprobs_N: Tensor
    advantages_N: Tensor
    temperatures_N: Tensor
    lengths: list[int]


def micro_batches(data: list[Datum], token_budget: int, device: torch.device) -> Iterator[MicroBatch]:
    """Groups the data by length, so that the same data in another order gives the same groups."""
    order = sorted(
        range(len(data)),
        key=lambda place: (
            len(data[place].prompt_token_ids) + len(data[place].token_ids),
            data[place].prompt_token_ids,
            data[place].token_ids,
            data[place].advantages,
        ),
    )
    group: list[int] = []
    for place in order:
        width = len(data[place].prompt_token_ids) + len(data[place].token_ids)
        if group and (len(group) + 1) * width > token_budget:
            yield _micro_batch(data, group, device)
            group = []
        group.append(place)
    if group:
        yield _micro_batch(data, group, device)


def _micro_batch(data: list[Datum], places: list[int], device: torch.device) -> MicroBatch:
    chosen = [data[place] for place in places]
    width = max(len(datum.prompt_token_ids) + len(datum.token_ids) for datum in chosen)
    ids_BT = torch.zeros((len(chosen), width), dtype=torch.long)
    rows, columns, tokens, old, advantages, temperatures = [], [], [], [], [], []
    for row, datum in enumerate(chosen):
        start, count = len(datum.prompt_token_ids), len(datum.token_ids)
        ids_BT[row, : start + count] = torch.tensor(datum.prompt_token_ids + datum.token_ids)
        rows += [row] * count
        columns += range(start - 1, start + count - 1)
        tokens += datum.token_ids
        old += datum.logprobs or [0.0] * count
        advantages += datum.advantages or [0.0] * count
        temperatures += [datum.temperature] * count
    return MicroBatch(
        places=places,
        ids_BT=ids_BT.to(device),
        rows_N=torch.tensor(rows, device=device),
        columns_N=torch.tensor(columns, device=device),
        tokens_N=torch.tensor(tokens, device=device),
        old_logprobs_N=torch.tensor(old, dtype=torch.float32, device=device),
        advantages_N=torch.tensor(advantages, dtype=torch.float32, device=device),
        temperatures_N=torch.tensor(temperatures, dtype=torch.float32, device=device),
        lengths=[len(datum.token_ids) for datum in chosen],
    )


def action_logprobs(model: PreTrainedModel, batch: MicroBatch) -> Tensor:
    """logprobs_N of the action tokens under the model, temperature included.

    Rows are padded on the right, which a causal model never looks at, so no mask is needed.
    """
    first = int(batch.columns_N.min())
    kept = torch.arange(first, int(batch.columns_N.max()) + 1, device=batch.ids_BT.device)
    logits_BTV = model(input_ids=batch.ids_BT, use_cache=False, logits_to_keep=kept).logits
    logits_NV = logits_BTV[batch.rows_N, batch.columns_N - first].float() / batch.temperatures_N[:, None]
    return logits_NV.log_softmax(-1).gather(-1, batch.tokens_N[:, None]).squeeze(-1)


def policy_loss(logprobs_N: Tensor, batch: MicroBatch, loss: str, clip_low: float, clip_high: float) -> Tensor:
    """Loss of each token: -min(r A, clip(r) A) for ppo, -r A for importance_sampling, -A log p for cross_entropy."""
    if loss == "cross_entropy":
        return -logprobs_N * batch.advantages_N
    ratio_N = ratios(logprobs_N, batch)
    unclipped_N = ratio_N * batch.advantages_N
    if loss == "importance_sampling":
        return -unclipped_N
    return -torch.minimum(unclipped_N, ratio_N.clamp(clip_low, clip_high) * batch.advantages_N)


def ratios(logprobs_N: Tensor, batch: MicroBatch) -> Tensor:
    """pi(token) / pi_old(token), its logarithm clamped."""
    return (logprobs_N - batch.old_logprobs_N).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).exp()
