"""A small random policy, and an engine over it, both in this process."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient
from tokenizer import save_tokenizer
from touchline_engine.compute import Compute
from touchline_engine.server import build_app
from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM
from warm_start import token_id

CONTEXT = 160


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen3 of two layers with random weights and the small policy's tokenizer."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = save_tokenizer(folder, CONTEXT)
    torch.manual_seed(3)
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            initializer_range=0.2,
            eos_token_id=token_id(tokenizer.eos_token_id),
            pad_token_id=token_id(tokenizer.pad_token_id),
            bos_token_id=None,
        )
    )
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    model.save_pretrained(str(folder))
    return folder


class Engine:
    """An engine in this process, spoken to by its wire; `policies` lets a test look inside."""

    def __init__(self, base: Path, state: Path) -> None:
        self._compute = Compute(base, state, "cpu", 1)
        self._compute.start()
        while self._compute.status == "starting":
            time.sleep(0.01)
        assert self._compute.status == "ready", self._compute.message
        self.policies = self._compute.policies
        self.client = TestClient(build_app(self._compute), raise_server_exceptions=False)

    def post(self, path: str, **body: Any) -> Any:
        """The reply of a request that must succeed."""
        reply = self.client.post(path, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def refusal(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of a request that must be refused."""
        reply = self.client.post(path, json=body)
        assert reply.status_code >= 400, reply.text
        return reply.status_code, reply.json()


@pytest.fixture
def engine(base_folder: Path, tmp_path: Path) -> Iterator[Engine]:
    """A fresh engine over the random policy."""
    yield Engine(base_folder, tmp_path / "state")


def datum(seed: int, prompt: int = 9, tokens: int = 6, vocabulary: int = 102) -> dict[str, Any]:
    """One action with random tokens, plausible old log-probs and random advantages."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "promptTokenIds": torch.randint(0, vocabulary, (prompt,), generator=generator).tolist(),
        "tokenIds": torch.randint(0, vocabulary, (tokens,), generator=generator).tolist(),
        "logprobs": (torch.rand(tokens, generator=generator) * -4 - 2).tolist(),
        "advantages": torch.randn(tokens, generator=generator).tolist(),
    }


def data(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Actions of different lengths."""
    return [datum(seed * 1000 + index, prompt=3 + index % 7, tokens=1 + index % 5) for index in range(count)]
