"""Which models are offered when there are more than a message holds."""

from hypothesis import given
from hypothesis import strategies as st

from scumble_bridge.codec import encode
from scumble_bridge.messages import Described
from scumble_core.jobs.offered import LONGEST, offered

paths = st.text(max_size=300).map(lambda text: f"/{text}")
kinds = st.lists(st.lists(st.tuples(paths, st.text(max_size=60)), max_size=40), max_size=6)


@given(kinds)
def test_what_fits_is_offered_as_it_is(found):
    chosen = offered(found, {}, 10**9)
    assert [[(each.id, each.name) for each in kind] for kind in chosen] == [list(kind) for kind in found]


@given(kinds, st.integers(0, 5000))
def test_the_first_of_each_kind_are_offered_in_turn(found, room):
    chosen = offered(found, {}, room)
    for kind, all_of_it in zip(chosen, found, strict=True):
        assert [(each.id, each.name) for each in kind] == list(all_of_it[: len(kind)])
    cut = [len(kind) for kind, all_of_it in zip(chosen, found, strict=True) if len(kind) < len(all_of_it)]
    # None is further on than one turn.
    assert not cut or max(len(kind) for kind in chosen) <= min(cut) + 1


def test_thousands_of_models_still_make_a_message():
    many = [(f"/home/é/models/a folder/{number:04}.safetensors", f"Model {number} \u732b") for number in range(5000)]
    bases, refiners, upscalers, loras, controlnets, vaes = offered([many] * 6, {})
    message = Described("cpu", "1", bases, refiners, upscalers, loras=loras, controlnets=controlnets, vaes=vaes)
    assert encode(message)
    assert len(loras) > 30


def test_an_id_too_long_for_the_wire_is_left_out_and_a_name_is_cut():
    assert offered([[("a" * (LONGEST + 1), "b"), ("c", "d" * 2000)]], {}) == [
        ((offered([[("c", "d" * LONGEST)]], {})[0][0]),)
    ]


def test_where_not_all_fit_what_is_built_in_and_what_was_used_last_is_offered_in_its_place():
    many = [("none", "None"), *((f"/m/{number:04}.safetensors", f"Model {number}") for number in range(2000))]
    used = {"/m/1500.safetensors": 7, "/m/1000.safetensors": 9, "/m/gone.safetensors": 8}
    chosen = [each.id for each in offered([many], used, 5 * 60)[0]]
    assert chosen[0] == "none" and {"/m/1000.safetensors", "/m/1500.safetensors"} < set(chosen)
    assert "/m/0000.safetensors" in chosen and len(chosen) < 8 and chosen[1:] == sorted(chosen[1:])
    assert "/m/1000.safetensors" in [each.id for each in offered([many], used, 3 * 60)[0]]
