"""The statement of withdrawal as a form: name, where the receipt goes, which goods. No reason is asked."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import User
from aftercart.actions.commands import Caller
from aftercart.actions.withdraw.withdraw_order import WithdrawalCommand
from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order, OrderItem
from aftercart.pages.forms import PlainForm, make_email_field, make_text_field
from aftercart.pages.story import name_items


class WithdrawalForm(PlainForm):
    """What article 11a lets a shop ask for, prefilled with what is known; all goods, unless some are unticked."""

    name = make_text_field(gettext_lazy("Your name"), 255, "name")
    email = make_email_field(gettext_lazy("E-mail address for the receipt"))
    items = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Items you are withdrawing from"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Please choose at least one item.")},
    )

    def __init__(
        self,
        order: Order,
        owner: User | Guest,
        data: QueryDict | None = None,
        *,
        items: Sequence[OrderItem],
        initial: dict[str, Any] | None = None,
        statement: PublicStatement | None = None,
    ) -> None:
        """Offer these items, filled in with what is known already, so that it need only be confirmed.

        A guest's receipt goes to the order's own address, which is not asked for. `statement` is the public statement
        whose time counts.
        """
        named = {"name": statement.name} if statement else {}
        super().__init__(data, initial=initial or _prefill(order, owner, items) | named)
        self.statement = statement
        self._order = order
        if isinstance(owner, Guest):
            del self.fields["email"]
        names = name_items(items)
        choices = [(item.pk, f"{item.left_quantity} × {names[item.pk]}") for item in items]
        self.fields["items"].choices = choices  # type: ignore[attr-defined]  # the field is one of choices

    @property
    def chosen_labels(self) -> list[str]:
        """Give the chosen items as the form lists them, once it is valid."""
        chosen = set(self.cleaned_data["items"])
        return [str(label) for pk, label in self.fields["items"].choices if pk in chosen]  # type: ignore[attr-defined]  # the field is one of choices

    @property
    def receipt_email(self) -> str:
        """Where the receipt goes, once the form is valid."""
        return str(self.cleaned_data.get("email") or self._order.user_email)

    def to_command(self, write: Caller) -> WithdrawalCommand:
        """Make the typed command of valid data."""
        data = self.cleaned_data
        items = tuple(data["items"])
        stated = self.statement.uuid if self.statement else None
        return WithdrawalCommand(write, self._order.number, data["name"], self.receipt_email, items, stated)


def _prefill(order: Order, owner: User | Guest, items: Sequence[OrderItem]) -> dict[str, Any]:
    """Fill in what is known; the address on the order names a guest."""
    address = order.billing_address or order.shipping_address or {}
    named = f"{address.get('first_name') or ''} {address.get('last_name') or ''}".strip()
    return {
        "name": (owner.get_full_name() if isinstance(owner, User) else "") or named,
        "email": owner.email if isinstance(owner, User) else "",
        "items": [item.pk for item in items],
    }
