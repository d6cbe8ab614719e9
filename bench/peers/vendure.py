"""Vendure: its server alone, without plugins; the order is placed and read through its shop API (GraphQL)."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import httpx2

from bench.load import write_request
from bench.peers.peer import PASSWORD, Peer, PeerError, Place

_VERSION: Final = "3.7.3"
_SHOP: Final = Path(__file__).parent / "vendure_shop"
_ENVIRONMENT: Final = {"NODE_ENV": "production"}
_ADDRESS: Final = "fullName streetLine1 streetLine2 city province postalCode country countryCode phoneNumber"
#: What an order's page shows. Nothing of what a server without plugins has to collect row by row (facets, taxes).
_READ: Final = f"""
query Read($code: String!) {{ orderByCode(code: $code) {{
  id code state orderPlacedAt createdAt updatedAt currencyCode totalQuantity subTotal subTotalWithTax shipping
  shippingWithTax total totalWithTax couponCodes
  customer {{ id firstName lastName emailAddress }}
  shippingAddress {{ {_ADDRESS} }} billingAddress {{ {_ADDRESS} }}
  discounts {{ type description amountWithTax }}
  shippingLines {{ shippingMethod {{ name }} priceWithTax }}
  payments {{ method amount state }}
  lines {{
    id quantity taxRate unitPriceWithTax linePriceWithTax discountedLinePriceWithTax
    featuredAsset {{ preview }} productVariant {{ id sku name }}
  }}
}} }}"""


def _install(place: Place) -> None:
    shutil.copy(_SHOP / "shop.cjs", place.folder)
    (place.folder / "package.json").write_text('{"private": true}')
    wanted = (f"@vendure/core@{_VERSION}", "pg@8")
    place.run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *wanted)
    place.run("node", "shop.cjs", "seed", PORT="0", **_ENVIRONMENT)


def _serve(_: Place) -> list[str]:
    return ["node", "shop.cjs"]


class _Api:
    """The shop API, as one customer's session."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/shop-api"
        self.token = ""

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """Return the one field of an answer. Raises `PeerError` for what it refuses."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with httpx2.Client(trust_env=False, timeout=60) as client:
            asked = {"query": query, "variables": variables or {}}
            answer = client.post(self._url, json=asked, headers=headers)
        self.token = answer.headers.get("vendure-auth-token", self.token)
        (value,) = (answer.json().get("data") or {"nothing": None}).values()
        if not value or "errorCode" in value:
            raise PeerError(f"{query[:60].strip()}: {answer.text[:500]}")
        return value

    def do(self, name: str, **given: tuple[str, Any]) -> None:
        """Have a mutation done with these arguments: type and value."""
        types = ", ".join(f"${key}: {kind}" for key, (kind, _) in given.items())
        names = ", ".join(f"{key}: ${key}" for key in given)
        fields = "{ __typename ... on ErrorResult { errorCode message } }"
        query = f"mutation Do({types}) {{ {name}({names}) {fields} }}"
        self.ask(query, {key: value for key, (_, value) in given.items()})


def _ask(place: Place, port: int) -> bytes:
    order, api = place.read_order(), _Api(port)
    email = order["user_email"]
    customer = {"emailAddress": email, "password": PASSWORD, "firstName": "Ayşe", "lastName": "Yılmaz"}
    api.do("registerCustomerAccount", input=("RegisterCustomerInput!", customer))
    api.do("login", username=("String!", email), password=("String!", PASSWORD))
    wanted = {item["product"]["sku"]: item["quantity"] for item in order["orderitem_set"]}
    for product in api.ask("query { products { items { variants { id sku } } } }")["items"]:
        for variant in product["variants"]:
            count = wanted[variant["sku"]]
            api.do("addItemToOrder", productVariantId=("ID!", variant["id"]), quantity=("Int!", count))
    for kind in ("shipping", "billing"):
        address = _make_address(order[f"{kind}_address"])
        api.do(f"setOrder{kind.title()}Address", input=("CreateAddressInput!", address))
    method = api.ask("query { eligibleShippingMethods { id } }")[0]
    api.do("setOrderShippingMethod", shippingMethodId=("[ID!]!", [method["id"]]))
    api.do("transitionOrderToState", state=("String!", "ArrangingPayment"))
    api.do("addPaymentToOrder", input=("PaymentInput!", {"method": "card", "metadata": {}}))
    body = json.dumps({"query": _READ, "variables": {"code": order["number"]}}).encode()
    headers = {
        "Content-Type": "application/json", "Accept": "application/json", "Authorization": f"Bearer {api.token}",
    }  # fmt: skip
    return write_request("/shop-api", headers, method="POST", body=body)


def _make_address(given: dict[str, Any]) -> dict[str, str]:
    return {
        "fullName": f"{given['first_name']} {given['last_name']}", "streetLine1": given["line"],
        "streetLine2": given["district"]["name"], "city": given["city"]["name"],
        "province": given["township"]["name"], "postalCode": given["postcode"], "countryCode": "TR",
        "phoneNumber": given["phone_number"],
    }  # fmt: skip


PEER: Final = Peer(
    name="Vendure", version=_VERSION, what="`orderByCode` of the shop API, by the owner", ours="detail",
    install=_install, serve=_serve, ask=_ask, environment=_ENVIRONMENT,
)  # fmt: skip
