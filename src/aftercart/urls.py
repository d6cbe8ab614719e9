"""All URLs. Where a page and the API share one, `by_format` chooses. Trailing slashes are part of a path."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path, re_path, register_converter
from django.views.i18n import set_language

from aftercart.api import events, health, metrics, orders, session
from aftercart.api.schema.views import ReadDocument, serve_document
from aftercart.lib.negotiation import by_format
from aftercart.pages import views as pages


class TextConverter:
    """A path segment that may be an order number or a signed one: bounded, nothing that SQL cannot hold."""

    regex = r"[^/\x00]{1,200}"

    def to_python(self, value: str) -> str:
        """Take it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Write it as it is."""
        return value


register_converter(TextConverter, "text")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path(
        "orders/completed/<text:signed>/",
        by_format(html=pages.completed, json=orders.CompletedOrder.as_view()),
        name="order-completed",
    ),
    path("orders/guest/<text:signed>/", pages.guest, name="order-guest"),
    path(
        "orders/change-address/",
        by_format(html=pages.change_address, json=orders.ChangeAddress.as_view()),
        name="change-address",
    ),
    path(
        "orders/<text:number>/cancel/",
        by_format(html=pages.cancel, json=orders.CancelOrder.as_view()),
        name="order-cancel",
    ),
    path("orders/<text:number>/cancel/<uuid:uuid>/", pages.cancel_result, name="order-cancel-result"),
    path("orders/<text:number>/cancel/quote/", orders.QuoteCancellation.as_view(), name="order-cancel-quote"),
    path("users/login/", by_format(html=pages.login, json=session.Login.as_view()), name="login"),
    # The storefront's client logs out without the slash, and a redirect would turn its POST into a GET.
    re_path(r"^users/logout/?$", by_format(html=pages.logout, json=session.Logout.as_view()), name="logout"),
    path("users/orders/", by_format(html=pages.order_list, json=orders.Orders.as_view()), name="orders"),
    path(
        "users/orders/cancellation_reasons/",
        orders.CancellationReasons.as_view(),
        name="cancellation-reasons",
    ),
    path(
        "users/orders/bulk_cancellation_requests/",
        orders.BulkCancellationRequests.as_view(),
        name="bulk-cancellation-requests",
    ),
    path(
        "users/orders/cancellation_requests/",
        orders.CancellationRequests.as_view(),
        name="cancellation-requests",
    ),
    path(
        "users/orders/<int:pk>/",
        by_format(html=pages.order_detail, json=orders.OrderDetail.as_view()),
        name="order-detail",
    ),
    path("users/orders/<int:pk>/receipt/", pages.receipt, name="order-receipt"),
    path("orders/style.css", pages.style, name="style"),
    path("orders/language/", set_language, name="set-language"),
    path("current_user/", session.CurrentUser.as_view(), name="current-user"),
    path("csrf_token/", session.CsrfToken.as_view(), name="csrf-token"),
    path("omnitron/events/", events.OmnitronEvents.as_view(), name="omnitron-events"),
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.show, name="metrics"),
    path("api/schema/", serve_document, name="schema"),
    path("api/docs/", ReadDocument.as_view(), name="docs"),
    path("backoffice/", admin.site.urls),
]

handler400 = "aftercart.pages.errors.bad_request"
handler403 = "aftercart.pages.errors.forbidden"
handler404 = "aftercart.pages.errors.not_found"
handler500 = "aftercart.pages.errors.server_error"
