"""Orders as Aftercart keeps them: columns for what it reasons about, `details` for what it only passes on.

Field names are the contract's (section 6). Amounts have four decimals, so that every currency fits.
"""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aftercart.lib.times import EARLIEST, LATEST
from aftercart.orders.status import Status


def _amount(**options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=16, decimal_places=4, **{"default": 0, **options})


def keep_times_plausible(name: str, *fields: str) -> models.CheckConstraint:
    """Return a constraint that times from elsewhere lie where every page and computation can cope with them."""
    plausible = models.Q()
    for field in fields:
        plausible &= models.Q(**{f"{field}__gte": EARLIEST, f"{field}__lte": LATEST})
    return models.CheckConstraint(condition=plausible, name=name)


class Order(models.Model):
    """An order that the shop has completed.

    `version` is moved by every write to the order or to anything that its document shows: an ETag and a
    quote rest on it. `link_version` is signed into every link, so that raising it revokes them all.
    `shipping_address` and `billing_address` are snapshots, in the form of contract section 6: an order
    keeps the address that it was sent to, whatever becomes of the address book.
    """

    number = models.CharField(_("number"), max_length=64, unique=True)
    channel_id = models.IntegerField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="orders",
        db_index=False,  # `orders_of_a_user` begins with it
    )
    user_email = models.EmailField()
    status = models.CharField(max_length=3, choices=Status)
    status_before = models.CharField(max_length=3, choices=Status, blank=True)
    currency = models.CharField(max_length=3)
    amount = _amount()
    amount_without_discount = _amount()
    discount_amount = _amount()
    shipping_amount = _amount()
    shipping_tax_rate = _amount(null=True, default=None, blank=True)
    installment_interest_amount = _amount()
    refund_amount = _amount()
    discount_refund_amount = _amount()
    shipping_refund_amount = _amount()
    payment_option = models.JSONField(default=dict)
    shipping_address = models.JSONField(null=True, blank=True)
    billing_address = models.JSONField(null=True, blank=True)
    invoice_number = models.CharField(max_length=64, blank=True)
    campaigns = models.JSONField(default=list, blank=True)
    details = models.JSONField(default=dict, blank=True)
    remote_pk = models.BigIntegerField(null=True, blank=True, help_text="Omnitron's id, once known.")
    version = models.BigIntegerField(default=1)
    link_version = models.IntegerField(default=1)
    synced_at = models.DateTimeField(null=True, blank=True)
    sync_due_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="From when Omnitron may have news of it."
    )
    sync_refusals = models.IntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="How often Omnitron has refused to tell of it since it last did.",
    )
    address_due_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="From when to see where Omnitron sends it: a change without an answer may have come late.",
    )
    import_digest = models.BinaryField(
        null=True,
        editable=False,
        help_text="Of the line that it was last imported from, if that left no doubt.",
    )
    created_date = models.DateTimeField(default=timezone.now)
    modified_date = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-created_date", "-id"]
        indexes = [
            models.Index(fields=["user", "-created_date", "-id"], name="orders_of_a_user"),
            models.Index(fields=["user_email"], name="orders_by_email"),
            models.Index(fields=["-created_date", "-id"], name="orders_newest"),
            models.Index(fields=["status", "-created_date", "-id"], name="orders_of_a_status"),
            models.Index(fields=["channel_id", "-created_date", "-id"], name="orders_of_a_channel"),
            models.Index(fields=["currency", "-created_date", "-id"], name="orders_of_a_currency"),
            models.Index(
                fields=["-created_date", "-id"],
                condition=models.Q(remote_pk=None),
                name="orders_without_remote_ids",
            ),
            models.Index(
                fields=["sync_due_at"], condition=models.Q(sync_due_at__isnull=False), name="orders_to_sync"
            ),
            models.Index(
                fields=["address_due_at"],
                condition=models.Q(address_due_at__isnull=False),
                name="orders_with_an_address_to_see",
            ),
        ]
        constraints = [keep_times_plausible("plausible_times_of_an_order", "created_date", "modified_date")]

    def __str__(self) -> str:
        return self.number

    @property
    def is_store_pickup(self) -> bool:
        """Whether the customer collects the parcel in a shop, so that there is no address to change."""
        return bool((self.shipping_address or {}).get("retail_store"))

    def get_payment_type(self) -> str:
        """Return the payment's kind (`credit_card`, `funds_transfer`, `pay_on_delivery` …), or ""."""
        return str(self.payment_option.get("payment_type") or "")


