"""`aftercart policy` and `aftercart reasons`: the policy, and why it decides as it does, for people and programs."""

import json
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aftercart.actions.sync.sync_reasons import ReasonReport
from aftercart.cancellations.models.policies import PolicyVersion
from aftercart.cancellations.policy.explain import OrderExplanation, explain_order
from aftercart.cancellations.policy.selectors import get_book, read_book
from aftercart.lib.clock import get_now
from aftercart.lib.times import format_time
from aftercart.orders.errors import OrderNotFound
from aftercart.orders.facts import CaseKind
from aftercart.orders.models import Order
from aftercart.orders.policy.clauses import Clause, PolicyBook
from aftercart.orders.policy.explain import Look, address_explanation_document, clause_document, item_document

#: What stands in columns of its own.
_OWN_COLUMNS = frozenset({"number", "topic", "effect"})


class VersionUnknown(Exception):
    """There is no such version of the policy."""


def get_version_book(version: int | None, at: datetime) -> PolicyBook:
    """Get a version of the policy, or the one in force at a time. Raises `VersionUnknown`."""
    if version is None:
        return get_book(at)
    found = PolicyVersion.objects.filter(pk=version).first()
    if found is None:
        raise VersionUnknown
    return read_book(found)


def read_time(text: str | None) -> datetime:
    """Read a time as in `2026-11-25T12:00`, UTC unless it says otherwise; now, for None. Raises `ValueError`."""
    if text is None:
        return get_now()
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def explain_number(number: str, kind: CaseKind | None, at: datetime, version: int | None) -> OrderExplanation:
    """Explain an order by its number. Raises `OrderNotFound`, `VersionUnknown`."""
    order = Order.objects.filter(number=number).first()
    if order is None:
        raise OrderNotFound
    return explain_order(order, book=get_version_book(version, at), at=at, kind=kind)


def write_policy(book: PolicyBook) -> str:
    """Write a version as JSON."""
    return _dump({"version": book.version, "clauses": [clause_document(c) for c in book.clauses]})


def write_explanation(explained: OrderExplanation) -> str:
    """Write an explanation as JSON."""
    body: dict[str, Any] = {
        "order": explained.order.number,
        "policy": explained.book.version,
        "at": format_time(explained.at),
    }
    if explained.address is not None:
        return _dump({**body, "address": address_explanation_document(explained.address)})
    return _dump({**body, "items": [item_document(item) for item in explained.items]})


def write_report(report: ReasonReport) -> str:
    """Write a comparison of reasons as JSON."""
    names = ("id", "cancellation_type", "subject", "problem")
    return _dump(
        {
            "mapped": report.mapped,
            "found": report.found,
            "problems": [dict(zip(names, problem, strict=True)) for problem in report.problems],
            "unused": [
                {"pk": row.pk, "cancellation_type": row.cancellation_type, "subject": row.subject}
                for row in report.unused
            ],
        }
    )


def print_policy(book: PolicyBook, console: Console) -> None:
    """Print a version as a table, in the order in which its clauses are looked at."""
    table = _make_table("#", "topic", "effect", "about", "says")
    for clauses in book.by_topic.values():
        for clause in clauses:
            about, says = _describe(clause)
            table.add_row(str(clause.number), clause.topic.value, clause.effect.value, about, says)
    console.print(f"[bold]{_name(book)}[/bold]")
    console.print(table)


def print_explanation(explained: OrderExplanation, console: Console) -> None:
    """Print what was decided about each item, by which clause, and why the others did not decide."""
    console.print(f"[bold]{escape(explained.order.number)}[/bold] by {_name(explained.book)}")
    console.print(f"at {format_time(explained.at)}")
    if explained.address is not None:
        refusal = explained.address.refusal
        verdict = f"refuse: {escape(refusal.message)} ({refusal.code})" if refusal else "allow"
        console.print(f"\n[bold]another address: {verdict}[/bold]")
        _print_looks(explained.address.looks, console)
    for item in explained.items:
        asked = f"{item.requested.cancellation_type} {item.requested.quantity or item.item.left_quantity}"
        console.print(
            f"\n[bold]item {item.item.order_item} {escape(item.item.sku)}, {item.item.status},"
            f" {asked}: {item.effect.value}[/bold]"
        )
        for finding in item.findings:
            by = "always" if finding.clause is None else f"clause {finding.clause}"
            console.print(f"  {finding.effect.value} {finding.code} ({by}): {escape(finding.message)}")
        _print_looks(item.looks, console)


def print_report(report: ReasonReport, console: Console) -> None:
    """Print what a comparison of reasons found."""
    console.print(
        f"{report.mapped} reasons have a counterpart at Omnitron, {report.found} of them found just now."
    )
    for pk, kind, subject, problem in report.problems:
        console.print(f"  ours #{pk} ({kind}) {escape(subject)}: {problem}")
    for row in report.unused:
        console.print(f"  theirs #{row.pk} ({row.cancellation_type}) {escape(row.subject)}: none of ours")


def _print_looks(looks: tuple[Look, ...], console: Console) -> None:
    table = _make_table("#", "topic", "effect", "applies to", "result")
    for look in looks:
        clause = look.clause
        about, _says = _describe(clause)
        style = "bold" if look.speaks else None if look.decides else "dim"
        outcome = _say_outcome(look)
        table.add_row(
            str(clause.number), clause.topic.value, clause.effect.value, about, outcome, style=style
        )
    console.print(table)


def _say_outcome(look: Look) -> str:
    until = f" (until {format_time(look.ends_at)})" if look.ends_at else ""
    if look.speaks:
        return f"decides: {look.clause.effect.value}{until}"
    if look.decides:
        return f"decides: nothing to say{until}"
    if look.mismatch:
        return f"does not apply: {look.mismatch}"
    return "another is more specific"


def _describe(clause: Clause) -> tuple[str, str]:
    """Say whom a clause is about, and what else it says, as `name=value`."""
    columns = {name: value for name, value in clause_document(clause).items() if name not in _OWN_COLUMNS}
    outcomes = ("window", "code", "message_en", "message_tr", "fee_fixed", "fee_percent", "shipping_refund")
    about = [_pair(name, value) for name, value in columns.items() if name not in outcomes]
    says = [_pair(name, value) for name, value in columns.items() if name in outcomes]
    return escape(" ".join(about) or "everything"), escape(" ".join(says))


def _pair(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['length']} {value['unit']} from {value['basis']}"
    return f"{name}={','.join(value) if isinstance(value, list) else value}"


def _name(book: PolicyBook) -> str:
    return "the default policy of the settings" if book.version is None else f"policy version {book.version}"


def _make_table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _dump(body: dict[str, Any]) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)
