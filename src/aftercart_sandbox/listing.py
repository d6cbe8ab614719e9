"""Lists as Django REST framework gives them: filters, sorting and pages (contract sections 1 and 8)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aftercart_sandbox.call import Call, Reply
from aftercart_sandbox.errors import ApiError, invalid
from aftercart_sandbox.store import Row
from aftercart_sandbox.values import read_moment

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
_MAX_DIGITS = 9
_COMPARISONS = {"exact": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class Listing:
    """How one table is listed: its columns as ``{filter name: (column, "int" | "text" | "date")}``.

    ``sort`` is the order without a ``sort`` parameter; ``render`` turns a row into JSON.
    """

    table: str
    columns: dict[str, tuple[str, str]]
    sort: str
    render: Callable[[Call, Row], dict[str, Any]]


def columns(**kinds: str) -> dict[str, tuple[str, str]]:
    """Return the columns every table has (``pk``, ``id``, channel, dates) and the given ones, by kind."""
    common = {"pk": "int", "channel": "int", "created_date": "date", "modified_date": "date"} | kinds
    known = {name: (name, kind) for name, kind in common.items()}
    return known | {"id": ("pk", "int"), "channel_id": ("channel", "int")}


def list_rows(call: Call, listing: Listing, where: str = "1", *values: Any) -> Reply:
    """Answer one page of the rows that satisfy ``where`` and the filters; 404 for a page beyond the end."""
    conditions, bound = [where], list(values)
    for name, text in call.query.items():
        condition = _condition(listing, name, text, bound)
        if condition:
            conditions.append(condition)
    source = f"FROM {listing.table} WHERE {' AND '.join(conditions)}"  # names are ours, values are bound
    count = call.store.count(f"SELECT count(*) {source}", *bound)
    limit, page, last = _window(call, count)
    rows = call.store.all(
        f"SELECT * {source} ORDER BY {_order(listing, call.query.get('sort', ''))} LIMIT ? OFFSET ?",
        *bound,
        limit,
        (page - 1) * limit,
    )
    return Reply(
        {
            "count": count,
            "next": _page_url(call, page + 1) if page < last else None,
            "previous": _page_url(call, page - 1) if page > 1 else None,
            "results": [listing.render(call, row) for row in rows],
        }
    )


def _condition(listing: Listing, name: str, text: str, bound: list[Any]) -> str:
    """Return the SQL for one parameter, binding its values; empty for one that is no filter here."""
    field, _, lookup = name.partition("__")
    lookup = lookup or "exact"
    if field not in listing.columns or text == "":
        return ""
    column, kind = listing.columns[field]
    if lookup == "isnull":
        return f"{column} IS {'NULL' if text.lower() in ('true', '1') else 'NOT NULL'}"
    if lookup == "in":
        parts = [_read(part.strip(), kind, name) for part in text.split(",") if part.strip()]
        bound.extend(parts)
        return f"{column} IN ({', '.join('?' * len(parts))})"
    if lookup not in _COMPARISONS:
        return ""
    bound.append(_read(text, kind, name))
    return f"{column} {_COMPARISONS[lookup]} ?"


def _read(text: str, kind: str, name: str) -> int | str:
    if kind == "date":
        return read_moment(text.replace(" ", "+") if text.count(" ") and "T" in text else text, name)
    if kind == "text":
        return text
    try:
        number = int(text)
    except ValueError:
        raise invalid(name, "Enter a whole number.") from None
    if abs(number) >= 2**63:
        raise invalid(name, "Enter a whole number.")
    return number


def _order(listing: Listing, sort: str) -> str:
    """Return the ORDER BY; what it does not know it leaves out, and the key always decides last."""
    terms = []
    for term in (sort or listing.sort).split(","):
        name = term.strip().removeprefix("-")
        if name in listing.columns:
            terms.append(f"{listing.columns[name][0]} {'DESC' if term.strip().startswith('-') else 'ASC'}")
    first = terms[0] if terms else ""
    return ", ".join([*terms, "pk DESC" if first.endswith("DESC") else "pk ASC"])


def _window(call: Call, count: int) -> tuple[int, int, int]:
    """Return limit, page and last page, or raise the 404 for a page that is not there."""
    text = call.query.get("limit") or call.query.get("page_size") or ""
    limit = min(int(text), MAX_LIMIT) if text.isascii() and text.isdigit() and int(text) else DEFAULT_LIMIT
    last = max(1, -(-count // limit))
    wanted = call.query.get("page", "1")
    if wanted == "last":
        return limit, last, last
    if not (
        wanted.isascii() and wanted.isdigit() and len(wanted) <= _MAX_DIGITS and 1 <= int(wanted) <= last
    ):
        raise ApiError(404, {"detail": "Invalid page.", "code": "not_found"})
    return limit, int(wanted), last


def _page_url(call: Call, page: int) -> str:
    url = call.url.without_query_params("page")
    return str(url if page == 1 else url.update_query(page=str(page)))