class OrderItem(models.Model):
    """One line of an order. `remote_pks` are the OMS's ids for it: one, or one for each unit."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    status = models.CharField(max_length=3, choices=Status)
    status_before = models.CharField(max_length=3, choices=Status, blank=True)
    sku = models.CharField(max_length=128, blank=True)
    product = models.JSONField(default=dict)
    quantity = models.IntegerField(default=1)
    cancelled_quantity = models.IntegerField(default=0)
    reserved_quantity = models.IntegerField(
        default=0, db_default=0, help_text="Units that open cancellations have asked for."
    )
    price_currency = models.CharField(max_length=3)
    price = _amount()
    retail_price = _amount()
    unit_price = _amount()
    total_amount = _amount()
    tax_rate = _amount()
    refund_amount = _amount()
    invoice_number = models.CharField(max_length=64, blank=True)
    is_final_sale = models.BooleanField(default=False)
    shipped_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    details = models.JSONField(default=dict, blank=True)
    remote_pks = ArrayField(models.BigIntegerField(), default=list, blank=True)
    created_date = models.DateTimeField(default=timezone.now)
    modified_date = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("order item")
        verbose_name_plural = _("order items")
        ordering = ["id"]
        # Few rows have one: the others need no place in its index.
        indexes = [
            models.Index(
                fields=["parent"], condition=models.Q(parent__isnull=False), name="items_of_a_parent"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(cancelled_quantity__gte=0, cancelled_quantity__lte=models.F("quantity")),
                name="never_more_cancelled_than_bought",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    reserved_quantity__gte=0,
                    cancelled_quantity__lte=models.F("quantity") - models.F("reserved_quantity"),
                ),
                name="never_more_reserved_than_left",
            ),
            keep_times_plausible(
                "plausible_times_of_an_item", "created_date", "modified_date", "shipped_at", "delivered_at"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} × {self.quantity}"

    @property
    def left_quantity(self) -> int:
        """Units that are not cancelled or returned."""
        return self.quantity - self.cancelled_quantity


class DiscountItem(models.Model):
    """A discount given to an order; `cancel_amount` is what cancellations have taken back of it."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="discounts")
    name = models.CharField(max_length=255, blank=True)
    amount = _amount()
    cancel_amount = _amount()
    code = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001 - null in the contract
    offer_type = models.CharField(max_length=64, blank=True)
    promotion = models.BigIntegerField(null=True, blank=True)
    session_offer_type = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 - null in the contract
    created_date = models.DateTimeField(default=timezone.now)
    modified_date = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("discount")
        verbose_name_plural = _("discounts")
        ordering = ["id"]
        constraints = [keep_times_plausible("plausible_times_of_a_discount", "created_date", "modified_date")]

    def __str__(self) -> str:
        return self.name


class TimelineEntry(models.Model):
    """What happened to an order: who, when, what, why. A trigger refuses to change an entry."""

    class Actor(models.TextChoices):
        """On whose behalf it happened."""

        CUSTOMER = "customer", _("Customer")
        STAFF = "staff", _("Staff")
        WORKER = "worker", _("Aftercart")
        OMS = "omnitron", _("Omnitron")
        IMPORT = "import", _("Import")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="timeline")
    item = models.ForeignKey(OrderItem, null=True, blank=True, on_delete=models.CASCADE, db_index=False)
    event = models.CharField(max_length=64)
    actor = models.CharField(max_length=10, choices=Actor)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, db_index=False
    )
    cause = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline entries")
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["item"], condition=models.Q(item__isnull=False), name="entries_of_an_item"),
            models.Index(fields=["user"], condition=models.Q(user__isnull=False), name="entries_of_a_user"),
        ]

    def __str__(self) -> str:
        return self.event


class IdempotencyRecord(models.Model):
    """A write that a client may repeat (contract section 3.5), and the answer that a replay gets.

    `key` is the client's `Idempotency-Key`, or "" for a write recognised by its body alone. The row is
    made in the transaction that records the intent, and gets its answer in the one that settles it. It is
    a user's, or that of the guest of one order.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE)
    guest_order = models.ForeignKey(Order, null=True, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255, blank=True)
    fingerprint = models.CharField(max_length=64)
    status_code = models.IntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["IdempotencyRecord"]]

    class Meta:
        verbose_name = _("idempotency record")
        verbose_name_plural = _("idempotency records")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "key"], condition=~models.Q(key=""), name="one_write_a_key"
            ),
            models.UniqueConstraint(
                fields=["guest_order", "key"],
                condition=~models.Q(key="") & models.Q(guest_order__isnull=False),
                name="one_write_a_key_of_a_guest",
            ),
            models.CheckConstraint(
                condition=models.Q(user__isnull=True, guest_order__isnull=False)
                | models.Q(user__isnull=False, guest_order__isnull=True),
                name="a_write_is_a_users_or_a_guests",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "fingerprint", "-created_at"], name="writes_by_body"),
            models.Index(fields=["created_at"], name="writes_by_age"),
        ]

    def __str__(self) -> str:
        return self.key or self.fingerprint
