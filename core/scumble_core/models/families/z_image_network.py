"""Z-Image's transformer as a Network. It counts time from noise to picture, and its answer points that way, too."""

import torch
from torch import Tensor

from scumble_core.models.interface import Conditioning
from scumble_core.models.networks import ModuleNetwork, TextConditioning


class ZImageNetwork(ModuleNetwork):
    """Latents B x C x H x W of even sides."""

    def __call__(self, scaled: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        if not isinstance(conditioning, TextConditioning):
            raise TypeError("the conditioning was made by another model")
        count, dtype = len(scaled), self.dtype
        embeds = conditioning.embeds.to(dtype).expand(count, -1, -1)
        frames = scaled.to(dtype)[:, :, None]
        remaining = (1 - time / 1000).to(scaled.device).expand(count)
        answers = self.module(list(frames), remaining, list(embeds), return_dict=False)[0]
        return -torch.stack([answer[:, 0] for answer in answers]).float()
