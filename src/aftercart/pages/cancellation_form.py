"""The cancellation form as a whole: one small form an item, one for the rest, and the command they make.

It has two steps: what and why, then the amounts and where they go. What the first asked travels through the second
in hidden fields, so that no session keeps it, and nothing that was typed is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from aftercart.accounts.document import address_document
from aftercart.accounts.drafts import AddressDraft
from aftercart.accounts.models import Address
from aftercart.actions.commands import Caller, CancellationCommand, ItemRequest
from aftercart.cancellations.models import Destination
from aftercart.cancellations.return_pass import ReturnPass, write_place
from aftercart.cancellations.selectors import list_companies, list_reasons
from aftercart.lib.identity import has_own_accounts
from aftercart.orders.errors import ActionError
from aftercart.orders.facts import CancellationKind
from aftercart.orders.models import OrderItem
from aftercart.orders.paid import Payment, read_payment
from aftercart.orders.refund_words import POINTS_AGREEMENT
from aftercart.pages.address_form import AddressEntryForm, read_snapshot
from aftercart.pages.callers import HiddenField
from aftercart.pages.folding import fold
from aftercart.pages.forms import ItemForm, PlainForm
from aftercart.pages.item_cards import ItemCard
from aftercart.pages.order_page import OrderPage
from aftercart.pages.refund_form import RefundForm
from aftercart.pages.settlement_form import SettlementForm

#: The box that chooses all items at once.
WHOLE = "whole"
#: Stands for the account in a quote, which depends on whether there is one, and not on which.
_SOME_ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Choice:
    """An item, and the form to choose it with."""

    item: ItemCard
    form: ItemForm


class CancellationForm:
    """The form of one order. Bound when it gets data.

    Every item of the order is read, even one that can no longer be cancelled: the form may be a replay of one
    that has just succeeded, and that only the action recognises.
    """

    def __init__(self, page: OrderPage, addresses: list[Address], data: QueryDict | None = None) -> None:
        """Read what there is to choose from."""
        self.page = page
        self.addresses = addresses
        data = spread_choice(data, page.items) if data else data
        self.complaints: list[str] = []
        order = page.order
        self.companies = list(list_companies(order.channel_id)) if page.collected else []
        reasons = list(list_reasons())
        self.choices = [
            Choice(
                item,
                ItemForm(
                    data,
                    prefix=f"item-{item.pk}",
                    kind=_read_kind(data, item),
                    left_quantity=item.quantity if data else item.left_quantity,
                    reasons=reasons,
                    initial={"is_chosen": len(page.items) == 1},
                ),
            )
            for item in page.items
        ]
        self.settlement = SettlementForm(
            data,
            companies=self.companies,
            addresses=addresses,
            is_guest=page.is_guest,
            initial=self._suggest(),
        )
        # A guest has no address book to choose from.
        self.typed = (
            AddressEntryForm(data, prefix="pickup", initial=read_snapshot(order.shipping_address))
            if page.is_guest and self.companies
            else None
        )
        self.settlement.is_collected = any(
            choice.form.is_asked
            and choice.item.pk in page.collected
            and _read_kind(data, choice.item) == "refund"
            for choice in self.choices
        )
        asked = {choice.item.pk for choice in self.asked} or {item.pk for item in page.items}
        rows = [row for row in page.rows if row.pk in asked]
        self.destinations = _list_destinations(read_payment(order), rows, has_points=not page.is_guest)
        is_sent = data is not None and data.get("step") == "send"
        self.refund = RefundForm(data, destinations=self.destinations, is_sent=is_sent)

    def _suggest(self) -> dict[str, Any]:
        """Suggest what there is no choice about, and the customer's own first address."""
        first = next((a for a in self.addresses if a.primary), self.addresses[0] if self.addresses else None)
        return {
            "shipping_company": self.companies[0].pk if len(self.companies) == 1 else None,
            "pickup_address": first.pk if first else None,
        }

    def is_valid(self) -> bool:
        """Return whether it makes sense. Every part is checked, so that all that is wrong is told at once."""
        asked = self.asked
        if not asked:
            self.complaints.append(_("Please choose at least one item."))
            return False
        checks = [form.is_valid() for form in [*(choice.form for choice in asked), *self._once]]
        return all(checks)

    def forget_errors(self) -> None:
        """Show what was typed, to be changed, without a word about what is wrong with it."""
        forms: list[PlainForm] = [self.settlement, *(choice.form for choice in self.choices)]
        if self.typed is not None:
            forms.append(self.typed)
        for form in forms:
            form.forget_errors()

    def to_command(
        self, caller: Caller, destination: Destination, *, quote: str = "", is_for_quote: bool = False
    ) -> CancellationCommand:
        """Make the typed command of a valid first step; of a valid second one, unless it is for a quote only."""
        account: dict[str, str] = {}
        if destination == Destination.IBAN:
            account = (
                dict.fromkeys(("iban", "holder_name"), _SOME_ACCOUNT)
                if is_for_quote
                else {name: self.refund.cleaned_data[name] for name in ("iban", "holder_name")}
            )
        return CancellationCommand(
            caller=caller,
            number=self.page.order.number,
            items=tuple(self._ask(choice, account) for choice in self.asked),
            pickup_address=self._find_pickup() if self.settlement.is_collected else None,
            fully_refund_as_loyalty_money=destination == Destination.LOYALTY,
            points_agreement=str(POINTS_AGREEMENT) if destination == Destination.LOYALTY else "",
            quote=quote,
        )

    def describe_parcel(self) -> ReturnPass | None:
        """Describe how a valid first step has the parcel collected; None where nothing is."""
        if not self.settlement.is_collected:
            return None
        data, pickup = self.settlement.cleaned_data, self.settlement.get_pickup() or {}
        company = self.settlement.companies.get(data["shipping_company"])
        hours = pickup.get("hour_range") or {}
        return ReturnPass(
            company=company.name if company else "",
            day=str(pickup.get("date") or ""),
            hours=f"{hours['start']}–{hours['end']}" if hours else "",
            address=self._write_pickup_address(),
        )

    def _write_pickup_address(self) -> str:
        if self.typed is not None:
            return str(self.typed.cleaned_data.get("line") or "")
        chosen = self.settlement.cleaned_data.get("pickup_address")
        found = next((address for address in self.addresses if address.pk == chosen), None)
        return write_place(address_document(found)) if found else ""

    def _find_pickup(self) -> int | AddressDraft | Address | None:
        if self.typed is not None:
            return self.typed.to_draft()
        pk: int = self.settlement.cleaned_data["pickup_address"]
        if has_own_accounts():
            return pk
        return next((address for address in self.addresses if address.pk == pk), pk)

    def _ask(self, choice: Choice, account: dict[str, str]) -> ItemRequest:
        data, whole = choice.form.cleaned_data, self.settlement.cleaned_data
        kind: CancellationKind = data["cancellation_type"]
        is_collected = kind == "refund" and choice.item.pk in self.page.collected
        return ItemRequest(
            order_item=choice.item.pk,
            reason=data["reason"],
            cancellation_type=kind,
            description=data["description"],
            exchange_preference=data["exchange_preference"] if kind == "refund" else "",
            quantity=data["quantity"],
            shipping_company=whole["shipping_company"] if is_collected else None,
            **account,
            pickup_date=self.settlement.get_pickup() if is_collected else None,
        )

    def complain(self, error: ActionError) -> None:
        """Take what an action says."""
        self.complaints += [sentence for sentence in error.sentences() if sentence not in self.complaints]

    def offer_again(self) -> None:
        """Offer what is possible now, with what was typed kept: things may have changed meanwhile."""
        for choice in self.choices:
            if choice.item.kind:
                choice.form.offer(choice.item.kind, choice.item.left_quantity)

    def list_hidden(self) -> list[HiddenField]:
        """List what the first step asked, as it was typed, to travel through the second."""
        forms: list[PlainForm] = [choice.form for choice in self.asked]
        if self.settlement.is_collected:
            forms += self._once
        return [
            HiddenField(field.html_name, field.value())
            for form in forms
            for field in form
            if field.value() not in {None, "", False}
        ]

    def list_carried(self) -> list[HiddenField]:
        """List what the second step asked, if it was seen already, to travel through the first."""
        return [HiddenField(name, value) for name, value in self.refund.given.items()]

    @property
    def _once(self) -> list[PlainForm]:
        """What is asked once for all items: how they are collected, and, of a guest, where."""
        if self.typed is None or not self.settlement.is_collected:
            return [self.settlement]
        return [self.settlement, self.typed]

    @property
    def asked(self) -> list[Choice]:
        """The items that are chosen."""
        return [choice for choice in self.choices if choice.form.is_asked]

    @property
    def open_choices(self) -> list[Choice]:
        """The items that can be chosen."""
        return [choice for choice in self.choices if choice.item.kind]

    @property
    def shows_all(self) -> bool:
        """Whether what is folded away must be in sight: something there is chosen."""
        return any(choice.form.is_asked for choice in fold(self.open_choices).more)

    @property
    def question(self) -> str:
        """What the first step asks."""
        kinds = {choice.item.kind for choice in self.open_choices}
        if kinds == {"cancel"}:
            return _("Which items would you like to cancel?")
        if kinds == {"refund"}:
            return _("Which items would you like to return?")
        return _("Which items would you like to cancel or return?")

    @property
    def whole_label(self) -> str:
        """What the box says that chooses all items; "" where there is one item only."""
        kinds = {choice.item.kind for choice in self.open_choices}
        if len(self.open_choices) < 2:  # noqa: PLR2004 - more than one
            return ""
        if self.closed_items or len(kinds) > 1:
            return _("Choose all of these items")
        return _("Cancel the whole order") if kinds == {"cancel"} else _("Return the whole order")

    @property
    def common_reasons(self) -> list[tuple[str, str, list[tuple[int, str]]]]:
        """The reasons that can be given once for all items: by kind, with a label; none where there is one item."""
        labels = {
            "cancel": _("One reason for all cancelled items"),
            "refund": _("One reason for all returned items"),
        }
        found = []
        for kind, label in labels.items():
            forms = [choice.form for choice in self.open_choices if choice.item.kind == kind]
            if len(forms) > 1:
                found.append((f"reason-{kind}", label, forms[0].list_plain_reasons()))
        return found

    @property
    def closed_items(self) -> list[ItemCard]:
        """The items that cannot."""
        return [choice.item for choice in self.choices if not choice.item.kind]

    @property
    def has_returns(self) -> bool:
        """Whether anything that can be chosen would be collected."""
        return any(item.kind == "refund" and item.pk in self.page.collected for item in self.page.items)

    @property
    def is_wrong(self) -> bool:
        """Whether there is anything to complain about."""
        return bool(self.complaints or self.field_errors)

    @property
    def is_refund_wrong(self) -> bool:
        """Whether there is anything to complain about on the second step."""
        return bool(self.complaints or self.refund_errors)

    @property
    def refund_errors(self) -> list[tuple[str, str]]:
        """List what is wrong with the second step's fields: the field's id, and a sentence."""
        return self.refund.plain_errors

    @cached_property
    def field_errors(self) -> list[tuple[str, str]]:
        """List what is wrong with the fields in sight: the field's id, and a sentence that says where."""
        of_items = [
            (field, f"{choice.item.name}: {message}")
            for choice in self.open_choices
            for field, message in choice.form.plain_errors
        ]
        typed = self.typed.field_errors if self.typed in self._once else []
        return of_items + self.settlement.plain_errors + typed


