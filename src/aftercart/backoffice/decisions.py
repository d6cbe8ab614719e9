"""Approve and reject: permission, POST, one action for each request, and what came of it, in words."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextareaWidget

from aftercart.accounts.models import User
from aftercart.actions.approve_request import approve_request
from aftercart.actions.reject_request import reject_request
from aftercart.backoffice.links import make_list_url, make_url
from aftercart.backoffice.sheets import SheetAdmin
from aftercart.backoffice.timeline import name_item
from aftercart.cancellations.models import CancellationRequest
from aftercart.orders.errors import ActionError

_Admin = SheetAdmin[CancellationRequest]

#: How many requests one click may decide; more than a page of the list nobody has looked at.
MOST = 50


class RejectionForm(forms.Form):
    """Why a request is rejected: the customer will read it."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The customer will read it."),
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "autofocus": True}),
    )


def approve_one(admin: _Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Approve one request and go on with the queue; what cannot be approved is shown, with the reason."""
    found = _open(admin, request, pk)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        approve_request(found.pk, _get_staff(request))
    except ActionError as error:
        return _say_failure(request, found, error)
    messages.success(request, _("Request #%(pk)s is approved; it goes to Omnitron now.") % {"pk": found.pk})
    return HttpResponseRedirect(_make_queue_url(admin, request))


def reject_one(admin: _Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a reason, then reject one request and go on with the queue."""
    found = _open(admin, request, pk)
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    form = RejectionForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _ask_reason(admin, request, [found], form, back=make_url(CancellationRequest, found.pk))
    try:
        reject_request(found.pk, _get_staff(request), form.cleaned_data["reason"])
    except ActionError as error:
        return _say_failure(request, found, error)
    messages.success(request, _("Request #%(pk)s is rejected; the customer can read why.") % {"pk": found.pk})
    return HttpResponseRedirect(_make_queue_url(admin, request))


def approve_many(admin: _Admin, request: HttpRequest, queryset: QuerySet[CancellationRequest]) -> None:
    """Approve each selected request in a transaction of its own, and tell how many were."""
    chosen = _choose(admin, request, queryset)
    count = _decide_each(request, chosen, approve_request)
    if count:
        text = ngettext("%(count)d request is approved.", "%(count)d requests are approved.", count)
        messages.success(request, text % {"count": count})


def reject_many(
    admin: _Admin, request: HttpRequest, queryset: QuerySet[CancellationRequest]
) -> HttpResponse | None:
    """Ask for one reason, then reject each selected request in a transaction of its own."""
    chosen = _choose(admin, request, queryset)
    if not chosen:
        return None
    form = RejectionForm(request.POST if "reason" in request.POST else None)
    if not form.is_valid():
        return _ask_reason(
            admin, request, chosen, form, back=request.get_full_path(), action="reject_selected"
        )
    reason = form.cleaned_data["reason"]
    count = _decide_each(request, chosen, lambda pk, staff: reject_request(pk, staff, reason))
    if count:
        text = ngettext("%(count)d request is rejected.", "%(count)d requests are rejected.", count)
        messages.success(request, text % {"count": count})
    return None


def _open(admin: _Admin, request: HttpRequest, pk: int) -> CancellationRequest:
    found = admin.get_queryset(request).filter(pk=pk).first()
    if not admin.has_change_permission(request, found):
        raise PermissionDenied
    if found is None:
        raise Http404
    return found


def _choose(
    admin: _Admin, request: HttpRequest, queryset: QuerySet[CancellationRequest]
) -> list[CancellationRequest]:
    """Load what was selected, oldest first; nothing, if that is more than a person has looked at."""
    if not admin.has_change_permission(request):
        raise PermissionDenied
    chosen = list(queryset.order_by("created_date", "pk")[: MOST + 1])
    if len(chosen) > MOST:
        messages.error(request, _("Choose at most %(count)d requests at a time.") % {"count": MOST})
        return []
    return chosen


def _decide_each(
    request: HttpRequest,
    chosen: Iterable[CancellationRequest],
    decide: Callable[[int, User], None],
) -> int:
    """Decide one after the other; tell how many, and say of the others why not."""
    count = 0
    failures: Counter[str] = Counter()
    for found in chosen:
        try:
            decide(found.pk, _get_staff(request))
        except ActionError as error:
            failures[" ".join(error.sentences())] += 1
        else:
            count += 1
    for sentence, times in failures.items():
        text = ngettext(
            "%(count)d request was left as it is: %(why)s",
            "%(count)d requests were left as they are: %(why)s",
            times,
        )
        messages.error(request, text % {"count": times, "why": sentence})
    return count


def _ask_reason(
    admin: _Admin,
    request: HttpRequest,
    chosen: list[CancellationRequest],
    form: RejectionForm,
    *,
    back: str,
    action: str = "",
) -> HttpResponse:
    title = ngettext("Reject %(count)d request", "Reject %(count)d requests", len(chosen))
    context: dict[str, Any] = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title % {"count": len(chosen)},
        "form": form,
        "lines": [_describe(found) for found in chosen],
        "selected": [found.pk for found in chosen] if action else [],
        "checkbox": helpers.ACTION_CHECKBOX_NAME,
        "action": action,
        "back": back,
    }
    return TemplateResponse(request, "backoffice/reject.html", context)


def _describe(found: CancellationRequest) -> str:
    line = found.line
    return _("#%(pk)s – %(units)s × %(product)s, order %(number)s") % {
        "pk": found.pk,
        "units": line.quantity,
        "product": name_item(line.order_item.product, line.order_item.sku),
        "number": line.order_item.order.number,
    }


def _say_failure(request: HttpRequest, found: CancellationRequest, error: ActionError) -> HttpResponse:
    for sentence in error.sentences():
        messages.error(request, sentence)
    return HttpResponseRedirect(make_url(CancellationRequest, found.pk))


def _make_queue_url(admin: _Admin, request: HttpRequest) -> str:
    """Write the address of the list as the person had filtered it."""
    filters = request.GET.get("_changelist_filters", "") if admin.preserve_filters else ""
    url = make_list_url(CancellationRequest)
    return f"{url}?{filters}" if filters else url


def _get_staff(request: HttpRequest) -> User:
    return cast("User", request.user)
