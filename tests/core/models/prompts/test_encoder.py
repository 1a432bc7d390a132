"""Prompts through real CLIP code with its real vocabulary: as transformers and diffusers have it, and beyond."""

import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from tests.core.models.prompts.clips import WIDTHS, encoder, parts

from scumble_core.errors import ScumbleError
from scumble_core.models.prompts.embeddings import embeddings_in
from scumble_core.models.prompts.encoder import MOST_KEPT, PromptEncoder

# What has neither weights nor BREAK in it, nor is too long.
short = st.text(st.sampled_from("a cat, 猫 é! 12:30 - it's"), max_size=30)
LONG = ", ".join(f"a very long prompt with the number {number}" for number in range(40))


@pytest.fixture(scope="module")
def sd15():
    return parts("clip_l", sdxl=False)


@pytest.fixture(scope="module")
def sdxl():
    return [parts(name, sdxl=True) for name in ("clip_l", "clip_g")]


def of_sd15(found, **more):
    return PromptEncoder([encoder(*found, "clip_l", sdxl=False)], **more)


def of_sdxl(found, **more):
    named = zip(("clip_l", "clip_g"), found, strict=True)
    return PromptEncoder([encoder(*each, name, sdxl=True) for name, each in named], **more)


def by_diffusers(pipeline, prompt, **parts):
    pipe = pipeline(vae=None, unet=None, scheduler=None, **parts)
    return pipe.encode_prompt(prompt, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)


