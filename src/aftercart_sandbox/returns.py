"""Easy returns: a company collects the parcel, which bears a code that is valid for a while."""

import datetime as dt
from typing import Any

from aftercart_sandbox.errors import invalid
from aftercart_sandbox.store import Store
from aftercart_sandbox.values import stamp

RETURN_CODE_LIFE = dt.timedelta(days=10)


def issue_code(store: Store, pk: int, company: int | str) -> dict[str, Any]:
    """Return the easy return of what has this key, as the API shows it."""
    until = stamp(store.now() + RETURN_CODE_LIFE)
    return {"code": f"ER{pk}", "shipping_company": company, "valid_until": until}


def read_company(value: Any, field: str) -> int | str:
    """Return a company's number or code, or raise a 400."""
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        raise invalid(field, "Not a shipping company.")
    return value
