from hypothesis import given
from hypothesis import strategies as st

from scumble.geometry import ORIGIN_GRID, Box, with_context

canvases = st.builds(Box, st.just(0), st.just(0), st.integers(1, 5000), st.integers(1, 5000))


@st.composite
def selections(draw):
    canvas = draw(canvases)
    x, y = draw(st.integers(0, canvas.width - 1)), draw(st.integers(0, canvas.height - 1))
    width, height = draw(st.integers(1, canvas.width - x)), draw(st.integers(1, canvas.height - y))
    return canvas, Box(x, y, width, height)


@given(selections())
def test_what_is_sent_holds_the_selection_lies_on_the_canvas_and_begins_on_the_noises_grid(case):
    canvas, selection = case
    crop = with_context(selection, canvas)
    assert crop.intersect(canvas) == crop
    assert crop.intersect(selection) == selection
    assert crop.x % ORIGIN_GRID == crop.y % ORIGIN_GRID == 0


def test_context_is_a_quarter_of_the_selection_and_64_pixels_at_least():
    canvas = Box(0, 0, 4000, 4000)
    assert with_context(Box(800, 800, 100, 100), canvas) == Box(736, 736, 228, 228)
    assert with_context(Box(1600, 1600, 800, 400), canvas) == Box(1400, 1400, 1200, 800)


def test_the_same_crop_as_the_command_lines():
    from scumble_core.cli.part import with_context as cores
    from scumble_core.picture.geometry import Bounds

    ours, theirs = Box(300, 200, 90, 77), Bounds(300, 200, 90, 77)
    mine = with_context(ours, Box(0, 0, 640, 480))
    core = cores(theirs, Bounds(0, 0, 640, 480))
    assert (mine.x, mine.y) == (core.x, core.y)
