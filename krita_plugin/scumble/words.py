"""Every word that an artist reads goes through here, so that it can be translated."""


def tr(text: str) -> str:
    """The text in the artist's language."""
    return text


def ntr(one: str, many: str, number: int) -> str:
    """The form that fits the number."""
    return one if number == 1 else many
