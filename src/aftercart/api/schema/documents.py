"""The order document, field names to the letter of contract section 6."""

from typing import Final

from aftercart.cancellations.models import CancellationRequest
from aftercart.cancellations.refunds import SPLIT, RefundStatus
from aftercart.lib.documents import (
    Document,
    Shape,
    flag,
    integer,
    make_document,
    make_enumeration,
    moment,
    money,
    one_of,
    passed_on,
    text,
)
from aftercart.orders.document import OrderAddress
from aftercart.orders.refund_words import ROW_LABELS
from aftercart.orders.status import Status

#: What each status of a cancellation request means (contract sections 3.4 and 8).
REQUEST_STATUSES: Final = {
    CancellationRequest.Status.VERIFYING: "held until it is known what Omnitron made of the direct way",
    CancellationRequest.Status.WAITING: "with the back office",
    CancellationRequest.Status.WAITING_APPROVAL: "with the back office, which asks for an approval",
    CancellationRequest.Status.CONFIRMED: "seen by the back office, not decided",
    CancellationRequest.Status.APPROVED: "approved, and being carried out",
    CancellationRequest.Status.COMPLETED: "done",
    CancellationRequest.Status.REJECTED: "refused; the item goes on as before",
}

#: What each status of a refund means.
REFUND_STATUSES: Final = {
    RefundStatus.REQUESTED: "the back office decides first",
    RefundStatus.EXPECTED: "it comes once the cancellation or the return is done",
    RefundStatus.UNDER_WAY: "done; Omnitron has not reported the money yet",
    RefundStatus.REFUNDED: "Omnitron has reported it; points are there at once",
    RefundStatus.NONE: "nothing comes back, since nothing was paid, or all of it is kept",
}

#: The shop's own fields stand beside these.
_OPEN: Final = {"additionalProperties": True}

OrderStatus = make_enumeration(
    "OrderStatus",
    "The status of an order or of one item. Values are numeric strings.",
    {status.value: status.name.lower() for status in Status},
)
CancellationType = make_enumeration(
    "CancellationType",
    "What is done with the item.",
    {"cancel": "not shipped yet: it never leaves", "refund": "shipped or delivered: it comes back"},
)
RequestStatus = make_enumeration(
    "RequestStatus",
    "Where a cancellation request stands.",
    {status.value: meaning for status, meaning in REQUEST_STATUSES.items()},
)


class Currency(Document):
    """A currency."""

    value = text("ISO 4217, in lower case.", pattern="^[a-z]{3}$")
    label = text("As it is written beside an amount.")  # type: ignore[assignment] # a field of that name


class ShippingCompany(Document):
    """A company that collects returns."""

    value = text("Its code at Omnitron.")
    label = text("Its name.")  # type: ignore[assignment]  # a field of this name hides the framework's own


class EasyReturnCompany(Document):
    """A company that may be named as `shipping_company` of a return."""

    pk = integer("What to send as `shipping_company`.")
    shipping_company = ShippingCompany()


class EasyReturn(Document):
    """How the parcel of a return is collected."""

    code = text("What to write on the parcel, once Omnitron has given it.", null=True)
    shipping_company = ShippingCompany()


RefundState = make_enumeration(
    "RefundState",
    "How a refund stands. Of several lines the one that is behind speaks: the first of these.",
    {status.value: meaning for status, meaning in REFUND_STATUSES.items()},
)
RefundDestination = make_document(
    "RefundDestination",
    "Where a refund goes.",
    {
        "value": one_of([destination.value for destination in SPLIT]),
        "label": text("For people, in the language that `Accept-Language` asks for."),
        "account_end": text(
            "The last four digits of the account, and no more of it; null without one.", null=True
        ),
    },
)


class RefundSplit(Document):
    """How much goes where. Their sum is the amount."""

    payment_method = money("Back to where it was paid from: the card.")
    iban = money("To the bank account that was named.")
    loyalty = money("Points: what had been paid with points, and what was asked for as points.")


class RefundAdjustment(Document):
    """Why a refund is not what the goods cost."""

    code = one_of(
        ROW_LABELS,
        "`discount`, `fee`: what is kept; `interest`, `shipping`, `gift_box`: what comes back besides; `other`: what "
        "Omnitron reports otherwise.",
    )
    label = text("For people, in the language that `Accept-Language` asks for.")  # type: ignore[assignment]  # a field of this name hides the framework's own
    amount = money("Negative where it is kept.")


class RefundedLine(Document):
    """One line of a refund."""

    order_item = integer("The item's id.")
    quantity = integer("Units.", minimum=0)
    amount = money()


