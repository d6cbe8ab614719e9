"""The "try it" page: what a version of the policy says of an order, which rule decides, and why the others do not."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _

from aftercart.backoffice.desk import DeskAdmin
from aftercart.backoffice.policy_forms import TryForm
from aftercart.backoffice.policy_words import (
    name_book,
    say_content,
    say_outcome,
    say_subject,
    show_effect,
)
from aftercart.backoffice.sheets import Panel
from aftercart.backoffice.timeline import name_item
from aftercart.backoffice.words import NOTHING, say_moment, show_badge
from aftercart.cancellations.models import CancellationType
from aftercart.cancellations.models.policies import PolicyVersion
from aftercart.cancellations.policy.explain import OrderExplanation, explain_order
from aftercart.cancellations.policy.selectors import get_book, read_book
from aftercart.lib.clock import get_now
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.policy.explain import Look


def try_policy(admin: DeskAdmin[PolicyVersion], request: HttpRequest) -> HttpResponse:
    """Show the form, and what comes of it. Reads only, so that it takes GET only."""
    if not (admin.has_view_or_change_permission(request) and request.user.has_perm("orders.view_order")):
        raise PermissionDenied
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    form = TryForm(request.GET or None)
    context: dict[str, Any] = {"title": _("Try the policy"), "form": form}
    if form.is_valid():
        order = Order.objects.filter(number=form.cleaned_data["number"].strip()).first()
        version = PolicyVersion.objects.filter(pk=form.cleaned_data["version"]).first()
        if order is None:
            form.add_error("number", _("There is no such order."))
        elif form.cleaned_data["version"] and version is None:
            form.add_error("version", _("There is no such version."))
        else:
            context |= _try_order(order, version, form.cleaned_data, request)
    return admin.show_page(request, "backoffice/policy_try.html", **context)


def _try_order(
    order: Order, version: PolicyVersion | None, entered: dict[str, Any], request: HttpRequest
) -> dict[str, Any]:
    items = list(OrderItem.objects.filter(order=order).order_by("pk"))
    typed = {item.pk: request.GET.get(f"units-{item.pk}", "") for item in items}
    quantities = {
        item.pk: _read_quantity(typed[item.pk], item) for item in items if typed[item.pk].strip() != "0"
    }
    at = entered["at"] or get_now()
    explained = explain_order(
        order,
        book=read_book(version) if version else get_book(at),
        at=at,
        kind=entered["kind"] or None,
        quantities=quantities,
    )
    names = {item.pk: name_item(item) for item in items}
    units = [(item.pk, names[item.pk], item.left_quantity, typed[item.pk]) for item in items]
    return {
        "order": order,
        "units": units,
        "summary": _("Judged by %(book)s, at %(at)s")
        % {"book": name_book(explained.book), "at": say_moment(at)},
        "verdicts": list(_describe(explained, names)),
    }


def _read_quantity(typed: str, item: OrderItem) -> int | None:
    """Read how many units are tried; what makes no sense counts as all that is left."""
    quantity = int(typed) if typed.strip().isdecimal() and len(typed) < 10 else 0  # noqa: PLR2004 - no number that long
    return quantity if 0 < quantity <= item.left_quantity else None


def _describe(explained: OrderExplanation, names: dict[int, str]) -> Iterator[dict[str, Any]]:
    if explained.address is not None:
        refusal = explained.address.refusal
        yield {
            "title": _("Another delivery address"),
            "badge": show_badge(_("Refused"), "wrong") if refusal else show_badge(_("Possible"), "good"),
            "sentences": [_say_finding(refusal.message, refusal.code, refusal.clause)] if refusal else [],
            "panel": _list_looks(explained.address.looks),
        }
    for item in explained.items:
        yield {
            "title": f"{names[item.item.order_item]}, {CancellationType(item.requested.cancellation_type).label}",
            "badge": show_effect(item.effect),
            "sentences": [_say_finding(f.message, f.code, f.clause) for f in item.findings],
            "panel": _list_looks(item.looks),
        }


def _say_finding(message: str, code: str, clause: int | None) -> str:
    if clause is None:
        return _("%(message)s (%(code)s; no rule of the policy)") % {"message": message, "code": code}
    return _("%(message)s (%(code)s; rule %(number)s)") % {
        "message": message,
        "code": code,
        "number": clause,
    }


def _list_looks(looks: Iterable[Look]) -> Panel:
    rows = [
        (
            str(look.clause.number),
            look.clause.topic.declared.name,
            show_effect(look.clause.effect),
            say_subject(look.clause),
            say_content(look.clause),
            show_badge(say_outcome(look), "info") if look.decides else say_outcome(look),
        )
        for look in looks
    ]
    columns = (_("Rule"), _("Topic"), _("Effect"), _("Applies to"), _("Says"), _("See details"))
    return Panel(_("Rules looked at"), columns=columns, rows=rows, empty=NOTHING)
