"""Pages that keep themselves up to date: they ask for themselves, naming the version that they show."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from aftercart.orders.models import Order


def answer_unchanged(request: HttpRequest, order: Order) -> HttpResponse | None:
    """Answer 204 to a page that shows the order as it is; None if there is something new to show.

    The version moves with every write that a page could show, so this costs no more than reading the order.
    """
    if request.GET.get("version") != str(order.version):
        return None
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
