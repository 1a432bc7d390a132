"""Upscalers. A few common builds are known by their names at once; for all others, and the scale, spandrel is asked,
which needs torch and takes seconds: the index does that in the background.
"""

from scumble_core.models.detect.found import Traits
from scumble_core.models.tensors import Tensors

_WRAPPERS = ("params_ema.", "params.", "state_dict.", "model_state_dict.", "model.", "net_g.", "generator.", "module.")
# A tensor of each build, and its name.
_KNOWN = {
    "1.sub.0.RDB1.conv1.0.weight": "ESRGAN", "model.1.sub.0.RDB1.conv1.0.weight": "ESRGAN",
    "RRDB_trunk.0.RDB1.conv1.weight": "ESRGAN", "body.0.rdb1.conv1.weight": "ESRGAN",
    "layers.0.residual_group.blocks.0.norm1.weight": "SwinIR or HAT",
    "layers.0.blocks.0.attn.relative_position_bias_table": "DAT",
    "block_1.c1_r.sk.weight": "SPAN", "block_1.c1_r.eval_conv.weight": "SPAN", "feats.1.channe_mixer.0.weight": "PLKSR",
    "m_body.0.trans_block.ln1.weight": "SCUNet", "feats.0.weight": "PLKSR",
}  # fmt: skip


def upscaler_traits(tensors: Tensors) -> Traits | None:
    """None if its names are of no common build: it may be an upscaler for all that."""
    for prefix in ("", *_WRAPPERS):
        net = tensors.within(prefix) if prefix else tensors
        for mark, architecture in _KNOWN.items():
            if mark in net:
                return Traits("upscaler", "", "", "", {"architecture": architecture})
        # A compact network is convolutions and slopes, one after the other.
        if (
            len(net.shape("body.0.weight")) == 4
            and net.size("body.0.weight", 1) == 3
            and len(net.shape("body.1.weight")) == 1
        ):
            return Traits("upscaler", "", "", "", {"architecture": "Compact"})
    return None
