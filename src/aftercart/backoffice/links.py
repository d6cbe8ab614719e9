"""Links between the pages of the back office."""

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from aftercart.backoffice.reader import may_open
from aftercart.backoffice.words import NOTHING, Text
from aftercart.orders.models import Order


def make_list_url(model: type[Model], **filters: str) -> str:
    """Write the address of a model's list, with these filters chosen."""
    url = reverse(f"admin:{_name(model)}_changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def make_url(model: type[Model], pk: int, page: str = "change") -> str:
    """Write the address of one row's page, or of what is done to it there."""
    return reverse(f"admin:{_name(model)}_{page}", args=[pk])


def link_row(model: type[Model], pk: int, text: Text) -> SafeString:
    """Link a row's page; to who may not open it, it is but named."""
    if not may_open(model):
        return format_html("{}", text)
    return format_html('<a class="bo-link" href="{}">{}</a>', make_url(model, pk), text)


def link_order(order: Order | None) -> str:
    """Link an order's page; a dash for none."""
    return NOTHING if order is None else link_row(Order, order.pk, order.number)


def _name(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"
