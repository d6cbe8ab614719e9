"""The outbox. An e-mail is a row before it is a mail, written in the transaction of what it tells."""

import uuid
from email.utils import parseaddr
from typing import Final

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aftercart.lib.crypto import EncryptedTextField
from aftercart.lib.search import Words
from aftercart.orders.models import Order


class Email(models.Model):
    """One e-mail to one recipient about one event.

    `subject` names the event (the uuid of a submission, a request, a statement), so that kind, subject and
    recipient together exist once: whoever tells of an event twice writes one e-mail. `facts` is what was
    true then; `secret` is what must not be kept, and is wiped as soon as the e-mail has come to an end.
    `message_id` is fixed with the row: every try of one e-mail is, to whoever receives it, the same mail.
    """

    class Kind(models.TextChoices):
        """What it tells; `mail/texts.py` has the words for each."""

        ORDER_LINK = "order_link", _("Link to an order")
        ORDER_LINK_REMINDER = "order_link_reminder", _("Reminder of an order's link")
        GUEST_CODE = "guest_code", _("One-time code")
        CANCELLATION_SENT = "cancellation_sent", _("Cancellation sent")
        CANCELLATION_CHECKING = "cancellation_checking", _("Confirmation still to come")
        RETURN_CODE = "return_code", _("Return code")
        PICKUP_CHANGED = "pickup_changed", _("Pickup changed")
        CANCELLATION_CONFIRMED = "cancellation_confirmed", _("Cancellation confirmed")
        CANCELLATION_LATE = "cancellation_late", _("Cancellation after all")
        CANCELLATION_COMPLETED = "cancellation_completed", _("Cancellation completed")
        REQUEST_RECEIVED = "request_received", _("Request received")
        REQUEST_APPROVED = "request_approved", _("Request approved")
        REQUEST_REJECTED = "request_rejected", _("Request rejected")
        ADDRESS_CHANGED = "address_changed", _("Address changed")
        ADDRESS_TOO_LATE = "address_too_late", _("Too late to change the address")
        APPROVAL_BOUNCED = "approval_bounced", _("Approval not taken by Omnitron (to staff)")
        WITHDRAWAL_RECEIPT = "withdrawal_receipt", _("Receipt of a withdrawal")
        WITHDRAWAL_ACCEPTED = "withdrawal_accepted", _("Withdrawal accepted")
        WITHDRAWAL_REFUSED = "withdrawal_refused", _("Withdrawal refused")
        WITHDRAWAL_STATED = "withdrawal_stated", _("Acknowledgement of a public statement")
        PASSWORD_LINK = "password_link", _("Link to set a password")
        EMAIL_CHANGE = "email_change", _("Link to a new e-mail address")
        EMAIL_MOVED = "email_moved", _("Account moved to another address")
        LOGIN_CODE = "login_code", _("Code to log in")

    class State(models.TextChoices):
        """Where it stands (docs/decisions/0021)."""

        PREPARED = "prepared", _("Waiting to be sent")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Perhaps sent")

    #: Never sent a second time where the first one may have arrived: a code is asked for anew instead.
    AT_MOST_ONCE: Final = frozenset({Kind.GUEST_CODE, Kind.LOGIN_CODE, Kind.PASSWORD_LINK, Kind.EMAIL_CHANGE})
    #: To members of staff: what they read links to the back office.
    FOR_STAFF: Final = frozenset({Kind.APPROVAL_BOUNCED})
    #: Not part of the contract that the order is: whoever does not want them can say so.
    OPTIONAL: Final = frozenset({Kind.ORDER_LINK_REMINDER})

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=24, choices=Kind)
    subject = models.UUIDField()
    order = models.ForeignKey(
        Order,
        null=True,
        on_delete=models.CASCADE,
        related_name="emails",
        help_text="None: about an account, or a public statement.",
    )
    recipient = models.EmailField(_("recipient"))
    language = models.CharField(max_length=2)
    facts = models.JSONField(default=dict)
    secret = EncryptedTextField(blank=True)
    message_id = models.CharField(max_length=255)
    state = models.CharField(max_length=8, choices=State, default=State.PREPARED)
    attempts = models.IntegerField(_("tries"), default=0)
    error = models.TextField(blank=True)
    manual_since = models.DateTimeField(null=True, blank=True, help_text="Since when a person should look.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="After this it is of no use.")
    created_at = models.DateTimeField(default=timezone.now)
    sending_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject", "recipient"], name="one_email_an_event"),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(state__in=["prepared", "sending", "unknown"]),
                name="emails_unsettled",
            ),
            models.Index(fields=["state", "-id"], condition=~models.Q(state="sent"), name="emails_not_sent"),
            models.Index(fields=["kind", "-id"], name="emails_of_a_kind"),
            GinIndex(Words("recipient"), name="emails_by_words"),
            models.Index(
                fields=["manual_since"], condition=~models.Q(manual_since=None), name="emails_for_people"
            ),
            models.Index(fields=["created_at"], name="emails_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient}"

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again where it may have arrived."""
        return self.kind not in self.AT_MOST_ONCE


class LineNotice(models.Model):
    """One outcome of one line that its customer has been notified of, or was with others in one e-mail.

    The database lets each in once, whoever decides and in whatever order. It outlives its e-mail.
    """

    line = models.ForeignKey("cancellations.SubmissionLine", on_delete=models.CASCADE, related_name="notices")
    outcome = models.CharField(max_length=10)
    email = models.ForeignKey(Email, null=True, on_delete=models.SET_NULL, related_name="notices")

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["line", "outcome"], name="one_notice_an_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.outcome}"


class OptOut(models.Model):
    """An address that wants no optional e-mails (in lower case). What concerns an order still comes."""

    email = models.EmailField(unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("opt-out")
        verbose_name_plural = _("opt-outs")
        ordering = ["email"]

    def __str__(self) -> str:
        return self.email


def make_message_id(email_uuid: uuid.UUID) -> str:
    """Make an e-mail's `Message-ID`, under the domain that it is sent from."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{email_uuid}@{domain}>"
