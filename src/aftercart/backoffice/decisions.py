"""Approve and reject: permission, POST, one action for each request, and what came of it, in words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextareaWidget

from aftercart.accounts.models import User
from aftercart.actions.requests.approve_request import approve_request
from aftercart.actions.requests.find_obstacle import RequestDecided, find_obstacle, find_rejection_obstacle
from aftercart.actions.requests.reject_request import reject_request
from aftercart.backoffice.links import link_order, link_row, make_list_url, make_url
from aftercart.backoffice.row_actions import open_row
from aftercart.backoffice.sheets import Panel, SheetAdmin
from aftercart.backoffice.timeline import name_item
from aftercart.backoffice.words import Text, show_badge
from aftercart.cancellations.models import CancellationRequest
from aftercart.lib.ids import read_id
from aftercart.orders.errors import ActionError

_Admin = SheetAdmin[CancellationRequest]

#: How many requests one click may decide; more than a page of the list nobody has looked at.
MOST = 50
#: In the form that approves several: they have been looked at.
CONFIRMED: Final = "confirmed"
_COLUMNS: Final = (
    gettext_lazy("Request"), gettext_lazy("Product"), gettext_lazy("Order"), gettext_lazy("Type"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one request of several, in words."""

    request: CancellationRequest
    text: str
    tone: str


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
    found = open_row(admin, request, pk)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        approve_request(found.pk, _get_staff(request))
    except ActionError as error:
        return _say_failure(request, found, error)
    messages.success(
        request, _("Request #%(pk)s is approved; it is on its way to Omnitron.") % {"pk": found.pk}
    )
    return HttpResponseRedirect(_make_queue_url(admin, request))


