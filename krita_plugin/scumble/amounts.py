"""Numbers, sizes and times as the artist's language writes them."""

from scumble.qt import QtCore
from scumble.words import locale, tr

_KILO = 1000
_MINUTE = 60
# From ten minutes on nobody counts seconds.
_SECONDS_TOLD = 10 * _MINUTE


def number(value: "int | float", digits: int = 0) -> str:
    """12,345.7 in English, 12.345,7 in German."""
    return locale().toString(float(value), "f", digits)


def percent(share: float, digits: int = 0) -> str:
    """`share`: 0 to 1."""
    return tr("{number}%").format(number=number(share * 100, digits))


def megapixels(width: int, height: int) -> str:
    """One place below a hundred, two below one."""
    millions = width * height / 1e6
    return tr("{number} MP").format(number=number(millions, 2 if millions < 1 else 1 if millions < 99.95 else 0))


def size(width: int, height: int) -> str:
    """Of a picture, in pixels; without the grouping of thousands, which no paint program uses."""
    return f"{width} × {height}"


def bytes_of(count: "int | float") -> str:
    """In the largest unit that leaves something before the point; in steps of a thousand, as file managers do."""
    if count < _KILO:
        return tr("{number} B").format(number=number(count))
    if round(count / _KILO) < _KILO:
        return tr("{number} kB").format(number=_short(count / _KILO))
    if round(count / _KILO**2) < _KILO:
        return tr("{number} MB").format(number=_short(count / _KILO**2))
    return tr("{number} GB").format(number=_short(count / _KILO**3))


def _short(value: float) -> str:
    return number(value, 1 if round(value, 1) < 10 else 0)


def duration(seconds: float) -> str:
    """45 s, 1 min 20 s, 25 min, 2 h 5 min; less than a second is 1 s, for a wait is never nothing."""
    whole = max(1, round(seconds))
    if whole >= _SECONDS_TOLD:
        return _minutes(round(whole / _MINUTE))
    minutes, rest = divmod(whole, _MINUTE)
    if minutes == 0:
        return tr("{seconds} s").format(seconds=number(rest))
    if rest == 0:
        return _minutes(minutes)
    return tr("{minutes} min {seconds} s").format(minutes=number(minutes), seconds=number(rest))


def _minutes(count: int) -> str:
    hours, minutes = divmod(count, 60)
    if hours == 0:
        return tr("{minutes} min").format(minutes=number(minutes))
    if minutes == 0:
        return tr("{hours} h").format(hours=number(hours))
    return tr("{hours} h {minutes} min").format(hours=number(hours), minutes=number(minutes))


def moment(seconds: float) -> str:
    """A date and time, short; `seconds` since 1970."""
    when = QtCore.QDateTime.fromSecsSinceEpoch(int(seconds))
    return locale().toString(when, QtCore.QLocale.FormatType.ShortFormat)
