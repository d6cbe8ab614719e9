"""What a guest does on the pages, and what they say."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone

from aftercart.lib.links import Purpose, sign_number
from aftercart.orders.models import Order
from tests.http.forms import read, read_fields


def sign(order: Order, purpose: Purpose = "guest-view") -> str:
    token = sign_number(order.number, purpose=purpose, link_version=order.link_version)
    return f"/orders/guest/{token}/"


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", BeautifulSoup(response.content.decode(), "html.parser").get_text(" "))


def ask(client: Client, number: str, email: str = "guest@example.com") -> Any:
    return client.post("/orders/guest/", {"number": number, "email": email})


def pass_time(monkeypatch: pytest.MonkeyPatch, wait: timedelta) -> None:
    then = timezone.now() + wait
    monkeypatch.setattr("aftercart.lib.clock.timezone", SimpleNamespace(now=lambda: then))


def choose(item: int, reason: int, kind: str = "cancel", **fields: Any) -> dict[str, Any]:
    return {
        f"item-{item}-is_chosen": "on",
        f"item-{item}-cancellation_type": kind,
        f"item-{item}-quantity": "1",
        f"item-{item}-reason": str(reason),
        **fields,
    }


def look(client: Client, order: Order, fields: dict[str, Any]) -> dict[str, Any]:
    """Take the first step; give what a browser would send of the second."""
    answer = client.post(f"/orders/{order.number}/cancel/", {**fields, "step": "quote"})
    assert answer.status_code == 200
    return read_fields(read(answer).select_one("main form[data-once]"))


def confirm(client: Client, order: Order, second: dict[str, Any]) -> Any:
    """Take the second step, with its tick."""
    return client.post(f"/orders/{order.number}/cancel/", {**second, "step": "send", "return_policy": "on"})
