"""Addresses and pick-ups as they were kept with an order: JSON snapshots, written for people."""

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html_join
from django.utils.translation import gettext as _

from aftercart.backoffice.words import NOTHING, Text
from aftercart.cancellations.models import SubmissionLine
from aftercart.lib.account_numbers import hide_accounts

_PLACES = ("district", "township", "city", "country")


def write_address(snapshot: Mapping[str, Any] | None) -> Text:
    """Write an address over several lines; a part that is missing or of another shape is left out."""
    if not snapshot:
        return NOTHING
    name = f"{_text(snapshot.get('first_name'))} {_text(snapshot.get('last_name'))}".strip()
    places = [_name_place(snapshot.get(level)) for level in _PLACES]
    lines = [
        name,
        _text(snapshot.get("company_name")),
        _text(snapshot.get("line")),
        " ".join(filter(None, [_text(snapshot.get("postcode")), ", ".join(filter(None, places))])),
        *(_text(snapshot.get(part)) for part in ("phone_number", "email", "notes")),
    ]
    return format_html_join("", '<span class="bo-line">{}</span>', [(line,) for line in lines if line])


def write_pickup(line: SubmissionLine) -> str:
    """Write when a parcel is to be collected, as in "2026-11-24, 09:00 to 12:00"; "" if no time was chosen."""
    snapshot = line.pickup_date
    if not snapshot:
        return _("Cancelled by the customer") if line.is_pickup_cancelled else ""
    date = _text(snapshot.get("date"))
    hours = snapshot.get("hour_range")
    if not isinstance(hours, Mapping):
        return date
    return _("%(date)s, %(start)s to %(end)s") % {
        "date": date,
        "start": _text(hours.get("start")),
        "end": _text(hours.get("end")),
    }


def _name_place(place: Any) -> str:
    return _text(place.get("name") if isinstance(place, Mapping) else place)


def _text(value: Any) -> str:
    return hide_accounts(value.strip()) if isinstance(value, str) else ""
