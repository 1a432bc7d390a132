"""All families of latent models, by the names that detection gives them. No torch here."""

from collections.abc import Mapping
from types import MappingProxyType

from scumble_core.models.families.adapter import Family
from scumble_core.models.families.flux import FLUX
from scumble_core.models.families.sd15 import SD15
from scumble_core.models.families.sd21 import SD21
from scumble_core.models.families.sdxl import SDXL
from scumble_core.models.families.sdxl_refiner import SDXL_REFINER
from scumble_core.models.families.z_image import Z_IMAGE

__all__ = ["FAMILIES", "Family"]

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {family.name: family for family in (SD15, SD21, SDXL, SDXL_REFINER, FLUX, Z_IMAGE)}
)
