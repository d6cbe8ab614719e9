"""The first page: what waits for somebody, in numbers that lead to the rows behind them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from aftercart.backoffice.links import make_list_url
from aftercart.backoffice.words import NOTHING, say_age
from aftercart.cancellations.models import (
    AddressChange,
    CancellationReason,
    CancellationRequest,
    Delivery,
    Difference,
    PublicStatement,
    Submission,
    Withdrawal,
)
from aftercart.cancellations.states import UNDER_WAY
from aftercart.mail.models import Email
from aftercart.mail.outbox import measure_outbox

_Status = CancellationRequest.Status
_WAITING = Q(status__in=[_Status.WAITING, _Status.WAITING_APPROVAL])


@dataclass(frozen=True, slots=True)
class Card:
    """A number, what it counts, and where its rows are. Urgent: somebody should look."""

    title: str
    number: str
    hint: str
    url: str
    is_urgent: bool = False


def fill_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Give the index its cards: those of what the person may see (django-unfold's DASHBOARD_CALLBACK)."""
    user = request.user
    cards: list[Card] = []
    if user.has_perm("cancellations.view_cancellationrequest"):
        cards += _count_requests()
    if user.has_perm("cancellations.view_withdrawal"):
        cards.append(_count_withdrawals())
    if user.has_perm("cancellations.view_publicstatement"):
        cards += _count_statements()
    if user.has_perm("cancellations.view_submission"):
        cards += _count_submissions()
    if user.has_perm("cancellations.view_addresschange"):
        cards.append(_count_address_changes())
    if user.has_perm("cancellations.view_difference"):
        cards.append(_count_differences())
    if user.has_perm("mail.view_email"):
        cards.append(_count_emails())
    if user.has_perm("cancellations.view_cancellationreason"):
        cards += _count_lone_reasons()
    return {**context, "title": _("Overview"), "cards": cards}


def count_waiting(request: HttpRequest) -> str:
    """Count what waits for a decision, for the menu; nothing, for who may not see it."""
    if not request.user.has_perm("cancellations.view_cancellationrequest"):
        return ""
    return str(CancellationRequest.objects.filter(_WAITING).count())


def _count_requests() -> list[Card]:
    numbers = CancellationRequest.objects.filter(status__in=CancellationRequest.OPEN).aggregate(
        waiting=Count("pk", filter=_WAITING),
        held=Count("pk", filter=Q(status=_Status.VERIFYING)),
        undeliverable=Count("pk", filter=Q(delivery__state=Delivery.State.FAILED)),
        oldest=Min("created_date", filter=_WAITING),
    )
    waiting_url = make_list_url(CancellationRequest, status="waiting")
    return [
        Card(_("Waiting requests"), str(numbers["waiting"]), _("To be approved or rejected"), waiting_url),
        Card(
            _("Oldest waiting"),
            say_age(numbers["oldest"]) if numbers["oldest"] else NOTHING,
            _("How long the first in the queue has waited"),
            waiting_url,
        ),
        Card(
            str(_Status.VERIFYING.label),
            str(numbers["held"]),
            _("Until Omnitron's answer is known"),
            make_list_url(CancellationRequest, status="verifying"),
        ),
        Card(
            _("Undeliverable"),
            str(numbers["undeliverable"]),
            _("Omnitron's queue refused them for good"),
            make_list_url(CancellationRequest, delivery="undeliverable"),
            is_urgent=numbers["undeliverable"] > 0,
        ),
    ]


def _count_submissions() -> list[Card]:
    numbers = Submission.objects.filter(state__in=UNDER_WAY).aggregate(
        all=Count("pk"), manual=Count("pk", filter=Q(manual_since__isnull=False))
    )
    return [
        Card(
            _("Submissions under way"),
            str(numbers["all"]),
            _("Recorded, not settled yet"),
            make_list_url(Submission, state="under_way"),
        ),
        Card(
            _("Answers unknown for long"),
            str(numbers["manual"]),
            _("Omnitron could not be asked for a day"),
            make_list_url(Submission, state="manual"),
            is_urgent=numbers["manual"] > 0,
        ),
    ]


def _count_differences() -> Card:
    count = Difference.objects.filter(resolved_at=None).count()
    url = make_list_url(Difference)
    return Card(_("Differences"), str(count), _("Told otherwise by Omnitron"), url, is_urgent=count > 0)


def _count_withdrawals() -> Card:
    count = Withdrawal.objects.filter(state=Withdrawal.State.RECEIVED).count()
    hint = _("Statements that nobody has decided on yet")
    return Card(_("Withdrawals"), str(count), hint, make_list_url(Withdrawal))


def _count_statements() -> list[Card]:
    """Count the public statements that nobody has matched; no card, if there is none."""
    count = PublicStatement.objects.filter(state=PublicStatement.State.OPEN).count()
    url, hint = make_list_url(PublicStatement), _("Made without a log-in, to be matched to an order")
    return [Card(_("Open statements"), str(count), hint, url, is_urgent=True)] if count else []


def _count_emails() -> Card:
    count = measure_outbox().manual
    url = make_list_url(Email, state="manual")
    return Card(
        _("E-mails given up"), str(count), _("They did not reach the customer"), url, is_urgent=count > 0
    )


def _count_address_changes() -> Card:
    count = AddressChange.objects.filter(state=AddressChange.State.PENDING).count()
    url = make_list_url(AddressChange, state="pending")
    return Card(_("Pending address changes"), str(count), _("Omnitron has not answered yet"), url)


def _count_lone_reasons() -> list[Card]:
    """Count the offered reasons without a partner at the OMS; no card, if every one has it."""
    lone = CancellationReason.objects.filter(is_active=True).exclude(remote_problem="")
    count = lone.count()
    url = make_list_url(CancellationReason, partner="none")
    title, hint = _("Reasons without a partner"), _("Omnitron has none like them")
    return [Card(title, str(count), hint, url, is_urgent=True)] if count else []
