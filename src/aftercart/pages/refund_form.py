"""Where the money goes, and the consent: what the second step of a cancellation asks."""

from collections.abc import Sequence
from typing import Any

import schwifty
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.cancellations.models import Destination
from aftercart.pages.forms import PlainForm, make_text_field

_ACCOUNT = ("iban", "holder_name")


class RefundForm(PlainForm):
    """The choice of a destination, an account where it wants one, and the tick."""

    destination = forms.ChoiceField(
        label=gettext_lazy("Where should the money go?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Please choose where the money should go.")},
    )
    iban = forms.CharField(
        label=gettext_lazy("IBAN"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    holder_name = make_text_field(gettext_lazy("Account holder"), 255, "name", required=False)
    return_policy = forms.BooleanField(
        label=gettext_lazy("I have read and accept the terms of cancellation and return."),
        error_messages={"required": gettext_lazy("Please accept the terms of cancellation and return.")},
    )

    def __init__(
        self, data: QueryDict | None, *, destinations: Sequence[Destination], is_sent: bool = False
    ) -> None:
        """Offer these destinations; what came before this step was sent is shown, and not judged."""
        names = ("destination", *_ACCOUNT)
        given = {name: data[name] for name in names if data and data.get(name)}
        #: What the customer has said of it, in whichever step.
        self.given = dict(given)
        if given.get("destination") not in destinations:
            given["destination"] = destinations[0].value
        super().__init__(data if is_sent else None, initial=given)
        fields: Any = self.fields
        fields["destination"].choices = [(choice.value, choice.label) for choice in destinations]
        if Destination.IBAN not in destinations:
            del fields["iban"], fields["holder_name"]

    @property
    def chosen(self) -> str:
        """The destination that is chosen, or offered first."""
        return str(self["destination"].value() or "")

    def clean(self) -> dict[str, Any]:
        """Want an account for a transfer, and forget it for everything else."""
        data = self.cleaned_data
        if data.get("destination") != Destination.IBAN:
            for name in _ACCOUNT:
                data[name] = ""
                self.errors.pop(name, None)
            return data
        if "iban" in data and not data["iban"]:
            self.add_error("iban", _("Please enter the IBAN of the account."))
        elif "iban" in data:
            try:
                data["iban"] = schwifty.IBAN(data["iban"]).compact
            except schwifty.exceptions.SchwiftyException:
                self.add_error("iban", _("Please enter a valid IBAN."))
        if "holder_name" in data and not data["holder_name"].strip():
            self.add_error("holder_name", _("Please enter the account holder."))
        return data
