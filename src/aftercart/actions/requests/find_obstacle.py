"""Find why a request cannot be decided now: one verdict for the action, which enforces it, and for the pages."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import User
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import CancellationRequest
from aftercart.cancellations.selectors import find_being_rejected
from aftercart.lib.clock import get_shop_zone
from aftercart.orders.errors import ActionError
from aftercart.orders.status import SHIPPED

_Status = CancellationRequest.Status


class RequestDecided(ActionError):
    """The request is not waiting any more; says who decided it, and how."""

    status = 409
    code = "request_decided"

    def __init__(self, request: CancellationRequest) -> None:
        super().__init__(self.code)
        self.request = request

    def __str__(self) -> str:
        # Not in an f-string, out of which gettext collects nothing.
        decided = _("This request has already been decided.")
        return f"{decided} {say_decision(self.request)}"


class RequestHeld(ActionError):
    """Nobody knows yet whether the OMS has applied it: nothing may be decided before."""

    status = 409
    code = "request_held"
    sentence = gettext_lazy(
        "Omnitron's answer is still being looked for. It can be decided as soon as that is known."
    )


class PartOfLine(ActionError):
    """The OMS has one item for the whole line, of which it cancels parts only through its own queue."""

    status = 409
    code = "partial_line"
    sentence = gettext_lazy(
        "Omnitron can't cancel a part of this line directly. Please decide this request there."
    )


class DecidedInPart(ActionError):
    """The OMS has decided of some units in its own queue: the others have to go there, too."""

    status = 409
    code = Cause.PARTLY_DECIDED
    sentence = gettext_lazy(
        "Omnitron has decided on a part of it in its own queue. Please decide the rest there, or reject it."
    )


class RejectionUnsent(ActionError):
    """The OMS has still to be told that an earlier request for the same item was rejected."""

    status = 409
    code = Cause.REJECTION_UNSENT
    sentence = gettext_lazy(
        "Omnitron has still to be told of an earlier rejection for this item. Try again in a moment."
    )


class ShippedMeanwhile(ActionError):
    """What has been shipped is not cancelled but returned."""

    status = 409
    code = "shipped_meanwhile"
    sentence = gettext_lazy(
        "The item has been shipped, so it can't be cancelled any more. Reject it: the customer can return it."
    )


def find_obstacle(request: CancellationRequest) -> ActionError | None:
    """Find why a request cannot be approved; None: it can. Wants its line and item selected."""
    if request.status != _Status.WAITING:
        return RequestHeld() if request.status == _Status.VERIFYING else RequestDecided(request)
    line, item = request.line, request.line.order_item
    if line.quantity < item.left_quantity and len(item.remote_pks) == 1:
        return PartOfLine()
    if request.remote_pks and not request.is_delivered:
        return DecidedInPart()
    if item.status in SHIPPED and line.cancellation_type == "cancel":
        return ShippedMeanwhile()
    if item.pk in find_being_rejected(item.order_id):
        return RejectionUnsent()
    return None


def find_rejection_obstacle(request: CancellationRequest) -> ActionError | None:
    """Find why a request cannot be rejected; None: it can."""
    if request.status in CancellationRequest.UNDECIDED:
        return None
    return RequestHeld() if request.status == _Status.VERIFYING else RequestDecided(request)


def say_decision(request: CancellationRequest) -> str:
    """Say who has decided a request, how, and when."""
    who, when = _find_decider(request)
    words = {"who": who.email if who else "Omnitron", "at": when}
    if request.status == _Status.WAITING_APPROVAL:
        return _("It waits for approval in Omnitron.")
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
