"""All URLs. Where a page and the API share one, `by_format` chooses. Trailing slashes are part of a path."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path, re_path, register_converter
from django.urls.converters import StringConverter

from aftercart.api import (
    account,
    addresses,
    events,
    guests,
    health,
    intake,
    loyalty,
    metrics,
    orders,
    photos,
    session,
    withdrawals,
)
from aftercart.api.schema.views import ReadDocument, serve_document
from aftercart.lib.identity import with_own_accounts
from aftercart.lib.negotiation import by_format
from aftercart.pages import views as pages


class TextConverter(StringConverter):
    """A path segment that may be an order number or a signed one: bounded, nothing that SQL cannot hold."""

    regex = r"[^/\x00]{1,200}"


class TokenConverter(StringConverter):
    """A signed token that holds more than a number."""

    regex = r"[A-Za-z0-9:_=-]{1,1000}"


admin.autodiscover()
register_converter(TextConverter, "text")
register_converter(TokenConverter, "token")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path(
        "orders/completed/<text:signed>/",
        by_format(html=pages.completed, json=orders.CompletedOrder.as_view()),
        name="order-completed",
    ),
    path("orders/guest/", pages.guest_lookup, name="guest-lookup"),
    path("orders/guest/code/", pages.guest_code, name="guest-code"),
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
    path("orders/<text:number>/cancel/<uuid:uuid>/take-back/", pages.take_back, name="take-back"),
    path(
        "orders/<text:number>/cancel/<uuid:uuid>/pickup.ics",
        pages.pickup_calendar,
        name="pickup-calendar",
    ),
    path("orders/<text:number>/cancel/<uuid:uuid>/pickup/", pages.change_pickup, name="change-pickup"),
    path(
        "orders/<text:number>/cancel/photos/",
        by_format(html=pages.add_photos, json=photos.ReturnPhotos.as_view()),
        name="return-photos",
    ),
    path(
        "orders/<text:number>/cancel/photos/<uuid:uuid>/",
        by_format(html=pages.return_photo, json=photos.ReturnPhotoFile.as_view()),
        name="return-photo",
    ),
    path("orders/<text:number>/ways/", pages.ways, name="order-ways"),
    path(
        "orders/<text:number>/withdraw/",
        by_format(html=pages.withdraw, json=withdrawals.WithdrawOrder.as_view()),
        name="order-withdraw",
    ),
    path(
        "orders/<text:number>/withdraw/<uuid:statement>/",
        pages.withdrawal_receipt,
        name="withdrawal-receipt",
    ),
    path("orders/guest/<text:signed>/withdraw/", pages.guest_withdraw, name="guest-withdraw"),
    path(
        "orders/guest/<text:signed>/withdraw/<uuid:statement>/",
        pages.guest_withdraw,
        name="guest-withdrawal-receipt",
    ),
    path(
        "withdraw/",
        by_format(html=pages.state_withdrawal, json=withdrawals.StateWithdrawal.as_view()),
        name="state-withdrawal",
    ),
    path("withdraw/<uuid:uuid>/", pages.statement, name="statement"),
    path("withdraw/<uuid:uuid>/order/", pages.statement_order, name="statement-order"),
    path("mail/opt-out/<text:token>/", pages.opt_out, name="mail-opt-out"),
    path("mail/kept/", pages.kept_mails, name="kept-mails"),
    path("mail/kept/<slug:name>/", pages.kept_mail, name="kept-mail"),
    path("mail/kept/<slug:name>/body/", pages.kept_mail_body, name="kept-mail-body"),
    path("orders/<text:number>/cancel/quote/", orders.QuoteCancellation.as_view(), name="order-cancel-quote"),
    path("users/login/", by_format(html=pages.login, json=session.Login.as_view()), name="login"),
    # The storefront's client logs out without the slash, and a redirect would turn its POST into a GET.
    re_path(r"^users/logout/?$", by_format(html=pages.logout, json=session.Logout.as_view()), name="logout"),
    *with_own_accounts(
        path("users/login/code/", pages.login_code, name="login-code"),
        path("users/profile/", account.Profile.as_view(), name="profile"),
        path("users/password/change/", account.PasswordChange.as_view(), name="password-change"),
        path(
            "users/password/reset/",
            by_format(html=pages.forgotten_password, json=account.PasswordReset.as_view()),
            name="forgotten-password",
        ),
        path(
            "users/reset/<text:uid>/<text:token>/",
            by_format(html=pages.set_password, json=account.SetPassword.as_view()),
            name="set-password",
        ),
        path("users/email-change/", account.EmailChange.as_view(), name="email-change"),
        path(
            "users/email-set-primary/<token:token>/",
            by_format(html=pages.set_email, json=account.EmailSetPrimary.as_view()),
            name="email-set-primary",
        ),
        path("users/registration/", account.Registration.as_view(), name="registration"),
        path("users/anonymize/", account.Anonymize.as_view(), name="anonymize"),
        path("users/contact-us-subjects/", account.NoContactSubjects.as_view(), name="contact-subjects"),
        path("account/basket-offers/", account.NoOffers.as_view(), name="basket-offers"),
        path("account/future-basket-offers/", account.NoOffers.as_view(), name="future-basket-offers"),
        path("account/expired-basket-offers/", account.NoOffers.as_view(), name="expired-basket-offers"),
        path("account/discount-items/", account.NoOffers.as_view(), name="discount-items"),
    ),
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
        "users/orders/cancellation_requests/<text:pk>/take-back/",
        orders.TakeBack.as_view(),
        name="take-back-request",
    ),
    path("users/orders/anonymous/", guests.AnonymousOrders.as_view(), name="anonymous-orders"),
    path(
        "users/orders/<int:pk>/",
        by_format(html=pages.order_detail, json=orders.OrderDetail.as_view()),
        name="order-detail",
    ),
    path("users/orders/<int:pk>/receipt/", pages.receipt, name="order-receipt"),
    path("orders/style.css", pages.style, name="style"),
    path("orders/language/", pages.choose_language, name="set-language"),
    path("account/loyalty-account-balance/", loyalty.LoyaltyBalance.as_view(), name="loyalty-balance"),
    path("account/loyalty/", loyalty.LoyaltyLedger.as_view(), name="loyalty-ledger"),
    path("account/points/", pages.points, name="points"),
    *with_own_accounts(
        path(
            "address/",
            by_format(html=pages.address_book, json=addresses.Addresses.as_view()),
            name="address-book",
        ),
        path("address/detailed/", addresses.DetailedAddresses.as_view(), name="address-detailed"),
        path("address/country/", addresses.Countries.as_view(), name="address-countries"),
        path("address/city/", addresses.Cities.as_view(), name="address-cities"),
        path("address/township/", addresses.Townships.as_view(), name="address-townships"),
        path("address/district/", addresses.Districts.as_view(), name="address-districts"),
        path(
            "address/<int:pk>/",
            by_format(html=pages.address_entry, json=addresses.AddressEntry.as_view()),
            name="address-entry",
        ),
    ),
    path("current_user/", session.CurrentUser.as_view(), name="current-user"),
    path("csrf_token/", session.CsrfToken.as_view(), name="csrf-token"),
    path("omnitron/events/", events.OmsEvents.as_view(), name="omnitron-events"),
    path("api/v1/orders/", intake.IntakeOrders.as_view(), name="intake-orders"),
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
