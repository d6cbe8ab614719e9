"""Filters of the lists. Their choices are known beforehand or remembered: a list asks for them at no cost."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.core.cache import cache
from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from aftercart.backoffice.words import Text
from aftercart.cancellations.causes import CAUSES
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    CancellationType,
    Delivery,
    Submission,
)
from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.cancellations.states import UNDER_WAY
from aftercart.mail.models import Email
from aftercart.orders.models import Order
from aftercart.orders.policy.topics import ITEM_TOPICS

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.contrib.admin.views.main import ChangeList
    from django.http import HttpRequest

_Status, _Delivery = CancellationRequest.Status, Delivery.State

#: How long the channels and currencies that there are stay remembered, in seconds.
_REMEMBERED = 600

#: The few values of a column of many rows, read from an index that begins with it: one step a value.
_LIST_VALUES = """
    WITH RECURSIVE found(value) AS (
        (SELECT {column} FROM {table} ORDER BY {column} LIMIT 1)
        UNION ALL
        SELECT (SELECT {column} FROM {table} WHERE {column} > found.value ORDER BY {column} LIMIT 1)
        FROM found WHERE found.value IS NOT NULL
    )
    SELECT value FROM found WHERE value IS NOT NULL
"""
#: Approved before, and not taken by the OMS.
IS_BOUNCED = Exists(
    Submission.objects.filter(
        approved_request=OuterRef("pk"), approved_request__isnull=False, state=Submission.State.REFUSED
    )
)

_UNREACHED = (
    "unreachable", "breaker_open", "bulkhead_full", "throttled", "unauthorized", "login_failed",
    "deadline_over", "on_hold",
)  # fmt: skip
_LOST = (
    "timeout", "connection_lost", "server_error", "redirected", "not_json", "too_large", "malformed",
    "process_died", "found_applied", "found_not_applied", "found_changed", "arrived_late", "claim_lost",
)  # fmt: skip
_DIFFERS = (
    "merged_line", "omnitron_differs", "omnitron_in_progress", "omnitron_status", "omnitron_unknown_item",
    "partly_decided", "reason_unmapped", "rejection_untold", "name_taken", "earlier_unproven",
)  # fmt: skip
_RULES = (
    "requested",
    *(topic.declared.code for topic in ITEM_TOPICS),
    "policy_overridden",
)


class ChoiceFilter(SimpleListFilter):
    """A filter whose choices are a table: value, words, condition.

    `default` names what is shown when nothing was chosen; without one, that is everything.
    """

    default: ClassVar[Text] = _("All")
    table: ClassVar[tuple[tuple[str, Text, Q], ...]] = ()
    unchosen: ClassVar[Q] = Q()

    def lookups(self, request: "HttpRequest", model_admin: "ModelAdmin[Any]") -> list[tuple[str, Any]]:  # noqa: ARG002 - Django's signature
        """Give the choices."""
        return [(value, words) for value, words, _condition in self.table]

    def queryset(self, request: "HttpRequest", queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 - Django's signature
        """Keep what was chosen; a value that is not in the table is as good as none."""
        conditions = {value: condition for value, _words, condition in self.table}
        return queryset.filter(conditions.get(self.value() or "", self.unchosen))

    def choices(self, changelist: "ChangeList") -> Iterator[Any]:
        """Offer the default under its own name."""
        for position, choice in enumerate(super().choices(changelist)):
            yield {**choice, "display": self.default} if position == 0 else choice


class RequestStatusFilter(ChoiceFilter):
    """Open ones by default: what somebody still has to do with."""

    title = _("status")
    parameter_name = "status"
    default = _("Open")
    unchosen = Q(status__in=CancellationRequest.OPEN)
    table = (
        ("waiting", _Status.WAITING.label, Q(status__in=[_Status.WAITING, _Status.WAITING_APPROVAL])),
        ("verifying", _Status.VERIFYING.label, Q(status=_Status.VERIFYING)),
        ("bounced", _("Came back from Omnitron"), Q(status=_Status.WAITING) & Q(IS_BOUNCED)),
        ("under_way", _("Approved or confirmed"), Q(status__in=[_Status.APPROVED, _Status.CONFIRMED])),
        ("completed", _Status.COMPLETED.label, Q(status=_Status.COMPLETED)),
        ("rejected", _Status.REJECTED.label, Q(status=_Status.REJECTED)),
        ("all", _("All"), Q()),
    )


class RequestTypeFilter(ChoiceFilter):
    """Cancellation or return."""

    title = _("type")
    parameter_name = "type"
    table = tuple(
        (kind.value, kind.label, Q(line__cancellation_type=kind.value)) for kind in CancellationType
    )


class RequestCauseFilter(ChoiceFilter):
    """Why it is here, in groups where the OMS has many ways to fail."""

    title = _("why it is here")
    parameter_name = "cause"
    table = (
        *((code, CAUSES[code], Q(cause=code)) for code in _RULES),
        ("unreached", _("Omnitron was not reached"), Q(cause__in=_UNREACHED)),
        ("lost", _("Omnitron's answer was lost"), Q(cause__in=_LOST)),
        ("differs", _("Omnitron's order differs from ours"), Q(cause__in=_DIFFERS)),
        (
            "refused",
            _("Omnitron refused"),
            ~Q(cause__in=[*_RULES, *_UNREACHED, *_LOST, *_DIFFERS, ""]),
        ),
    )


class DeliveryFilter(ChoiceFilter):
    """Whether the OMS has the request in its own queue."""

    title = _("at Omnitron")
    parameter_name = "delivery"
    table = (
        ("delivered", _("In Omnitron's queue"), Q(delivery__state=_Delivery.KNOWN)),
        (
            "waiting",
            _("Not yet delivered"),
            Q(delivery=None) | Q(delivery__state__in=[*Delivery.TO_MAKE, _Delivery.WITHDRAWN]),
        ),
        ("undeliverable", _("Undeliverable"), Q(delivery__state=_Delivery.FAILED)),
    )


class _StateFilter(ChoiceFilter):
    """By where a row stands."""

    title = _("state")
    parameter_name = "state"


class SubmissionStateFilter(_StateFilter):
    """Under way, or one of the states."""

    table = (
        ("under_way", _("Under way"), Q(state__in=UNDER_WAY)),
        ("manual", _("Needs attention"), Q(state__in=UNDER_WAY, manual_since__isnull=False)),
        *((state.value, state.label, Q(state=state)) for state in Submission.State),
    )


class DifferenceFilter(_StateFilter):
    """Open, unless resolved ones are asked for."""

    default = _("Open")
    unchosen = Q(resolved_at=None)
    table = (("resolved", _("Resolved"), Q(resolved_at__isnull=False)), ("all", _("All"), Q()))


class WithdrawalStateFilter(_StateFilter):
    """Undecided, unless others are asked for."""

    default = _("Not decided yet")
    unchosen = Q(state=Withdrawal.State.RECEIVED)
    table = (
        ("late", _("Too late, not decided yet"), Q(state=Withdrawal.State.RECEIVED, is_in_time=False)),
        ("accepted", Withdrawal.State.ACCEPTED.label, Q(state=Withdrawal.State.ACCEPTED)),
        ("refused", Withdrawal.State.REFUSED.label, Q(state=Withdrawal.State.REFUSED)),
        ("all", _("All"), Q()),
    )


class StatementStateFilter(_StateFilter):
    """Open, unless others are asked for."""

    default = PublicStatement.State.OPEN.label
    unchosen = Q(state=PublicStatement.State.OPEN)
    table = (
        ("matched", PublicStatement.State.MATCHED.label, Q(state=PublicStatement.State.MATCHED)),
        ("closed", PublicStatement.State.CLOSED.label, Q(state=PublicStatement.State.CLOSED)),
        ("all", _("All"), Q()),
    )


class EmailStateFilter(_StateFilter):
    """What somebody has to look at, or one of the states."""

    table = (
        ("manual", _("Needs attention"), Q(manual_since__isnull=False)),
        *((state.value, state.label, Q(state=state)) for state in Email.State),
    )


class EmailKindFilter(ChoiceFilter):
    """What it tells."""

    title = _("kind")
    parameter_name = "kind"
    table = tuple((kind.value, kind.label, Q(kind=kind)) for kind in Email.Kind)


class AddressStateFilter(_StateFilter):
    """One of the states of an address change."""

    table = tuple((state.value, state.label, Q(state=state)) for state in AddressChange.State)


class _KnownValuesFilter(SimpleListFilter):
    """A filter on a column of orders with few values, which are asked for once in a while."""

    column: ClassVar[str]
    path: ClassVar[str]

    def lookups(self, request: "HttpRequest", model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """Give the values that there are."""
        return [(str(value), str(value)) for value in list_known_values(self.column)]

    def queryset(self, request: "HttpRequest", queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 - Django's signature
        """Keep the rows with the chosen value; one that nobody knows keeps none."""
        chosen = self.value()
        if not chosen:
            return queryset
        known = [value for value in list_known_values(self.column) if str(value) == chosen]
        # Equal, not among: only then an index gives them in the order of the list.
        return queryset.filter(**{self.path: known[0]}) if known else queryset.none()


def list_known_values(column: str) -> list[Any]:
    """List the values of a column of orders, remembered for some minutes."""
    key = f"backoffice.{column}"
    values: list[Any] | None = cache.get(key)
    if values is None:
        values = _list_values(Order, column)
        cache.set(key, values, _REMEMBERED)
    return values


class ChannelFilter(_KnownValuesFilter):
    """The sales channel of an order."""

    title = _("channel")
    parameter_name = "channel"
    column = "channel_id"
    path = "channel_id"


class RequestChannelFilter(ChannelFilter):
    """The sales channel of a request's order."""

    path = "line__order_item__order__channel_id"


class CurrencyFilter(_KnownValuesFilter):
    """The currency of an order."""

    title = _("currency")
    parameter_name = "currency"
    column = "currency"
    path = "currency"


class ReasonPartnerFilter(ChoiceFilter):
    """Reasons by whether the OMS has the same."""

    title = _("counterpart at Omnitron")
    parameter_name = "partner"
    table = (
        ("none", _("None"), Q(remote_pk=None) | ~Q(remote_problem="")),
        ("found", _("Found"), Q(remote_pk__isnull=False, remote_problem="")),
    )


def _list_values(model: type[Model], name: str) -> list[Any]:
    """List the values of a field, in order; `SELECT DISTINCT` would read the whole table, or the whole index."""
    quote = connection.ops.quote_name
    meta = model._meta
    columns = {field.name: field.column for field in meta.concrete_fields}
    table, column = quote(meta.db_table), quote(str(columns[name]))
    with connection.cursor() as cursor:
        cursor.execute(_LIST_VALUES.format(table=table, column=column))
        return [value for (value,) in cursor.fetchall()]
