"""The order as JSON, field names to the letter of contract section 6: pure, from rows already read.

Fields that Aftercart reasons about come from columns; those that it only passes on come from `details`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aftercart.accounts import document
from aftercart.lib.documents import (
    Document,
    Shape,
    flag,
    integer,
    make_enumeration,
    moment,
    money,
    of_another_package,
    passed_on,
    text,
)
from aftercart.lib.secrets import drop_staff_notes
from aftercart.orders import models
from aftercart.orders.status import FINAL, SHIPPED, Status


class OrderCountry(document.Country):
    """A country, or a blank where none is known."""

    pk = integer(null=True)
    code = text("ISO 3166-1 alpha-2, in lower case.", pattern="^([a-z]{2})?$")


class OrderCity(document.City):
    """A city, or a blank where none is known."""

    pk = integer(null=True)
    country = integer("The country's pk.", null=True, source="country_id")


class OrderTownship(document.Township):
    """A township, or a blank where none is known."""

    pk = integer(null=True)
    city = integer("The city's pk.", null=True, source="city_id")


class OrderAddress(document.Address):
    """An address as an order has it. What is not known of it, or what a guest's link does not show, is blank."""

    country = OrderCountry()
    city = OrderCity()
    township = OrderTownship()


_CURRENCY_LABELS = {"TRY": "TL", "EUR": "€", "USD": "$", "GBP": "£"}

#: Where the shop's unknown fields of an order, or of an item, are kept among its `details`.
UNKNOWN = "unknown"
#: Values by name in the client's types, which looks into them without asking.
_MAPPINGS = ("attributes", "attributes_kwargs", "localized_attributes", "localized_attributes_kwargs")
_NO_PAYMENT: Final = {"pk": None, "name": "", "payment_type": "", "slug": ""}
#: An address that is not known, or not shown: the client reads its parts, and the parts of these, as if all were there.
NO_ADDRESS: Final[Mapping[str, Any]] = OrderAddress.make_blank()
#: The shop's own fields stand beside these.
_OPEN: Final = {"additionalProperties": True}
_ITEM_TRACKING = ("tracking_number", "tracking_url", "shipping_tracking_url")


OrderStatus = make_enumeration(
    "OrderStatus",
    "The status of an order or of one item. Values are numeric strings.",
    {status.value: status.name.lower() for status in Status},
    labels=dict(Status.choices),
)


class Currency(Document):
    """A currency."""

    value = text("ISO 4217, in lower case.", pattern="^[a-z]{3}$")
    label = text("As it is written beside an amount.")  # type: ignore[assignment] # a field of that name

    @classmethod
    def write(cls, row: str, _details: Any = None, /, **_given: Any) -> dict[str, Any]:
        """Write a currency as the storefront knows it: value in lower case, label as shown."""
        return {"value": row.lower(), "label": _CURRENCY_LABELS.get(row, row)}


class Product(Document):
    """What was bought, as it was when it was bought. `pk`, `sku` and `name` are what a shop sends at least.

    What else the shop sent keeps its place.
    """

    constraints = _OPEN

    pk = passed_on("Its id in the shop.")
    sku = passed_on()
    base_code = passed_on()
    name = passed_on()
    image = passed_on("Address of a picture.")
    absolute_url = passed_on("Its page in the shop.")
    attributes = passed_on("Size, colour and the like: values by name.")
    attributes_kwargs = passed_on("The same with labels.")


