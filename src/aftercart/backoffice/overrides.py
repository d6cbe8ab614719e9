"""Override the policy: staff ask for an item on a customer's behalf, and say why."""

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from aftercart.actions.requests.override_policy import OverrideCommand, override_policy
from aftercart.backoffice.links import make_url
from aftercart.backoffice.policy_forms import OverrideForm
from aftercart.backoffice.timeline import name_item
from aftercart.cancellations.models import CancellationRequest
from aftercart.cancellations.selectors import list_reasons
from aftercart.lib.formats import get_active_language
from aftercart.orders.errors import ActionError
from aftercart.orders.models import Order, OrderItem

if TYPE_CHECKING:
    from aftercart.accounts.models import User
    from aftercart.backoffice.sheets import SheetAdmin


def may_override(request: HttpRequest) -> bool:
    """Return who may ask for what the policy refuses."""
    return request.user.has_perm("cancellations.override_policyversion")


def override_one(admin: "SheetAdmin[Order]", request: HttpRequest, pk: int) -> HttpResponse:
    """Ask what and why, then open the request and show it."""
    if not (may_override(request) and admin.has_view_or_change_permission(request)):
        raise PermissionDenied
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    order = get_object_or_404(Order, pk=pk)
    form = _make_form(order, request)
    if form.is_valid():
        try:
            made = override_policy(
                OverrideCommand(order=order.pk, **form.cleaned_data), cast("User", request.user)
            )
        except ActionError as error:
            for sentence in error.sentences():
                messages.error(request, sentence)
        else:
            messages.success(request, _("Request #%(pk)s was made against the policy.") % {"pk": made})
            can_see = request.user.has_perm("cancellations.view_cancellationrequest")
            url = make_url(CancellationRequest, made) if can_see else make_url(Order, order.pk)
            return HttpResponseRedirect(url)
    return admin.show_page(
        request,
        "backoffice/form.html",
        title=_("Override the policy for order %(number)s") % {"number": order.number},
        explanation=_(
            "This creates a request although the policy refuses it. It is decided like any other; what was"
            " overridden, by whom and why stays in the timeline."
        ),
        form=form,
        back=make_url(Order, order.pk),
        button=_("Create the request"),
        is_hard=True,
    )


def _make_form(order: Order, request: HttpRequest) -> OverrideForm:
    language = get_active_language()
    items = [
        (item.pk, f"{name_item(item)} ({item.left_quantity} × {item.get_status_display()})")
        for item in OrderItem.objects.filter(order=order).order_by("pk")
    ]
    reasons = [
        (reason.pk, f"{reason.get_cancellation_type_display()}: {reason.get_subject(language)}")
        for reason in list_reasons()
    ]
    return OverrideForm(request.POST if request.method == "POST" else None, items=items, reasons=reasons)
