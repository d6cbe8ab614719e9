from decimal import Decimal

import pytest

from aftercart.lib.money import format_amount, get_exponent, round_amount


@pytest.mark.parametrize(("currency", "exponent"), [("TRY", 2), ("JPY", 0), ("KWD", 3), ("eur", 2)])
def test_each_currency_has_its_own_decimals(currency: str, exponent: int) -> None:
    assert get_exponent(currency) == exponent


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [("0.005", "TRY", "0.01"), ("0.0049", "TRY", "0.00"), ("1.5", "JPY", "2"), ("1.0005", "KWD", "1.001")],
)
def test_halves_are_rounded_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert round_amount(Decimal(amount), currency) == Decimal(rounded)


@pytest.mark.parametrize(
    ("amount", "written"), [("5", "5.00"), ("5.1000", "5.10"), ("1.234", "1.234"), ("-3.5", "-3.50")]
)
def test_an_amount_is_written_with_two_decimals_and_no_cent_is_cut(amount: str, written: str) -> None:
    assert format_amount(Decimal(amount)) == written
