"""The words of the engine wire: what each request may hold. Names on the wire are camelCase, or OpenAI's own."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

AGENT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


class WireModel(BaseModel):
    """A body with camelCase names; unknown fields are refused so that a typing error is seen."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", protected_namespaces=())


class Datum(WireModel):
    """One action: the prompt the policy saw, the tokens it chose, their old log-probs, and what each is worth."""

    prompt_token_ids: list[int] = Field(min_length=1)
    token_ids: list[int] = Field(min_length=1)
    logprobs: list[float] = []
    advantages: list[float] = []
    temperature: float = Field(default=1.0, gt=0)


class LossConfig(WireModel):
    """Clip bounds as absolute ratios."""

    clip_low: float = Field(default=0.8, ge=0, le=1)
    clip_high: float = Field(default=1.2, ge=1)


class AdamConfig(WireModel):
    """AdamW's settings of one step; gradClipNorm 0 switches clipping off."""

    lr: float = Field(default=1e-4, ge=0)
    beta1: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.95, ge=0, lt=1)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    grad_clip_norm: float = Field(default=0.0, ge=0)


class CreateAgent(WireModel):
    """Asks for an agent with weights of its own; the same settings again change nothing."""

    agent: str = Field(pattern=AGENT_NAME)
    kind: Literal["full", "lora"]
    rank: int = Field(default=16, ge=1, le=1024)
    alpha: float = Field(default=32.0, gt=0)
    seed: int = Field(default=0, ge=0, lt=2**63)


class Forward(WireModel):
    """Asks for log-probs of given tokens; changes nothing."""

    model: str
    data: list[Datum]


class Command(WireModel):
    """A change to one agent; seq rises by one with each, so a repeat is recognised."""

    agent: str
    seq: int = Field(ge=1)


class ForwardBackward(Command):
    """Adds the gradient of the summed loss over the data to what is already accumulated."""

    data: list[Datum] = Field(min_length=1)
    loss: Literal["ppo", "importance_sampling", "cross_entropy"] = "ppo"
    config: LossConfig = LossConfig()


class OptimStep(Command):
    """Applies the accumulated gradient by AdamW and clears it."""

    adam: AdamConfig = AdamConfig()


class Publish(Command):
    """Freezes the current weights as the next version."""


class Save(Command):
    """Writes a checkpoint: weights, optimiser, accumulated gradient, remembered replies."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")


class Load(WireModel):
    """Goes back to a checkpoint, its seq included."""

    agent: str
    name: str


class SamplingRequest(BaseModel):
    """What both OpenAI routes share, by vLLM's names; unknown fields are ignored as OpenAI's clients send many."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    model: str
    temperature: float = Field(default=1.0, ge=0, le=100)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    n: int = Field(default=1, ge=1, le=128)
    seed: int | None = None
    stop: str | list[str] | None = None
    stop_token_ids: list[int] = []
    include_stop_str_in_output: bool = False
    return_token_ids: bool = False
    stream: bool = False

    @model_validator(mode="before")
    @classmethod
    def null_is_absent(cls, body: Any) -> Any:
        """OpenAI's clients send null for what is not set."""
        return {key: value for key, value in body.items() if value is not None} if isinstance(body, dict) else body


class ChatRequest(SamplingRequest):
    """POST /v1/chat/completions."""

    messages: list[dict[str, Any]] = Field(min_length=1)
    logprobs: bool = False
    top_logprobs: int = Field(default=0, ge=0, le=20)


class CompletionRequest(SamplingRequest):
    """POST /v1/completions; the prompt is text or token ids."""

    prompt: str | list[int]
    logprobs: int | None = Field(default=None, ge=0, le=20)
