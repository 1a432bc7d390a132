"""Values out of foreign JSON, in the type that they must have. Each raises TypeError for any other."""


def whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("not a whole number")
    return value


def number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a number")
    return float(value)


def text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
