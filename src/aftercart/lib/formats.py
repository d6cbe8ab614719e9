"""Money and times as a person writes them, in the language that is active; times in the shop's time zone."""

from datetime import date, datetime
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.translation import get_language

from aftercart.lib.clock import get_shop_zone
from aftercart.lib.money import get_exponent, round_amount
from aftercart.lib.times import clamp

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
_MINUS = "\N{MINUS SIGN}"


def get_active_language() -> str:
    """Return the language that is active, `en` or `tr`; English where none is, as in a worker."""
    return (get_language() or "en")[:2]


def format_money(amount: Decimal | str, currency: str) -> str:
    """Write an amount: `TRY 1,234.50`, `€1,234.50`; in Turkish `1.234,50 TL`, `1.234,50 €`."""
    value = round_amount(Decimal(amount), currency)
    number = number_format(abs(value), decimal_pos=get_exponent(currency), use_l10n=True, force_grouping=True)
    code = currency.upper()
    sign = _SIGNS.get(code)
    if get_active_language() == "tr":
        text = f"{number} {'TL' if code == 'TRY' else sign or code}"
    else:
        text = f"{sign}{number}" if sign else f"{code} {number}"
    return f"{_MINUS}{text}" if value < 0 else text


def format_points(amount: Decimal) -> str:
    """Write an amount of points: `66.50`, in Turkish `66,50`; whole ones without decimals."""
    places = 0 if amount == amount.to_integral_value() else 2
    return number_format(amount, decimal_pos=places, use_l10n=True, force_grouping=True)


def format_day(value: date | datetime | None) -> str:
    """Write a day, as in "24 November 2026"."""
    if value is None:
        return ""
    return date_format(_localize(value) if isinstance(value, datetime) else value, "j F Y")


def format_weekday(value: date | datetime | None) -> str:
    """Write a day that is near, as in "Wednesday, 25 November"; in Turkish "25 Kasım Çarşamba"."""
    if value is None:
        return ""
    pattern = "j F l" if get_active_language() == "tr" else "l, j F"
    return date_format(_localize(value) if isinstance(value, datetime) else value, pattern)


def format_moment(value: datetime | None) -> str:
    """Write a time, as in "24 November 2026, 14:05"."""
    return "" if value is None else date_format(_localize(value), "j F Y, H:i")


def _localize(value: datetime) -> datetime:
    return clamp(value).astimezone(get_shop_zone())
