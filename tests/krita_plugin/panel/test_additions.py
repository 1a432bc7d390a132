"""What is beside the main models: shown where the core has it, usable where it has an effect."""

import pytest

from scumble.panel.additions import Additions
from scumble.settings import Settings
from scumble_bridge.fields import ModelChoice
from scumble_core.request import RefineRequest

BUILT_IN = tuple(ModelChoice(each, each) for each in ("auto", "none", "starter-x2", "starter-x4"))
SHARP, CLEAN = ModelChoice("/sharp.pth", "4x Sharp"), ModelChoice("/clean.pth", "1x Clean")
TILES, COLOURS = ModelChoice("/tiles.safetensors", "Tiles"), ModelChoice("/colours.safetensors", "Colours")


@pytest.fixture
def additions(qapp):
    return Additions()


def shown(additions):
    parts = {**additions.choices, **additions.numbers}
    return {name for name, part in parts.items() if not part.isHidden() and not additions.isHidden()}


def test_nothing_shows_that_the_core_has_no_model_for(additions):
    additions.offer((), BUILT_IN, (), ())
    assert shown(additions) == set()
    additions.offer((CLEAN,), BUILT_IN, (), ())
    assert shown(additions) == {"restore"}
    additions.offer((), (*BUILT_IN, SHARP), (), ())
    assert shown(additions) == {"second_upscaler"}
    additions.offer((), BUILT_IN, (TILES,), (COLOURS,))
    assert shown(additions) == {"vae", "controlnet", "controlnet_strength", "controlnet_end"}


def test_what_is_set_shows_though_the_core_does_not_have_it_and_comes_back(additions):
    value = Settings(
        second_upscaler="/gone.pth", restore="/clean.pth", vae="/v", controlnet="/c", controlnet_strength=0.451,
        controlnet_end=0.8,
    )  # fmt: skip
    additions.show_settings(value)
    assert additions.into(Settings()) == value
    assert len(shown(additions)) == 6
    assert additions.choices["restore"].is_missing


def test_restorers_clean_and_any_upscaler_enlarges_once_more(additions):
    additions.offer((CLEAN,), (*BUILT_IN, SHARP), (), ())
    entries = {
        name: [choice.itemData(row) for row in range(choice.count())] for name, choice in additions.choices.items()
    }
    assert entries["restore"] == ["none", "/clean.pth"]
    assert entries["second_upscaler"] == ["none", "starter-x2", "starter-x4", "/sharp.pth"]


def test_what_has_no_effect_can_not_be_set_and_says_why(additions):
    additions.offer((CLEAN,), (*BUILT_IN, SHARP), (TILES,), (COLOURS,))
    additions.show_settings(Settings())
    assert not additions.choices["second_upscaler"].isEnabled()
    assert "by its name first" in additions.choices["second_upscaler"].toolTip()
    assert not additions.numbers["controlnet_end"].isEnabled()
    additions.show_settings(Settings(upscaler="/sharp.pth", controlnet="/tiles.safetensors"))
    assert additions.choices["second_upscaler"].isEnabled()
    assert additions.numbers["controlnet_end"].isEnabled()
    additions.show_settings(Settings(preset="mikey"))
    assert additions.choices["vae"].isEnabled()
    for name in ("restore", "controlnet", "second_upscaler"):
        assert "decides this itself" in additions.choices[name].accessibleDescription()


def test_two_upscalers_are_one_after_the_other_where_both_are_named():
    asked = Settings(upscaler="/sharp.pth", second_upscaler="starter-x2").request(0, 0)
    assert RefineRequest.from_dict(asked).upscaler == "/sharp.pth+starter-x2"
    assert Settings(upscaler="auto", second_upscaler="starter-x2").request(0, 0)["upscaler"] == "auto"
