"""Money and times as the customer writes them; times stand in the shop's time zone."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language

from aftercart.lib.money import get_exponent, round_amount

register = template.Library()

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
_MINUS = "\N{MINUS SIGN}"


@register.filter
def money(amount: Decimal | str, currency: str) -> str:
    """Write an amount: `TRY 1,234.50`, `€1,234.50`; in Turkish `1.234,50 TL`, `1.234,50 €`."""
    value = round_amount(Decimal(amount), currency)
    number = number_format(abs(value), decimal_pos=get_exponent(currency), use_l10n=True, force_grouping=True)
    code = currency.upper()
    sign = _SIGNS.get(code)
    if (get_language() or "").startswith("tr"):
        text = f"{number} {'TL' if code == 'TRY' else sign or code}"
    else:
        text = f"{sign}{number}" if sign else f"{code} {number}"
    return f"{_MINUS}{text}" if value < 0 else text


@register.filter
def day(value: date | datetime | None) -> str:
    """Write a day, as in "24 November 2026"."""
    if value is None:
        return ""
    return date_format(_localize(value) if isinstance(value, datetime) else value, "j F Y")


@register.filter
def moment(value: datetime | None) -> str:
    """Write a time, as in "24 November 2026, 14:05"."""
    return "" if value is None else date_format(_localize(value), "j F Y, H:i")


def _localize(value: datetime) -> datetime:
    return value.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE))
