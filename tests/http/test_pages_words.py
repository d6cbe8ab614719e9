"""Words, amounts and days, without a database."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from aftercart.orders.status import Status
from aftercart.pages.templatetags.shop import day, moment, money
from aftercart.pages.words import ITEM_WORDS, ORDER_WORDS, STEPS

AMOUNTS = [
    ("1234.5", "TRY", "TRY 1,234.50", "1.234,50 TL"),
    ("1234.5", "eur", "€1,234.50", "1.234,50 €"),
    ("-100", "TRY", "−TRY 100.00", "−100,00 TL"),  # noqa: RUF001 - a minus sign
    ("1234567.891", "USD", "$1,234,567.89", "1.234.567,89 $"),
    ("1234.00", "JPY", "JPY 1,234", "1.234 JPY"),
    ("1.2345", "KWD", "KWD 1.235", "1,235 KWD"),
    ("0", "GBP", "£0.00", "0,00 £"),
]


@pytest.mark.parametrize(("amount", "currency", "english", "turkish"), AMOUNTS)
def test_amounts_are_written_as_the_language_does(
    amount: str, currency: str, english: str, turkish: str
) -> None:
    with translation.override("en"):
        assert money(amount, currency) == english
    with translation.override("tr"):
        assert money(Decimal(amount), currency) == turkish


def test_times_stand_in_the_shops_time_zone() -> None:
    late = datetime(2024, 1, 31, 22, 30, tzinfo=UTC)
    with translation.override("en"):
        assert (day(late), moment(late)) == ("1 February 2024", "1 February 2024, 01:30")
        assert (day(date(2024, 1, 31)), day(None), moment(None)) == ("31 January 2024", "", "")
    with translation.override("tr"):
        assert moment(late) == "1 Şubat 2024, 01:30"


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_words(status: Status) -> None:
    assert str(ITEM_WORDS[status].label)
    words = ORDER_WORDS[status]
    assert str(words.headline)
    assert str(words.next)
    assert words.step is None or 0 <= words.step < len(STEPS)
