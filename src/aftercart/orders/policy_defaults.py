"""The policy that is shipped: contract section 3.3, with what the settings say. It stands until staff publish one."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from aftercart.orders.policies import Clause, Effect, ShippingRefund, Topic
from aftercart.orders.windows import Basis, Unit, Window

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
#: Far apart, so that a clause can be put between two others.
_STEP = 10


@dataclass(frozen=True, slots=True)
class Basics:
    """What the settings decide. A window or a limit that is None does not apply."""

    cancel_statuses: frozenset[str]
    refund_statuses: frozenset[str]
    address_statuses: frozenset[str] = frozenset()
    address_same_country: bool = True
    invoice_needs_review: bool = True
    direct_window: timedelta | None = None
    return_window: timedelta | None = None
    review_above_amount: Decimal | None = None
    review_types: frozenset[str] = frozenset()
    easy_return: bool = True


def make_default_clauses(basics: Basics) -> tuple[Clause, ...]:
    """Write the shipped policy as clauses, numbered in their order; the same basics give the same clauses."""

    def say(topic: Topic, effect: Effect = Effect.ALLOW, **said: object) -> Clause:
        return replace(Clause(number=0, topic=topic, effect=effect), **said)  # type: ignore[arg-type]  # of several types by name

    clauses = [
        say(Topic.STATUS, Effect.REFUSE),
        *(
            say(Topic.STATUS, cancellation_type=kind, statuses=statuses)
            for kind, statuses in (
                ("cancel", basics.cancel_statuses),
                ("refund", basics.refund_statuses),
                ("address_change", basics.address_statuses),
            )
            if statuses  # none named: refused by the first clause
        ),
        say(Topic.COUNTRY, Effect.REFUSE if basics.address_same_country else Effect.ALLOW),
        say(
            Topic.INVOICE,
            Effect.REVIEW if basics.invoice_needs_review else Effect.ALLOW,
            cancellation_type="cancel",
        ),
        say(Topic.FINAL_SALE, Effect.REFUSE, cancellation_type="refund"),
        say(Topic.PARTIAL_LINE, Effect.REVIEW),
        say(Topic.MIXED_TYPES, Effect.REVIEW),
        say(
            Topic.EASY_RETURN,
            Effect.ALLOW if basics.easy_return else Effect.REFUSE,
            cancellation_type="refund",
        ),
        say(Topic.FEE),
        say(Topic.SHIPPING_REFUND, shipping_refund=ShippingRefund.WHEN_NOTHING_REMAINS),
    ]
    if basics.direct_window is not None:
        window = _measure(Basis.ORDER, basics.direct_window)
        clauses.append(say(Topic.DIRECT_WINDOW, Effect.REVIEW, cancellation_type="cancel", window=window))
    if basics.return_window is not None:
        window = _measure(Basis.DELIVERY, basics.return_window)
        clauses.append(say(Topic.RETURN_WINDOW, Effect.REFUSE, cancellation_type="refund", window=window))
    if basics.review_above_amount is not None:
        clauses.append(say(Topic.AMOUNT, Effect.REVIEW, amount_above=basics.review_above_amount))
    clauses += [
        say(Topic.APPROVAL, Effect.REVIEW, cancellation_type=kind) for kind in sorted(basics.review_types)
    ]
    return tuple(replace(clause, number=place * _STEP) for place, clause in enumerate(clauses, start=1))


def _measure(basis: Basis, length: timedelta) -> Window:
    """Write a length in the largest unit that it is whole in."""
    for unit, step in ((Unit.DAYS, _DAY), (Unit.HOURS, _HOUR)):
        if not length % step:
            return Window(basis, length // step, unit)
    return Window(basis, -(-length // _MINUTE), Unit.MINUTES)