@settings(max_examples=25, deadline=None)
@given(short)
def test_a_short_plain_prompt_is_encoded_as_by_diffusers_to_the_bit(sd15, sdxl, prompt):
    with torch.inference_mode():
        ours = of_sd15(sd15)(prompt)
        theirs = by_diffusers(
            StableDiffusionPipeline, prompt, tokenizer=sd15[0], text_encoder=sd15[1], safety_checker=None,
            feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip
        assert torch.equal(ours.embeds, theirs[0]) and ours.pooled is None
        ours = of_sdxl(sdxl)(prompt)
        (first, first_model), (second, second_model) = sdxl
        theirs = by_diffusers(
            StableDiffusionXLPipeline, prompt, tokenizer=first, text_encoder=first_model, tokenizer_2=second,
            text_encoder_2=second_model,
        )  # fmt: skip
        assert torch.equal(ours.embeds, theirs[0]) and torch.equal(ours.pooled, theirs[2])


def test_the_vocabulary_is_clips_own(sd15):
    assert sd15[0]("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]


@torch.inference_mode()
def test_a_long_prompt_is_read_to_its_end(sd15):
    encode = of_sd15(sd15)
    whole, other = encode(LONG), encode(LONG + " BREAK dog")
    assert whole.embeds.shape[1] > 4 * 77 and whole.embeds.shape[1] % 77 == 0
    assert torch.equal(other.embeds[:, : whole.embeds.shape[1]], whole.embeds)
    assert torch.equal(other.embeds[:, -77:], encode("dog").embeds)


@torch.inference_mode()
def test_each_chunk_is_what_its_words_alone_are(sdxl):
    encode = of_sdxl(sdxl)
    both, first, second = encode("a cat BREAK a dog"), encode("a cat"), encode("a dog")
    assert torch.equal(both.embeds, torch.cat([first.embeds, second.embeds], 1))
    # The pooled vector is of the first chunk, which says what the picture is.
    assert torch.equal(both.pooled, first.pooled) and not torch.equal(both.pooled, second.pooled)


@torch.inference_mode()
def test_weights_move_a_word_away_from_the_empty_prompt(sd15):
    encode = of_sd15(sd15)
    plain, empty, strong, nothing = (encode(text).embeds for text in ("a cat", "", "a (cat:1.5)", "a (cat:0)"))
    assert torch.equal(strong[:, :2], plain[:, :2]) and torch.equal(strong[:, 3:], plain[:, 3:])
    torch.testing.assert_close(strong[:, 2], empty[:, 2] + 1.5 * (plain[:, 2] - empty[:, 2]))
    torch.testing.assert_close(nothing[:, 2], empty[:, 2])
    torch.testing.assert_close(encode("(a cat:1.0)").embeds, plain, rtol=0, atol=0)


@torch.inference_mode()
def test_weights_are_for_the_words_and_not_for_the_pooled_vector(sdxl):
    encode = of_sdxl(sdxl)
    assert torch.equal(encode("a (cat:1.5)").pooled, encode("a cat").pooled)
    assert not torch.equal(encode("a (cat:1.5)").embeds, encode("a cat").embeds)


class _Counted(torch.nn.Module):
    """Counts how often a text encoder is asked."""

    def __init__(self, model):
        super().__init__()
        self.model, self.calls, self.config, self.device = model, 0, model.config, model.device

    def get_input_embeddings(self):
        return self.model.get_input_embeddings()

    def forward(self, *arguments, **more):
        self.calls += 1
        return self.model(*arguments, **more)


def test_a_prompt_is_encoded_once_and_the_latest_ones_are_kept(sd15):
    counted = _Counted(sd15[1])
    encode = of_sd15((sd15[0], counted))
    assert encode("a cat") is encode("a cat")
    assert counted.calls == 1
    for number in range(MOST_KEPT):
        encode(str(number))
    encode("a cat")
    assert counted.calls == MOST_KEPT + 2


def inversion(path, tensors):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save(tensors, path)
    return path


def vectors(name, count=3, seed=5):
    return torch.randn(count, WIDTHS[name], generator=torch.Generator().manual_seed(seed))


def layouts(folder):
    rows = vectors("clip_l")
    a1111 = {
        "string_to_token": {"*": 265}, "string_to_param": {"*": rows}, "name": "bad", "step": 100, "sd_checkpoint": None
    }  # fmt: skip
    return [
        inversion(folder / "a.pt", a1111),
        inversion(folder / "b.safetensors", {"emb_params": rows}),
        inversion(folder / "c.bin", {"<bad>": rows}),
    ]


@torch.inference_mode()
def test_a_textual_inversion_means_the_same_in_every_layout(sd15, tmp_path):
    read = [
        of_sd15(sd15, embeddings=lambda path=path: {"bad": path})("a bad, (Bad:1.2)").embeds
        for path in layouts(tmp_path)
    ]
    plain = of_sd15(sd15)("a bad, (Bad:1.2)").embeds
    assert torch.equal(read[0], read[1]) and torch.equal(read[0], read[2])
    assert not torch.equal(read[0], plain)


@torch.inference_mode()
def test_a_textual_inversion_of_a_words_own_vector_is_that_word(sd15, sdxl, tmp_path):
    """The vectors stand where the word's own stood, in each encoder."""
    row = {name: model.get_input_embeddings().weight[[2368]].clone() for name, (_, model) in
           zip(("clip_l", "clip_g"), sdxl, strict=True)}  # fmt: skip
    pair = inversion(tmp_path / "pair.safetensors", row)
    ours, plain = of_sdxl(sdxl, embeddings=lambda: {"thing": pair})("a thing"), of_sdxl(sdxl)("a cat")
    assert torch.equal(ours.embeds, plain.embeds) and torch.equal(ours.pooled, plain.pooled)


@torch.inference_mode()
def test_it_is_called_by_its_whole_name_in_either_programs_way(sd15, tmp_path):
    known = {"bad-hands": inversion(tmp_path / "Bad-Hands.safetensors", {"emb_params": vectors("clip_l")})}
    for prompt in ("bad-hands", "a BAD-HANDS, dog", "(embedding:bad-hands:1.2)", r"embedding:neg/Bad-Hands.pt, x"):
        assert embeddings_in(prompt, known) == [known["bad-hands"]]
    for prompt in ("bad-handsome", "too-bad-hands", "bad hands"):
        assert embeddings_in(prompt, known) == []
    assert embeddings_in(f"embedding:{known['bad-hands']}", {}) == [known["bad-hands"]]


def test_a_textual_inversion_that_is_called_and_not_there_is_told(sd15):
    with pytest.raises(ScumbleError, match="wants the textual inversion 'gone'"):
        embeddings_in("a cat, embedding:gone", {})


@torch.inference_mode()
@pytest.mark.parametrize(
    ("name", "tensors", "said"),
    [
        ("wide.pt", {"string_to_param": {"*": torch.zeros(2, 99)}}, "another family"),
        ("many.safetensors", {"emb_params": torch.zeros(80, 16)}, "no textual inversion of 1 to 75"),
        ("none.safetensors", {"a": torch.zeros(2, 16), "b": torch.zeros(2, 16)}, "no textual inversion"),
        ("pair.safetensors", {"clip_l": torch.zeros(2, 16), "clip_g": torch.zeros(3, 24)}, "no textual inversion"),
    ],
)
def test_what_is_none_for_this_model_is_refused(sd15, tmp_path, name, tensors, said):
    path = inversion(tmp_path / name, tensors)
    with pytest.raises(ScumbleError, match=said):
        of_sd15(sd15, embeddings=lambda: {"bad": path})("bad")


def test_a_pickle_with_code_in_it_is_refused(sd15, tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("ran",)

    torch.save({"string_to_param": {"*": vectors("clip_l")}, "x": Evil()}, tmp_path / "bad.pt")
    with pytest.raises(ScumbleError, match="could run code"):
        of_sd15(sd15, embeddings=lambda: {"bad": tmp_path / "bad.pt"})("bad")


@torch.inference_mode()
def test_a_textual_inversion_that_changed_is_read_anew(sd15, tmp_path):
    path = inversion(tmp_path / "bad.safetensors", {"emb_params": vectors("clip_l")})
    encode = of_sd15(sd15, embeddings=lambda: {"bad": path})
    before = encode("bad").embeds
    inversion(path, {"emb_params": vectors("clip_l", seed=6)})
    import os

    os.utime(path, ns=(1, 1))
    assert not torch.equal(encode("bad").embeds, before)
