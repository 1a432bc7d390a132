"""UniPC: a multistep predictor, whose every step is corrected by the call that the next step needs anyway."""

import math

from torch import Tensor

from scumble_core.sampling.walk import Denoiser, NoiseSource, steps


def uni_pc(denoise: Denoiser, x: Tensor, sigmas: Tensor, _noise: NoiseSource) -> Tensor:
    """Second order, one call a step (Zhao et al. 2023, algorithms 5 and 6: data prediction, B(h) = expm1(h)).

    In log-SNR l = -log sigma, with h the step in it, the first-order part is exact; D1 is the slope of the
    prediction over the last step, and the corrector's two weights solve the paper's order conditions.
    """
    walk = steps(sigmas)
    x0 = denoise(x, walk[0][0])
    before: Tensor | None = None
    h_before = 0.0
    for sigma, following in walk:
        if following == 0:
            return x0
        h = math.log(sigma / following)
        b = math.expm1(-h)
        first = x * (following / sigma) - x0 * b
        if before is None:
            ahead = denoise(first, following)
            x = first - (ahead - x0) * (0.5 * b)
        else:
            ratio = -h_before / h
            slope = (before - x0) / ratio
            ahead = denoise(first - slope * (0.5 * b), following)
            behind, front = _corrector_weights(h, ratio)
            x = first - (slope * behind + (ahead - x0) * front) * b
        before, x0, h_before = x0, ahead, h
    return x


def _corrector_weights(h: float, ratio: float) -> tuple[float, float]:
    """Solve [[1, 1], [ratio, 1]] w = (b1, b2), where b1 = phi_2 and b2 = 2 phi_3, both over B(h)."""
    b = math.expm1(-h)
    phi_2 = b / -h - 1
    phi_3 = phi_2 / -h - 0.5
    b1, b2 = phi_2 / b, 2 * phi_3 / b
    behind = (b1 - b2) / (1 - ratio)
    return behind, b1 - behind
