"""Several upscalers in one id."""

from hypothesis import given
from hypothesis import strategies as st

from scumble_core.models.library import NONE, upscalers_of
from scumble_core.models.upscalers.chain import parts_of


def test_a_plus_joins_upscalers():
    assert upscalers_of("starter-x4+starter-x2") == ("starter-x4", "starter-x2")
    assert upscalers_of("starter-x4 + starter-x2") == ("starter-x4", "starter-x2")
    assert upscalers_of("starter-x2") == ("starter-x2",)
    assert upscalers_of(NONE) == ()


def test_a_plus_may_belong_to_a_files_own_name(tmp_path):
    path = tmp_path / "x4plus+anime.pth"
    path.write_bytes(b"")
    assert upscalers_of(str(path)) == (str(path),)
    assert upscalers_of(f"{path}+starter-x2") == (str(path), "starter-x2")
    assert upscalers_of(f"starter-x2+{path}") == ("starter-x2", str(path))


@given(st.lists(st.sampled_from(["a", "b", "a+b", "c+c+c"]), min_size=1, max_size=4))
def test_no_part_is_lost(parts):
    found = parts_of("+".join(parts), {"a", "b", "a+b", "c+c+c"}.__contains__)
    assert "+".join(found) == "+".join(parts)
    assert set(found) <= {"a", "b", "a+b", "c+c+c"}
