"""The second step of a cancellation: what would come back, line by line, where it goes, and who does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _

from aftercart.actions.cancel.price_lines import QuoteAnswer
from aftercart.cancellations.models import Destination, RefundQuote
from aftercart.cancellations.return_pass import ReturnPass
from aftercart.lib.clock import get_now
from aftercart.orders.policy.topics import Effect
from aftercart.orders.quotes import LineQuote
from aftercart.orders.refund_words import POINTS_AGREEMENT, list_refund_rows
from aftercart.orders.rules import list_refusals
from aftercart.pages.amounts import AmountRow
from aftercart.pages.cancellation_form import CancellationForm
from aftercart.pages.item_cards import ItemCard
from aftercart.pages.order_page import OrderPage
from aftercart.pages.templatetags.shop import money

_SALT: Final = "aftercart.pages.shown"
SHOWN_FIELD: Final = "shown"


@dataclass(frozen=True, slots=True)
class RefundLine:
    """One line: the item, how many of it, why, and what comes back for it."""

    item: ItemCard
    quantity: int
    reason: str
    description: str
    exchange_preference: str
    quote: LineQuote


@dataclass(frozen=True, slots=True)
class Option:
    """A destination to choose, and the signed quote that binds if it is."""

    value: str
    label: str
    detail: str
    token: str
    is_chosen: bool


class RefundPage:
    """What the page shows. `quotes` are by destination; they differ in that, and in nothing else that matters."""

    def __init__(
        self, form: CancellationForm, quotes: Mapping[Destination, QuoteAnswer], *, shown_before: str = ""
    ) -> None:
        """Put quotes of allowed lines into words; `shown_before` is what an earlier page showed."""
        self.form = form
        self.page: OrderPage = form.page
        self.currency = form.page.currency
        self._quotes = quotes
        self._any = next(iter(quotes.values()))
        self.lines = [line for line in map(self._make_line, self._any.lines) if line is not None]
        then, now = _read_shown(shown_before), self._list_shown()
        #: What is different: its name, what it was, what it is.
        self.changes = [
            (*self._name_row(key, then[key]), self._name_row(key, now[key])[1])
            for key in now
            if key in then and then[key] != now[key]
        ]

    def _make_line(self, priced: Any) -> RefundLine | None:
        choice = next(choice for choice in self.form.asked if choice.item.pk == priced.order_item)
        if priced.quote is None:
            return None
        labels = dict(choice.form.fields["reason"].choices)  # type: ignore[attr-defined]  # the field is one of choices
        data = choice.form.cleaned_data
        return RefundLine(
            item=choice.item,
            quantity=priced.quantity,
            reason=str(labels.get(data["reason"], "")),
            description=data["description"],
            exchange_preference=data["exchange_preference"],
            quote=priced.quote,
        )

    @property
    def refusals(self) -> list[str]:
        """What the rules refuse, with the item that it is about; then there is nothing to confirm."""
        names = {choice.item.pk: choice.item.name for choice in self.form.asked}
        sentences = [f"{names[f.order_item]}: {f.message}" for f in list_refusals(self._any.findings)]
        return list(dict.fromkeys(sentences))

    @property
    def is_direct(self) -> bool:
        """Whether it is done at once, and not decided by the team."""
        return self._any.way == RefundQuote.Way.DIRECT

    @property
    def is_return(self) -> bool:
        """Whether something has to be sent back."""
        return any(line.item.kind == "refund" for line in self.lines)

    @property
    def causes(self) -> list[str]:
        """Why the team checks it first, each reason once."""
        reviews = [finding for finding in self._any.findings if finding.effect is Effect.REVIEW]
        said = [finding.message for finding in reviews if finding.code != "partial_line"]
        partial = self.kept if len(said) < len(reviews) else []
        return list(dict.fromkeys([*said, *partial]))

    @property
    def answer_by(self) -> datetime:
        """Until when the team promises an answer."""
        return get_now() + settings.REQUEST_ANSWER

    @property
    def expires_at(self) -> datetime:
        """How long these amounts hold."""
        return self._any.expires_at

    @property
    def total(self) -> Decimal:
        """All that comes back."""
        return self._any.quote.total

    @property
    def points(self) -> Decimal:
        """What of it comes back as points in any case, having been paid with points."""
        return self._any.quote.points_returned

    @property
    def parcel(self) -> ReturnPass | None:
        """How what is returned gets back, as it is chosen; None where nothing is collected."""
        return self.form.describe_parcel() if self.is_return else None

    @property
    def kept(self) -> list[str]:
        """Of what is taken in part: how many stay, and how many our team takes out."""
        sentences = {
            "cancel": _("You are keeping %(kept)s of %(left)s; our team will cancel %(count)s."),
            "refund": _(
                "You are keeping %(kept)s of %(left)s; our team will handle the return of %(count)s."
            ),
        }
        return [
            sentences[line.item.kind or "cancel"]
            % {
                "kept": line.item.left_quantity - line.quantity,
                "left": line.item.left_quantity,
                "count": line.quantity,
            }
            for line in self.lines
            if line.quantity < line.item.left_quantity
        ]

    @property
    def unpaid_message(self) -> str:
        """That nothing was paid, so that nothing but points is returned; "" where something was."""
        return self._any.message

    @property
    def points_lost(self) -> Decimal:
        """How many points that the order had earned are lost."""
        return self._any.quote.points_clawed_back

    @property
    def rows(self) -> list[AmountRow]:
        """The rows above the total; their sum is the total."""
        quote = self._any.quote
        goods = sum((line.item_amount for line in quote.lines), Decimal(0))
        others = {
            "discount": -sum((line.discount_share for line in quote.lines), Decimal(0)),
            "interest": sum((line.interest_share for line in quote.lines), Decimal(0)),
            "shipping": quote.shipping_refund,
            "gift_box": quote.gift_box_refund,
            "fee": -quote.fees,
        }
        rows = (AmountRow(row.label, row.amount) for row in list_refund_rows(others))
        return [AmountRow(_("Items"), goods), *rows]

    @property
    def options(self) -> list[Option]:
        """The destinations to choose from."""
        return [
            Option(
                value=destination.value,
                label=_name_destination(destination),
                detail=_describe_destination(destination, self.page),
                token=answer.token,
                is_chosen=self.form.refund.chosen == destination,
            )
            for destination, answer in self._quotes.items()
        ]

    @property
    def shown(self) -> str:
        """What this page shows, signed: should it change before it is confirmed, the next one says how."""
        return signing.dumps(self._list_shown(), salt=_SALT, compress=True)

    def _list_shown(self) -> dict[str, str]:
        quote = self._any.quote
        lines = {str(line.order_item): str(line.refund_amount) for line in quote.lines}
        return {
            **lines,
            "shipping": str(quote.shipping_refund),
            "fees": str(quote.fees),
            "total": str(quote.total),
            "way": self._any.way.value,
        }

    def _name_row(self, key: str, value: str) -> tuple[str, str]:
        """Name a row of what was shown, and write its value."""
        if key == "way":
            return _("How it is handled"), _("right away") if value == RefundQuote.Way.DIRECT else _(
                "our team first"
            )
        named = {"shipping": _("Shipping"), "fees": _("Fee"), "total": _("Total")}
        names = {str(choice.item.pk): choice.item.name for choice in self.form.asked}
        return named.get(key) or names.get(key, ""), money(value, self.currency)


def _name_destination(destination: Destination) -> str:
    if destination == Destination.IBAN:
        return _("To a bank account")
    if destination == Destination.LOYALTY:
        return _("As loyalty points")
    return _("To your original payment method")


def _describe_destination(destination: Destination, page: OrderPage) -> str:
    if destination == Destination.LOYALTY:
        all_of_it = _("All of it, to spend on your next order.")
        return f"{POINTS_AGREEMENT} {all_of_it}"
    if destination == Destination.IBAN:
        return _("Your payment can't be given back the way it came.")
    option, card = page.document["payment_option"] or {}, page.document["card"] or {}
    return " · ".join(str(name) for name in (option.get("name"), card.get("name")) if name)


def _read_shown(token: str) -> dict[str, str]:
    """Read what an earlier page showed; nothing, if that is not of ours."""
    try:
        return dict(signing.loads(token, salt=_SALT)) if token else {}
    except (signing.BadSignature, TypeError, ValueError):
        return {}
