import pytest
import torch

from scumble_core.models.starter.codec import HaarAutoencoder
from scumble_core.models.starter.places import AUTOENCODER


def test_the_starter_autoencoder_loses_nothing():
    codec = HaarAutoencoder.load(AUTOENCODER)
    pixels = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    latents = codec.encode(pixels)
    assert latents.shape == (2, 48, 8, 12)
    assert codec.decode(latents).numpy() == pytest.approx(pixels.numpy(), abs=1e-5)


def test_without_statistics_the_transform_keeps_lengths():
    codec = HaarAutoencoder()
    pixels = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    assert float(codec.encode(pixels).square().sum()) == pytest.approx(float(pixels.square().sum()), rel=1e-5)


def test_sides_off_the_grid_are_refused():
    with pytest.raises(ValueError, match="multiples of 4"):
        HaarAutoencoder().encode(torch.zeros(1, 3, 8, 10))
