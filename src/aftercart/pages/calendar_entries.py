"""A pickup as an entry for the customer's calendar (RFC 5545)."""

from datetime import datetime

from django.utils.translation import gettext as _

from aftercart.cancellations.models import SubmissionLine
from aftercart.cancellations.return_pass import make_pass
from aftercart.lib.clock import get_now, get_shop_zone
from aftercart.orders.models import Order


def write_pickup(order: Order, line: SubmissionLine) -> bytes:
    """Write when a line's parcel is collected; nothing where no time was chosen."""
    from icalendar import Calendar, Event  # late: all that start would wait for it, and few use it

    pickup = line.pickup_date
    if not pickup:
        return b""
    parcel, zone = make_pass(line), get_shop_zone()
    event = Event()
    event.add("uid", f"{line.submission.uuid}@aftercart")
    event.add("dtstamp", get_now())
    for name, edge in (("dtstart", "start"), ("dtend", "end")):
        event.add(
            name,
            datetime.fromisoformat(f"{pickup['date']}T{pickup['hour_range'][edge]}").replace(tzinfo=zone),
        )
    event.add("summary", _("Return pickup: order %(number)s") % {"number": order.number})
    event.add("location", parcel.address)
    event.add("description", "\n".join(f"{label}: {value}" for label, value in parcel.rows))
    calendar = Calendar()
    calendar.add("prodid", "-//Aftercart//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
