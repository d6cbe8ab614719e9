"""Rows for the tests of the back office, made the short way: by hand, not by the actions."""

from itertools import count

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import get_resolver

from aftercart.accounts.models import User
from aftercart.actions.requests.open_delivery import open_deliveries
from aftercart.cancellations.models import (
    CancellationReason,
    CancellationRequest,
    Delivery,
    Submission,
    SubmissionLine,
)
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.timeline import Actor, record_event

IBAN = "TR330006100519786457841326"
QUEUE = "/backoffice/cancellations/cancellationrequest/"
ORDERS = "/backoffice/orders/order/"

_numbers = count(1)


def make_staff(*permissions: str, is_superuser: bool = False) -> User:
    """Make a member of staff with these permissions, by codename."""
    email = f"staff-{next(_numbers)}@example.com"
    user = User.objects.create_user(email, "staff-12345", is_staff=True, is_superuser=is_superuser)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def make_decider() -> User:
    """Make a member of staff who may decide requests and read orders."""
    return make_staff("view_cancellationrequest", "change_cancellationrequest", "view_order")


def log_in(user: User, *, checks_csrf: bool = False) -> Client:
    """Make a browser in which somebody is logged in."""
    client = Client(enforce_csrf_checks=checks_csrf)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def list_models() -> list[type[Model]]:
    """List the models that the back office has pages for."""
    assert get_resolver().url_patterns  # they are known once these have been read
    return list(admin.site._registry)


def make_order(status: str = "400") -> Order:
    """Make an order of a customer of its own, with one item and a timeline entry."""
    number = next(_numbers)
    customer = User.objects.create_user(
        f"customer-{number}@example.com", first_name="Ayşe", last_name="Yılmaz"
    )
    order = Order.objects.create(
        number=f"ORD-2026-{number:06d}",
        channel_id=1,
        user=customer,
        user_email=customer.email,
        status=status,
        currency="TRY",
        amount=1234.5,
        shipping_address={"first_name": "Deniz", "last_name": "Aksoy", "city": {"name": "İzmir"}},
    )
    OrderItem.objects.create(
        order=order,
        status=status,
        sku=f"SKU-{number}",
        product={"name": f"Lamp {number}"},
        quantity=2,
        price_currency="TRY",
        total_amount=1234.5,
    )
    record_event(order, "cancellation_submitted", Actor.customer(customer))
    return order


def make_request(
    status: CancellationRequest.Status = CancellationRequest.Status.WAITING,
    *,
    cause: str = "has_invoice",
    description: str = "",
    delivery_error: str = "",
) -> CancellationRequest:
    """Make a request for both units of an order's item, with an IBAN."""
    order = make_order()
    reason, _is_new = CancellationReason.objects.get_or_create(
        cancellation_type="cancel", subject="Changed my mind"
    )
    submission = Submission.objects.create(
        order=order,
        user=order.user,
        origin=Submission.Origin.DIRECT,
        state=Submission.State.REFUSED,
        cause=cause,
    )
    line = SubmissionLine.objects.create(
        submission=submission,
        order_item=order.items.get(),
        reason=reason,
        cancellation_type="cancel",
        quantity=2,
        description=description,
        iban=IBAN,
        holder_name="Ayşe Yılmaz",
    )
    request = CancellationRequest.objects.create(line=line, status=status, cause=cause)
    if status == CancellationRequest.Status.WAITING:
        open_deliveries([request])
        Delivery.objects.filter(request=request).update(error=delivery_error)
    return request
