"""What in a folder may be a model, and what is left alone."""

import os

from tests.core.models.detect.layouts import write

from scumble_core.models.finding import Place, candidate_at, candidates

SMALL = {"a": (2, 2)}


def names(folder, holds="unknown"):
    return {str(each.path.relative_to(folder)) for each in candidates(Place(folder, "added", holds))}


def test_weights_of_all_kinds_are_taken_and_others_left(tmp_path):
    for name in (
        "a.safetensors",
        "b.CKPT",
        "c.pt",
        "d.pth",
        "e.gguf",
        "f.bin",
        "g.txt",
        ".hidden.safetensors",
        "h.part",
    ):
        (tmp_path / name).write_bytes(b"")
    assert names(tmp_path) == {"a.safetensors", "b.CKPT", "c.pt", "d.pth", "e.gguf"}
    assert "f.bin" in names(tmp_path, "embedding")


def test_a_pipeline_is_one_model_and_not_its_parts(tmp_path):
    write(tmp_path / "mine/unet/diffusion_pytorch_model.safetensors", SMALL)
    (tmp_path / "mine/model_index.json").write_text("{}")
    assert names(tmp_path) == {"mine"}
    found = candidate_at(tmp_path / "mine")
    files = [path for path in (tmp_path / "mine").rglob("*") if path.is_file()]
    assert found.size == sum(path.stat().st_size for path in files)
    assert found.mtime_ns == max(path.stat().st_mtime_ns for path in files)


def test_a_part_with_its_configuration_is_one_model(tmp_path):
    write(tmp_path / "tile/diffusion_pytorch_model.safetensors", SMALL)
    (tmp_path / "tile/config.json").write_text("{}")
    assert names(tmp_path) == {"tile"}


def test_a_stray_configuration_hides_no_files(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    write(tmp_path / "dreamy.safetensors", SMALL)
    assert names(tmp_path) == {"dreamy.safetensors"}


def test_links_are_followed_and_circles_end(tmp_path):
    write(tmp_path / "real/x.safetensors", SMALL)
    (tmp_path / "looked").mkdir()
    (tmp_path / "looked/link").symlink_to(tmp_path / "real")
    (tmp_path / "looked/file.safetensors").symlink_to(tmp_path / "real/x.safetensors")
    (tmp_path / "real/back").symlink_to(tmp_path / "looked")
    (tmp_path / "looked/nothing.safetensors").symlink_to(tmp_path / "gone")
    assert names(tmp_path / "looked") == {"link/x.safetensors", "file.safetensors"}


def test_pipes_are_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe.safetensors")
    assert names(tmp_path) == set()


def test_a_folder_that_is_no_model_is_not_searched_when_it_is_named(tmp_path):
    write(tmp_path / "below/x.safetensors", SMALL)
    assert candidate_at(tmp_path) is None
    assert candidate_at(tmp_path / "gone") is None
    assert candidate_at(tmp_path / "below/x.safetensors").size > 0


def test_very_deep_folders_are_not_walked(tmp_path):
    deep = tmp_path.joinpath(*("deep" for _ in range(12)))
    write(deep / "x.safetensors", SMALL)
    assert names(tmp_path) == set()
