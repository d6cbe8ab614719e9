"""What can go wrong in a dialogue with the OMS: three kinds, and the class decides what follows.

`NotSent` may be sent again, `Refused` is final, `AnswerUnknown` must be read back before anything else
(contract section 8: no idempotency key exists there). No caller looks at a status to decide.
"""

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from aftercart.lib.notes import write_note


class Code(models.TextChoices):
    """Our own codes, in words for staff, for failures that the OMS did not name.

    They are stable: logs and the timeline hold them.
    """

    UNREACHABLE = "unreachable", _("Omnitron could not be reached")
    TIMEOUT = "timeout", _("Omnitron did not answer in time")
    CONNECTION_LOST = "connection_lost", _("The connection to Omnitron broke")
    SERVER_ERROR = "server_error", _("Omnitron failed while answering")
    REDIRECTED = "redirected", _("Omnitron's answer made no sense")
    NOT_JSON = "not_json", _("Omnitron's answer made no sense")
    TOO_LARGE = "too_large", _("Omnitron's answer made no sense")
    MALFORMED = "malformed", _("Omnitron's answer made no sense")
    DEADLINE_OVER = "deadline_over", _("Omnitron took too long")
    CLAIM_LOST = "claim_lost", _("Taken over before it was sent")
    BREAKER_OPEN = "breaker_open", _("Omnitron was failing, so nothing was sent for a while")
    BULKHEAD_FULL = "bulkhead_full", _("Too many requests were waiting for Omnitron")
    ON_HOLD = "on_hold", _("Sending to Omnitron was on hold")
    THROTTLED = "throttled", _("Omnitron was too busy")
    UNAUTHORIZED = "unauthorized", _("Omnitron did not accept our token")
    LOGIN_FAILED = "login_failed", _("Omnitron did not let us log in")
    REFUSED = "refused", _("Omnitron refused")
    NOT_FOUND = "not_found", _("Omnitron does not know the order")


#: The codes that speak against the OMS's health; the others are its decision, or ours.
OUTAGE_CODES = frozenset(
    {
        Code.UNREACHABLE,
        Code.TIMEOUT,
        Code.CONNECTION_LOST,
        Code.SERVER_ERROR,
        Code.REDIRECTED,
        Code.NOT_JSON,
        Code.TOO_LARGE,
    }
)


def say_refused(status: int | None) -> str:
    """Say for logs that the OMS refused a call without a word of its own."""
    return f"Omnitron refused the call (HTTP {status})."


class OmsError(Exception):
    """The root of the tree.

    `detail` is a sentence for people, `code` is the OMS's code or one of `Code`, `status` is the HTTP
    status of the answer, or None when there was none.
    """

    def __init__(self, detail: str, *, code: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.status = status

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, status={self.status!r})"

    @property
    def note(self) -> str:
        """What to keep of it for people: what the OMS said, else our code, for the language of who reads it."""
        return write_note(self.code)

    @property
    def is_outage(self) -> bool:
        """Whether it counts against the OMS's health (the breaker counts these)."""
        return self.code in OUTAGE_CODES


class NotSent(OmsError):
    """Certain that nothing was applied: the same call may be sent again.

    For a read this is every passing failure, since a read applies nothing. `retry_after` is in seconds,
    from a 429 that told it, else None.
    """

    def __init__(
        self, detail: str, *, code: str, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail, code=code, status=status)
        self.retry_after = retry_after


class Refused(OmsError):
    """The OMS answered no: final, nothing was applied, and the same call would be refused again.

    `messages` holds its sentences, flattened, in the order of the body; empty if it gave none.
    """

    def __init__(
        self, detail: str, *, code: str, status: int | None = None, messages: Iterable[str] = ()
    ) -> None:
        super().__init__(detail, code=code, status=status)
        self.messages = tuple(messages)

    @property
    def note(self) -> str:
        """What to keep of it for people: the OMS's own words, if it gave any."""
        return write_note(self.code) if self.detail == say_refused(self.status) else self.detail

    @property
    def is_outage(self) -> bool:
        """A refusal is a sign of life, whatever code the OMS chose for it."""
        return False


class NotFound(Refused):
    """What was to be read is not there: a 404 to a read, or a list without a match."""

    @property
    def note(self) -> str:
        """What to keep of it for people: the OMS's own words, if it gave any."""
        return " ".join(self.messages) or write_note(self.code)


class AnswerUnknown(OmsError):
    """The write left and no reliable answer came: it may have been applied.

    It is never sent again before the order has been read back (contract section 8).
    """
