"""The policy as a table: versions, each a list of rules, edited as a draft and never changed once published.

What a rule means, the pure `orders/policy/clauses.py` says (there it is a `Clause`); docs/policies.md explains it.
"""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from aftercart.orders.policy.topics import Effect, Topic
from aftercart.orders.quotes import ShippingRefund
from aftercart.orders.status import Status
from aftercart.orders.windows import Basis, Unit

Text = str | Promise

#: Longer windows say nothing any more, and their end would leave the calendar.
_LONGEST_WINDOW = 100_000
_MOST_DAYS = 3_650


class PolicyVersion(models.Model):
    """One version of the policy. Its number is its id.

    The one in force is the published one with the latest `effective_from` that has passed. The default, made
    from the settings, is kept here (`is_default`) once something was judged by it, but the table decides only
    when staff have published. Triggers refuse to change a published version and its rules.
    """

    class State(models.TextChoices):
        """A draft is worked on; what is published stays."""

        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    is_default = models.BooleanField(default=False)
    fingerprint = models.CharField(max_length=64, blank=True)
    note = models.CharField(max_length=255, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    effective_from = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        ordering = ["-id"]
        permissions = [
            ("publish_policyversion", "Can publish a policy version"),
            ("override_policyversion", "Can ask for a cancellation that the policy refuses"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft") | Q(effective_from__isnull=False, published_at__isnull=False),
                name="what_is_published_has_its_time",
            ),
            models.UniqueConstraint(
                fields=["fingerprint"], condition=Q(is_default=True), name="one_row_a_default"
            ),
        ]
        indexes = [
            models.Index(
                fields=["-effective_from", "-id"],
                condition=Q(state="published", is_default=False),
                name="policies_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_draft(self) -> bool:
        """Whether it may still change."""
        return self.state == self.State.DRAFT


class PolicyType(models.TextChoices):
    """What a rule can be about; empty: everything."""

    CANCEL = "cancel", _("Cancellation")
    REFUND = "refund", _("Return")
    ADDRESS_CHANGE = "address_change", _("Address change")


def list_topics() -> list[tuple[str, Text]]:
    """List the topics with their names. The table's migrations name this function, not the topics."""
    return [(topic.value, topic.declared.name) for topic in Topic]


def _words(length: int, **options: Any) -> "ArrayField[Any, Any]":
    return ArrayField(models.CharField(max_length=length, **options), default=list, blank=True, size=200)


class PolicyRule(models.Model):
    """One row of the policy. An empty selector fits everything; see docs/policies.md for each column."""

    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="rules")
    number = models.PositiveIntegerField()
    topic = models.CharField(max_length=16, choices=list_topics)
    effect = models.CharField(max_length=6, choices=Effect, default=Effect.ALLOW)
    channel_id = models.IntegerField(null=True, blank=True)
    cancellation_type = models.CharField(max_length=14, choices=PolicyType, blank=True)
    statuses = ArrayField(models.CharField(max_length=16, choices=Status), default=list, blank=True)
    sku_patterns = _words(128)
    category_patterns = _words(255)
    payment_types = _words(64)
    client_types = _words(64)
    countries = _words(2)
    currency = models.CharField(max_length=3, blank=True, validators=[RegexValidator(r"^[A-Z]{3}$")])
    amount_above = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    amount_up_to = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    window_basis = models.CharField(max_length=8, choices=Basis, blank=True)
    window_length = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(_LONGEST_WINDOW)]
    )
    window_unit = models.CharField(max_length=13, choices=Unit, blank=True)
    code = models.CharField(max_length=64, blank=True, validators=[RegexValidator(r"^[a-z][a-z0-9_]*$")])
    message_en = models.CharField(max_length=500, blank=True)
    message_tr = models.CharField(max_length=500, blank=True)
    fee_fixed = models.DecimalField(
        max_digits=16, decimal_places=4, default=0, validators=[MinValueValidator(0)]
    )
    fee_percent = models.DecimalField(
        max_digits=7, decimal_places=4, default=0, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    shipping_refund = models.CharField(
        max_length=20, choices=ShippingRefund, default=ShippingRefund.WHEN_NOTHING_REMAINS
    )

    class Meta:
        verbose_name = _("policy rule")
        verbose_name_plural = _("policy rules")
        ordering = ["number", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "number"],
                name="one_rule_a_number",
                deferrable=models.Deferrable.DEFERRED,  # so that two rules can change places
            ),
            models.CheckConstraint(
                condition=Q(window_basis="", window_length=None, window_unit="")
                | (~Q(window_basis="") & Q(window_length__isnull=False) & ~Q(window_unit="")),
                name="a_window_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.topic}: {self.effect}"

    def clean(self) -> None:
        """Refuse what would make no sense, or what would quietly never apply."""
        if self.topic not in set(Topic) or self.effect not in set(Effect):
            return  # refused already, as none of the choices
        problems = {**self._check_effect(), **self._check_window(), **self._check_words()}
        if problems:
            raise ValidationError(problems)

    def _check_effect(self) -> dict[str, Text]:
        is_address = self.cancellation_type == PolicyType.ADDRESS_CHANGE
        declared, effect = Topic(self.topic).declared, Effect(self.effect)
        allowed = declared.effects - {Effect.REVIEW} if is_address else declared.effects
        if effect not in allowed and declared.effects == {Effect.ALLOW}:
            return {"effect": _("Fees and shipping refunds are terms: their effect must be to allow.")}
        if effect not in allowed and effect is Effect.ALLOW:
            return {
                "effect": _(
                    "Omnitron cannot handle this directly: leave it to the back office, or refuse it."
                )
            }
        if effect not in allowed:
            return {"effect": _("This cannot be left to the back office: allow or refuse it.")}
        if is_address and not declared.asks_of_addresses:
            return {"topic": _("Rules about address changes can only name a status and a country.")}
        return {}

    def _check_window(self) -> dict[str, Text]:
        given = [bool(self.window_basis), self.window_length is not None, bool(self.window_unit)]
        if any(given) and not all(given):
            return {"window_length": _("Enter the window's start, length and unit together.")}
        if self.window_unit in {Unit.DAYS, Unit.BUSINESS_DAYS} and ((self.window_length or 0) > _MOST_DAYS):
            return {"window_length": _("That is more than ten years.")}
        has_window = Topic(self.topic).declared.speaks is not None
        if not has_window and any(given):
            return {"window_length": _("Only topics about time can have a window.")}
        if has_window and self.effect != Effect.ALLOW and not any(given):
            return {"window_length": _("Without a window this rule would never apply.")}
        return {}

    def _check_words(self) -> dict[str, Text]:
        problems: dict[str, Text] = {}
        if self.code and not (self.message_en and self.message_tr):
            problems["code"] = _("A code of its own needs a sentence in both languages.")
        if self.topic == Topic.FEE and self.fee_fixed and not self.currency:
            problems["currency"] = _("A fixed fee needs a currency.")
        above, up_to = self.amount_above, self.amount_up_to
        if above is not None and up_to is not None and above >= up_to:
            problems["amount_up_to"] = _("This amount must be greater than the other one.")
        return problems
