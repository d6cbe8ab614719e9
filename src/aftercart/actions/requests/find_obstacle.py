"""Find why a request cannot be decided now: one verdict for the action, which enforces it, and for the pages."""

from collections.abc import Callable
from typing import Final

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import User
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import CancellationRequest
from aftercart.cancellations.selectors import find_being_rejected
from aftercart.lib.clock import get_shop_zone
from aftercart.orders.errors import ActionError, Conflict
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order
from aftercart.orders.status import SHIPPED

_Status = CancellationRequest.Status
_SENTENCES: Final[dict[str, Promise]] = {
    # Nobody knows yet whether the OMS has applied it: nothing may be decided before.
    "request_held": gettext_lazy(
        "Omnitron's answer is still unknown. You can decide as soon as it is known."
    ),
    # The OMS has one item for the whole line, of which it cancels parts only through its own queue.
    "partial_line": gettext_lazy(
        "Omnitron can't cancel a part of this line directly. Please decide this request there."
    ),
    # The OMS has decided of some units in its own queue: the others have to go there, too.
    Cause.PARTLY_DECIDED: gettext_lazy(
        "Omnitron has decided part of it in its own queue. Please decide the rest there, or reject it."
    ),
    # The OMS has still to be told that an earlier request for the same item was rejected.
    Cause.REJECTION_UNSENT: gettext_lazy(
        "An earlier rejection of this item has not reached Omnitron yet. Try again in a moment."
    ),
    # What has been shipped is not cancelled but returned.
    "shipped_meanwhile": gettext_lazy(
        "The item has been shipped, so it can't be cancelled any more. Reject it: the customer can return it."
    ),
}


class RequestDecided(Conflict):
    """The request is not waiting any more; says who decided it, and how."""

    code = "request_decided"

    def __init__(self, request: CancellationRequest) -> None:
        super().__init__(self.code)
        self.request = request

    def __str__(self) -> str:
        # Not in an f-string, out of which gettext collects nothing.
        decided = _("This request has already been decided.")
        return f"{decided} {say_decision(self.request)}"


class RequestObstructed(Conflict):
    """Something else stands in the way of deciding the request: what, by one of the codes of `_SENTENCES`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code, self.sentence = code, _SENTENCES[code]


def find_obstacle(request: CancellationRequest) -> ActionError | None:
    """Find why a request cannot be approved; None: it can. Wants its line and item selected."""
    if request.status != _Status.WAITING:
        return _refuse(request)
    line, item = request.line, request.line.order_item
    if line.quantity < item.left_quantity and len(item.remote_pks) == 1:
        return RequestObstructed("partial_line")
    if request.remote_pks and not request.is_delivered:
        return RequestObstructed(Cause.PARTLY_DECIDED)
    if item.status in SHIPPED and line.cancellation_type == "cancel":
        return RequestObstructed("shipped_meanwhile")
    if item.pk in find_being_rejected(item.order_id):
        return RequestObstructed(Cause.REJECTION_UNSENT)
    return None


def find_rejection_obstacle(request: CancellationRequest) -> ActionError | None:
    """Find why a request cannot be rejected; None: it can."""
    return None if request.status in CancellationRequest.UNDECIDED else _refuse(request)


def lock_request(
    request_pk: int, find: Callable[[CancellationRequest], ActionError | None]
) -> tuple[Order, CancellationRequest]:
    """Lock the order of a request, and read the request as it is then. Raises what `find` finds in the way."""
    requests = CancellationRequest.objects.select_related(
        "line__submission", "line__order_item", "decided_by", "delivery"
    )
    order = lock_order(pk=requests.get(pk=request_pk).line.submission.order_id)
    request = requests.get(pk=request_pk)
    if obstacle := find(request):
        raise obstacle
    return order, request


def _refuse(request: CancellationRequest) -> ActionError:
    """Say of a request that does not wait why."""
    is_held = request.status == _Status.VERIFYING
    return RequestObstructed("request_held") if is_held else RequestDecided(request)


def say_decision(request: CancellationRequest) -> str:
    """Say who has decided a request, how, and when."""
    who, when = _find_decider(request)
    words = {"who": who.email if who else "Omnitron", "at": when}
    if request.status == _Status.WAITING_APPROVAL:
        return _("It is waiting for approval in Omnitron.")
    if request.cause == Cause.TAKEN_BACK:
        return _("The customer took it back on %(at)s.") % words
    if request.status == _Status.REJECTED:
        return _("%(who)s rejected it on %(at)s.") % words
    if request.status == _Status.COMPLETED:
        return _("It is cancelled or returned.")
    return _("%(who)s approved it on %(at)s.") % words


def _find_decider(request: CancellationRequest) -> tuple[User | None, str]:
    """Find who decided (None: the OMS), and when; of an approval the timeline knows."""
    at = request.decided_at or request.modified_date
    if request.decided_by is not None and request.status != _Status.REJECTED:
        entries = request.line.order_item.order.timeline.filter(
            event="request_approved", data__request=request.pk
        )
        at = entries.order_by("-id").values_list("at", flat=True).first() or at
    return request.decided_by, date_format(at.astimezone(get_shop_zone()), "j M Y, H:i")
