"""Words for staff, without a database."""

import pytest

from aftercart.cancellations.causes import say_cause
from aftercart.lib.account_numbers import hide_accounts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to TR330006100519786457841326, thanks", "to •••• 1326, thanks"),
        ("iban TR33 0006 1005 1978 6457 8413 26 is wrong", "iban •••• 1326 is wrong"),
        ("TR33-0006-1005-1978-6457-8413-26", "•••• 1326"),
        ("tr 33 000610 0519786 457841326", "•••• 1326"),
        ("GB82 WEST 1234 5698 7654 32 then", "•••• 5432 then"),
        ("gb82west12345698765432", "•••• 5432"),
        ("MT84 MALT 0110 0001 2345 MTLC AST0 01S.", "•••• 001S."),
        ("BE68 5390 0754 7034 then", "•••• 7034 then"),
        ("NO93 8601 1117 947", "•••• 7947"),
    ],
)
def test_an_account_number_in_a_sentence_keeps_its_last_four(text: str, shown: str) -> None:
    assert hide_accounts(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "order ORD-2024-001234 of 2026000007934838",
        "invoice AFT20260000012345, sku LMB-250-BLA",
        "It is 12 pieces of size 38 and 40.",
        "2d1f7a52-95c9-4a3c-8e3e-5b9f5f3f0d11",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert hide_accounts(text) == text


def test_a_cause_that_nobody_has_put_into_words_is_omnitrons() -> None:
    assert str(say_cause("timeout")) == "Omnitron did not answer in time"
    assert say_cause("illegal_move") == "Omnitron refused: illegal move"
    assert say_cause("") == ""
