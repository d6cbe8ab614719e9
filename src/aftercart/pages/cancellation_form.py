"""The cancellation form as a whole: one small form an item, one for the rest, and the command they make."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.forms import Form
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _

from aftercart.accounts.drafts import AddressDraft
from aftercart.accounts.models import Address
from aftercart.actions.commands import CancellationCommand, ItemAsk, Write
from aftercart.actions.plan_lines import PAYMENTS_WITHOUT_SOURCE
from aftercart.cancellations.selectors import list_companies, list_reasons
from aftercart.orders.errors import ActionError, QuoteStale
from aftercart.orders.rules import CancellationKind
from aftercart.pages.address_form import AddressEntryForm, read_snapshot
from aftercart.pages.forms import ItemForm, SettlementForm
from aftercart.pages.order_page import ItemCard, OrderPage

_LONGEST_QUOTE = 2000


@dataclass(frozen=True, slots=True)
class Choice:
    """An item, and the form to choose it with."""

    item: ItemCard
    form: ItemForm


class CancellationForm:
    """The form of one order. Bound when it gets data.

    Every item of the order is read, even one that can no longer be cancelled: the form may be a repeat of one
    that has just succeeded, and that only the action recognises.
    """

    def __init__(self, page: OrderPage, addresses: list[Address], data: QueryDict | None = None) -> None:
        """Read what there is to choose from."""
        self.page = page
        self.addresses = addresses
        self.complaints: list[str] = []
        self.quote = (data.get("quote", "") if data else "")[:_LONGEST_QUOTE]
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
            wants_account=order.get_payment_type() in PAYMENTS_WITHOUT_SOURCE,
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

    def _suggest(self) -> dict[str, Any]:
        """Suggest what there is no choice about, and the customer's own first address."""
        first = next((a for a in self.addresses if a.primary), self.addresses[0] if self.addresses else None)
        return {
            "shipping_company": self.companies[0].pk if len(self.companies) == 1 else None,
            "pickup_address": first.pk if first else None,
        }

    def is_valid(self) -> bool:
        """Tell whether it makes sense. Every part is checked, so that all that is wrong is told at once."""
        asked = [choice for choice in self.choices if choice.form.is_asked]
        if not asked:
            self.complaints.append(_("Please choose at least one item."))
            return False
        checks = [choice.form.is_valid() for choice in asked]
        checks.append(self.settlement.is_valid())
        if self.typed is not None and self.settlement.is_collected:
            checks.append(self.typed.is_valid())
        return all(checks)

    def to_command(self, write: Write) -> CancellationCommand:
        """Make the typed command of a valid form."""
        whole = self.settlement.cleaned_data
        return CancellationCommand(
            write=write,
            number=self.page.order.number,
            items=tuple(self._ask(choice) for choice in self.choices if choice.form.is_asked),
            pickup_address=self._find_pickup() if self.settlement.is_collected else None,
            fully_refund_as_loyalty_money=whole["fully_refund_as_loyalty_money"],
            quote=self.quote,
        )

    def _find_pickup(self) -> int | AddressDraft | None:
        return self.settlement.cleaned_data["pickup_address"] if self.typed is None else self.typed.to_draft()

    def _ask(self, choice: Choice) -> ItemAsk:
        data, whole = choice.form.cleaned_data, self.settlement.cleaned_data
        kind: CancellationKind = data["cancellation_type"]
        is_collected = kind == "refund" and choice.item.pk in self.page.collected
        return ItemAsk(
            order_item=choice.item.pk,
            reason=data["reason"],
            cancellation_type=kind,
            description=data["description"],
            quantity=data["quantity"],
            shipping_company=whole["shipping_company"] if is_collected else None,
            iban=whole.get("iban", ""),
            holder_name=whole.get("holder_name", ""),
            pickup_date=self.settlement.get_pickup() if is_collected else None,
        )

    def complain(self, error: ActionError) -> None:
        """Take what an action says. A quote that no longer holds is not sent again."""
        if isinstance(error, QuoteStale):
            self.quote = ""
        self.complaints += error.sentences()

    def offer_again(self) -> None:
        """Offer what is possible now, with what was typed kept: things may have changed meanwhile."""
        for choice in self.choices:
            if choice.item.kind:
                choice.form.offer(choice.item.kind, choice.item.left_quantity)

    @property
    def open_choices(self) -> list[Choice]:
        """The items that can be chosen."""
        return [choice for choice in self.choices if choice.item.kind]

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

    @cached_property
    def field_errors(self) -> list[tuple[str, str]]:
        """List what is wrong with the fields in sight: the field's id, and a sentence that says where."""
        of_items = [
            (field.auto_id, f"{choice.item.name}: {message}")
            for choice in self.open_choices
            for field, message in _list_errors(choice.form)
        ]
        rest: list[Form] = [self.settlement]
        if self.typed is not None and self.settlement.is_collected:
            rest.append(self.typed)
        return of_items + [(field.auto_id, message) for form in rest for field, message in _list_errors(form)]


def _list_errors(form: Form) -> Iterator[tuple[BoundField, str]]:
    if form.is_bound:
        for field in form:
            for message in field.errors:
                yield field, str(message)


def _read_kind(data: QueryDict | None, item: ItemCard) -> CancellationKind:
    """Tell what the form asked for when it was shown, or what it is to ask for."""
    told = data.get(f"item-{item.pk}-cancellation_type") if data else None
    if told == "cancel":
        return "cancel"
    if told == "refund":
        return "refund"
    return item.kind or "cancel"