class OrderItem(Document):
    """One line of an order; what is known of its cancellations is declared where these are."""

    constraints = _OPEN

    id = integer("What a cancellation names as `order_item`.", source="pk")
    order = integer("The order's id.", source="order_id")
    parent = integer("The item that this one belongs to.", null=True, source="parent_id")  # type: ignore[assignment]  # a field of this name hides the framework's own
    status = OrderStatus()
    price_currency = Currency()
    product = Product()
    quantity = integer("Units bought, cancelled ones included.", minimum=0)
    price = money("Of one unit, after discounts of its own.")
    retail_price = money("Of one unit, before discounts.")
    unit_price = money()
    total_amount = money("Of all units.")
    tax_rate = money("In percent.")
    is_cancelled = flag("Cancelled or refunded, for good.")
    is_cancellable = flag("Nothing refuses to cancel all that is left of it now.")
    is_refundable = flag("Nothing refuses to return all that is left of it now.")
    is_tradable = flag()
    cancellationrequest_set = of_another_package()
    active_cancellation_request = of_another_package()
    available_easy_return_shipping_companies = of_another_package()
    invoice_number = text(null=True)
    created_date = moment()
    modified_date = moment()
    shipping_company = passed_on()
    tracking_url = passed_on()
    tracking_number = passed_on()
    shipping_tracking_url = passed_on()
    invoice_date = passed_on()
    e_archive_url = passed_on()
    image = passed_on()
    extra_field = passed_on("What the shop adds of its own.")
    estimated_delivery_date = passed_on()
    attributes = passed_on()
    attributes_kwargs = passed_on()
    localized_attributes = passed_on()
    localized_attributes_kwargs = passed_on()
    extra_product_price = passed_on()
    extra_product_stock = passed_on()
    datasource = passed_on()


class DiscountItem(Document):
    """A discount given to an order."""

    pk = integer()
    order = integer("The order's id.", source="order_id")
    name = text()
    amount = money()
    cancel_amount = money("What cancellations have taken back of it.")
    code = text("The voucher's code.", null=True)
    offer_type = text(null=True)
    promotion = integer("The promotion's id in the shop.", null=True)
    session_offer_type = text(null=True)
    created_date = moment()
    modified_date = moment()


class Card(Document):
    """The card that paid: its name only, never its number."""

    pk = passed_on()
    name = passed_on()
    slug = passed_on()


class Order(Document):
    """An order; what is known of its cancellations is declared where these are."""

    constraints = _OPEN

    id = integer("The order's id.", source="pk")
    number = text("As it is printed for the customer: `ORD-2024-001234`, or 16 digits.")
    status = OrderStatus()
    currency = Currency()
    orderitem_set = OrderItem(many=True)
    discountitem_set = DiscountItem(many=True)
    is_cancelled = flag("Cancelled or refunded as a whole.")
    is_cancellable = flag("Some item can be cancelled.")
    is_refundable = flag("Some item can be returned.")
    shipping_address = OrderAddress(help_text="Blank in all its parts where none is known.")
    billing_address = OrderAddress(help_text="Blank in all its parts where none is known, or shown.")
    payment_option = Shape(
        {
            "type": "object",
            "properties": {
                "pk": {},
                "name": {"description": "As the customer knows it."},
                "payment_type": {
                    "description": "`credit_card`, `funds_transfer`, `pay_on_delivery` and the like."
                },
                "slug": {},
            },
        },
        "How it was paid; blank if the shop did not tell. A transfer or cash on delivery takes an `iban`.",
    )
    amount = money("What was paid, shipping included.")
    amount_without_discount = money()
    discount_amount = money()
    shipping_amount = money()
    shipping_tax_rate = money("In percent.", null=True)
    refund_amount = money("What has been paid back.")
    discount_refund_amount = money()
    shipping_refund_amount = money()
    refund_set = of_another_package()
    installment_interest_amount = money()
    is_payable = flag("There is still something to pay.")
    has_gift_box = flag()
    loyaltytransaction_set = Shape(
        {"type": "array", "items": {}},
        "Points earned and spent with it: of our ledger, or else as the shop sent them.",
    )
    invoice_number = text(null=True)
    user_email = text("Null behind a guest's link.", null=True, format="email")
    user = integer("The customer's id; null for a guest's order.", null=True, source="user_id")
    card = Card(allow_null=True)
    created_date = moment()
    modified_date = moment()
    shipping_company = passed_on()
    client_type = passed_on()
    tracking_url = passed_on()
    tracking_number = passed_on()
    defined_tracking_url = passed_on()
    shipping_tracking_url = passed_on()
    bank = passed_on("An object of `pk`, `name`, `slug`, `logo`.")
    invoice_date = passed_on()
    e_archive_url = passed_on()
    order_type = passed_on()
    remote_addr = passed_on()
    gift_box_note = passed_on()
    language_code = passed_on()
    notes = passed_on()
    delivery_range = passed_on()
    extra_field = passed_on("What the shop adds of its own.")
    shipping_option_slug = passed_on()
    payment_option_slug = passed_on()
    bin_number = passed_on("The card's first six or eight digits.")
    installment_count = passed_on()
    segment = passed_on()
    basket = passed_on()
    shipping_option = passed_on()
    installment = passed_on()
    checkout_provider = passed_on()


