"""The address book: add, and edit in place."""

from http import HTTPStatus
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from aftercart.accounts.models import Address, User
from aftercart.actions.address.add_address import add_address
from aftercart.actions.address.edit_address import edit_address
from aftercart.actions.address.remove_address import remove_address
from aftercart.lib.ids import read_id
from aftercart.orders.errors import ActionError, AddressNotFound
from aftercart.pages.address_form import STEP, AddressEntryForm, read_entry
from aftercart.pages.views.customer import SeeOther, customer_page, find_next, get_customer, list_addresses
from aftercart.pages.views.language import CHOICE


@customer_page("GET", "HEAD", "POST")
def address_book(request: HttpRequest) -> HttpResponse:
    """Show the book, with one entry's form in its place (`?edit=`); take a new address."""
    user = get_customer(request)
    if request.method != "POST":
        edited = _find_entry(user, request.GET.get("edit", ""))
        form = AddressEntryForm(initial=read_entry(edited) if edited else _suggest(user))
        return _show(request, form, edited)
    if request.POST.keys() & {STEP, CHOICE}:
        return _show(request, AddressEntryForm(initial=request.POST.dict()), None)
    form = AddressEntryForm(request.POST)
    if form.is_valid():
        try:
            added, _is_new = add_address(user, form.to_draft())
        except ActionError as error:
            form.complain(error)
        else:
            messages.success(request, _("The address has been added."))
            target = find_next(request)
            return SeeOther(_name_added(target, added.pk) if target else reverse("address-book"))
    return _show(request, form, None, HTTPStatus.BAD_REQUEST)


@customer_page("GET", "HEAD", "POST")
def address_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Change, remove or prefer an entry; shown by itself it is the book with the entry's form. Raises Http404."""
    user = get_customer(request)
    entry = _find_entry(user, str(pk))
    if entry is None:
        raise Http404
    if request.method != "POST":
        return SeeOther(f"{reverse('address-book')}?edit={pk}#address-{pk}")
    if request.POST.keys() & {STEP, CHOICE}:
        return _show(request, AddressEntryForm(initial=request.POST.dict()), entry)
    if "remove" in request.POST or "prefer" in request.POST:
        return _remove_or_prefer(request, user, pk)
    form = AddressEntryForm(request.POST)
    if form.is_valid():
        try:
            edit_address(user, pk, form.to_changes())
        except AddressNotFound as error:
            raise Http404 from error
        except ActionError as error:
            form.complain(error)
        else:
            messages.success(
                request, _("The address has been saved. Orders that you have already placed keep theirs.")
            )
            return SeeOther(reverse("address-book"))
    return _show(request, form, entry, HTTPStatus.BAD_REQUEST)


def _remove_or_prefer(request: HttpRequest, user: User, pk: int) -> HttpResponse:
    try:
        if "remove" in request.POST:
            remove_address(user, pk)
            messages.success(request, _("The address has been removed."))
        else:
            edit_address(user, pk, {}, is_primary=True)
            messages.success(request, _("This is now your default address."))
    except AddressNotFound as error:
        raise Http404 from error
    except ActionError as error:
        messages.error(request, str(error))
    return SeeOther(reverse("address-book"))


def _find_entry(user: User, typed: str) -> Address | None:
    pk = read_id(typed)
    return None if pk is None else Address.objects.filter(user=user, pk=pk).first()


def _name_added(target: str, pk: int) -> str:
    """Name a new address to the page that it was added for, which then chooses it."""
    parts = urlsplit(target)
    query = QueryDict(parts.query, mutable=True)
    query["address"] = str(pk)
    return parts._replace(query=query.urlencode()).geturl()


def _suggest(user: User) -> dict[str, str]:
    return {"first_name": user.first_name, "last_name": user.last_name, "phone_number": str(user.phone or "")}


def _show(
    request: HttpRequest, form: AddressEntryForm, edited: Address | None, status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {
        "addresses": list_addresses(get_customer(request)),
        "form": form,
        "edited": edited,
        "removed": _find_entry(get_customer(request), request.GET.get("remove", "")),
        "next": find_next(request),
    }
    return render(request, "pages/address_book.html", context, status=status)
