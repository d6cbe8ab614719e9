"""The topics of the policy, each in one declaration.

Rules, sentences, the table's form and checks, filters, the shipped policy and the API's document follow from it.
docs/policies.md explains the topics to people; a test compares it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from aftercart.orders.facts import Case, CaseKind, ItemFacts, RequestedUnits
from aftercart.orders.windows import Basis, Window


class Effect(models.TextChoices):
    """What a clause does: nothing, leave the whole submission to the back office, or refuse it."""

    ALLOW = "allow", _("Allow")
    REVIEW = "review", _("Leave to the back office")
    REFUSE = "refuse", _("Refuse")


class Rule(IntEnum):
    """The rules by their number in the contract, which is the order in which they speak.

    The last one is ours: the contract's ninth is what the OMS says.
    """

    ALREADY_CANCELLED = 1
    IN_PROGRESS = 2
    STATUS = 3
    INVOICE = 4
    DIRECT_WINDOW = 5
    RETURN_WINDOW = 6
    APPROVAL = 7
    SHAPE = 8
    PAYMENT = 10


class Speaks(StrEnum):
    """When a topic with a window speaks: once the window has closed, or until it has."""

    AFTER = "after"
    UNTIL = "until"


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


@dataclass(frozen=True, slots=True)
class ItemCase:
    """One item in its submission: what every topic is judged from."""

    requested: RequestedUnits
    item: ItemFacts
    case: Case
    is_mixed: bool
    placed_at: datetime

    @property
    def is_partial(self) -> bool:
        """Whether fewer units are asked for than are left."""
        return self.requested.quantity is not None and self.requested.quantity < self.item.left_quantity

    @property
    def starts(self) -> dict[str, datetime | None]:
        """When each window of the policy begins."""
        return {
            Basis.ORDER: self.placed_at,
            Basis.SHIPMENT: self.item.shipped_at,
            Basis.DELIVERY: self.item.delivered_at,
        }


class Topic(StrEnum):
    """What a clause is about. For each topic the most specific clause decides, and no other."""

    STATUS = "status"
    INVOICE = "invoice"
    DIRECT_WINDOW = "direct_window"
    FINAL_SALE = "final_sale"
    RETURN_WAIT = "return_wait"
    RETURN_WINDOW = "return_window"
    APPROVAL = "approval"
    AMOUNT = "amount"
    PARTIAL_LINE = "partial_line"
    MIXED_TYPES = "mixed_types"
    COUNTRY = "country"
    EASY_RETURN = "easy_return"
    FEE = "fee"
    SHIPPING_REFUND = "shipping_refund"

    @property
    def declared(self) -> "Declaration":
        """What there is to know of it."""
        return _DECLARED[self]


#: The columns of one clause of the shipped policy.
Said = Mapping[str, Any]
_EVERY: Final = frozenset(Effect)
_YES_OR_NO: Final = frozenset({Effect.ALLOW, Effect.REFUSE})
_NOT_DIRECT: Final = frozenset({Effect.REVIEW, Effect.REFUSE})
_TERM: Final = frozenset({Effect.ALLOW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What there is to know of a topic.

    `name` is for staff. `code` is what a finding is called whose clause has no code of its own, which clients rely
    on; `sentence` is what the customer then reads. `default` gives the clauses that are shipped.

    What is asked of an item names its `rule` of the contract, the `condition` under which it speaks (for who reads
    the API's document), whether what it is about `is_there`, and what holds where no clause is about a case
    (`unsaid`). `reason` says to staff why a request was left to them. `speaks` is for topics with a window.
    """

    name: Promise
    code: str
    default: Callable[[Basics], Iterable[Said]]
    sentence: Promise | str = ""
    address_sentence: Promise | str = ""
    effects: frozenset[Effect] = _EVERY
    asks_of_addresses: bool = False
    rule: Rule | None = None
    condition: str = ""
    is_there: Callable[[ItemCase], bool] = lambda _each: True
    unsaid: Effect = Effect.ALLOW
    reason: Promise | None = None
    speaks: Speaks | None = None


def _say_statuses(basics: Basics) -> Iterable[Said]:
    yield {"effect": Effect.REFUSE}
    kinds: tuple[tuple[CaseKind, frozenset[str]], ...] = (
        ("cancel", basics.cancel_statuses),
        ("refund", basics.refund_statuses),
        ("address_change", basics.address_statuses),
    )
    for kind, statuses in kinds:
        if statuses:  # none named: refused by the first clause
            yield {"cancellation_type": kind, "statuses": statuses}


def _say_window(kind: CaseKind, effect: Effect, basis: Basis, length: timedelta | None) -> Iterable[Said]:
    if length is not None:
        yield {"cancellation_type": kind, "effect": effect, "window": Window.measure(basis, length)}


