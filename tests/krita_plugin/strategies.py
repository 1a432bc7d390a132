"""Settings of every kind, for hypothesis."""

from hypothesis import strategies as st

from scumble.host.contract import Wanted
from scumble.limits import CHOICES, METHODS, RANGES, ZERO_IS_AUTO, widest
from scumble.prompts import Snippet
from scumble.settings import LORA_WEIGHTS, MOST_SEED, Lora, Region, Settings

texts = st.text(max_size=30)
ids = st.text(min_size=1, max_size=30)
snippets = st.builds(Snippet, ids, texts, texts)
loras = st.lists(st.builds(Lora, ids, st.floats(*LORA_WEIGHTS)), max_size=4, unique_by=lambda lora: lora.id).map(tuple)
regions = st.lists(st.builds(Region, texts, texts), max_size=4).map(tuple)
styles = st.lists(snippets, max_size=4, unique_by=lambda snippet: snippet.name).map(tuple)


def number(name):
    low, high = widest(name)
    is_whole = isinstance(getattr(Settings, name), int)
    values = st.integers(int(low), int(high)) if is_whole else st.floats(low, high)
    return values | st.just(type(getattr(Settings, name))(0)) if name in ZERO_IS_AUTO else values


settings = st.builds(
    Settings,
    source=st.sampled_from(["canvas", "layer", "selection"]),
    layer=texts,
    destination=st.sampled_from(["enlarge", "new", "keep"]),
    group=st.booleans(),
    keep_upscaled=st.booleans(),
    mask=st.booleans(),
    opacity=st.integers(0, 100),
    preset=st.sampled_from(tuple(METHODS)),
    prompt=texts,
    negative_prompt=texts,
    styles=styles,
    seed_locked=st.booleans(),
    base=ids,
    refiner=ids,
    upscaler=ids,
    second_upscaler=ids,
    restore=ids,
    vae=ids,
    controlnet=ids,
    loras=loras,
    strength_map=texts,
    regions=regions,
    without_guides=st.booleans(),
    sampler=st.sampled_from(("", *CHOICES["sampler"])),
    schedule=st.sampled_from(("", *CHOICES["schedule"])),
    complexity=st.booleans(),
    skip_flat=st.booleans(),
    first_pass=st.booleans(),
    **{name: number(name) for name in RANGES},
)
__all__ = ["MOST_SEED", "Wanted", "settings", "snippets", "texts"]