def spread_choice(data: QueryDict, items: Sequence[ItemCard]) -> QueryDict:
    """Give each item what was said once: that all of them are chosen, and one reason a kind."""
    data = data.copy()
    is_whole = bool(data.get(WHOLE))
    for item in items:
        prefix = f"item-{item.pk}-"
        if is_whole and item.kind:
            data[f"{prefix}is_chosen"] = "on"
        if data.get(f"{prefix}is_chosen") and not data.get(f"{prefix}reason"):
            kind = data.get(f"{prefix}cancellation_type") or item.kind
            data[f"{prefix}reason"] = data.get(f"reason-{kind}", "")
    return data


def _list_destinations(payment: Payment, rows: Sequence[OrderItem], *, has_points: bool) -> list[Destination]:
    """List where a refund can go: back to its source, or, where that takes none back, to an account.

    Where nothing was paid for the items, nowhere. A guest has no ledger that points could go to.
    """
    if not any(payment.covers(row) for row in rows):
        return [Destination.NONE]
    points = [Destination.LOYALTY] if has_points else []
    return [Destination.PAYMENT_METHOD if payment.has_source else Destination.IBAN, *points]


def _read_kind(data: QueryDict | None, item: ItemCard) -> CancellationKind:
    """Return what the form asked for when it was shown, or what it is to ask for."""
    typed = data.get(f"item-{item.pk}-cancellation_type") if data else None
    if typed == "cancel":
        return "cancel"
    if typed == "refund":
        return "refund"
    return item.kind or "cancel"
