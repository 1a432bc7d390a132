"""`python -m tools.manual`: make krita_plugin/scumble/Manual.html anew. The pictures: `python -m tools.tour --docs`."""

from tools.manual.page import PAGE, SOURCE, page


def main() -> None:
    """Write it, and say where."""
    PAGE.write_text(page(SOURCE.read_text("utf-8")), "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
