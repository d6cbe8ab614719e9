from typing import Any

import pytest

from aftercart.lib.secrets import drop_staff_notes, mask_card_numbers

VISA, MASKED = "4111111111111111", "411111******1111"


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (VISA, MASKED),
        ("4111 1111 1111 1111", MASKED),
        ("paid with 4111-1111-1111-1111 today", f"paid with {MASKED} today"),
        (int(VISA), MASKED),
        ({"a": [{"b": VISA}]}, {"a": [{"b": MASKED}]}),
        ({"card_no": "1234567890123456"}, {"card_no": "123456******3456"}),
        ({"kart": "1234567890123"}, {"kart": "123456******0123"}),
    ],
)
def test_a_card_number_is_masked_however_deep(value: Any, masked: Any) -> None:
    assert mask_card_numbers(value) == masked


@pytest.mark.parametrize(
    "value",
    [
        "4111111111111112",  # the check digit is wrong
        "1234567890123456",  # no scheme begins so
        {"order_number": VISA},
        {"tracking": {"barcode": VISA}},
        "411111",
        "2026-11-24T10:20:30.000000Z",
        True,
        None,
        12.5,
    ],
)
def test_what_is_no_card_number_is_kept(value: Any) -> None:
    assert mask_card_numbers(value) == value


def test_staff_notes_are_left_out_and_nothing_else() -> None:
    extra = {"note": "ring twice", "staff_note": "x", "deep": [{"internalNotes": "x", "gift": 1}], "n": None}

    assert drop_staff_notes(extra) == {"note": "ring twice", "deep": [{"gift": 1}], "n": None}
