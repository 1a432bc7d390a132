"""Keep the plugin's words: `python -m tools.words [extract | compile | check]`; without a word all three in turn.

extract: bring the .po files up to the code, with empty translations for new texts. compile: make the .mo files and
scumble.action. check: say what is missing or wrong.
"""

import argparse
import os
import sys

from tools.words.catalogues import LANGUAGES, compile_words, files_of, merge


def main() -> int:
    """1 when the check finds something."""
    parser = argparse.ArgumentParser(prog="tools.words", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("extract", "compile", "check"))
    what = parser.parse_args().what
    os.environ["SCUMBLE_LANGUAGE"] = "en"  # scumble.action is in the words' source
    from tools.words.action_file import ACTION_FILE, action_file
    from tools.words.check import problems

    if what in (None, "extract"):
        for language in LANGUAGES:
            missing = merge(language)
            print(
                f"{files_of(language).source}: {missing} without a translation" if missing else f"{language}: complete"
            )
    if what in (None, "compile"):
        for language in LANGUAGES:
            files_of(language).compiled.write_bytes(compile_words(language))
        ACTION_FILE.write_text(action_file(), "utf-8")
    found = list(problems()) if what in (None, "check") else []
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
