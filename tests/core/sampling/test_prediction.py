"""Every kind of network, asked about a noise it knows, gives back the clean latent."""

import math

import pytest
import torch
from torch import Tensor

from scumble_core.sampling.euler import euler
from scumble_core.sampling.prediction import Epsilon, Flow, NetworkDenoiser, Prediction, Velocity, flow_sigmas
from scumble_core.sampling.schedules import SCHEDULES
from scumble_core.sampling.sigmas import training_sigmas

TABLE = training_sigmas()


def _answer(prediction: Prediction, x0: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """What a perfect network would say, from each kind's own definition."""
    if isinstance(prediction, Flow):
        return noise - x0
    signal = 1 / math.sqrt(1 + sigma**2)
    return noise if isinstance(prediction, Epsilon) else noise * signal - x0 * (sigma * signal)


@pytest.mark.parametrize("prediction", [Epsilon(TABLE), Velocity(TABLE), Flow(flow_sigmas(3.0))])
@pytest.mark.parametrize("sigma", [0.03, 0.7, 14.6])
def test_a_perfect_network_gives_the_clean_latent(prediction: Prediction, sigma: float) -> None:
    generator = torch.Generator().manual_seed(1)
    x0, noise = (torch.randn(2, 4, 5, 6, generator=generator) for _ in range(2))
    shown: list[tuple[Tensor, Tensor]] = []

    def network(scaled: Tensor, time: Tensor, word: str) -> Tensor:
        assert word == "words"
        shown.append((scaled, time))
        return _answer(prediction, x0, noise, sigma)

    found = NetworkDenoiser(network, prediction)(x0 + sigma * noise, sigma, "words")
    torch.testing.assert_close(found, x0, rtol=0, atol=3e-6 * (1 + sigma))
    scaled, time = shown[0]
    assert time.shape == (1,)
    # Whatever the level, the network sees a picture and a noise whose weights it was trained on.
    if isinstance(prediction, Flow):
        t = sigma / (1 + sigma)
        torch.testing.assert_close(scaled, (1 - t) * x0 + t * noise)
        assert float(time) == pytest.approx(1000 * t)
    else:
        assert float(scaled.var()) == pytest.approx(1, abs=0.25)
        assert abs(math.log(float(TABLE[int(time)]) / sigma)) < 0.05


def test_a_flows_shift_is_the_papers() -> None:
    shift = 3.0
    t = torch.linspace(1 / 1000, 1, 1000, dtype=torch.float64)
    shifted = shift * t / (1 + (shift - 1) * t)
    table = flow_sigmas(shift, dtype=torch.float64)
    torch.testing.assert_close(table[:-1], (shifted / (1 - shifted))[:-1])
    assert torch.isfinite(table).all() and (table.diff() > 0).all()


@pytest.mark.parametrize("prediction", [Velocity(training_sigmas(zero_snr=True)), Flow(flow_sigmas(3.0))])
def test_a_walk_from_the_very_top_stays_finite_and_arrives(prediction: Prediction) -> None:
    """Data of variance 0.25, whose best answers are known; from pure noise the walk comes out with their spread."""
    variance = 0.25

    def network(scaled: Tensor, time: Tensor, sigma_of: Tensor) -> Tensor:
        sigma = float(sigma_of)
        x = scaled * (1 + sigma) if isinstance(prediction, Flow) else scaled * math.sqrt(1 + sigma**2)
        x0 = x * (variance / (variance + sigma**2))
        return _answer(prediction, x0, (x - x0) / sigma, sigma)

    denoiser = NetworkDenoiser(network, prediction)
    sigmas = SCHEDULES["karras"](prediction.table, 80)
    x = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(2)) * sigmas[0]
    out = euler(lambda x, sigma: denoiser(x, sigma, torch.tensor(sigma)), x, sigmas, lambda _a, _b: x)
    assert float(out.std()) == pytest.approx(math.sqrt(variance), rel=0.1)