class Refund(Document):
    """What comes back for one submission, delivery and gift box included. What was declined is not in it."""

    submission = text("What was asked for together: the uuid of its page.", format="uuid")
    status = RefundState()
    amount = money("As it was quoted; once it is done, as it was given back. Money and points together.")
    split = RefundSplit()
    destination = RefundDestination(
        allow_null=True, help_text="Of what had not been paid with points; null where nothing goes there."
    )
    refund_due_at = moment(
        "While it is `under_way`: until when it has to be with the customer (`REFUND_DAYS`).", null=True
    )
    goods_amount = money("What the goods cost: `amount` less all `adjustments`.")
    adjustments = RefundAdjustment(many=True)
    lines = RefundedLine(many=True)


class ItemRequest(Document):
    """A cancellation request, as it stands inside its item."""

    id = integer("Null while it is on the direct way, which makes no request.", null=True)
    cancellation_type = CancellationType()
    status = RequestStatus()
    easy_return = EasyReturn(allow_null=True)
    description = text("What the customer added; may be empty.")
    exchange_preference = text(
        "Aftercart's own: another size or colour that the customer would rather have. Nothing is promised."
    )
    reason = integer("The CancellationReason's id.")
    order_item = integer("The item's id.")


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
    """One line of an order. What else the shop sent keeps its place."""

    constraints = _OPEN

    id = integer("What a cancellation names as `order_item`.")
    order = integer("The order's id.")
    parent = integer("The item that this one belongs to.", null=True)  # type: ignore[assignment]  # a field of this name hides the framework's own
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
    cancellationrequest_set = ItemRequest(many=True, help_text="All its requests, newest first.")
    active_cancellation_request = ItemRequest(
        allow_null=True, help_text="What is not decided yet: a request, or a cancellation on the direct way."
    )
    available_easy_return_shipping_companies = EasyReturnCompany(
        many=True, help_text="Who would collect it; empty unless it is refundable."
    )
    shipping_company = passed_on()
    tracking_url = passed_on()
    tracking_number = passed_on()
    shipping_tracking_url = passed_on()
    invoice_number = text(null=True)
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
    created_date = moment()
    modified_date = moment()


class DiscountItem(Document):
    """A discount given to an order."""

    pk = integer()
    order = integer("The order's id.")
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


_PAYMENT = Shape(
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


class Order(Document):
    """An order with its lines, discounts and addresses. A card's number never stands in it.

    What else the shop sent keeps its place.
    """

    constraints = _OPEN

    id = integer("The order's id.")
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
    shipping_company = passed_on()
    client_type = passed_on()
    payment_option = _PAYMENT
    amount = money("What was paid, shipping included.")
    amount_without_discount = money()
    discount_amount = money()
    shipping_amount = money()
    shipping_tax_rate = money("In percent.", null=True)
    refund_amount = money("What has been paid back.")
    discount_refund_amount = money()
    shipping_refund_amount = money()
    refund_set = Refund(
        many=True, help_text="What comes back, or has come back, one entry a submission, newest first."
    )
    is_payable = flag("There is still something to pay.")
    tracking_url = passed_on()
    tracking_number = passed_on()
    defined_tracking_url = passed_on()
    shipping_tracking_url = passed_on()
    bank = passed_on("An object of `pk`, `name`, `slug`, `logo`.")
    loyaltytransaction_set = Shape(
        {"type": "array", "items": {}},
        "Points earned and spent with it: of our ledger, or else as the shop sent them.",
    )
    invoice_number = text(null=True)
    invoice_date = passed_on()
    e_archive_url = passed_on()
    order_type = passed_on()
    remote_addr = passed_on()
    has_gift_box = flag()
    gift_box_note = passed_on()
    language_code = passed_on()
    notes = passed_on()
    delivery_range = passed_on()
    extra_field = passed_on("What the shop adds of its own.")
    user_email = text("Null behind a guest's link.", null=True, format="email")
    shipping_option_slug = passed_on()
    payment_option_slug = passed_on()
    bin_number = passed_on("The card's first six or eight digits.")
    installment_count = passed_on()
    installment_interest_amount = money()
    user = integer("The customer's id; null for a guest's order.", null=True)
    basket = passed_on()
    shipping_option = passed_on()
    card = Card(allow_null=True)
    installment = passed_on()
    segment = passed_on()
    checkout_provider = passed_on()
    created_date = moment()
    modified_date = moment()


class OrderPage(Document):
    """One page of orders, newest first."""

    count = integer("How many there are on all pages.", minimum=0)
    next = text("The next page's address; null on the last.", null=True, format="uri")
    previous = text("The previous page's address; null on the first.", null=True, format="uri")
    results = Order(many=True)


class CompletedOrder(Document):
    """An order just placed, and what was saved on it."""

    order = Order()
    campaigns = Shape(
        {"type": "array", "items": {}},
        "The campaigns applied to it as the shop sent them, or else its discounts (`DiscountItem`).",
    )
