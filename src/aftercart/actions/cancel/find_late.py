"""Find commands that were given up and have arrived at the OMS all the same."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, Func, Q

from aftercart.actions.sync.get_remote import RemoteDiffers
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import Delivery, Submission, SubmissionLine
from aftercart.cancellations.states import UNPROVEN
from aftercart.lib.prepared import prepared
from aftercart.oms.messages import RemoteItem
from aftercart.orders.models import OrderItem
from aftercart.orders.status import CANCELLING

_State = Submission.State


class ArrivedLate(Exception):
    """An earlier command for the same items was given up and has arrived: nothing may be sent."""

    def __init__(self, late: Submission) -> None:
        super().__init__(late.pk)
        self.late = late


@prepared
def list_unproven(order_pk: int, but: int = 0) -> models.QuerySet[Submission]:
    """List the submissions of an order that were sent and never answered, the newest first."""
    return Submission.objects.filter(UNPROVEN, order=order_pk).exclude(pk=but).order_by("-pk")


def list_named(submission: Submission, pks: Collection[int]) -> list[int]:
    """List those of the OMS's items that a submission's command named."""
    named = (submission.command or {}).get("before", {})
    return [pk for pk in pks if str(pk) in named]


def find_late(
    unproven: Sequence[Submission], item: OrderItem, theirs: Sequence[RemoteItem], *, is_applied: bool = False
) -> Submission | None:
    """Find a command that shows at the OMS: all that it named of an item is being cancelled, unaccounted for.

    Accounted for are the units that are booked as cancelled, and those of an open line that has been applied
    (`is_applied`), unless the command names others. `theirs` are the OMS's items of ours.
    """
    if not unproven:
        return None
    taken = {row.pk for row in theirs if row.status in CANCELLING}
    line = SubmissionLine.objects.filter(order_item=item, is_open=True).first() if is_applied else None
    accounted = item.cancelled_quantity + (line.quantity if line else 0)
    if (
        (len(theirs) > 1 and len(taken) <= accounted)
        or item.left_quantity == 0
        or (len(theirs) == 1 and line)
    ):
        return None
    for submission in unproven:
        named = list_named(submission, [row.pk for row in theirs])
        if submission.state == _State.REFUSED and named and _is_new(submission, named, taken):
            return submission
    return None


def _is_new(submission: Submission, named: Collection[int], taken: Collection[int]) -> bool:
    before = submission.command["before"] if submission.command else {}
    return all(pk in taken and before[str(pk)][0] not in CANCELLING for pk in named)


def check_late(line: SubmissionLine, theirs: Sequence[RemoteItem], unproven: Sequence[Submission]) -> None:
    """Check that no earlier command for a line's item has arrived late.

    Raises `ArrivedLate` where it has done what the line asks for, and `RemoteDiffers` where it has done otherwise.
    """
    late = find_late(unproven, line.order_item, theirs)
    if late is None:
        return
    named = list_named(late, [row.pk for row in theirs])
    done = len(named) if len(theirs) > 1 else line.order_item.left_quantity
    if done == line.quantity:
        raise ArrivedLate(late)
    raise RemoteDiffers(Cause.ARRIVED_LATE)


def nothing_travels(
    order_pk: int, items: Mapping[int, Collection[int]], began_at: datetime, *, but_request: int
) -> Q:
    """Hold unless something that was sent for these items may still arrive: a condition of a claiming UPDATE.

    `items` maps ours to the OMS's; `began_at` is when the reading began on which the claim rests: it has seen what
    was sent longer ago than the grace. `but_request` is the request that claims.
    """
    about = Q(request__line__order_item__in=list(items))
    over = began_at - settings.VERIFY_GRACE
    joined = ",".join(str(pk) for pks in items.values() for pk in pks)
    return has_nothing_travelling(order_pk, joined, about, over, but=0, but_request=but_request)


def has_nothing_travelling(
    order: int, joined: str, about: Q, over: datetime, *, but: int, but_request: int = 0
) -> Q:
    """Hold as `nothing_travels`; each argument may be a placeholder (`lib/prepared.py`).

    `joined` are the OMS's ids, with commas between, `about` finds the deliveries of requests for the items, `over` is
    when its grace began.
    """
    submissions = Submission.objects.filter(
        Q(state__in=[_State.SENT, _State.UNKNOWN]) | Q(UNPROVEN, sent_at__gte=over),
        _Names(joined),
        order=order,
    ).exclude(pk=but)
    creations = Delivery.objects.filter(about, state=Delivery.State.SENT, sent_at__gte=over)
    return Q(~Exists(submissions)) & Q(~Exists(creations.exclude(request=but_request)))


class _Names(Func):
    """Whether a submission's command names any of these of the OMS's ids, which are joined by commas."""

    template = "%(expressions)s"
    arg_joiner = " -> 'before' ?| "
    conditional = True
    output_field = models.BooleanField()

    def __init__(self, joined: Any) -> None:
        pks = joined if hasattr(joined, "resolve_expression") else models.Value(joined)
        super().__init__(F("command"), Func(pks, models.Value(","), function="string_to_array"))
