"""The forms for how what is returned is collected, and when."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import Address
from aftercart.cancellations.models import EasyReturnCompany
from aftercart.cancellations.pickups import (
    Calendar,
    find_first_day,
    find_pickup_problem,
    read_slot,
    say_slots,
)
from aftercart.lib.clock import get_shop_now
from aftercart.pages.forms import PlainForm, make_day_field

#: When couriers come whose company names no hours, in the shop's time zone.
PICKUP_SLOTS = ("09:00-12:00", "12:00-15:00", "15:00-18:00")


class PickupForm(PlainForm):
    """When a parcel is collected."""

    pickup_date = make_day_field(gettext_lazy("Pickup day"))
    pickup_slot = forms.ChoiceField(label=gettext_lazy("Time of day"), required=False)

    def __init__(self, *args: Any, companies: Sequence[EasyReturnCompany], **options: Any) -> None:
        """Offer the hours of these companies, from the first day on that one of them can come."""
        super().__init__(*args, **options)
        fields: Any = self.fields
        self.companies = {company.pk: company for company in companies}
        fields["pickup_slot"].choices = [("", "–"), *_list_hours(companies)]
        today = get_shop_now().date()
        days = [find_first_day(company.calendar, today) or today for company in companies]
        fields["pickup_date"].widget.attrs["min"] = min(days, default=today).isoformat()

    def clean(self) -> dict[str, Any]:
        """Want a day and hours, at which every company comes."""
        for name in ("pickup_date", "pickup_slot"):
            if name in self.cleaned_data and not self.cleaned_data[name]:
                self.add_error(name, _("Please choose both a day and a time."))
        if not self.errors:
            for company in self.companies.values():
                self.judge_pickup(company.calendar)
        return self.cleaned_data

    def judge_pickup(self, calendar: Calendar) -> None:
        """Put what is wrong where it is: a day on which nobody comes at the day, other hours at the hours."""
        pickup, now = self.get_pickup(), get_shop_now()
        problem = find_pickup_problem(calendar, pickup, now) if pickup else ""
        if pickup and problem:
            is_of_day = bool(find_pickup_problem(replace(calendar, slots=()), pickup, now))
            self.add_error("pickup_date" if is_of_day else "pickup_slot", problem)

    def get_pickup(self) -> dict[str, Any] | None:
        """Give the day and hours of a valid form as the actions keep them."""
        data = self.cleaned_data
        if not data["pickup_date"]:
            return None
        start, end = data["pickup_slot"].split("-")
        return {"date": data["pickup_date"].isoformat(), "hour_range": {"start": start, "end": end}}


class SettlementForm(PickupForm):
    """What is asked once for all items that are returned: how they are collected."""

    shipping_company = forms.TypedChoiceField(
        label=gettext_lazy("Who should collect the parcel?"),
        coerce=int, empty_value=None, required=False, widget=forms.RadioSelect,
    )  # fmt: skip
    pickup_address = forms.TypedChoiceField(
        label=gettext_lazy("Where should it be collected?"),
        coerce=int, empty_value=None, required=False, widget=forms.RadioSelect,
    )  # fmt: skip

    #: Set before the check: whether something that has to be collected is chosen.
    is_collected = False

    def __init__(
        self,
        *args: Any,
        companies: Sequence[EasyReturnCompany],
        addresses: Sequence[Address],
        is_guest: bool = False,
        **options: Any,
    ) -> None:
        """Offer these companies and addresses.

        A guest has no addresses to choose from, and types one in another form.
        """
        super().__init__(*args, companies=companies, **options)
        fields: Any = self.fields
        fields["pickup_date"].label = _("Pickup day (optional)")
        fields["shipping_company"].choices = [(company.pk, _name_company(company)) for company in companies]
        fields["pickup_address"].choices = [(address.pk, address.title) for address in addresses]
        if is_guest:
            del fields["pickup_address"]

    def full_clean(self) -> None:
        """Forget about the collection where nothing is collected, whatever was typed."""
        if self.is_bound and not self.is_collected:
            for field in self.fields.values():
                field.disabled = True
        super().full_clean()

    def clean(self) -> dict[str, Any]:
        """Check what belongs together."""
        data = self.cleaned_data
        if self.is_collected:
            self._check_collection(data)
        return data

    def _check_collection(self, data: dict[str, Any]) -> None:
        for name, message in (
            ("shipping_company", _("Please choose who collects the parcel.")),
            ("pickup_address", _("Please choose where the parcel is collected.")),
        ):
            if name in data and data[name] is None:
                self.add_error(name, message)
        if "pickup_date" not in data or "pickup_slot" not in data:
            return
        if bool(data["pickup_date"]) != bool(data["pickup_slot"]):
            missing = "pickup_slot" if data["pickup_date"] else "pickup_date"
            self.add_error(missing, _("Please choose both a day and a time, or neither."))
        elif data["pickup_date"]:
            company = self.companies.get(data.get("shipping_company") or 0)
            if company:
                self.judge_pickup(company.calendar)

    def get_pickup(self) -> dict[str, Any] | None:
        """Give the day and hours of a valid form; None where nothing is collected."""
        return super().get_pickup() if self.is_collected else None


def _name_company(company: EasyReturnCompany) -> str:
    """Name a company, with its hours where it has any."""
    slots = company.calendar.slots
    return f"{company.name} · {say_slots(slots)}" if slots else company.name


def _list_hours(companies: Sequence[EasyReturnCompany]) -> list[tuple[str, Any]]:
    """List the hours to choose from, those of each company by its name; of a single one without."""
    hours = [
        (
            company.name,
            [(slot, say_slots((read_slot(slot),))) for slot in sorted(company.slots or PICKUP_SLOTS)],
        )
        for company in companies
    ]
    return hours[0][1] if len(hours) == 1 else list(hours)
