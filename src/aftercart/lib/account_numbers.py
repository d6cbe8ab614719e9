"""Account numbers as people may see them: by their last four characters."""

import re
from typing import Final

#: What looks like an IBAN: in groups of four (a last one of digits may be shorter), in one piece, or, where
#: all but the country is digits, with separators wherever somebody has put them.
_ACCOUNT: Final = re.compile(
    r"\b(?:"
    r"[A-Za-z]{2}\d{2}[ -][A-Za-z0-9]{4}"
    r"(?:[ -](?:[A-Z0-9]{4}|(?=[a-z]*\d)[a-z0-9]{4})){2,7}(?:[ -](?=[A-Z]*\d)[A-Z0-9]{1,3})?"
    r"|[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30}"
    r"|(?:[A-Za-z]{2}|[A-Z]{2}[ -])\d{2}(?:[ -]?\d){10,30}"
    r"|[a-z]{2}[ -]\d{2}(?:[ -]?\d){16,30}"  # shorter ones behind a word are order numbers
    r")\b"
)


def hide_accounts(text: str) -> str:
    """Write every account number in a free text as its last four characters.

    People and the OMS quote them in sentences; a back-office page must never hold a whole one.
    """
    return _ACCOUNT.sub(lambda match: show_last_four(re.sub(r"[ -]", "", match[0])), text)


def show_last_four(iban: str) -> str:
    """Write an account number as staff may see it, or a dash for none."""
    return f"•••• {iban[-4:]}" if iban else "–"
