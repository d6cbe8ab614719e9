"""Answers other than the order document: request records, reasons, the session, the state of the server."""

from aftercart.lib.documents import Document, Shape, integer, one_of, text


class AddressChanged(Document):
    """The OMS has taken the new address."""

    status_code = integer("The HTTP status of Omnitron's answer.", minimum=100, maximum=599)


class AddressChangePending(Document):
    """The new address is recorded; the OMS will be told while the order may still change."""

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