def order_document(
    order: models.Order,
    *,
    items: Sequence[Mapping[str, Any]],
    discounts: Sequence[models.DiscountItem],
    points: Sequence[Mapping[str, Any]] = (),
    refunds: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Write an order of its parts' documents; without any of `points`, those that the shop sent are passed on."""
    details = order.details
    card = details.get("card")
    document = Order.write(
        order,
        details,
        orderitem_set=list(items),
        is_cancelled=order.status in FINAL,
        is_cancellable=any(item["is_cancellable"] for item in items),
        is_refundable=any(item["is_refundable"] for item in items),
        discountitem_set=[DiscountItem.write(discount) for discount in discounts],
        shipping_address=complete_address(order.shipping_address),
        billing_address=complete_address(order.billing_address),
        payment_option=_NO_PAYMENT | order.payment_option,
        refund_set=list(refunds),
        is_payable=bool(details.get("is_payable")),
        has_gift_box=bool(details.get("has_gift_box")),
        loyaltytransaction_set=list(points) or _list_passed_on(details, "loyaltytransaction_set"),
        invoice_number=order.invoice_number or None,
        # Never a number: only what names the card.
        card={name: card.get(name) for name in Card.list_names()} if isinstance(card, dict) else None,
        extra_field=drop_staff_notes(details.get("extra_field")),
    )
    return _pass_on_unknown(details) | document if UNKNOWN in details else document


def item_document(
    item: models.OrderItem,
    *,
    is_cancellable: bool,
    is_refundable: bool,
    requests: Sequence[Mapping[str, Any]],
    active_request: Mapping[str, Any] | None,
    companies: Sequence[Mapping[str, Any]],
    order_details: Mapping[str, Any],
) -> dict[str, Any]:
    """Write an item, with the verdict of the rules and the documents of its cancellation requests.

    Where a shipped item has no tracking of its own, that of its order's details is its.
    """
    details = item.details
    if item.status in SHIPPED and not any(details.get(name) for name in _ITEM_TRACKING):
        details = details | {name: order_details.get(name) for name in _ITEM_TRACKING}
    document = OrderItem.write(
        item,
        details,
        product=write_product(item.product),
        is_cancelled=item.status in FINAL,
        is_cancellable=is_cancellable,
        is_refundable=is_refundable,
        is_tradable=bool(item.details.get("is_tradable")),
        cancellationrequest_set=list(requests),
        active_cancellation_request=active_request,
        available_easy_return_shipping_companies=list(companies) if is_refundable else [],
        invoice_number=item.invoice_number or None,
        extra_field=drop_staff_notes(details.get("extra_field")),
        **{name: details.get(name) or {} for name in _MAPPINGS},
    )
    return _pass_on_unknown(details) | document if UNKNOWN in details else document


def write_product(product: Mapping[str, Any]) -> dict[str, Any]:
    """Write a product as the shop sent it: the contract's fields, and what else there is of it."""
    known = {name: product.get(name) for name in Product.list_names()}
    mappings = {name: product.get(name) or {} for name in ("attributes", "attributes_kwargs")}
    return {**drop_staff_notes(dict(product)), **known, **mappings}


def complete_address(address: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return an address with every part that the client looks into, blank where nothing is known."""
    given = {name: value for name, value in (address or {}).items() if value is not None}
    return {**NO_ADDRESS, **given}


def _pass_on_unknown(details: Mapping[str, Any]) -> dict[str, Any]:
    unknown = drop_staff_notes(details.get(UNKNOWN))
    return unknown if isinstance(unknown, dict) else {}


def _list_passed_on(details: dict[str, Any], name: str) -> list[Any]:
    """List what the shop has sent under a name, if it is a list; what else it sent is no list of ours."""
    rows = details.get(name)
    return rows if isinstance(rows, list) else []
