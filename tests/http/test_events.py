import json
import time
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from aftercart.lib.signed_messages import WINDOW, sign_message
from tests.shop import Shop

pytestmark = pytest.mark.django_db
SECRET = "a shared secret"
WRONG = {"detail": "The signature is wrong or too old.", "code": "signature_invalid"}


@pytest.fixture
def _with_secret(settings: Settings) -> None:
    settings.OMNITRON_WEBHOOK_SECRETS = ["a newer one", SECRET]


def send(body: Any, *, timestamp: str | None = None, signature: str | None = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    stamp = timestamp or str(int(time.time()))
    return Client(enforce_csrf_checks=True).post(
        "/omnitron/events/",
        raw,
        content_type="application/json",
        headers={
            "X-Omnitron-Timestamp": stamp,
            "X-Omnitron-Signature": signature or f"sha256={sign_message(SECRET, stamp, raw)}",
        },
    )


@pytest.mark.usefixtures("_with_secret")
def test_a_signed_event_is_accepted_and_says_how_many_orders_we_know(shop: Shop) -> None:
    answer = send({"events": [{"number": shop.order.number, "type": "order"}, {"number": "X"}]})

    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})


@pytest.mark.usefixtures("_with_secret")
@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": "sha256=" + "0" * 64},
        {"signature": "ş"},
        {"timestamp": "0"},
        {"timestamp": "9" * 30},
        {"timestamp": "soon"},
    ],
)
def test_whatever_is_wrong_with_a_signature_is_401(wrong: dict[str, str]) -> None:
    answer = send({"events": []}, **wrong)

    assert (answer.status_code, answer.json()) == (401, WRONG)


@pytest.mark.usefixtures("_with_secret")
@pytest.mark.parametrize("seconds_off", [-WINDOW - 60, WINDOW + 60])
def test_a_signature_of_another_time_is_401(seconds_off: int) -> None:
    answer = send({"events": []}, timestamp=str(int(time.time()) + seconds_off))

    assert (answer.status_code, answer.json()) == (401, WRONG)


@pytest.mark.usefixtures("_with_secret")
@pytest.mark.parametrize(
    "body", [b"{", [], {}, {"events": [{}]}, {"events": "x"}, {"events": [{"number": "\x00"}]}]
)
def test_a_signed_body_that_makes_no_sense_is_400(body: Any) -> None:
    assert send(body).status_code == 400


def test_without_a_configured_secret_there_is_no_such_page() -> None:
    assert send({"events": []}).status_code == 404
