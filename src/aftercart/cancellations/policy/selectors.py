"""Reads of the policy: which version is in force, what it says as clauses, and how it stands for an order."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Q

from aftercart.cancellations.models.policies import PolicyRule, PolicyVersion
from aftercart.lib.clock import get_now, get_shop_zone
from aftercart.lib.prepared import prepared
from aftercart.orders.models import Order
from aftercart.orders.policy.clauses import (
    Clause,
    Policy,
    PolicyBook,
    make_default_clauses,
)
from aftercart.orders.policy.topics import Basics, Effect, Topic
from aftercart.orders.quotes import ShippingRefund
from aftercart.orders.selectors import gather_order_facts
from aftercart.orders.windows import Basis, Unit, Window

#: The columns that a rule and a clause share by name and by form.
_SAME: Final = (
    "number", "channel_id", "amount_above", "amount_up_to", "currency", "cancellation_type", "code",
    "message_en", "message_tr", "fee_fixed", "fee_percent",
)  # fmt: skip
_SETS: Final = ("statuses", "payment_types", "client_types", "countries")
_PATTERNS: Final = ("sku_patterns", "category_patterns")


def list_published() -> models.QuerySet[PolicyVersion]:
    """List the versions that staff have published, the one that holds longest from now on first."""
    versions = PolicyVersion.objects.filter(state=PolicyVersion.State.PUBLISHED, is_default=False)
    return versions.order_by("-effective_from", "-pk")


def get_book(at: datetime | None = None) -> PolicyBook:
    """Get the policy in force, now or at a time: what staff have published, else the default of the settings.

    One query, and one more when this process meets a version for the first time: a published version never
    changes, so that its rules are kept. What another process publishes holds here at once.
    """
    now = at or get_now()
    return _get_book_of(list_published().filter(effective_from__lte=now).values_list("pk", flat=True).first())


def get_kept_policy(order: Order) -> tuple[Policy, int | None]:
    """Get the policy as it stands for an order, and the version it is kept as; None: it has still to be kept.

    One query, as `get_book`.
    """
    versions = dict(_list_kept(get_now(), get_default_book().fingerprint))
    policy = get_policy(order, _get_book_of(versions.get(False)))
    return policy, versions.get(False, versions.get(True))


@prepared
def _list_kept(now: datetime, default: str) -> models.QuerySet[PolicyVersion, tuple[bool, int]]:
    """List the version in force and the default as it is kept, each if there is one."""
    published = list_published().filter(effective_from__lte=now).values("pk")[:1]
    kept = PolicyVersion.objects.filter(Q(pk__in=published) | Q(is_default=True, fingerprint=default))
    return kept.values_list("is_default", "pk")


def get_book_and_end(now: datetime) -> tuple[PolicyBook, datetime | None]:
    """Get the policy in force, and the last instant at which it is: before the next one that is published already.

    Queries as `get_book`.
    """
    begun = PolicyVersion.objects.filter(pk=list_published().filter(effective_from__lte=now).values("pk")[:1])
    coming = list_published().filter(effective_from__gt=now)
    version, starts_at = None, None
    for pk, effective_from in (begun | coming).order_by("effective_from").values_list("pk", "effective_from"):
        assert effective_from is not None  # noqa: S101 - a constraint: what is published has its time
        if effective_from > now:
            starts_at = effective_from
            break
        version = pk
    return _get_book_of(version), starts_at and starts_at - timedelta(microseconds=1)


def _get_book_of(version: int | None) -> PolicyBook:
    if version is None:
        return get_default_book()
    return _read_published(version, settings.SHOP_TIME_ZONE, settings.HOLIDAYS)


def get_default_book() -> PolicyBook:
    """Get the policy that the settings say."""
    basics = Basics(
        cancel_statuses=settings.CANCEL_STATUSES,
        refund_statuses=settings.REFUND_STATUSES,
        address_statuses=settings.ADDRESS_STATUSES,
        address_same_country=settings.ADDRESS_SAME_COUNTRY,
        invoice_needs_review=settings.INVOICE_NEEDS_REVIEW,
        direct_window=settings.DIRECT_CANCEL_WINDOW,
        return_window=settings.RETURN_WINDOW,
        review_above_amount=settings.REVIEW_ABOVE_AMOUNT,
        review_types=settings.REVIEW_TYPES,
        easy_return=settings.EASY_RETURN,
    )
    return _make_default(basics, settings.SHOP_TIME_ZONE, settings.HOLIDAYS)


def get_kept_book(version_pk: int | None) -> PolicyBook:
    """Get the policy that something was judged by, or the one in force for what is older than the table."""
    return get_book() if version_pk is None else _get_book_of(version_pk)


def read_book(version: PolicyVersion) -> PolicyBook:
    """Read any version, a draft too, as it stands now."""
    return PolicyBook(_read_clauses(version.pk), version.pk, get_shop_zone(), settings.HOLIDAYS)


def get_policy(order: Order, book: PolicyBook | None = None) -> Policy:
    """Get the policy as it stands for an order; read it once and pass the book for several orders."""
    return Policy(book or get_book(), gather_order_facts(order))


def write_rules(version: PolicyVersion, clauses: Iterable[Clause]) -> list[PolicyRule]:
    """Write clauses as the rules of a version, unsaved: the reverse of reading them."""
    return [
        PolicyRule(
            version=version,
            topic=clause.topic.value,
            effect=clause.effect.value,
            shipping_refund=clause.shipping_refund.value,
            window_basis=clause.window.basis.value if clause.window else "",
            window_length=clause.window.length if clause.window else None,
            window_unit=clause.window.unit.value if clause.window else "",
            **{name: getattr(clause, name) for name in _SAME},
            **{name: sorted(getattr(clause, name)) for name in _SETS},
            **{name: list(getattr(clause, name)) for name in _PATTERNS},
        )
        for clause in clauses
    ]


def read_rule(rule: PolicyRule) -> Clause:
    """Read a row of the table as a clause."""
    window = None
    if rule.window_basis and rule.window_unit and rule.window_length is not None:
        window = Window(Basis(rule.window_basis), rule.window_length, Unit(rule.window_unit))
    said: dict[str, Any] = {
        **{name: getattr(rule, name) for name in _SAME},
        **{name: frozenset(getattr(rule, name)) for name in _SETS},
        **{name: tuple(getattr(rule, name)) for name in _PATTERNS},
    }
    return Clause(
        topic=Topic(rule.topic),
        effect=Effect(rule.effect),
        shipping_refund=ShippingRefund(rule.shipping_refund),
        window=window,
        **said,
    )


def _read_clauses(version_pk: int) -> tuple[Clause, ...]:
    return tuple(read_rule(rule) for rule in PolicyRule.objects.filter(version_id=version_pk))


@lru_cache(maxsize=32)
def _read_published(version_pk: int, zone: str, holidays: frozenset[date]) -> PolicyBook:
    """Read a published version, once a process: a trigger keeps it as it is."""
    return PolicyBook(_read_clauses(version_pk), version_pk, ZoneInfo(zone), holidays)


@lru_cache(maxsize=8)
def _make_default(basics: Basics, zone: str, holidays: frozenset[date]) -> PolicyBook:
    return PolicyBook(make_default_clauses(basics), None, ZoneInfo(zone), holidays)
