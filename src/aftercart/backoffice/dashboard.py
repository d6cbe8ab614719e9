"""The first page: what waits for somebody, in numbers that lead to the rows behind them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from aftercart.backoffice.links import make_list_url
from aftercart.backoffice.words import say_age
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
    seen = [count() for permission, count in _COUNTS.items() if request.user.has_perm(permission)]
    return {**context, "title": _("Overview"), "cards": [card for cards in seen for card in cards]}


def count_waiting(request: HttpRequest) -> str:
    """Count what waits for a decision, for the menu; nothing, for who may not see it."""
    if not request.user.has_perm("cancellations.view_cancellationrequest"):
        return ""
    return str(CancellationRequest.objects.filter(_WAITING).count())


def _make_card(title: str, count: int, hint: str, url: str, *, is_alarming: bool = False) -> Card:
    """Make a card of a count; where any is one too many, it is urgent."""
    return Card(title, str(count), hint, url, is_urgent=is_alarming and count > 0)


def _count_requests() -> list[Card]:
    numbers = CancellationRequest.objects.filter(status__in=CancellationRequest.OPEN).aggregate(
        waiting=Count("pk", filter=_WAITING),
        held=Count("pk", filter=Q(status=_Status.VERIFYING)),
        undeliverable=Count("pk", filter=Q(delivery__state=Delivery.State.FAILED)),
        oldest=Min("created_date", filter=_WAITING),
    )
    waiting_url = make_list_url(CancellationRequest, status="waiting")
    held_url = make_list_url(CancellationRequest, status="verifying")
    refused_url = make_list_url(CancellationRequest, delivery="undeliverable")
    refused, hint = numbers["undeliverable"], _("Omnitron's queue refused them for good")
    return [
        _make_card(_("Waiting requests"), numbers["waiting"], _("To be approved or rejected"), waiting_url),
        Card(
            _("Oldest waiting"),
            say_age(numbers["oldest"]),
            _("How long the first in the queue has waited"),
            waiting_url,
        ),
        _make_card(
            str(_Status.VERIFYING.label), numbers["held"], _("Until Omnitron's answer is known"), held_url
        ),
        _make_card(_("Undeliverable"), refused, hint, refused_url, is_alarming=True),
    ]


def _count_submissions() -> list[Card]:
    numbers = Submission.objects.filter(state__in=UNDER_WAY).aggregate(
        all=Count("pk"), manual=Count("pk", filter=Q(manual_since__isnull=False))
    )
    all_url, manual_url = (make_list_url(Submission, state=state) for state in ("under_way", "manual"))
    hint = _("Omnitron has given no clear answer for a day")
    return [
        _make_card(_("Submissions under way"), numbers["all"], _("Recorded, not settled yet"), all_url),
        _make_card(_("Answers long unknown"), numbers["manual"], hint, manual_url, is_alarming=True),
    ]


def _count_differences() -> list[Card]:
    count = Difference.objects.filter(resolved_at=None).count()
    url, hint = make_list_url(Difference), _("Where Omnitron's records disagree with ours")
    return [_make_card(_("Differences"), count, hint, url, is_alarming=True)]


def _count_withdrawals() -> list[Card]:
    count = Withdrawal.objects.filter(state=Withdrawal.State.RECEIVED).count()
    hint = _("Statements awaiting a decision")
    return [_make_card(_("Withdrawals"), count, hint, make_list_url(Withdrawal))]


def _count_statements() -> list[Card]:
    """Count the public statements that nobody has matched; no card, if there is none."""
    count = PublicStatement.objects.filter(state=PublicStatement.State.OPEN).count()
    url, hint = make_list_url(PublicStatement), _("Made without a log-in, to be matched to an order")
    return [_make_card(_("Open statements"), count, hint, url, is_alarming=True)] if count else []


def _count_emails() -> list[Card]:
    url, hint = make_list_url(Email, state="manual"), _("They may not have reached the customer")
    return [
        _make_card(_("E-mails that need attention"), measure_outbox().manual, hint, url, is_alarming=True)
    ]


def _count_address_changes() -> list[Card]:
    count = AddressChange.objects.filter(state=AddressChange.State.PENDING).count()
    url, hint = make_list_url(AddressChange, state="pending"), _("Omnitron has not answered yet")
    return [_make_card(_("Pending address changes"), count, hint, url)]


def _count_lone_reasons() -> list[Card]:
    """Count the offered reasons without a partner at the OMS; no card, if every one has it."""
    count = CancellationReason.objects.filter(is_active=True).exclude(remote_problem="").count()
    url, hint = make_list_url(CancellationReason, partner="none"), _("Omnitron has nothing like them")
    return (
        [_make_card(_("Reasons without a counterpart"), count, hint, url, is_alarming=True)] if count else []
    )


#: What is counted, by the permission to see it.
_COUNTS: Final[dict[str, Callable[[], list[Card]]]] = {
    "cancellations.view_cancellationrequest": _count_requests,
    "cancellations.view_withdrawal": _count_withdrawals,
    "cancellations.view_publicstatement": _count_statements,
    "cancellations.view_submission": _count_submissions,
    "cancellations.view_addresschange": _count_address_changes,
    "cancellations.view_difference": _count_differences,
    "mail.view_email": _count_emails,
    "cancellations.view_cancellationreason": _count_lone_reasons,
}