def reject_one(admin: _Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a reason, then reject one request and go on with the queue."""
    found = open_row(admin, request, pk)
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    form = RejectionForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        obstacle = find_rejection_obstacle(found)
        if obstacle is not None:  # before anybody writes a reason for nothing
            return _say_failure(request, found, obstacle)
        return _ask_reason(admin, request, found, form)
    try:
        reject_request(found.pk, _get_staff(request), form.cleaned_data["reason"])
    except ActionError as error:
        return _say_failure(request, found, error)
    messages.success(request, _("Request #%(pk)s is rejected; the customer can read why.") % {"pk": found.pk})
    return HttpResponseRedirect(_make_queue_url(admin, request))


def approve_many(admin: _Admin, request: HttpRequest) -> HttpResponse | None:
    """Show what approving the selected requests would do, then approve each in a transaction of its own."""
    chosen = _choose(admin, request)
    if not chosen:
        return None
    if CONFIRMED not in request.POST:
        return _confirm(admin, request, chosen, find_obstacle, action="approve_selected")
    return _show_fates(
        admin, request, _decide_each(request, chosen, approve_request, _("You have just approved it."))
    )


def reject_many(admin: _Admin, request: HttpRequest) -> HttpResponse | None:
    """Ask for one reason, then reject each selected request in a transaction of its own."""
    chosen = _choose(admin, request)
    if not chosen:
        return None
    form = RejectionForm(request.POST if "reason" in request.POST else None)
    if not form.is_valid():
        return _confirm(admin, request, chosen, find_rejection_obstacle, action="reject_selected", form=form)
    reason = form.cleaned_data["reason"]
    fates = _decide_each(
        request, chosen, lambda pk, staff: reject_request(pk, staff, reason), _("You have just rejected it.")
    )
    return _show_fates(admin, request, fates)


def _choose(admin: _Admin, request: HttpRequest) -> list[CancellationRequest]:
    """Load what was selected, oldest first; nothing, if that is more than a person has looked at.

    By what was selected, not by the filter of the list: what a colleague has decided meanwhile may have left it.
    """
    if not admin.has_change_permission(request):
        raise PermissionDenied
    selected = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
    pks = {pk for pk in map(read_id, selected) if pk is not None}
    if len(pks) > MOST:
        messages.error(request, _("Choose at most %(count)d requests at a time.") % {"count": MOST})
        return []
    return list(admin.get_queryset(request).filter(pk__in=pks).order_by("created_date", "pk"))


def _decide_each(
    request: HttpRequest,
    chosen: Iterable[CancellationRequest],
    decide: Callable[[int, User], None],
    done: str,
) -> list[Fate]:
    """Decide one after the other, and say of each what became of it."""
    fates = []
    for found in chosen:
        try:
            decide(found.pk, _get_staff(request))
        except ActionError as error:
            # Somebody else was quicker, or it cannot be done.
            tone = "warn" if isinstance(error, RequestDecided) else "wrong"
            fates.append(Fate(found, _describe_obstacle(error), tone))
        else:
            fates.append(Fate(found, done, "good"))
    return fates


def _describe_obstacle(error: ActionError | None) -> str:
    return " ".join(error.sentences()) if error else ""


def _confirm(
    admin: _Admin,
    request: HttpRequest,
    chosen: list[CancellationRequest],
    find: Callable[[CancellationRequest], ActionError | None],
    *,
    action: str,
    form: RejectionForm | None = None,
) -> HttpResponse:
    """Show what is about to be decided, and of what is not possible why, before anything is."""
    obstacles = {found.pk: _describe_obstacle(find(found)) for found in chosen}
    possible = [found for found in chosen if not obstacles[found.pk]]
    others = [Fate(found, obstacles[found.pk], "wrong") for found in chosen if obstacles[found.pk]]
    if form is None:
        title = ngettext("Approve %(count)d request?", "Approve %(count)d requests?", len(possible))
    else:
        title = ngettext("Reject %(count)d request", "Reject %(count)d requests", len(possible))
    panels = [
        Panel(
            title % {"count": len(possible)}, columns=_COLUMNS, rows=[_make_row(found) for found in possible]
        )
    ]
    if others:
        panels.append(_list_fates(_("Not possible"), others))
    return admin.show_page(
        request,
        "backoffice/decide.html",
        title=title % {"count": len(possible)},
        form=form,
        panels=panels,
        is_possible=bool(possible),
        selected=[found.pk for found in chosen],
        checkbox=helpers.ACTION_CHECKBOX_NAME,
        action=action,
        confirmed=CONFIRMED,
        back=request.get_full_path(),
    )


def _show_fates(admin: _Admin, request: HttpRequest, fates: Sequence[Fate]) -> HttpResponse:
    """Show what became of each request."""
    done = sum(1 for fate in fates if fate.tone == "good")
    title = ngettext(
        "%(done)d of %(count)d request decided", "%(done)d of %(count)d requests decided", len(fates)
    )
    title %= {"done": done, "count": len(fates)}
    panels, back = [_list_fates(title, fates)], request.get_full_path()
    return admin.show_page(request, "backoffice/decided.html", title=title, panels=panels, back=back)


def _list_fates(title: str, fates: Sequence[Fate]) -> Panel:
    rows = [(*_make_row(fate.request), show_badge(fate.text, fate.tone)) for fate in fates]
    return Panel(title, columns=(*_COLUMNS, _("Outcome")), rows=rows)


def _make_row(found: CancellationRequest) -> tuple[Text, ...]:
    item = found.line.order_item
    return (
        link_row(CancellationRequest, found.pk, f"#{found.pk}"),
        f"{found.line.quantity} × {name_item(item)}",
        link_order(item.order),
        found.line.get_cancellation_type_display(),
    )


def _ask_reason(
    admin: _Admin, request: HttpRequest, found: CancellationRequest, form: RejectionForm
) -> HttpResponse:
    return admin.show_page(
        request,
        "backoffice/form.html",
        title=_("Reject request #%(pk)s") % {"pk": found.pk},
        form=form,
        lines=[_describe(found)],
        back=make_url(CancellationRequest, found.pk),
        button=_("Reject"),
        is_hard=True,
    )


def _describe(found: CancellationRequest) -> str:
    line = found.line
    return _("#%(pk)s – %(units)s × %(product)s, order %(number)s") % {
        "pk": found.pk,
        "units": line.quantity,
        "product": name_item(line.order_item),
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
