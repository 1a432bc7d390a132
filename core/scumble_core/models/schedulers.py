"""What a diffusers scheduler's configuration says of a model: its prediction and its noise levels."""

from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler
from torch import Tensor

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import Found
from scumble_core.models.facts import ModelFacts
from scumble_core.sampling.levels import BETA_END, BETA_START
from scumble_core.sampling.prediction import Epsilon, Flow, Prediction, Velocity, flow_sigmas
from scumble_core.sampling.sigmas import sigmas_of, training_sigmas


def scheduler_of(found: Found, facts: ModelFacts) -> Any:
    """The scheduler that a folder would name, for a single file, from what its tensors and metadata tell."""
    if facts.flow_shift is not None:
        return FlowMatchEulerDiscreteScheduler(shift=facts.flow_shift)
    return EulerDiscreteScheduler(
        beta_start=BETA_START,
        beta_end=BETA_END,
        beta_schedule="scaled_linear",
        prediction_type=found.prediction or "epsilon",
        rescale_betas_zero_snr=bool(found.detail.get("zero_snr")),
    )


def prediction_of(scheduler: Any) -> Prediction:
    """What a model predicts, and its sigmas (float64), from its scheduler. Raises ScumbleError for an unknown kind."""
    config = scheduler.config
    kind = config.get("prediction_type", "epsilon")
    if type(scheduler).__name__.startswith("FlowMatch") or kind == "flow_prediction":
        return Flow(flow_sigmas(config.get("shift") or config.get("flow_shift") or 1.0, dtype=torch.float64))
    if kind not in ("epsilon", "v_prediction") or not hasattr(scheduler, "alphas_cumprod"):
        raise ScumbleError(
            "unknown_model",
            f"The model's scheduler, {type(scheduler).__name__} with {kind!r}, is of a kind that Scumble can't read: "
            "choose another model.",
        )
    table = _table(scheduler)
    return Velocity(table) if kind == "v_prediction" else Epsilon(table)


def _table(scheduler: Any) -> Tensor:
    """The training sigmas, float64. diffusers rounds scaled linear betas on the way, so those are computed anew."""
    config = scheduler.config
    if config.get("trained_betas") is None and config.beta_schedule == "scaled_linear":
        return training_sigmas(
            torch.float64,
            beta_start=config.beta_start,
            beta_end=config.beta_end,
            steps=config.num_train_timesteps,
            zero_snr=config.get("rescale_betas_zero_snr", False),
        )
    return sigmas_of(scheduler.alphas_cumprod.double().cpu())
