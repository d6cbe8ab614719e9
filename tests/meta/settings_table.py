"""The README's table of settings. `python -m tests.meta.settings_table` writes it anew."""

from aftercart.lib.configuration import OPTIONS
from tests.meta.repository import README

BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"


def make_table() -> str:
    """Make the table from the options."""
    rows = [
        f"| `{option.name}` | {f'`{option.default}`' if option.default else ''} | {option.meaning} |\n"
        for option in OPTIONS
    ]
    return "| name | default | meaning |\n|---|---|---|\n" + "".join(rows)


def replace_table(text: str) -> str:
    """Give the README's text with the table as it should be."""
    before, found, rest = text.partition(BEGIN)
    _old, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"the README must have a place between {BEGIN.strip()} and {END}")
    return before + found + make_table() + ended + after


if __name__ == "__main__":
    README.write_text(replace_table(README.read_text(encoding="utf-8")), encoding="utf-8")
