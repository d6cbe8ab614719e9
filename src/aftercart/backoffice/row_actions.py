"""What staff do with one row from its page: who may, and what is said afterwards."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from aftercart.accounts.models import User
from aftercart.backoffice.links import make_url
from aftercart.orders.errors import ActionError

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

_M = TypeVar("_M", bound=Model)


def open_row(admin: "ModelAdmin[_M]", request: HttpRequest, pk: int) -> _M:
    """Find a row that the reader may act on. Raises PermissionDenied, whether or not there is one, and Http404."""
    found = admin.get_queryset(request).filter(pk=pk).first()
    if not admin.has_change_permission(request, found):
        raise PermissionDenied
    if found is None:
        raise Http404
    return found


def act(request: HttpRequest, row: Model, done: str, action: Callable[[User], Any]) -> HttpResponse:
    """Carry an action out in the reader's name; on the row's page say that it is done, or why it is not."""
    try:
        action(cast("User", request.user))
    except ActionError as error:
        for sentence in error.sentences():
            messages.error(request, sentence)
    else:
        messages.success(request, done)
    return HttpResponseRedirect(make_url(type(row), row.pk))
