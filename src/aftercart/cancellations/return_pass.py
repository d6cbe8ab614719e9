"""How a return gets back to the shop: its code, who collects it, when and where, and how to pack it.

Pages and e-mails show the same pass. E-mails keep it as facts (`to_facts`), without what only the page needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from aftercart.cancellations.models import SubmissionLine
from aftercart.lib.clock import get_now
from aftercart.lib.formats import format_moment, format_weekday
from aftercart.lib.times import format_time, parse_time


@dataclass(frozen=True, slots=True)
class ReturnPass:
    """One parcel. `code` is "" until the carrier has issued one; `day` is ISO, `hours` as in "09:00–12:00".

    `instructions` are the shop's own words where nobody collects; then there is no company.
    """

    company: str = ""
    code: str = ""
    valid_until: datetime | None = None
    day: str = ""
    hours: str = ""
    is_pickup_cancelled: bool = False
    address: str = ""
    instructions: str = ""

    @property
    def is_expired(self) -> bool:
        """Whether the code is valid no more."""
        return self.valid_until is not None and self.valid_until < get_now()

    @property
    def warning(self) -> str:
        """That the code is valid no more; "" while it is. For pages: an e-mail says until when, and stays."""
        if not self.is_expired:
            return ""
        return _(
            "This return code is no longer valid. Please ask us for a new one before you hand over the parcel."
        )

    @property
    def pickup(self) -> str:
        """When it is collected, as in "Wednesday, 25 November, 09:00–12:00"; "" if no time was chosen."""
        return f"{format_weekday(date.fromisoformat(self.day))}, {self.hours}" if self.day else ""

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What there is to know: pairs of a label and a value."""
        named = (
            (_("Return code"), self.code),
            (_("Valid until"), format_moment(self.valid_until) if self.code else ""),
            (_("Carrier"), self.company),
            (_("Pickup"), self.pickup),
            (_("Pickup address"), self.address),
        )
        return [(label, value) for label, value in named if value]

    @property
    def steps(self) -> list[str]:
        """What to do, in order."""
        if self.instructions:
            return self.instructions.splitlines()
        return [
            _("Pack the items well, with everything that came with them: box, labels, accessories."),
            _("Write the return code %(code)s on the parcel.") % {"code": self.code}
            if self.code
            else _("Your return code will follow by e-mail. Write it on the parcel."),
            self._say_handover(),
        ]

    def _say_handover(self) -> str:
        words = {"company": self.company, "pickup": self.pickup}
        if self.is_pickup_cancelled:
            return _("You have cancelled the pickup. Choose a new time when you can hand the parcel over.")
        if self.pickup:
            return _("Hand the parcel to %(company)s on %(pickup)s.") % words
        return _("%(company)s will collect the parcel; please have it ready.") % words

    def to_facts(self) -> dict[str, Any]:
        """Write what an e-mail keeps of it."""
        given = {name: value for name, value in asdict(self).items() if value}
        if self.valid_until is not None:
            given["valid_until"] = format_time(self.valid_until)
        return given

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "ReturnPass":
        """Read what an e-mail has kept."""
        names = ("company", "code", "day", "hours", "address", "instructions")
        given = {name: str(facts.get(name) or "") for name in names}
        return cls(
            **given,
            is_pickup_cancelled=bool(facts.get("is_pickup_cancelled")),
            valid_until=parse_time(facts.get("valid_until")),
        )


def make_pass(line: SubmissionLine, *, instructions: str = "") -> ReturnPass:
    """Make the pass of a line; `instructions` count where no company collects it."""
    pickup = line.pickup_date or {}
    hours = pickup.get("hour_range") or {}
    company = line.shipping_company
    return ReturnPass(
        company=company.name if company else "",
        code=line.easy_return_code,
        valid_until=line.easy_return_valid_until,
        day=str(pickup.get("date") or ""),
        hours=f"{hours['start']}–{hours['end']}" if hours else "",
        is_pickup_cancelled=line.is_pickup_cancelled,
        address=write_place(line.pickup_address or {}),
        instructions="" if company else instructions,
    )


def find_pass(lines: Sequence[SubmissionLine], *, instructions: str = "") -> ReturnPass | None:
    """Return the pass of what is sent back among lines, the first with a code; None if nothing is."""
    returned = [line for line in lines if line.cancellation_type == "refund"]
    returned.sort(key=lambda line: not line.easy_return_code)
    return make_pass(returned[0], instructions=instructions) if returned else None


def read_part(address: Mapping[str, Any], name: str) -> str:
    """Read a part of an address's document: of a place its name; "" where it has none."""
    value = address.get(name)
    return str((value.get("name") if isinstance(value, dict) else value) or "")


def write_place(address: Mapping[str, Any]) -> str:
    """Write an address in one line, as in "Moda Caddesi 12, 34710 Kadıköy / İstanbul"."""
    read = partial(read_part, address)
    place = " / ".join(filter(None, [read("township"), read("city")]))
    return ", ".join(filter(None, [read("line"), f"{read('postcode')} {place}".strip()]))
