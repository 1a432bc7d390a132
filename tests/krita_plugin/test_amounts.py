"""Numbers, sizes and times as English, German and French write them."""

import pytest

from scumble import amounts

NARROW, HARD = "\u202f", "\u00a0"


@pytest.fixture(params=["en", "de", "fr"])
def spoken(request, monkeypatch):
    monkeypatch.setenv("SCUMBLE_LANGUAGE", request.param)
    return request.param


def test_numbers(spoken):
    wanted = {"en": "12,345.7", "de": "12.345,7", "fr": f"12{NARROW}345,7"}
    assert amounts.number(12345.678, 1) == wanted[spoken]
    assert amounts.number(0.35, 2) == {"en": "0.35", "de": "0,35", "fr": "0,35"}[spoken]
    assert amounts.number(12) == "12"


def test_percent(spoken):
    assert amounts.percent(0.355, 1) == {"en": "35.5%", "de": f"35,5{HARD}%", "fr": f"35,5{NARROW}%"}[spoken]


def test_megapixels(spoken):
    unit = {"en": "MP", "de": "MP", "fr": "Mpx"}[spoken]
    point = "." if spoken == "en" else ","
    assert soft(amounts.megapixels(2048, 2048)) == f"4{point}2 {unit}"
    assert soft(amounts.megapixels(300, 200)) == f"0{point}06 {unit}"
    assert soft(amounts.megapixels(30000, 30000)) == f"900 {unit}"


def test_memory(spoken):
    wanted = {
        999: {"en": "999 B", "de": "999 B", "fr": "999 o"},
        64_000: {"en": "64 kB", "de": "64 kB", "fr": "64 ko"},
        999_600: {"en": "1.0 MB", "de": "1,0 MB", "fr": "1,0 Mo"},
        8_300_000_000: {"en": "8.3 GB", "de": "8,3 GB", "fr": "8,3 Go"},
        2_000_000_000_000: {"en": "2,000 GB", "de": "2.000 GB", "fr": f"2{NARROW}000 Go"},
    }
    for count, texts in wanted.items():
        assert soft(amounts.bytes_of(count)) == texts[spoken]


def test_times(spoken):
    second, minute, hour = {"en": ("s", "min", "h"), "de": ("s", "Min.", "Std."), "fr": ("s", "min", "h")}[spoken]
    wanted = {
        0: f"1 {second}",
        45.4: f"45 {second}",
        60: f"1 {minute}",
        80: f"1 {minute} 20 {second}",
        1000: f"17 {minute}",
        3599.6: f"1 {hour}",
        7500: f"2 {hour} 5 {minute}",
        90_000: f"25 {hour}",
    }
    for seconds, text in wanted.items():
        assert soft(amounts.duration(seconds)) == text


def test_dates_are_in_the_order_of_the_place(spoken):
    noon = 1_700_049_600  # 15 November 2023, at noon in Greenwich
    assert amounts.moment(noon).startswith({"en": "11/1", "de": "15.11.23", "fr": "15/11/2023"}[spoken])


def test_picture_sizes_are_the_same_everywhere(spoken):
    assert amounts.size(4096, 2048) == "4096 × 2048"


def soft(text: str) -> str:
    """A number and its unit stay on one line: with a space that doesn't break, in some languages."""
    return text.replace(HARD, " ")
