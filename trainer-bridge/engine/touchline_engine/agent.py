"""One agent's training state: weights, optimiser, accumulated gradient, and the commands that change them.

Every command is applied once (command_log.py). A checkpoint holds all of it, so a restarted engine that is sent the
commands after its checkpoint again arrives at the same bits.
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from touchline_engine import durable
from touchline_engine.command_log import CommandLog, Reply, digest_of
from touchline_engine.data_check import check_data
from touchline_engine.errors import EngineError
from touchline_engine.loss import MicroBatch, action_logprobs, micro_batches, policy_loss, ratios
from touchline_engine.optimizer import AdamW
from touchline_engine.weights import Base, FullWeights, LoraWeights, copy_into, read_tensors, trainable, write_tensors
from touchline_engine.wire import ForwardBackward, OptimStep, Publish, Save

HEAD = "head.json"


@dataclass(frozen=True)
class Settings:
    """How an agent was created; never changed."""

    agent: str
    kind: str
    rank: int
    alpha: float
    seed: int


def make_weights(
    base: Base, settings: Settings, adapter: str, dtype: torch.dtype = torch.float32
) -> FullWeights | LoraWeights:
    """New weights equal to the base."""
    if settings.kind == "full":
        return FullWeights(base, dtype)
    return LoraWeights(base, adapter, settings.rank, settings.alpha, settings.seed)


class Agent:
    """The current weights of one agent, and its folder of checkpoints and versions."""

    def __init__(self, base: Base, folder: Path, settings: Settings, context: int, token_budget: int) -> None:
        self._base = base
        self._folder = folder
        self._context = context
        self._token_budget = token_budget
        self.settings = settings
        self.weights = make_weights(base, settings, f"{settings.agent}@training")
        self.optimizer = AdamW()
        self.log = CommandLog()
        self.gradients: dict[str, Tensor] = {}
        on_big_device = base.device.type == "cuda" and settings.kind == "full"
        self._gradient_dtype = torch.float32 if on_big_device else torch.float64

    # -- commands -----------------------------------------------------------------------------------------------

    def forward_backward(self, command: ForwardBackward) -> Reply:
        """Adds the gradient of the summed loss to the accumulated one."""
        check_data(
            command.data, self._base.model.config.vocab_size, self._context, needs_old=command.loss != "cross_entropy"
        )
        return self.log.run(command.seq, command.model_dump(), lambda: self._forward_backward(command))

    def _forward_backward(self, command: ForwardBackward) -> Reply:
        config = command.config
        logprobs: list[list[float]] = [[] for _ in command.data]
        loss_sum = clipped = kl_sum = 0.0
        max_ratio, tokens = 0.0, 0
        with trainable(self.weights) as (model, parameters):
            added = {
                name: torch.zeros_like(parameter, dtype=self._gradient_dtype) for name, parameter in parameters.items()
            }
            for batch in micro_batches(command.data, self._token_budget, self._base.device):
                logprobs_N = action_logprobs(model, batch)
                loss_N = policy_loss(logprobs_N, batch, command.loss, config.clip_low, config.clip_high)
                gradients = torch.autograd.grad(loss_N.sum(), list(parameters.values()))
                for name, gradient in zip(parameters, gradients, strict=True):
                    added[name] += gradient
                kept_N = logprobs_N.detach()
                scatter(logprobs, batch, kept_N)
                tokens += len(kept_N)
                loss_sum += float(loss_N.detach().double().sum())
                if command.loss != "cross_entropy":
                    ratio_N = ratios(kept_N, batch)
                    clipped += float(((ratio_N < config.clip_low) | (ratio_N > config.clip_high)).sum())
                    kl_sum += float((ratio_N - 1 - ratio_N.log()).double().sum())
                    max_ratio = max(max_ratio, float(ratio_N.max()))
        if not all(bool(gradient.isfinite().all()) for gradient in added.values()):
            raise EngineError(
                422, "The gradient of this batch is not finite, so it was not added. Check its log-probs.", "not_finite"
            )
        for name, gradient in added.items():
            self.gradients[name] = self.gradients[name] + gradient if name in self.gradients else gradient
        return {
            "lossSum": loss_sum,
            "tokens": tokens,
            "clipFraction": clipped / tokens,
            "approxKl": kl_sum / tokens,
            "maxRatio": max_ratio,
            "logprobs": logprobs,
        }

    def optim_step(self, command: OptimStep) -> Reply:
        """Applies the accumulated gradient and clears it."""
        return self.log.run(command.seq, command.model_dump(), lambda: self._optim_step(command))

    def _optim_step(self, command: OptimStep) -> Reply:
        if not self.gradients:
            raise EngineError(
                400, "No gradient is accumulated: send forward_backward first. Nothing was changed.", "no_gradient"
            )
        norm = self.optimizer.step(self.weights.parameters(), self.gradients, command.adam)
        self.gradients = {}
        return {"step": self.optimizer.step_count, "gradNorm": norm, "lr": command.adam.lr}

    def publish(self, command: Publish) -> Reply:
        """Freezes the weights as the next version, durable before the answer."""
        return self.log.run(command.seq, command.model_dump(), lambda: self._publish(command.seq))

    def _publish(self, seq: int) -> Reply:
        newest = self.newest_version()
        folder = self.version_folder(newest + 1)

        def fill(draft: Path) -> dict[str, Any]:
            self.weights.export(draft)
            name = "model.safetensors" if self.settings.kind == "full" else "adapter_model.safetensors"
            return {"seq": seq, "sha256": durable.sha256_of(draft / name), **asdict(self.settings)}

        # A replay after a crash finds the version it had already written, and names it again instead of a second time.
        again = self._version_of(seq)
        if again is not None:
            version, known = again
            draft = self._folder / ".draft-replay"
            draft.mkdir(exist_ok=True)
            if fill(draft)["sha256"] == known["sha256"]:
                durable.remove_drafts(self._folder)
                return self.version_reply(version, known["sha256"])
            durable.remove_drafts(self._folder)
        manifest = durable.write_folder(folder, fill)
        return self.version_reply(newest + 1, manifest["sha256"])

    def save(self, command: Save) -> Reply:
        """Writes a checkpoint that a restart or a load goes on from."""
        body = command.model_dump()
        return self.log.run(
            command.seq, body, lambda: self.write_checkpoint(command.name, command.seq, digest_of(body))
        )

    def write_checkpoint(self, name: str, seq: int, digest: str | None = None) -> Reply:
        """The checkpoint as it will be once seq is applied; its own reply is remembered in it."""
        folder = self._checkpoints() / f"{name}@{seq}"
        reply: Reply = {"name": name, "path": str(folder), "lastSeq": seq}

        def fill(draft: Path) -> dict[str, Any]:
            write_tensors(draft / "weights.safetensors", dict(self.weights.parameters()))
            write_tensors(draft / "optimizer.safetensors", self.optimizer.state())
            write_tensors(draft / "gradients.safetensors", self.gradients)
            reply["sha256"] = durable.sha256_of(draft / "weights.safetensors")
            log = CommandLog(self.log.last_seq, self.log.to_json())
            if digest is not None:
                log.remember(seq, digest, reply)
            return {
                "name": name,
                "lastSeq": seq,
                "step": self.optimizer.step_count,
                "version": self.newest_version(),
                "settings": asdict(self.settings),
                "replies": log.to_json(),
            }

        durable.write_folder(folder, fill)
        durable.write_json(self._folder / HEAD, {"checkpoint": folder.name})
        for other in self._checkpoints().glob(f"{name}@*"):
            if other != folder:
                durable.remove_folder(other)
        return reply

    def load(self, name: str) -> Reply:
        """Goes back to the named checkpoint; the next command continues from its seq."""
        for folder in sorted(self._checkpoints().glob(f"{name}@*")):
            manifest = durable.read_manifest(folder)
            if manifest is not None:
                self.restore(folder, manifest)
                durable.write_json(self._folder / HEAD, {"checkpoint": folder.name})
                return {**self.state(), "name": name}
        known = ", ".join(row["name"] for row in self.checkpoints()) or "none"
        raise EngineError(
            404, f"There is no whole checkpoint named {name!r}. Checkpoints there are: {known}.", "not_found"
        )

    # -- files --------------------------------------------------------------------------------------------------

    def restore(self, folder: Path, manifest: dict[str, Any]) -> None:
        """Takes weights, optimiser, gradient and log from a whole checkpoint folder."""
        copy_into(self.weights.parameters(), read_tensors(folder / "weights.safetensors"))
        self.optimizer.restore(manifest["step"], read_tensors(folder / "optimizer.safetensors"), self._base.device)
        gradients = read_tensors(folder / "gradients.safetensors")
        self.gradients = {name: tensor.to(self._base.device) for name, tensor in gradients.items()}
        self.log = CommandLog(manifest["lastSeq"], manifest["replies"])

    def newest_version(self) -> int:
        """The highest whole version on disk; 0 is the base itself and needs no folder."""
        return max(self.versions(), default=0)

    def versions(self) -> list[int]:
        """All whole versions above 0."""
        folders = self._folder.glob("versions/v*")
        return sorted(int(folder.name[1:]) for folder in folders if (folder / durable.MANIFEST).exists())

    def version_folder(self, version: int) -> Path:
        """Where a version lies."""
        return self._folder / "versions" / f"v{version}"

    def version_reply(self, version: int, sha256: str) -> Reply:
        """How a version is named on the wire."""
        agent = self.settings.agent
        return {
            "agent": agent,
            "version": version,
            "model": f"{agent}@v{version}",
            "sha256": sha256,
            "path": str(self.version_folder(version)),
        }

    def checkpoints(self) -> list[dict[str, Any]]:
        """Name, lastSeq and version of each whole checkpoint, oldest first."""
        manifests = (durable.peek_manifest(folder) for folder in self._checkpoints().glob("*@*"))
        rows = [
            {"name": manifest["name"], "lastSeq": manifest["lastSeq"], "version": manifest["version"]}
            for manifest in manifests
            if manifest is not None
        ]
        return sorted(rows, key=lambda row: row["lastSeq"])

    def state(self) -> dict[str, Any]:
        """What /train/state says of this agent."""
        return {
            "agent": self.settings.agent,
            "kind": self.settings.kind,
            "lastSeq": self.log.last_seq,
            "step": self.optimizer.step_count,
            "version": self.newest_version(),
            "checkpoints": self.checkpoints(),
        }

    def _version_of(self, seq: int) -> tuple[int, dict[str, Any]] | None:
        for version in reversed(self.versions()):
            manifest = durable.read_manifest(self.version_folder(version))
            if manifest is not None and manifest["seq"] == seq:
                return version, manifest
        return None

    def _checkpoints(self) -> Path:
        return self._folder / "checkpoints"


def newest_checkpoint(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The checkpoint an agent goes on from: the last one saved or loaded, else the newest that is whole."""
    durable.remove_drafts(folder)
    durable.remove_drafts(folder / "checkpoints")
    durable.remove_drafts(folder / "versions")
    head = durable.read_json(folder / HEAD)
    if head is not None:
        latest = folder / "checkpoints" / str(head["checkpoint"])
        manifest = durable.read_manifest(latest)
        if manifest is not None:
            return latest, manifest
        print(f"The checkpoint {latest} is damaged; looking for an older one.", file=sys.stderr)
    whole = []
    for candidate in (folder / "checkpoints").glob("*@*"):
        manifest = durable.read_manifest(candidate)
        if manifest is None:
            print(f"The checkpoint {candidate} is damaged and was left out.", file=sys.stderr)
        else:
            whole.append((candidate, manifest))
    return max(whole, key=lambda pair: pair[1]["lastSeq"], default=None)


def scatter(rows: list[list[float]], batch: MicroBatch, values_N: Tensor) -> None:
    """Puts a micro-batch's values back at their rows."""
    for place, values in zip(batch.places, values_N.split(batch.lengths), strict=True):
        rows[place] = values.tolist()
