"""Fill a database with the demo: orders, through the same door as everybody's, people, and reasons."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import structlog
from django.db import transaction
from django.db.models import Max

from aftercart.accounts.models import Address, User
from aftercart.actions.intake.import_orders import BadLine, import_orders
from aftercart.actions.policy.draft_policy import draft_policy
from aftercart.actions.withdraw.withdraw_order import map_withdrawal_reason
from aftercart.cancellations.models import CancellationReason, CancellationType, EasyReturnCompany
from aftercart.cancellations.models.policies import PolicyRule, PolicyType, PolicyVersion
from aftercart.cancellations.policy.selectors import get_book
from aftercart.demo.generate import generate_documents
from aftercart.demo.kinds import NAMED, NAMED_PASSWORD, STAFF_EMAIL, STAFF_PASSWORD
from aftercart.lib.bulk import advance_sequence, encode_json
from aftercart.orders.models import Order
from aftercart.orders.policy.topics import Topic

_log = structlog.get_logger(__name__)

_CANCEL, _REFUND = CancellationType.CANCEL, CancellationType.REFUND
#: Type, English, Turkish, whether it wants an explanation; the position is the id, here and at the OMS.
_REASONS: Final = (
    (_CANCEL, "Changed my mind", "Fikrimi değiştirdim", False),
    (_CANCEL, "Ordered by mistake", "Yanlışlıkla sipariş verdim", False),
    (_CANCEL, "Found a better price", "Daha uygun fiyat buldum", False),
    (_CANCEL, "Delivery takes too long", "Teslimat çok uzun sürüyor", False),
    (_CANCEL, "Other", "Diğer", True),
    (_REFUND, "Does not fit", "Bedeni uymadı", False),
    (_REFUND, "Not as described", "Açıklamaya uygun değil", False),
    (_REFUND, "Damaged or defective", "Hasarlı veya kusurlu", False),
    (_REFUND, "Changed my mind", "Fikrimi değiştirdim", False),
    (_REFUND, "Other", "Diğer", True),
)
#: Name, code, weekdays, hours, days ahead: an empty calendar excludes nothing.
_COMPANIES: Final[tuple[tuple[str, str, list[int], list[str], int], ...]] = (
    ("Yurtiçi Kargo", "yurtici", [1, 2, 3, 4, 5], ["09:00-12:00", "13:00-18:00"], 1),
    ("Aras Kargo", "aras", [1, 2, 3, 4, 5, 6], ["10:00-14:00"], 0),
    ("MNG Kargo", "mng", [], [], 0),
)

_PLACES: Final = ("country", "city", "township", "district")

_FEES: Final = "Demo: who returns a lamp pays for its packing"
_LAMP_FEES: Final = {"TRY": Decimal("79.90"), "EUR": Decimal("4.90")}


def seed_demo(now: datetime) -> None:
    """Put the demo in, its dates ending at `now`. Again: only what is missing, nothing is set back."""
    _seed_reasons()
    _seed_people()
    _seed_orders(now)
    _seed_policy()


def _seed_reasons() -> None:
    reasons = [
        CancellationReason(
            pk=pk,
            remote_pk=pk,
            cancellation_type=kind,
            subject=english,
            translations={"tr": {"subject": turkish}, "en": {"subject": english}},
            extra_information_needed=needs_information,
            order=pk,
        )
        for pk, (kind, english, turkish, needs_information) in enumerate(_REASONS, start=1)
    ]
    companies = [
        EasyReturnCompany(pk=pk, name=name, value=value, weekdays=weekdays, slots=slots, lead_days=lead_days)
        for pk, (name, value, weekdays, slots, lead_days) in enumerate(_COMPANIES, start=1)
    ]
    CancellationReason.objects.bulk_create(reasons, ignore_conflicts=True)
    EasyReturnCompany.objects.bulk_create(companies, ignore_conflicts=True)
    for model, rows in ((CancellationReason, reasons), (EasyReturnCompany, companies)):
        advance_sequence(model._meta.db_table, len(rows))
    # A shop maps these two by hand; here, to what comes nearest among the sandbox's.
    for kind, nearest in (("cancel", "Changed my mind"), ("refund", "Does not fit")):
        remote_pk = next(reason.pk for reason in reasons if reason.subject == nearest)
        map_withdrawal_reason(kind, remote_pk)


def _seed_people() -> None:
    for person in NAMED:
        user, _ = User.objects.get_or_create(
            email=person.email,
            defaults={
                "first_name": person.first_name,
                "last_name": person.last_name,
                "phone": person.phone_number,
            },
        )
        if not user.has_usable_password() or not user.password:
            user.set_password(NAMED_PASSWORD)
            user.save(update_fields=["password"])
    if not User.objects.filter(email=STAFF_EMAIL).exists():
        User.objects.create_superuser(STAFF_EMAIL, STAFF_PASSWORD, first_name="Aylin", last_name="Usta")


def _seed_policy() -> None:
    """Draft a policy with fees for staff to try out and to publish; what is in force stays the default."""
    if PolicyVersion.objects.filter(note=_FEES).exists():
        return
    staff = User.objects.get(email=STAFF_EMAIL)
    version_pk = draft_policy(staff, get_book())
    last = PolicyRule.objects.filter(version=version_pk).aggregate(last=Max("number"))["last"]
    with transaction.atomic():  # the note says that it is whole
        for number, (currency, fee) in enumerate(_LAMP_FEES.items(), start=last + 1):
            rule = PolicyRule(version_id=version_pk, number=number, topic=Topic.FEE)
            rule.cancellation_type, rule.sku_patterns = PolicyType.REFUND, ["LMB-*"]
            rule.currency, rule.fee_fixed = currency, fee
            rule.full_clean()
            rule.save()
        PolicyVersion.objects.filter(pk=version_pk).update(note=_FEES)


def _seed_orders(now: datetime) -> None:
    """Import the demo's orders, except those whose ids are known: a later `now` must not set them back."""
    documents = list(generate_documents(now))
    known = set(
        Order.objects.filter(pk__in=[document["id"] for document in documents]).values_list("pk", flat=True)
    )
    missing = [document for document in documents if document["id"] not in known]
    import_orders((encode_json(document).encode() for document in missing), report_bad=_warn)
    for person in NAMED:
        fill_book(User.objects.get(email=person.email))


def fill_book(user: User) -> None:
    """Put the addresses of somebody's orders into their book, as they would by typing; the first is the primary one."""
    if user.addresses.exists():
        return
    snapshots: dict[str, dict[str, Any]] = {}
    for order in Order.objects.filter(user=user).order_by("pk"):
        for snapshot in (order.shipping_address, order.billing_address):
            if snapshot and snapshot["city"] and snapshot["township"] and not snapshot["retail_store"]:
                snapshots.setdefault(snapshot["hash_data"], snapshot)
    for place, snapshot in enumerate(snapshots.values()):
        parts = {f"{name}_id": (snapshot[name] or {}).get("pk") for name in _PLACES}
        fields = {name: value for name, value in snapshot.items() if name not in {"pk", "primary", *_PLACES}}
        fields["notes"] = fields["notes"] or ""
        Address.objects.create(user=user, primary=place == 0, **parts, **fields)


def _warn(bad: BadLine) -> None:
    _log.warning("demo_order_left_out", number=bad.number, reason=bad.reason)
