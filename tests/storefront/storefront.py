"""The whole of a shop for a browser: storefront, router, Aftercart, Omnitron, commerce backend."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Browser, Page

from tests.everything import running_everything
from tests.processes import find_free_port
from tests.remote.commerce_process import running_commerce
from tests.routers import Call, Router, running_nginx
from tests.storefront.shop_app import build_shop, running_shop

#: A busy machine takes its time; nothing waits this long that works.
_PATIENCE_MILLISECONDS = 60_000
_SETTINGS = {
    "ALLOWED_HOSTS": "127.0.0.1",
    "TRUSTED_PROXY": "true",
    "SHOP_NETWORKS": "127.0.0.1",
    "COMMERCE_SESSION_SECONDS": "1",
    "COMMERCE_SECONDS": "10",
    "OMNITRON_BREAKER_FAILURES": "1000",  # each test brings its own outage
    "VERIFY_GRACE_SECONDS": "2",
}


@dataclass(frozen=True, slots=True)
class Storefront:
    """A running storefront. `identity` is Aftercart's setting, `demo` what `demo.json` holds."""

    url: str
    identity: str
    demo: dict[str, Any]
    router: Router
    browser: Browser

    def get_order(self, customer: int, kind: str) -> dict[str, Any]:
        """Return an order of the demo: id, number, signed number, items."""
        order: dict[str, Any] = self.demo["customers"][customer]["orders"][kind]
        return order

    def open(self) -> Page:
        """Open a window of somebody who has not been here before."""
        page = self.browser.new_context(base_url=self.url, locale="en-GB").new_page()
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        return page

    def read_calls(self, since: int = 0) -> list[Call]:
        """Read what came to the router after its first `since` calls."""
        return self.router.read_calls()[since:]

    def set_fault(self, kind: str, **options: Any) -> None:
        """Make something go wrong with Omnitron's next calls."""
        fault = {"kind": kind, **options}
        httpx2.post(f"{self.demo['omnitron_url']}/sandbox/faults/", json=fault).raise_for_status()

    def clear_faults(self) -> None:
        """Let Omnitron be well again."""
        httpx2.delete(f"{self.demo['omnitron_url']}/sandbox/faults/").raise_for_status()

    def list_sent(self, number: str) -> list[bool]:
        """Return of each cancellation of an order that reached Omnitron whether it was applied."""
        query = {"call": "order_cancel", "order": number}
        answer = httpx2.get(f"{self.demo['omnitron_url']}/sandbox/calls/", params=query)
        return [row["applied"] for row in answer.json()["results"]]

    def ask_orders(self, key: str) -> int:
        """Ask for the orders with a session's key past the storefront; return the status."""
        headers = {"Cookie": f"sessionid={key}", "Accept": "application/json"}
        return httpx2.get(f"{self.router.url}/users/orders/", headers=headers).status_code


@contextmanager
def running_storefront(folder: Path, identity: str, browser: Browser) -> Iterator[Storefront]:
    """Run all of it, on free ports, with the demo."""
    built = build_shop()
    web, commerce_port = find_free_port(), find_free_port()
    ports = {"PORT": str(web), "COMMERCE_SANDBOX_PORT": str(commerce_port)}
    with ExitStack() as stack:
        commerce, more = f"http://127.0.0.1:{commerce_port}", list[str]()
        if identity == "own":  # then `run` starts none, but a storefront asks one for its pages and products
            commerce = stack.enter_context(running_commerce()).base_url
            more = ["own-accounts.nginx.conf"]
        settings: dict[str, Any] = {**_SETTINGS, **ports, "AFTERCART_IDENTITY": identity}
        stack.enter_context(running_everything(folder, **settings))
        demo = json.loads((folder / "demo.json").read_text("utf-8"))
        router = stack.enter_context(running_nginx(folder, f"http://127.0.0.1:{web}", commerce, *more))
        url = stack.enter_context(running_shop(built, router.url, folder / "next.log"))
        yield Storefront(url, identity, demo, router, browser)
