"""Money: the one place where an amount is rounded or written down.

Amounts are `Decimal` in the currency's major unit (liras, not kurus). Currencies are ISO 4217 codes in
upper case, as in Django's and Akinon's APIs they may arrive in lower case.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)

#: ISO 4217 minor-unit exponents that are not 2.
_EXPONENTS = {
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
    "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip

#: The smallest unit, by its decimals.
_UNITS = {exponent: Decimal(1).scaleb(-exponent) for exponent in (0, 2, 3)}


def get_exponent(currency: str) -> int:
    """Return how many decimals the currency has (ISO 4217; 2 for a currency that we do not know)."""
    return _EXPONENTS.get(currency.upper(), 2)


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """Round to the currency's smallest unit, half away from zero: the only rounding in Aftercart."""
    return round_to(amount, get_unit(currency))


def get_unit(currency: str) -> Decimal:
    """Return the currency's smallest unit, as in 0.01."""
    return _UNITS[get_exponent(currency)]


def round_to(amount: Decimal, unit: Decimal) -> Decimal:
    """Round to a smallest unit, as `round_amount` does, which looks it up each time."""
    return amount.quantize(unit, rounding=ROUND_HALF_UP)


def to_minor(amount: Decimal, currency: str) -> int:
    """Count an amount in the currency's smallest unit (cents, yen, fils), rounding what is finer."""
    return int(round_amount(amount, currency).scaleb(get_exponent(currency)))


def from_minor(count: int, currency: str) -> Decimal:
    """Write a count of the currency's smallest unit as an amount."""
    return Decimal(count).scaleb(-get_exponent(currency))


def take_share(total: int, part: int, whole: int) -> int:
    """Give `total * part / whole` of something counted in smallest units, rounded half up; no part is negative."""
    return (2 * total * part + whole) // (2 * whole)


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Split a count among weights by the largest remainder: nothing is lost, nothing added.

    Everybody gets the whole part of what is due to them; what is left goes, one by one, to the largest
    fractions, the first of equal ones first. Without any weight all weigh the same. No share is above its
    weight while `total` is not above their sum.
    """
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    by_fraction = sorted(range(len(weights)), key=lambda place: -(total * weights[place] % whole))
    for place in by_fraction[: total - sum(shares)]:
        shares[place] += 1
    return shares


def share_of_units(total: int, quantity: int, first: int, count: int) -> int:
    """Give what `count` units, from the one at `first` on, have of a count split among `quantity` units.

    It is what `share_out` would give to equal weights: each unit's share, the first ones one more, which never
    changes. So it costs nothing to ask for it, however many units there are.
    """
    each, left = divmod(total, quantity)

    def upto(place: int) -> int:
        return place * each + min(place, left)

    return upto(first + count) - upto(first)


def format_amount(amount: Decimal) -> str:
    """Write an amount as the contract does: a string with two decimals (contract section 1).

    An amount with more than two decimals (dinars) keeps them: a cent is never cut off to fit a format.
    """
    two = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return f"{two:f}" if two == amount else f"{amount.normalize():f}"
