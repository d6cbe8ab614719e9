"""The pages of a cancellation, filled in as a browser without JavaScript would."""

import re
from typing import Any

from django.test import Client

from aftercart.cancellations.models import CancellationReason, Submission, SubmissionLine
from aftercart.orders.models import Order
from tests.fake_omnitron import FakeOmnitron
from tests.http.forms import read, read_fields

SHIRT = "Linen shirt with a round neck"
IBAN = "TR33 0006 1005 1978 6457 8413 26"


class Form:
    """The cancellation form of one order, filled in as a browser would, step by step."""

    def __init__(self, client: Client, order: Order) -> None:
        self.client = client
        self.path = f"/orders/{order.number}/cancel/"
        self.page = read(client.get(self.path))
        form = self.page.select_one(".cancel")
        self.fields = read_fields(form) if form else {}
        self.items = [item.pk for item in order.items.all()]

    def choose(self, place: int, why: CancellationReason, **more: Any) -> "Form":
        prefix = f"item-{self.items[place]}"
        self.fields |= {f"{prefix}-is_chosen": "on", f"{prefix}-reason": why.pk}
        self.fields |= {f"{prefix}-{name}": value for name, value in more.items()}
        return self

    def go_on(self, **more: Any) -> Any:
        """Take the first step."""
        return self.client.post(self.path, self.fields | {"step": "quote"} | more)

    def look(self, **more: Any) -> dict[str, Any]:
        """Take the first step, and read the second as it is shown."""
        answer = self.go_on(**more)
        assert answer.status_code == 200, complaints(answer)
        return read_second(answer)

    def confirm(self, fields: dict[str, Any], **more: Any) -> Any:
        """Take the second step, with its tick."""
        return self.client.post(self.path, fields | {"step": "send", "return_policy": "on"} | more)

    def send(self, **more: Any) -> Any:
        """Take both steps; the answer is that of the one that went no further."""
        answer = self.go_on(**more)
        return self.confirm(read_second(answer)) if answer.status_code == 200 else answer


def read_second(answer: Any) -> dict[str, Any]:
    return read_fields(read(answer).select_one("main form[data-once]"))


def complaints(answer: Any) -> list[str]:
    return [line.get_text(strip=True) for line in read(answer).select(".summary li")]


def read_outcome(client: Client, answer: Any) -> list[str]:
    """Read what the page says of what became of it: its headline and its sentences."""
    page = read(client.get(answer["Location"]))
    return [re.sub(r"\s+", " ", line.get_text(strip=True)) for line in page.select(".outcome h1, .outcome p")]


def assert_nothing_happened(fake: FakeOmnitron) -> None:
    assert Submission.objects.count() == 0
    assert SubmissionLine.objects.count() == 0
    assert fake.posts == []
