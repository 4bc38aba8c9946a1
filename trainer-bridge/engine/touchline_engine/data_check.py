"""Refuses training data that cannot be computed with, naming the datum."""

import math

from touchline_engine.errors import EngineError
from touchline_engine.wire import Datum


def check_data(
    data: list[Datum], vocabulary: int, context: int, needs_old: bool = True, only_tokens: bool = False
) -> None:
    """Lengths agree, tokens exist, numbers are finite, and the row fits the model's context."""
    for index, datum in enumerate(data):
        count = len(datum.token_ids)
        if not only_tokens and len(datum.advantages) != count:
            refuse(index, f"has {count} tokens but {len(datum.advantages)} advantages")
        if not only_tokens and (needs_old or datum.logprobs) and len(datum.logprobs) != count:
            refuse(index, f"has {count} tokens but {len(datum.logprobs)} log-probs")
        for token in (*datum.prompt_token_ids, *datum.token_ids):
            if not 0 <= token < vocabulary:
                refuse(index, f"holds token {token}; the vocabulary ends at {vocabulary - 1}")
        for name, numbers in (("advantage", datum.advantages), ("log-prob", datum.logprobs)):
            if not all(math.isfinite(number) for number in numbers):
                refuse(index, f"holds a {name} that is not a finite number")
        length = len(datum.prompt_token_ids) + count
        if length > context:
            refuse(index, f"is {length} tokens long; the model's context is {context}")


def refuse(index: int, fault: str) -> None:
    """Raises the error for one datum."""
    raise EngineError(400, f"data[{index}] {fault}. Nothing was changed.", "bad_datum")
