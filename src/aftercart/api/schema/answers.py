"""Answers other than the order document: request records, reasons, the session, the state of the server."""

from aftercart.lib.documents import Document, Shape, flag, integer, moment, one_of, text


class CancellationRequest(Document):
    """A cancellation that the back office decides."""

    id = integer()
    uuid = text(format="uuid")
    order_item = integer("The item's id.")
    reason = integer("The CancellationReason's id.")
    description = text("What the customer added; may be empty.")
    created_date = moment()


class CancellationReason(Document):
    """Why an item may be cancelled or returned."""

    id = integer("What a cancellation names as `reason`.")
    uuid = text(format="uuid")
    cancellation_type = one_of(("cancel", "refund"), "What it is a reason for.")
    subject = text("In the language that `Accept-Language` asks for, where there is a translation.")
    extra_information_needed = flag("Whether it wants a `description`.")
    order = integer("Its place in the list.")
    is_active = flag()
    translations = Shape({"type": "object"}, 'By language: `{"tr": {"subject": "…"}}`.')
    created_date = moment()
    modified_date = moment()


class CancellationReasonPage(Document):
    """One page of reasons, in the order in which they are offered."""

    count = integer("How many there are on all pages.", minimum=0)
    next = text("The next page's address; null on the last.", null=True, format="uri")
    previous = text("The previous page's address; null on the first.", null=True, format="uri")
    results = CancellationReason(many=True)


class AddressChanged(Document):
    """Omnitron has taken the new address."""

    status_code = integer("The HTTP status of Omnitron's answer.", minimum=100, maximum=599)


class AddressChangePending(Document):
    """The new address is recorded; Omnitron will be told while the order may still change."""

    status_code = Shape({"type": "null"}, "There is no answer of Omnitron yet.")
    state = one_of(("pending",))


class LoggedIn(Document):
    """The new session."""

    key = text("The session's key, as the cookies `sessionid` and `osessionid` carry it.")


class LoggedOut(Document):
    """There is no session any more."""

    detail = text("For a person.")


class CsrfToken(Document):
    """A token for writes."""

    csrf_token = text("Send it as `X-CSRFToken` with every write.")


class EventsAccepted(Document):
    """How much of a message was of use."""

    accepted = integer("How many of the orders are ours.", minimum=0)


class Alive(Document):
    """It runs."""

    status = one_of(("ok",))


class Queue(Document):
    """The worker's queue."""

    due = integer("Jobs that could run now.", minimum=0)
    lag_seconds = Shape({"type": "number", "minimum": 0}, "How long the first of them has been due.")


class Ready(Document):
    """It is ready. The queue is told, not judged."""

    status = one_of(("ok",))
    queue = Queue()
    workers = integer("How many are alive.", minimum=0)


class NotReady(Document):
    """What is missing: the database (`detail` names the error), or `pending` migrations."""

    status = one_of(("database", "migrations"))
    detail = Shape({"type": "string"}, "The kind of error.", required=False)
    pending = Shape({"type": "integer", "minimum": 1}, "How many migrations.", required=False)
