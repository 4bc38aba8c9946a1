"""All policies of the engine: the base, each agent's training weights, and each published version by name."""

import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from touchline_engine import durable
from touchline_engine.agent import Agent, Settings, make_weights, newest_checkpoint, scatter
from touchline_engine.command_log import Reply
from touchline_engine.data_check import check_data
from touchline_engine.errors import EngineError
from touchline_engine.loss import action_logprobs, micro_batches
from touchline_engine.weights import Base, Weights, copy_into, read_tensors
from touchline_engine.wire import CreateAgent, Forward

MAX_RESIDENT_VERSIONS = 8  # versions kept in memory for sampling, beyond those in use
CPU_TOKEN_BUDGET = 1024  # padded tokens of one micro-batch
GPU_TOKEN_BUDGET = 32768
MAX_LOGITS = 2**28  # numbers in one micro-batch's logits
BASE = "base"


class Policies:
    """Resolves names to weights, and creates and restores agents. Used by the compute thread alone."""

    def __init__(self, base_folder: Path, state_folder: Path, device: torch.device) -> None:
        self.device = device
        self.base = Base(base_folder, device)
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(str(base_folder), local_files_only=True)
        config = self.base.model.config
        self.context = context_of(config)
        self.vocabulary: int = config.vocab_size
        budget = GPU_TOKEN_BUDGET if device.type == "cuda" else CPU_TOKEN_BUDGET
        self._token_budget = min(budget, MAX_LOGITS // self.vocabulary)
        self.eos_token_ids = eos_token_ids(self.base.model, self.tokenizer)
        self._agents_folder = state_folder / "agents"
        self.agents: dict[str, Agent] = {}
        self._resident: OrderedDict[str, Weights] = OrderedDict()
        self._uses: dict[str, int] = {}
        self._token_texts: dict[int, str] = {}
        self._agents_folder.mkdir(parents=True, exist_ok=True)
        for folder in sorted(self._agents_folder.iterdir()):
            self._restore(folder)

    # -- agents -------------------------------------------------------------------------------------------------

    def create(self, request: CreateAgent) -> Reply:
        """Makes an agent with weights equal to the base, durable before the answer; a repeat changes nothing."""
        rank, alpha = (request.rank, request.alpha) if request.kind == "lora" else (0, 0.0)
        settings = Settings(request.agent, request.kind, rank, alpha, request.seed)
        if request.agent == BASE:
            raise EngineError(400, "'base' is the name of the reference; choose another name for the agent.")
        agent = self.agents.get(request.agent)
        if agent is None:
            agent = self._new_agent(settings)
            agent.write_checkpoint("init", 0)
            self.agents[request.agent] = agent
        elif agent.settings != settings:
            raise EngineError(
                409,
                f"Agent {request.agent!r} was created with other settings: {agent.settings}. Nothing was changed; "
                "use those settings, or another agent name.",
                "agent_exists",
            )
        return {
            "agent": settings.agent,
            "version": 0,
            "model": f"{settings.agent}@v0",
            "parameters": sum(parameter.numel() for parameter in agent.weights.parameters().values()),
        }

    def agent(self, name: str) -> Agent:
        """The agent of that name."""
        if name not in self.agents:
            known = ", ".join(sorted(self.agents)) or "none yet"
            raise EngineError(404, f"There is no agent {name!r}. Agents there are: {known}.", "agent_not_found")
        return self.agents[name]

    def _new_agent(self, settings: Settings) -> Agent:
        return Agent(self.base, self._agents_folder / settings.agent, settings, self.context, self._token_budget)

    def _restore(self, folder: Path) -> None:
        found = newest_checkpoint(folder)
        if found is None:
            print(f"{folder} holds no whole checkpoint; the agent has to be created again.", file=sys.stderr)
            return
        checkpoint, manifest = found
        agent = self._new_agent(Settings(**manifest["settings"]))
        agent.restore(checkpoint, manifest)
        self.agents[agent.settings.agent] = agent

    # -- names --------------------------------------------------------------------------------------------------

    def model_names(self) -> list[str]:
        """Every name that can be sampled."""
        names = [BASE]
        for name, agent in sorted(self.agents.items()):
            names += [name, *(f"{name}@v{version}" for version in [0, *agent.versions()])]
        return names

    def resolve(self, model: str) -> str:
        """The frozen name: 'solver' becomes its newest 'solver@v3'."""
        if model == BASE:
            return model
        name, _, version = model.partition("@v")
        agent = self.agents.get(name)
        if agent is not None:
            if not version and "@" not in model:
                return f"{name}@v{agent.newest_version()}"
            if version.isdigit() and (int(version) == 0 or int(version) in agent.versions()):
                return f"{name}@v{int(version)}"
        raise EngineError(
            404, f"There is no model {model!r}. Models there are: {', '.join(self.model_names())}.", "model_not_found"
        )

    def weights_key(self, frozen: str) -> str:
        """Names with equal weights share a key: version 0 of every agent is the base."""
        return BASE if frozen.endswith("@v0") else frozen

    def token_text(self, token: int) -> str:
        """One token as text, special tokens included."""
        if token not in self._token_texts:
            self._token_texts[token] = str(self.tokenizer.decode([token]))
        return self._token_texts[token]

    # -- versions in memory -------------------------------------------------------------------------------------

    def hold(self, key: str) -> Weights:
        """The weights of a key, kept in memory until as many `drop`s."""
        self._uses[key] = self._uses.get(key, 0) + 1
        try:
            return self._load(key)
        except BaseException:
            self.drop(key)
            raise

    def drop(self, key: str) -> None:
        """Ends one `hold`; weights not in use for long are freed."""
        self._uses[key] -= 1
        idle = [key for key in self._resident if not self._uses.get(key)]
        for key in idle[: max(0, len(self._resident) - MAX_RESIDENT_VERSIONS)]:
            self._resident.pop(key).release()

    def _load(self, key: str) -> Weights:
        if key == BASE:
            return self.base
        if key not in self._resident:
            name, _, version = key.partition("@v")
            agent = self.agents[name]
            folder = agent.version_folder(int(version))
            if durable.read_manifest(folder) is None:
                raise EngineError(
                    500, f"The files of {key} in {folder} are damaged. Sample another version.", "damaged"
                )
            weights = make_weights(self.base, agent.settings, key, self.base.dtype)
            file = "model.safetensors" if agent.settings.kind == "full" else "adapter_model.safetensors"
            tensors = read_tensors(folder / file)
            copy_into(weights.parameters(), {name: tensors[name] for name in weights.parameters()})
            self._resident[key] = weights
        self._resident.move_to_end(key)
        return self._resident[key]

    # -- log-probs ----------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def forward(self, request: Forward) -> Reply:
        """Log-probs of given tokens under the base, a version, or an agent's current weights."""
        check_data(request.data, self.vocabulary, self.context, only_tokens=True)
        if request.model in self.agents:
            return {"logprobs": self._logprobs(self.agents[request.model].weights, request)}
        key = self.weights_key(self.resolve(request.model))
        with torch.inference_mode(False), torch.no_grad():
            weights = self.hold(key)
        try:
            return {"logprobs": self._logprobs(weights, request)}
        finally:
            self.drop(key)

    def _logprobs(self, weights: Weights, request: Forward) -> list[list[float]]:
        rows: list[list[float]] = [[] for _ in request.data]
        for batch in micro_batches(request.data, self._token_budget, self.device):
            scatter(rows, batch, action_logprobs(weights.active(), batch))
        return rows


def context_of(config: Any) -> int:
    """How many tokens the model may see; cut to the window where some layers slide."""
    context = int(config.max_position_embeddings)
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds - {"full_attention", "sliding_attention"}:
        raise ValueError(f"this engine runs attention layers only; the model also has {sorted(kinds)}")
    if "sliding_attention" in kinds:
        context = min(context, int(config.sliding_window))
    return context


def eos_token_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end an action."""
    found = model.generation_config.eos_token_id if model.generation_config is not None else None
    found = tokenizer.eos_token_id if found is None else found
    return frozenset(found if isinstance(found, list) else [] if found is None else [found])
