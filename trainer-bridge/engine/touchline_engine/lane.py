"""Decodes many sequences of one set of weights together, letting new ones in and finished ones out at every step.

Rows are right-aligned: column `width - 1` holds each row's latest token, so a step writes one column for all rows, and
a shorter row has unused columns on its left that the mask hides. B counts rows, T columns, V the vocabulary.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from touchline_engine.sequence import Sequence
from touchline_engine.weights import Weights

PREFILL_TOKENS = 4096  # padded prompt tokens computed at once
SPARE_COLUMNS = 64  # room made when the buffer is full
COMPACT_BELOW = 0.75  # share of live rows under which the finished ones are taken out; doing so copies the cache


class _BufferLayer(DynamicLayer):
    """One layer's keys and values in a buffer with spare columns, so that a step copies one column only."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self.width = keys.shape[-2]
        self._keys, self._values = keys, values

    def update(
        self, key_states: Tensor, value_states: Tensor, *_args: object, **_kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Writes one column and returns all columns so far."""
        end = self.width + key_states.shape[-2]
        if end > self._keys.shape[-2]:
            room = (0, 0, 0, end + SPARE_COLUMNS - self._keys.shape[-2])
            self._keys = torch.nn.functional.pad(self._keys, room)
            self._values = torch.nn.functional.pad(self._values, room)
        self._keys[:, :, self.width : end] = key_states
        self._values[:, :, self.width : end] = value_states
        self.width = end
        return self._keys[:, :, :end], self._values[:, :, :end]

    def get_seq_length(self) -> int:
        """Columns in use."""
        return self.width

    def columns(self) -> tuple[Tensor, Tensor]:
        """The columns in use."""
        return self._keys[:, :, : self.width], self._values[:, :, : self.width]


@dataclass
class Lane:
    """The sequences being decoded with one set of weights."""

    weights: Weights
    device: torch.device
    rows: list[Sequence] = field(default_factory=list)
    _cache: Cache | None = None
    _layers: list[_BufferLayer] = field(default_factory=list)
    _starts_B: Tensor | None = None  # first used column of each row
    _next_B: Tensor | None = None  # the token to feed next
    _width: int = 0

    def admit(self, sequences: list[Sequence]) -> None:
        """Computes the prompts, draws each first token, and lets the unfinished ones into the lane."""
        ordered = sorted(sequences, key=lambda sequence: len(sequence.prompt))
        while ordered:
            count = max(1, min(len(ordered), PREFILL_TOKENS // len(ordered[-1].prompt)))
            self._prefill(ordered[-count:])
            ordered = ordered[:-count]

    def step(self) -> None:
        """One token for every row; finished rows leave once enough of them have gathered."""
        if not self.rows:
            return
        assert self._starts_B is not None and self._next_B is not None
        positions_B = self._width - self._starts_B
        columns_T = torch.arange(self._width + 1, device=self.device)
        mask_B11T = (columns_T >= self._starts_B[:, None])[:, None, None, :]
        logits_BV = self.weights.active()(
            input_ids=self._next_B[:, None],
            attention_mask=mask_B11T,
            position_ids=positions_B[:, None],
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        self._width += 1
        self._next_B = draw_tokens(logits_BV, self.rows)
        self._compact()

    @property
    def live(self) -> int:
        """How many rows are still going."""
        return sum(not row.is_finished for row in self.rows)

    def _prefill(self, sequences: list[Sequence]) -> None:
        lengths = [len(sequence.prompt) for sequence in sequences]
        width = max(lengths)
        ids_BT = torch.zeros((len(sequences), width), dtype=torch.long)
        for row, sequence in enumerate(sequences):
            ids_BT[row, : lengths[row]] = torch.tensor(sequence.prompt)
        lengths_B = torch.tensor(lengths, device=self.device)
        last, where_B = torch.unique(lengths_B - 1, return_inverse=True)
        cache = DynamicCache()
        logits_BUV = self.weights.active()(
            input_ids=ids_BT.to(self.device), past_key_values=cache, use_cache=True, logits_to_keep=last
        ).logits
        next_B = draw_tokens(logits_BUV[torch.arange(len(sequences), device=self.device), where_B], sequences)
        shifts_B = width - lengths_B
        columns_BT = (torch.arange(width, device=self.device) - shifts_B[:, None]).clamp(min=0)
        going = [place for place, sequence in enumerate(sequences) if not sequence.is_finished]
        if going:
            index = torch.tensor(going, device=self.device)
            aligned = [right_aligned(layer, columns_BT, index) for layer in cache.layers]
            self._merge([sequences[place] for place in going], aligned, shifts_B[index], next_B[index], width)

    def _merge(
        self, sequences: list[Sequence], new: list[tuple[Tensor, Tensor]], starts_B: Tensor, next_B: Tensor, width: int
    ) -> None:
        if self.rows:
            assert self._starts_B is not None and self._next_B is not None
            unused = int(self._starts_B.min())  # columns that no row uses any more
            common = max(self._width - unused, width)
            old = [layer.columns() for layer in self._layers]
            new = [
                (join(old_keys, keys, unused, common), join(old_values, values, unused, common))
                for (old_keys, old_values), (keys, values) in zip(old, new, strict=True)
            ]
            starts_B = torch.cat([self._starts_B + common - self._width, starts_B + common - width])
            next_B = torch.cat([self._next_B, next_B])
            width = common
        self.rows = self.rows + sequences
        self._set(new, starts_B, next_B, width)

    def _compact(self) -> None:
        places = [place for place, row in enumerate(self.rows) if not row.is_finished]
        if len(places) > COMPACT_BELOW * len(self.rows):
            return
        assert self._starts_B is not None and self._next_B is not None
        self.rows = [self.rows[place] for place in places]
        if not places:
            self._cache, self._layers, self._starts_B, self._next_B, self._width = None, [], None, None, 0
            return
        index = torch.tensor(places, device=self.device)
        kept = [(keys[index], values[index]) for keys, values in (layer.columns() for layer in self._layers)]
        self._set(kept, self._starts_B[index], self._next_B[index], self._width)

    def _set(self, layers: list[tuple[Tensor, Tensor]], starts_B: Tensor, next_B: Tensor, width: int) -> None:
        self._layers = [_BufferLayer(keys, values) for keys, values in layers]
        self._cache = Cache(layers=list(self._layers))
        self._starts_B, self._next_B, self._width = starts_B, next_B, width


def right_aligned(layer: Any, columns_BT: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """A prefilled layer's keys and values of some rows, moved so that every row ends in the last column."""
    heads, size = layer.keys.shape[1], layer.keys.shape[3]
    gather = columns_BT[index][:, None, :, None].expand(-1, heads, -1, size)
    return layer.keys[index].gather(2, gather), layer.values[index].gather(2, gather)


def join(old: Tensor, new: Tensor, unused: int, width: int) -> Tensor:
    """Stacks old and new rows at a common width, padding on the left."""
    old = old[:, :, unused:]
    pad = torch.nn.functional.pad
    return torch.cat([pad(old, (0, 0, width - old.shape[2], 0)), pad(new, (0, 0, width - new.shape[2], 0))])


def draw_tokens(logits_BV: Tensor, rows: list[Sequence]) -> Tensor:
    """Draws one token a row by inverting its distribution at the row's own random number, and tells the sequences.

    A row's numbers come from its own seed, so they do not depend on which rows are beside it. Log-probs include the
    temperature but not top-p, as the trainer's do.
    """
    device = logits_BV.device
    temperatures = [row.temperature or 1.0 for row in rows]
    logits_BV = logits_BV.float()
    if any(temperature != 1.0 for temperature in temperatures):
        logits_BV = logits_BV / torch.tensor(temperatures, device=device)[:, None]
    logprobs_BV = logits_BV.log_softmax(-1)
    probs_BV = logprobs_BV.double().exp()
    if any(row.top_p < 1 for row in rows):
        probs_BV = nucleus(probs_BV, torch.tensor([row.top_p for row in rows], device=device))
    cumulative_BV = probs_BV.cumsum(-1)
    uniform_B = torch.from_numpy(np.array([row.next_uniform() for row in rows])).to(device)
    tokens_B = torch.searchsorted(cumulative_BV, (uniform_B * cumulative_BV[:, -1])[:, None], right=True).squeeze(-1)
    tokens_B = tokens_B.clamp(max=logits_BV.shape[-1] - 1)
    greedy = [row.temperature == 0 for row in rows]
    if any(greedy):
        tokens_B = torch.where(torch.tensor(greedy, device=device), logits_BV.argmax(-1), tokens_B)
    chosen_B = logprobs_BV.gather(-1, tokens_B[:, None]).squeeze(-1)
    wanted = max(row.top_logprobs for row in rows)
    top = logprobs_BV.topk(min(wanted, logprobs_BV.shape[-1])) if wanted else None
    top_values, top_ids = (top.values.tolist(), top.indices.tolist()) if top else ([], [])
    for place, (row, token, logprob) in enumerate(zip(rows, tokens_B.tolist(), chosen_B.tolist(), strict=True)):
        count = row.top_logprobs
        best = list(zip(top_ids[place][:count], top_values[place][:count], strict=True)) if count else []
        row.take(token, logprob, best)
    return tokens_B


def nucleus(probs_BV: Tensor, top_p_B: Tensor) -> Tensor:
    """Zeroes what lies outside the smallest set of tokens whose probability reaches top-p."""
    ordered_BV, order_BV = probs_BV.sort(-1, descending=True)
    before_BV = ordered_BV.cumsum(-1) - ordered_BV
    ordered_BV = ordered_BV.masked_fill(before_BV >= top_p_B[:, None], 0.0)
    return torch.zeros_like(probs_BV).scatter(-1, order_BV, ordered_BV)
