"""Notify the customer of an event: an e-mail with what was true then, inside the transaction of the event.

Each function may be called whenever its event may have happened: the outbox keeps one e-mail an event.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import Q
from django.utils import translation

from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    Destination,
    RefundQuote,
    RefundQuoteLine,
    Submission,
    SubmissionLine,
)
from aftercart.cancellations.models.easy_return import find_instructions
from aftercart.cancellations.models.reasons import find_kind
from aftercart.cancellations.models.withdrawals import is_withdrawn
from aftercart.cancellations.quoted import find_due
from aftercart.cancellations.return_pass import find_pass, make_pass, read_part
from aftercart.lib.clock import get_now
from aftercart.lib.money import ZERO
from aftercart.lib.times import format_time
from aftercart.lib.web_addresses import find_image
from aftercart.mail.models import Email, LineNotice
from aftercart.mail.outbox import get_language_of, queue_email, queue_orderless_email
from aftercart.orders.models import Order, OrderItem

_Kind = Email.Kind
#: Names the e-mail about one thing, where what it is about has no uuid of its own.
_NOTIFIED_OTHERWISE = frozenset({Submission.Origin.APPROVAL, Submission.Origin.WITHDRAWAL})
_NAMESPACE = uuid.UUID("6f1c5f0a-8f4e-4f43-9f3b-2f6d1f0b7a11")


def post(
    order: Order, kind: Email.Kind, subject: uuid.UUID, facts: Mapping[str, Any], **options: Any
) -> int | None:
    """Write an e-mail and have the worker send it once this transaction is committed; its id, if it is new."""
    pk = queue_email(order, kind, subject, facts, **options)
    if pk is not None:
        jobs.enqueue(jobs.SEND_EMAIL, pk)
    return pk


def post_orderless(kind: Email.Kind, subject: uuid.UUID, **options: Any) -> None:
    """Write an e-mail that is about no order, and have the worker send it as `post` does."""
    jobs.enqueue(jobs.SEND_EMAIL, queue_orderless_email(kind, subject, **options))


def name_subject(kind: str, pk: int) -> uuid.UUID:
    """Name a row without a uuid, always alike."""
    return uuid.uuid5(_NAMESPACE, f"{kind}:{pk}")


def notify_sent(order: Order, submission: Submission, lines: Sequence[SubmissionLine]) -> None:
    """Announce that a cancellation was taken at once. Not of a withdrawal: its receipt has been sent."""
    if submission.origin == Submission.Origin.WITHDRAWAL:
        return
    facts = describe_quoted(order, lines) | _describe_return(order, lines)
    post(order, _Kind.CANCELLATION_SENT, submission.uuid, facts)


def notify_confirmed(order: Order, submission: Submission) -> None:
    """Announce that a cancellation whose answer was lost has been found.

    Not of approvals and withdrawals: of those the customer has been told otherwise.
    """
    if submission.origin not in _NOTIFIED_OTHERWISE:
        lines = _list_quoted(submission)
        facts = describe_quoted(order, lines) | _describe_return(order, lines)
        post(order, _Kind.CANCELLATION_CONFIRMED, submission.uuid, facts)


def notify_checking(order: Order, submission: Submission) -> None:
    """Notify, once, that a confirmation is late; whatever comes of it, another e-mail says."""
    if submission.origin not in _NOTIFIED_OTHERWISE:
        lines = list(submission.lines.select_related("order_item"))
        post(order, _Kind.CANCELLATION_CHECKING, submission.uuid, _describe(order, lines))


def notify_return_code(order: Order, line: SubmissionLine) -> None:
    """Send the code that a return got, with all that the parcel needs; lines of one code in one e-mail."""
    lines = list(
        line.submission.lines.filter(is_open=True, cancellation_type="refund").select_related("order_item")
    )
    subject = uuid.uuid5(line.submission.uuid, line.easy_return_code)
    facts = _describe(order, lines) | {"return": make_pass(line).to_facts()}
    post(order, _Kind.RETURN_CODE, subject, facts)


def notify_pickup(order: Order, lines: Sequence[SubmissionLine]) -> None:
    """Confirm another pickup of a return; each change has an e-mail of its own. Wants their items selected."""
    subject = uuid.uuid5(lines[0].submission.uuid, f"pickup:{order.version}")
    facts = _describe(order, lines) | {"return": make_pass(lines[0]).to_facts()}
    post(order, _Kind.PICKUP_CHANGED, subject, facts)


def notify_received(order: Order, submission: Submission) -> None:
    """Notify that requests were recorded, and by when they are answered. Not while an answer may still come.

    Not of a withdrawal, and not of an approval that did not get through: the customer has been told that.
    """
    if submission.origin in _NOTIFIED_OTHERWISE:
        return
    facts = describe_quoted(order, _list_quoted(submission))
    facts["answer_by"] = format_time(get_now() + settings.REQUEST_ANSWER)
    post(order, _Kind.REQUEST_RECEIVED, submission.uuid, facts)


def notify_approved(order: Order, request: CancellationRequest) -> None:
    """Announce that the staff approved a request, and that the OMS has taken it.

    A withdrawal is decided as a whole, with an e-mail of its own.
    """
    line = request.line
    if not is_withdrawn(line) and _claim_notices([line], "approved"):
        facts = _describe(order, [line]) | _describe_return(order, [line])
        pk = post(order, _Kind.REQUEST_APPROVED, request.uuid, facts)
        _name_email([line], "approved", pk)


def notify_rejected(order: Order, line: SubmissionLine, reason: str) -> None:
    """Announce that a cancellation was declined, and why. A withdrawal is decided as a whole."""
    if not is_withdrawn(line) and _claim_notices([line], "rejected"):
        facts = _describe(order, [line]) | {"reason": reason}
        pk = post(order, _Kind.REQUEST_REJECTED, name_subject("line", line.pk), facts)
        _name_email([line], "rejected", pk)


def notify_completed(order: Order, submission: Submission) -> None:
    """Announce what was cancelled of a submission, and what comes back for it; each line once.

    Lines that were completed in one transaction are told of together: call it once they all are.
    """
    done = _claim_notices(
        submission.lines.filter(outcome="completed").select_related("order_item"), "completed"
    )
    if done:
        subject = name_subject("completed", done[0].pk)
        pk = post(order, _Kind.CANCELLATION_COMPLETED, subject, _describe_done(order, done))
        _name_email(done, "completed", pk)


def _claim_notices(lines: Iterable[SubmissionLine], outcome: str) -> list[SubmissionLine]:
    """Claim the notices of an outcome, and return the lines whose customer has not been notified of it yet.

    The database lets one of two who try have it, in whatever order and by whichever way the lines were decided.
    """
    return [line for line in lines if LineNotice.objects.get_or_create(line=line, outcome=outcome)[1]]


def _name_email(lines: Sequence[SubmissionLine], outcome: str, email_pk: int | None) -> None:
    LineNotice.objects.filter(line__in=lines, outcome=outcome).update(email=email_pk)


def notify_late(order: Order, line: SubmissionLine) -> None:
    """Announce that a cancellation has gone through after the customer had been told otherwise of its line."""
    subject = name_subject("late", line.pk)
    post(order, _Kind.CANCELLATION_LATE, subject, {"items": [describe_item(line.order_item, line.quantity)]})


def notify_address(order: Order, change: AddressChange) -> None:
    """Announce how an address change ended. What was refused at once, the customer has seen at once."""
    kinds = {
        AddressChange.State.CONFIRMED: _Kind.ADDRESS_CHANGED,
        AddressChange.State.TOO_LATE: _Kind.ADDRESS_TOO_LATE,
    }
    kind = kinds.get(AddressChange.State(change.state))
    if kind is not None:
        facts = {"address": _write_address(change.address)}
        post(order, kind, name_subject("address_change", change.pk), facts)


def describe_item(item: OrderItem, quantity: int) -> dict[str, Any]:
    """Write units of an item as e-mails list them, with its picture where there is one that may be shown."""
    described = {"name": str(item.product.get("name") or item.sku or item.pk), "quantity": quantity}
    image = find_image(item.details.get("image"), item.product.get("image"))
    return described | {"image": urljoin(settings.PUBLIC_URL, image)} if image else described


def _describe(order: Order, lines: Iterable[SubmissionLine]) -> dict[str, Any]:
    """Describe lines, those that are done with what came back for them."""
    lines = list(lines)
    booked = _find_booked([line for line in lines if line.outcome == "completed"])
    items = []
    for line in lines:
        is_done = line.outcome == "completed"
        amount = booked[line.pk] if is_done else ZERO
        described = describe_item(line.order_item, line.completed_quantity if is_done else line.quantity)
        items.append(described | {"amount": str(amount)} if amount > ZERO else described)
    types = (line.cancellation_type for line in lines)
    is_direct = any(line.submission.origin == Submission.Origin.DIRECT for line in lines)  # so no withdrawal
    is_withdrawal = bool(lines) and not is_direct and all(map(is_withdrawn, lines))
    what = find_kind(types, is_withdrawal=is_withdrawal)
    return {"what": what.value, "items": items, "currency": order.currency}


def _list_quoted(submission: Submission) -> list[SubmissionLine]:
    return list(submission.lines.select_related("order_item", "quoted__quote"))


def describe_quoted(order: Order, lines: Sequence[SubmissionLine]) -> dict[str, Any]:
    """Describe a submission's lines, and what they were quoted to give back, as what, and where it goes.

    Wants their items and quotes selected.
    """
    facts = _describe(order, lines)
    rows = [line.quoted for line in lines if hasattr(line, "quoted")]
    if not rows:  # from before there were quotes
        return facts
    quote = rows[0].quote
    points = sum((row.points_returned for row in rows), quote.rest_points_returned)
    if quote.rest_amount > ZERO:
        facts["rest"] = str(quote.rest_amount)
    return facts | _describe_refund(order, lines, quote, quote.total_amount, points)


def _describe_return(order: Order, lines: Iterable[SubmissionLine]) -> dict[str, Any]:
    """Describe how what is returned of lines gets back, where anything is."""
    lines = [line for line in lines if line.cancellation_type == "refund"]
    if not lines:
        return {}
    with translation.override(get_language_of(order)):
        found = find_pass(lines, instructions=find_instructions(order.channel_id))
    return {"return": found.to_facts()} if found else {}


def _describe_done(order: Order, lines: Sequence[SubmissionLine]) -> dict[str, Any]:
    """Describe lines that are done, what comes back for them, as what, where it goes, and whether it has gone."""
    facts = _describe(order, lines)
    rows = list(RefundQuoteLine.objects.filter(line__in=lines).select_related("quote"))
    wholes = [
        row for row in _list_rests(lines) if row.rest_booked_amount is None or row.rest_booked_amount > ZERO
    ]
    rest = sum((row.given_rest for row in wholes), ZERO)
    refund = sum(_find_booked(lines).values(), ZERO) + rest
    points = sum((row.points_returned for row in rows), ZERO)
    points += sum((row.rest_points_returned for row in wholes), ZERO)
    facts |= _describe_refund(order, lines, rows[0].quote if rows else None, refund, points)
    if rows and not any(row.is_paid for row in rows):
        facts["is_paid"] = False
    if rest > ZERO:
        facts["rest"] = str(rest)
    is_refunded = all(row.is_refunded for row in rows) and all(
        whole.is_rest_refunded(whole.lines.all()) for whole in wholes
    )
    if not is_refunded:
        facts["due"] = format_time(find_due(get_now()))
    return facts | {"is_refunded": is_refunded}


def _describe_refund(
    order: Order,
    lines: Sequence[SubmissionLine],
    quote: RefundQuote | None,
    refund: Decimal,
    points: Decimal,
) -> dict[str, Any]:
    """Describe a refund: its amount, the points in it, and where the rest goes, of an account only its end."""
    facts: dict[str, Any] = {}
    if refund > ZERO:
        facts["refund"] = str(refund)
    if points > ZERO:
        facts["points"] = str(points)
    if quote is None:
        return facts
    facts["is_paid"] = quote.destination != Destination.NONE
    if refund > points:
        facts["to"] = quote.destination
        iban = next((line.iban for line in lines if line.iban), "")
        facts["account_end"] = iban[-4:]
        facts["method"] = str(order.payment_option.get("name") or "")
    return facts


def _find_booked(lines: Sequence[SubmissionLine]) -> dict[int, Decimal]:
    """Find what comes back for each line; one from before there were quotes is told by its item."""
    if not lines:
        return {}
    rows = RefundQuoteLine.objects.filter(line__in=lines)
    booked = {row.line_id: row.given_amount for row in rows if row.booked_amount is not None}
    return {line.pk: booked.get(line.pk, line.order_item.refund_amount) for line in lines}


def _list_rests(lines: Sequence[SubmissionLine]) -> list[RefundQuote]:
    """List the quotes whose part of the order as a whole came with these lines."""
    with_them = Q(rest_line__in=lines) | Q(rest_line=None, lines__line__in=lines)
    return list(RefundQuote.objects.filter(with_them, rest_booked_at__isnull=False).distinct())


def _write_address(address: Mapping[str, Any]) -> str:
    read = partial(read_part, address)
    person = f"{read('first_name')} {read('last_name')}".strip()
    place = " ".join(filter(None, [read("postcode"), read("district"), read("township")]))
    return "\n".join(filter(None, [person, read("line"), place, f"{read('city')} {read('country')}".strip()]))
