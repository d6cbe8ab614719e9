"""Money: the one place where an amount is rounded or written down.

Amounts are `Decimal` in the currency's major unit (liras, not kurus). Currencies are ISO 4217 codes in
upper case, as in Django's and Akinon's APIs they may arrive in lower case.
"""

from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)

#: ISO 4217 minor-unit exponents that are not 2.
_EXPONENTS = {
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
    "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip


def get_exponent(currency: str) -> int:
    """Tell how many decimals the currency has (ISO 4217; 2 for a currency that we do not know)."""
    return _EXPONENTS.get(currency.upper(), 2)


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """Round to the currency's smallest unit, half away from zero: the only rounding in Aftercart."""
    return amount.quantize(Decimal(1).scaleb(-get_exponent(currency)), rounding=ROUND_HALF_UP)


def format_amount(amount: Decimal | None) -> str | None:
    """Write an amount as the contract does: a string with two decimals (contract section 1), or None.

    An amount with more than two decimals (dinars) keeps them: a cent is never cut off to fit a format.
    """
    if amount is None:
        return None
    two = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return f"{two:f}" if two == amount else f"{amount.normalize():f}"
