"""An e-mail in words, before it is HTML or text: one shape for all, so that both always say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class EmailContent:
    """What an e-mail reports: the order's number, the facts of the event, a secret, where the order is seen.

    `name` is the customer's first name, or "".
    """

    number: str
    facts: Mapping[str, Any]
    url: str
    secret: str = ""
    is_guest: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A product with its units, its picture's address, and an amount where there is one to tell."""

    name: str
    quantity: int
    amount: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part with a heading of its own: rows of a label and a value, and steps to take, in order."""

    heading: str
    facts: Sequence[tuple[str, str]] = ()
    steps: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """The words.

    `code` is shown large, and as a QR code too if it `is_scanned`; `button` is a label and an address; `note` stands
    small at the end.
    """

    subject: str
    heading: str
    paragraphs: Sequence[str]
    rows: Sequence[Row] = ()
    facts: Sequence[tuple[str, str]] = ()
    quote: str = ""
    code: str = ""
    is_scanned: bool = False
    sections: Sequence[Section] = ()
    button: tuple[str, str] | None = None
    note: str = ""

    @property
    def has_pictures(self) -> bool:
        """Whether a product has one: then all leave it the place."""
        return any(row.image for row in self.rows)
