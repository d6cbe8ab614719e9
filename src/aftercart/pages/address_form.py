"""The form of an address. Its places are chosen one after the other, and need no JavaScript for it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from aftercart.accounts.address_book import list_cities, list_countries, list_districts, list_townships
from aftercart.accounts.drafts import FIELDS, PLACES, AddressDraft, PhoneInvalid, read_phone
from aftercart.accounts.models import Address
from aftercart.lib.ids import read_id
from aftercart.orders.errors import ActionError, InputInvalid
from aftercart.pages.forms import PlainForm, make_text_field

#: The name of the button that only asks for the places inside those that are chosen now.
STEP = "places"


def _choose(label: Any, message: Any, *, required: bool = True) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        coerce=int,
        empty_value=None,
        required=required,
        error_messages={"required": message, "invalid_choice": message},
    )


class AddressEntryForm(PlainForm):
    """An address to be typed. Each place offers what lies in the one above it, as chosen so far.

    Who chooses another city gets its townships by the button `STEP`, or when they send the form: it comes
    back with them, and with everything else as it was typed.
    """

    title = make_text_field(_("Name of this address"), 128, "off")
    first_name = make_text_field(_("First name"), 150, "given-name")
    last_name = make_text_field(_("Last name"), 150, "family-name")
    phone_number = make_text_field(_("Phone number"), 32, "tel")
    country = _choose(_("Country"), _("Please choose a country."))
    city = _choose(_("City"), _("Please choose a city of this country."))
    township = _choose(_("Township"), _("Please choose a township of this city."))
    district = _choose(
        _("District (optional)"), _("Please choose a district of this township."), required=False
    )
    line = make_text_field(_("Street, house, flat"), 512, "street-address")
    postcode = make_text_field(_("Postcode (optional)"), 20, "postal-code", required=False)
    is_corporate = forms.BooleanField(label=_("This is a company's address"), required=False)
    company_name = make_text_field(_("Company"), 255, "organization", required=False)
    tax_office = make_text_field(_("Tax office"), 64, "off", required=False)
    tax_no = make_text_field(_("Tax number"), 32, "off", required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        """Offer the places that fit what is chosen."""
        super().__init__(*args, **options)
        countries = [(row.pk, row.name) for row in list_countries()]
        if len(countries) == 1:
            self.initial.setdefault("country", countries[0][0])
        country = self._offer("country", countries)
        city = self._offer("city", [] if country is None else _name(list_cities(country)))
        township = self._offer("township", [] if city is None else _name(list_townships(city)))
        self._offer("district", [] if township is None else _name(list_districts(township)))

    def _read(self, name: str) -> int | None:
        """Read the place that is chosen so far, whether or not it fits."""
        return read_id(str(self[name].value() or ""))

    def _offer(self, name: str, choices: list[tuple[int, str]]) -> int | None:
        """Offer places, and give the one that is chosen; one of elsewhere, chosen before, no longer is."""
        field: Any = self.fields[name]
        field.choices = [("", _("Please choose")), *choices]
        chosen = self._read(name)
        return chosen if chosen in dict(choices) else None

    def clean(self) -> dict[str, Any]:
        """Check the phone number against the country, and what a company has to tell."""
        data = self.cleaned_data
        code = {row.pk: row.code for row in list_countries()}.get(data.get("country") or 0, "")
        try:
            read_phone(data.get("phone_number") or "+902125550000", code)
        except PhoneInvalid:
            self.add_error("phone_number", _("Please enter a valid phone number."))
        if data.get("is_corporate"):
            for name in ("company_name", "tax_office", "tax_no"):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, _("This field is required for a company."))
        return data

    def to_changes(self) -> dict[str, Any]:
        """Give the fields of a valid form as a draft has them."""
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}

    def to_draft(self) -> AddressDraft:
        """Make the draft of a valid form."""
        return AddressDraft(**self.to_changes())

    def complain(self, error: ActionError) -> None:
        """Take what an action says, what is wrong with a field to the field."""
        fields = error.fields if isinstance(error, InputInvalid) else {"": [str(error)]}
        for name, sentences in fields.items():
            for sentence in sentences:
                self.add_error(name if name in self.fields else None, sentence)


def _name(rows: Any) -> list[tuple[int, str]]:
    return [(row.pk, row.name) for row in rows[:1000]]


def read_entry(address: Address) -> dict[str, Any]:
    """Give an entry of the book as the form's initial values."""
    return asdict(AddressDraft.of(address))


def read_snapshot(snapshot: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give an order's own address as the form's initial values, as far as it says them."""
    if not snapshot:
        return {}
    values = {name: snapshot.get(name) for name in FIELDS if name not in PLACES}
    places = {name: (snapshot.get(name) or {}).get("pk") for name in PLACES}
    return {
        name: value
        for name, value in {**values, **places}.items()
        if isinstance(value, str | int) and value != ""
    }
