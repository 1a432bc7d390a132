"""All samplers by name."""

from collections.abc import Mapping
from types import MappingProxyType

from scumble_core.sampling.dpm_solver import dpmpp_2m, dpmpp_2m_sde, dpmpp_2s_ancestral, dpmpp_3m_sde, dpmpp_sde
from scumble_core.sampling.euler import euler, euler_ancestral, heun, lcm
from scumble_core.sampling.unipc import uni_pc
from scumble_core.sampling.walk import Sampler

# In variance-exploding form DDIM without noise (Song et al. 2021) is Euler's method, step for step.
SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {
        "euler": euler,
        "euler_ancestral": euler_ancestral,
        "heun": heun,
        "ddim": euler,
        "lcm": lcm,
        "dpmpp_2s_ancestral": dpmpp_2s_ancestral,
        "dpmpp_sde": dpmpp_sde,
        "dpmpp_2m": dpmpp_2m,
        "dpmpp_2m_sde": dpmpp_2m_sde,
        "dpmpp_3m_sde": dpmpp_3m_sde,
        "uni_pc": uni_pc,
    }
)
