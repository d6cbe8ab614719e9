"""What can be wrong with what a caller asks. Each error carries its HTTP status, its code and its JSON body.

`api/errors.py` is the one place that turns them into responses; pages show their sentences.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.orders.rules import Finding

#: Seconds after which a client may ask again for the answer of a write that is still running.
RETRY_AFTER = 2


def say_unknown(pk: int | str) -> str:
    """Say that an id is unknown or somebody else's: one wording for both, Django REST framework's."""
    return gettext('Invalid pk "%(pk)s" - object does not exist.') % {"pk": pk}


class ActionError(Exception):
    """Root: an action did not happen, and nothing was written."""

    status = 400
    code = "error"
    #: What a person reads, unless it says more in `__str__`; translated when it is read.
    sentence: str | Promise = ""

    def __str__(self) -> str:
        return str(self.sentence or super().__str__())

    def sentences(self) -> list[str]:
        """Say it to a person."""
        return [str(self)]

    def body(self) -> dict[str, Any]:
        """Say it to a program (contract section 1)."""
        return {"detail": str(self), "code": self.code}

    def headers(self) -> dict[str, str]:
        """Say what goes into the answer's headers."""
        return {}


class Conflict(ActionError):
    """What there is stands against it: decided, done or changed already."""

    status = 409


class RuleRefused(ActionError):
    """A rule about the whole says no: with a sentence and a code of its own, or with its class's."""

    def __init__(self, sentence: str | Promise = "", code: str = "") -> None:
        super().__init__()
        self.sentence = sentence or self.sentence
        self.code = code or self.code

    def body(self) -> dict[str, Any]:
        """Give the sentence as a rule's."""
        return {"non_field_errors": [str(self)], "code": self.code}


class OrderNotFound(ActionError):
    """There is no such order, or it is somebody else's: nobody can tell which."""

    status = 404
    code = "not_found"
    sentence = _("Not found.")


class InputInvalid(ActionError):
    """Fields that make no sense: `{"<field>": ["…"]}`."""

    code = "invalid"

    def __init__(self, fields: Mapping[str, Sequence[str]], code: str = "invalid") -> None:
        super().__init__("; ".join(sentence for sentences in fields.values() for sentence in sentences))
        self.fields = {name: list(sentences) for name, sentences in fields.items()}
        self.code = code

    def sentences(self) -> list[str]:
        """Give each field's sentences."""
        return [sentence for sentences in self.fields.values() for sentence in sentences]

    def body(self) -> dict[str, Any]:
        """Give the field map."""
        return {**self.fields, "code": self.code}


class CancellationRefused(ActionError):
    """The rules say no (contract section 3.3): every refusal, item by item; the first one speaks for all."""

    def __init__(self, refusals: Sequence[Finding], code: str | None = None) -> None:
        self.refusals = tuple(refusals)
        self.code = code or self.refusals[0].code
        super().__init__(self.refusals[0].message)

    def sentences(self) -> list[str]:
        """Give each different sentence once, in the order of the rules."""
        return list(dict.fromkeys(refusal.message for refusal in self.refusals))

    def body(self) -> dict[str, Any]:
        """Give the sentences, and which item each is about."""
        items = [{"order_item": r.order_item, "code": r.code, "message": r.message} for r in self.refusals]
        return {"non_field_errors": self.sentences(), "code": self.code, "items": items}


class AddressChangeRefused(RuleRefused):
    """The address cannot change: the order has left, a cancellation is under way, the OMS says no."""


class QuoteStale(Conflict):
    """A quote no longer binds: the order has changed, it has expired, or something else is asked.

    `document` is a fresh quote of what is asked now.
    """

    code = "quote_stale"
    sentence = _("Your refund has changed since we showed it to you. Please check the new amounts.")

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__()
        self.document = dict(document)

    def body(self) -> dict[str, Any]:
        """Give the fresh quote, and beside it why."""
        return {**self.document, "detail": str(self), "code": self.code}


class StillRunning(Conflict):
    """The same write is under way; its answer comes with the next try (contract section 3.5).

    `record` is the id of the idempotency record that gets the answer.
    """

    code = "still_running"
    sentence = _("The same request is still being processed. Please try again in a moment.")

    def __init__(self, record: int | None = None) -> None:
        super().__init__()
        self.record = record

    def headers(self) -> dict[str, str]:
        """Say when it is worth another try."""
        return {"Retry-After": str(RETRY_AFTER)}


class BeingChecked(StillRunning):
    """The write is recorded, and may have been carried out; how it ended could not be recorded yet."""

    sentence = _(
        "Your request is recorded. We are checking whether it went through; nothing will be done twice."
    )


class KeyReused(ActionError):
    """The Idempotency-Key belongs to a different write (contract section 3.5)."""

    status = 422
    code = "idempotency_key_reused"
    sentence = _("This Idempotency-Key was used for a different request.")


class AddressRefused(RuleRefused):
    """The address book cannot be written like that: in use, known already, full, or without a first choice."""


class AddressNotFound(OrderNotFound):
    """There is no such entry, or it is in somebody else's book: nobody can tell which."""


class GuestOrderNotFound(RuleRefused):
    """No guest's order has this number and this e-mail address: one wording for every miss."""

    code = "order_not_found"
    sentence = _("There is no order with this number and e-mail address.")


class CodeWrong(ActionError):
    """The one-time code is wrong, too old, used, or has been tried too often: nobody can tell which."""

    code = "code_wrong"
    sentence = _("This code is wrong or no longer valid.")


class TooManyTries(ActionError):
    """It has been tried too often; it is worth another try after so many seconds."""

    status = 429
    code = "throttled"
    sentence = _("Too many attempts. Please try again in a few minutes.")

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def headers(self) -> dict[str, str]:
        """Return when."""
        return {"Retry-After": str(self.seconds)}
