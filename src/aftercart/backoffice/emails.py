"""The outbox: what was written to customers, what is stuck, and how each kind of e-mail looks."""

from base64 import b64encode
from typing import ClassVar

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.actions.mail.resend_email import resend_email
from aftercart.backoffice.columns import ORDER_COLUMN, STATE_COLUMN, age_column, number_column
from aftercart.backoffice.filters import EmailKindFilter, EmailStateFilter
from aftercart.backoffice.links import link_order
from aftercart.backoffice.row_actions import act
from aftercart.backoffice.search import OwnSearch
from aftercart.backoffice.sheets import Fact, Panel, Sheet, SheetAdmin, keep_filled
from aftercart.backoffice.words import say_moment, show_state
from aftercart.lib.barcodes import write_qr
from aftercart.mail.compose import QR_PICTURE, render_email
from aftercart.mail.examples import make_example
from aftercart.mail.models import Email

#: An e-mail brings its own style and nothing else, and may do nothing.
_PREVIEW_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; sandbox"
)


@admin.register(Email)
class EmailAdmin(SheetAdmin[Email]):
    """E-mails, newest first. What is in a one-time code's e-mail is nobody's business, and shown nowhere."""

    sheet_template = "backoffice/email.html"
    is_acted_on = True
    change_list_template = "backoffice/emails.html"
    read_along = ("order",)
    list_display = ("show_number", "kind", "show_order", "recipient", "show_state", "attempts", "show_age")
    list_filter = (EmailStateFilter, EmailKindFilter)
    search_fields = ("order__number", "recipient")
    search_help_text = _("Order number or e-mail")
    search = OwnSearch(("recipient",), order="order")
    ordering = ("-id",)
    more_pages: ClassVar = {
        "resend": "<int:pk>/resend/",
        "previews": "previews/",
        "preview": "previews/<slug:kind>/<slug:language>/<slug:form>/",
    }

    show_number = number_column(_("e-mail"))
    show_order = ORDER_COLUMN
    show_state = STATE_COLUMN
    show_age = age_column("created_at")

    def make_sheet(self, request: HttpRequest, obj: Email) -> Sheet:
        """Write the page of one e-mail."""
        facts = [
            Fact(_("Order"), link_order(obj.order)),
            Fact(_("To"), obj.recipient),
            Fact(_("Language"), dict(settings.LANGUAGES).get(obj.language, obj.language)),
            Fact(_("Attempts"), str(obj.attempts) if obj.attempts else ""),
            Fact(_("What went wrong"), obj.error),
            Fact(_("Needs attention since"), say_moment(obj.manual_since)),
            Fact(_("Written"), say_moment(obj.created_at)),
            Fact(_("Sent"), say_moment(obj.sent_at)),
            Fact(_("Message-ID"), obj.message_id),
        ]
        can_resend = (
            self.has_change_permission(request, obj) and obj.manual_since is not None and obj.is_repeatable
        )
        return Sheet(
            title=gettext("E-mail #%(pk)s") % {"pk": obj.pk},
            badge=show_state(obj.state, obj.get_state_display()),
            subtitle=obj.get_kind_display(),
            main=[Panel(_("E-mail"), keep_filled(facts))],
            more={"can_resend": can_resend},
        )

    def resend(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have an e-mail that was given up sent again (POST)."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        found, done = get_object_or_404(Email, pk=pk), gettext("The e-mail will be sent again.")
        return act(request, found, done, lambda _staff: resend_email(pk))

    def previews(self, request: HttpRequest) -> HttpResponse:
        """List every kind of e-mail in every language, to be looked at with example data."""
        self._check_view(request)
        return self.show_page(
            request,
            "backoffice/email_previews.html",
            title=gettext("How e-mails look"),
            kinds=Email.Kind.choices,
            languages=settings.LANGUAGES,
        )

    def preview(self, request: HttpRequest, kind: str, language: str, form: str) -> HttpResponse:
        """Show one kind of e-mail as HTML or as text. Raises Http404."""
        self._check_view(request)
        if kind not in Email.Kind or language not in dict(settings.LANGUAGES) or form not in {"html", "text"}:
            raise Http404
        opt_out = f"{settings.PUBLIC_URL}/mail/opt-out/…/" if kind in Email.OPTIONAL else ""
        draft, text, html = render_email(
            kind, make_example(kind, language), language=language, opt_out=opt_out
        )
        if form == "text":
            return HttpResponse(text, content_type="text/plain; charset=utf-8")
        if draft.is_scanned:  # a browser finds no picture inside a mail
            picture = b64encode(write_qr(draft.code)).decode()
            html = html.replace(f"cid:{QR_PICTURE}", f"data:image/png;base64,{picture}")
        response = HttpResponse(html)
        response.headers["Content-Security-Policy"] = _PREVIEW_POLICY
        return response

    def _check_view(self, request: HttpRequest) -> None:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