_DECLARED: Final[Mapping[Topic, Declaration]] = {
    Topic.STATUS: Declaration(
        name=_("Status"),
        code="status_not_allowed",
        sentence=_("Order can't be cancelled in this status."),
        address_sentence=_("It is too late to change this order's address."),
        asks_of_addresses=True,
        rule=Rule.STATUS,
        condition="Its status does not allow this type: `cancel` is for 200–450, `refund` for 500–550, unless the "
        "shop decides otherwise.",
        unsaid=Effect.REFUSE,
        default=_say_statuses,
    ),
    Topic.INVOICE: Declaration(
        name=_("Invoice"),
        code="has_invoice",
        sentence=_("This item has already been invoiced, so our team will review it first."),
        reason=_("An invoice has been issued"),
        rule=Rule.INVOICE,
        condition="It has an invoice and is to be cancelled, where the shop has that checked.",
        is_there=lambda each: each.item.has_invoice,
        default=lambda basics: [
            {
                "cancellation_type": "cancel",
                "effect": Effect.REVIEW if basics.invoice_needs_review else Effect.ALLOW,
            }
        ],
    ),
    Topic.DIRECT_WINDOW: Declaration(
        name=_("Time for the direct way"),
        code="direct_window_passed",
        sentence=_("The time for an immediate cancellation is over, so our team will review it first."),
        reason=_("The time for cancelling directly is over"),
        rule=Rule.DIRECT_WINDOW,
        condition="The shop's time limit for cancelling directly is over.",
        speaks=Speaks.AFTER,
        default=lambda basics: _say_window("cancel", Effect.REVIEW, Basis.ORDER, basics.direct_window),
    ),
    Topic.FINAL_SALE: Declaration(
        name=_("Final sale"),
        code="final_sale",
        sentence=_("This item is a final sale and can't be returned."),
        rule=Rule.RETURN_WINDOW,
        condition="It is to be returned, and was a final sale.",
        is_there=lambda each: each.item.is_final_sale,
        default=lambda _basics: [{"cancellation_type": "refund", "effect": Effect.REFUSE}],
    ),
    Topic.RETURN_WAIT: Declaration(
        name=_("Time before returning"),
        code="return_too_early",
        sentence=_("It is too early to return this item. Please try again in a few days."),
        rule=Rule.RETURN_WINDOW,
        condition="It is to be returned, and the time that the shop has set before is not over.",
        speaks=Speaks.UNTIL,
        default=lambda _basics: [],
    ),
    Topic.RETURN_WINDOW: Declaration(
        name=_("Time for returning"),
        code="return_window_closed",
        sentence=_("The time for returning this item is over."),
        rule=Rule.RETURN_WINDOW,
        condition="It is to be returned, and the return window has closed.",
        speaks=Speaks.AFTER,
        default=lambda basics: _say_window("refund", Effect.REFUSE, Basis.DELIVERY, basics.return_window),
    ),
    Topic.APPROVAL: Declaration(
        name=_("Approval"),
        code="type_needs_approval",
        sentence=_("Our team checks every request of this kind."),
        reason=_("Requests of this kind need approval"),
        rule=Rule.APPROVAL,
        condition="The shop wants to approve every request of this type.",
        default=lambda basics: [
            {"cancellation_type": kind, "effect": Effect.REVIEW} for kind in sorted(basics.review_types)
        ],
    ),
    Topic.AMOUNT: Declaration(
        name=_("Amount"),
        code="amount_needs_approval",
        sentence=_("Our team checks requests of this amount."),
        reason=_("Requests of this amount need approval"),
        rule=Rule.APPROVAL,
        condition="All items together are worth more than the shop lets go unseen.",
        default=lambda basics: (
            []
            if basics.review_above_amount is None
            else [{"amount_above": basics.review_above_amount, "effect": Effect.REVIEW}]
        ),
    ),
    Topic.PARTIAL_LINE: Declaration(
        name=_("Part of a line"),
        code="partial_line",
        sentence=_("You are keeping some units of this item, so our team handles the others."),
        reason=_("Only a part of the line"),
        effects=_NOT_DIRECT,
        rule=Rule.SHAPE,
        condition="Fewer units than are left of the line are to be cancelled.",
        is_there=lambda each: each.is_partial,
        unsaid=Effect.REVIEW,
        default=lambda _basics: [{"effect": Effect.REVIEW}],
    ),
    Topic.MIXED_TYPES: Declaration(
        name=_("Cancellation and return together"),
        code="mixed_types",
        sentence=_("Your request both cancels and returns items, so our team handles it."),
        reason=_("Cancellation and return in one request"),
        effects=_NOT_DIRECT,
        rule=Rule.SHAPE,
        condition="`cancel` and `refund` stand in one submission.",
        is_there=lambda each: each.is_mixed,
        unsaid=Effect.REVIEW,
        default=lambda _basics: [{"effect": Effect.REVIEW}],
    ),
    Topic.COUNTRY: Declaration(
        name=_("Another country"),
        code="other_country",
        sentence=_("The new address must be in the same country."),
        effects=_YES_OR_NO,
        asks_of_addresses=True,
        default=lambda basics: [{"effect": Effect.REFUSE if basics.address_same_country else Effect.ALLOW}],
    ),
    Topic.EASY_RETURN: Declaration(
        name=_("Easy return"),
        code="easy_return",
        effects=_YES_OR_NO,
        default=lambda basics: [
            {
                "cancellation_type": "refund",
                "effect": Effect.ALLOW if basics.easy_return else Effect.REFUSE,
            }
        ],
    ),
    Topic.FEE: Declaration(name=_("Fee"), code="fee", effects=_TERM, default=lambda _basics: [{}]),
    Topic.SHIPPING_REFUND: Declaration(
        name=_("Shipping refund"), code="shipping_refund", effects=_TERM, default=lambda _basics: [{}]
    ),
}
#: The topics that are asked of an item, with their rule, in the order in which they speak.
ITEM_TOPICS: Final[Mapping[Topic, Rule]] = {
    topic: rule for rule in Rule for topic in Topic if topic.declared.rule is rule
}
