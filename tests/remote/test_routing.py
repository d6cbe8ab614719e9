"""The samples of docs/routing in a real nginx and a real Caddy, before Aftercart and the sandbox's commerce backend."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.http.hot_reads.steps import log_in
from tests.processes import running_web
from tests.remote.commerce_process import CommerceProcess, running_commerce
from tests.routers import running_caddy, running_nginx
from tests.shop import make_customer, make_order

pytestmark = pytest.mark.django_db(transaction=True)
ROUTERS = [
    pytest.param(
        run,
        id=name,
        marks=pytest.mark.skipif(not shutil.which(name), reason=f"NOT RUN: the routing sample needs {name}"),
    )
    for name, run in (("nginx", running_nginx), ("caddy", running_caddy))
]


@pytest.fixture
def shop() -> Iterator[CommerceProcess]:
    with running_commerce() as running:
        yield running


def is_aftercarts(client: httpx2.Client, path: str) -> bool:
    """Return who answers: the shop's 404 is plain text, Aftercart's answers are JSON with a language."""
    answer = client.get(path, headers={"Accept": "application/json"})
    return "content-language" in answer.headers


@pytest.mark.parametrize("running_router", ROUTERS)
def test_the_sample_routes_exactly_what_is_ours(
    shop: CommerceProcess, tmp_path: Path, running_router: Any
) -> None:
    settings: dict[str, Any] = {
        "AFTERCART_IDENTITY": "commerce",
        "COMMERCE_URL": shop.base_url,
        "TRUSTED_PROXY": "true",
        "ALLOWED_HOSTS": "127.0.0.1",
    }
    customer = make_customer()
    order = make_order(customer, number="#1001")
    shop.load({"pk": 77, "email": customer.email, "password": "demo-12345"})
    with (
        running_web("http://127.0.0.1:9", **settings) as aftercart,
        running_router(tmp_path, aftercart, shop.base_url) as router,
        httpx2.Client(base_url=router.url, timeout=30) as client,
    ):
        ours = [
            "/orders/completed/x:y:z/", "/orders/change-address/", "/orders/%231001/cancel/",
            "/orders/ORD-1/cancel/quote/", "/users/orders/", f"/users/orders/{order.pk}/",
            "/users/orders/cancellation_reasons/",
        ]  # fmt: skip
        theirs = [
            "/orders/checkout/", "/orders/checkout/?page=IndexPage", "/orders/redirection/", "/orders/hooks/x/",
            "/orders/checkout-provider-cancel/", "/orders/completed", "/users/login/", "/users/logout/",
            "/users/profile/", "/current_user/", "/csrf_token/", "/address/", "/account/loyalty/", "/baskets/basket/",
            "/",
        ]  # fmt: skip
        assert [path for path in ours if not is_aftercarts(client, path)] == []
        assert [path for path in theirs if is_aftercarts(client, path)] == []

        body = {"email": customer.email, "password": "demo-12345"}
        key = client.post("/users/login/", json=body).raise_for_status().json()["key"]
        listed = client.get("/users/orders/", headers={"Accept": "application/json"}).json()
        assert [row["number"] for row in listed["results"]] == ["#1001"]

        token = client.get("/csrf_token/").json()["csrf_token"]
        wrong: dict[str, list[Any]] = {"cancel_order_items": []}
        headers = {"Accept": "application/json", "X-CSRFToken": token}
        answer = client.post("/orders/%231001/cancel/", json=wrong, headers=headers)
        assert (answer.status_code, set(answer.json())) == (400, {"cancel_order_items", "code"})
        assert re.fullmatch("[0-9a-z]{32}", key)


@pytest.mark.parametrize("running_router", ROUTERS)
def test_a_cookie_of_others_that_is_not_ascii_logs_nobody_out(
    shop: CommerceProcess, tmp_path: Path, running_router: Any
) -> None:
    settings = {"TRUSTED_PROXY": "true", "ALLOWED_HOSTS": "127.0.0.1"}
    key = log_in(make_customer())
    with (
        running_web("http://127.0.0.1:9", **settings) as aftercart,
        running_router(tmp_path, aftercart, shop.base_url) as router,
        httpx2.Client(timeout=30, trust_env=False) as client,
    ):
        for cookie in (f"name=Ayşe; osessionid={key}", f"sessionid={key}; name=Ayşe", f"sessionid={key}"):
            headers = {b"Accept": b"application/json", b"Cookie": cookie.encode()}
            answer = client.get(f"{router.url}/users/orders/", headers=headers)
            assert (answer.status_code, answer.json()["count"]) == (200, 0), cookie


@pytest.mark.skipif(not shutil.which("nginx"), reason="NOT RUN: the routing sample needs nginx")
def test_the_sample_for_own_accounts_adds_what_is_answered_here(
    shop: CommerceProcess, tmp_path: Path
) -> None:
    settings = {"TRUSTED_PROXY": "true", "ALLOWED_HOSTS": "127.0.0.1"}
    with (
        running_web("http://127.0.0.1:9", **settings) as aftercart,
        running_nginx(tmp_path, aftercart, shop.base_url, "own-accounts.nginx.conf") as router,
        httpx2.Client(base_url=router.url, timeout=30) as client,
    ):
        ours = [
            "/users/login/", "/users/login/code/", "/users/logout", "/users/logout/", "/users/profile/",
            "/users/password/change/",
            "/users/password/reset/", "/users/reset/x/y/", "/users/email-change/", "/users/email-set-primary/x/",
            "/users/registration/", "/users/anonymize/", "/users/contact-us-subjects/", "/users/orders/",
            "/account/loyalty/", "/account/basket-offers/", "/address/", "/address/1/", "/current_user/",
            "/csrf_token/", "/orders/change-address/",
        ]  # fmt: skip
        theirs = [
            "/users/activate-currency/",
            "/users/pz-captcha/",
            "/orders/checkout/",
            "/baskets/basket/",
            "/",
        ]
        assert [path for path in ours if not is_aftercarts(client, path)] == []
        assert [path for path in theirs if is_aftercarts(client, path)] == []


@pytest.mark.skipif(not shutil.which("nginx"), reason="NOT RUN: the routing sample needs nginx")
def test_the_sample_for_own_pages_adds_all_that_they_lead_to(shop: CommerceProcess, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "AFTERCART_IDENTITY": "commerce",
        "COMMERCE_URL": shop.base_url,
        "TRUSTED_PROXY": "true",
        "ALLOWED_HOSTS": "127.0.0.1",
    }
    ours = [
        "/orders/guest/", "/orders/guest/code/", "/orders/guest/x:y:z/", "/orders/guest/x:y:z/withdraw/",
        "/orders/ORD-1/ways/", "/orders/ORD-1/withdraw/", "/orders/ORD-1/cancel/", "/orders/ORD-1/cancel/photos/",
        "/users/orders/1/receipt/", "/account/points/", "/withdraw/", "/mail/opt-out/x/", "/orders/style.css",
        "/backoffice/login/",
    ]  # fmt: skip
    with (
        running_web("http://127.0.0.1:9", **settings) as aftercart,
        running_nginx(tmp_path, aftercart, shop.base_url, "own-pages.nginx.conf") as router,
        httpx2.Client(base_url=router.url, timeout=30) as client,
    ):
        assert [path for path in ours if not is_aftercarts(client, path)] == []
