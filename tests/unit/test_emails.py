"""How e-mails look: in both languages, text and HTML alike, with nothing to fetch but pictures of products."""

import re
import struct
from email import message_from_bytes
from typing import Any

import pytest
from bs4 import BeautifulSoup
from pytest_django import Settings

from aftercart.actions.mail.notify_customer import describe_item
from aftercart.lib.barcodes import write_qr
from aftercart.mail.compose import compose_mail, make_opt_out_url, read_opt_out_token, render_email
from aftercart.mail.draft import EmailContent
from aftercart.mail.examples import make_example
from aftercart.mail.models import Email
from aftercart.orders.models import OrderItem

KINDS = pytest.mark.parametrize("kind", list(Email.Kind))
LANGUAGES = pytest.mark.parametrize("language", ["en", "tr"])


def read(html: str) -> str:
    return " ".join(BeautifulSoup(html, "html.parser").body.get_text(" ").split())  # type: ignore[union-attr]  # one that is missing fails the test


@KINDS
@LANGUAGES
def test_text_and_html_say_the_same(kind: str, language: str) -> None:
    draft, text, html = render_email(kind, make_example(kind, language), language=language)

    for said in (draft.heading, *draft.paragraphs, draft.note, draft.code):
        assert said in text
        assert said in read(html)
    for row in draft.rows:
        assert f"{row.quantity} × {row.name}" in text
        assert row.amount in text
    for label, value in [*draft.facts, *(fact for part in draft.sections for fact in part.facts)]:
        assert f"{label}: {value}" in text
        assert value in read(html)
    for part in draft.sections:
        assert all(step in text and step in read(html) for step in part.steps)
    assert "\n\n\n" not in text


@KINDS
def test_a_mail_program_fetches_the_products_pictures_alone_and_follows_its_colours(kind: str) -> None:
    draft, _text, html = render_email(kind, make_example(kind), language="en")

    page = BeautifulSoup(html, "html.parser")
    assert page.select("script, link, iframe, form") == []
    code = ["cid:return-code"] if kind == Email.Kind.RETURN_CODE else []  # it comes with the mail
    products = [(row.image, "") for row in draft.rows]
    assert [(tag["src"], tag["alt"]) for tag in page.select("img")][len(code) :] == products
    assert [tag["src"] for tag in page.select("img")][: len(code)] == code
    assert "url(" not in html
    assert "prefers-color-scheme: dark" in html
    assert [link["href"] for link in page.select("a")] == [make_example(kind).url] * len(page.select("a"))
    assert page.html is not None
    assert page.html["lang"] == "en"
    assert len(html.encode()) < 10_000


def test_a_picture_is_shown_from_where_pictures_may_come_alone(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://orders.example.com"
    settings.IMAGE_ORIGINS = ["https://cdn.example.com", "https://*.example.net"]
    shown = {
        "https://cdn.example.com/1.jpg": "https://cdn.example.com/1.jpg",
        "https://a.example.net/1.jpg": "https://a.example.net/1.jpg",
        "/media/1.jpg": "https://orders.example.com/media/1.jpg",
        "http://cdn.example.com/1.jpg": None,
        "https://cdn.example.com.evil.example/1.jpg": None,
        "https://[": None,
        "//evil.example/1.jpg": None,
    }
    for image, url in shown.items():
        item = OrderItem(pk=1, product={"name": "Mug", "image": image})
        picture = {} if url is None else {"image": url}
        assert describe_item(item, 2) == {"name": "Mug", "quantity": 2} | picture
    item = OrderItem(
        product={"image": "https://cdn.example.com/1.jpg"}, details={"image": "https://cdn.example.com/2.jpg"}
    )
    assert describe_item(item, 1)["image"] == "https://cdn.example.com/2.jpg"


def test_what_a_customer_wrote_is_no_html() -> None:
    content = EmailContent(
        number="<b>1</b>",
        facts={"items": [{"name": "<script>x</script>", "quantity": 1}], "reason": "<i>no</i>"},
        url="https://shop.example.com/",
    )

    draft, text, html = render_email(Email.Kind.REQUEST_REJECTED, content, language="en")

    assert "<script>" not in html
    assert "&lt;i&gt;no&lt;/i&gt;" in html
    assert "- 1 × <script>x</script>" in text
    assert draft.subject == "We could not complete your cancellation: order <b>1</b>"


def test_amounts_are_written_in_the_emails_language() -> None:
    example = make_example(Email.Kind.CANCELLATION_COMPLETED)

    assert "TRY 4,347.90" in render_email("cancellation_completed", example, language="en")[1]
    assert "4.347,90 TL" in render_email("cancellation_completed", example, language="tr")[1]


def test_a_receipt_tells_content_and_utc_time_and_does_not_accept() -> None:
    kind = Email.Kind.WITHDRAWAL_RECEIPT
    _draft, text, _html = render_email(kind, make_example(kind), language="en")

    assert "Submitted: 2026-03-14 21:07:45 UTC" in text
    assert "> I hereby withdraw from contract ORD-2026-001042 of 2 March 2026 about: 1 × Linen shirt." in text
    assert "Name: Ayşe Yılmaz" in text
    assert "It is a receipt, not a decision." in text
    assert not re.search(r"accept", text, re.IGNORECASE)


def test_only_optional_emails_say_how_to_stop_them(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://shop.example.com"
    url = make_opt_out_url("Ayse+x@Example.com")
    reminder = make_example(Email.Kind.ORDER_LINK_REMINDER)

    _draft, text, html = render_email("order_link_reminder", reminder, language="en", opt_out=url)

    assert url.startswith("https://shop.example.com/mail/opt-out/ayse%2Bx@example.com:")
    assert url in text
    assert "Unsubscribe" in read(html)
    assert read_opt_out_token("somebody@example.com:forged") is None


PAID_BACK = {
    "items": [],
    "currency": "TRY",
    "refund": "110.00",
    "points": "",
    "to": "payment_method",
    "account_end": "",
    "method": "Card",
    "is_paid": True,
    "is_refunded": True,
}


@pytest.mark.parametrize(
    ("facts", "said", "rows"),
    [
        (
            {},
            "We have made your refund. Your bank may take a few days to show it.",
            [("Refunded", "TRY 110.00"), ("Refunded to", "Original payment method (Card)")],
        ),
        (
            {"is_refunded": False, "to": "iban", "account_end": "1326", "points": "40.00"},
            "Your refund is on its way.",
            [
                ("Your refund", "TRY 110.00"),
                ("Of which in points (you paid with points)", "TRY 40.00"),
                ("Refunded to", "Account ending in 1326"),
            ],
        ),
        (
            {"to": "loyalty"},
            "It is added to your loyalty points.",
            [("Refunded", "TRY 110.00"), ("Refunded to", "Loyalty points")],
        ),
        (
            {"to": "", "points": "110.00"},
            "It is added to your loyalty points.",
            [("Refunded", "TRY 110.00"), ("Of which in points (you paid with points)", "TRY 110.00")],
        ),
        ({"is_paid": False, "refund": "", "to": ""}, "Nothing was paid, so nothing is returned.", []),
        (
            {"is_paid": False, "refund": "70.00", "points": "70.00", "to": ""},
            "No money was paid, so only the points that you spent are returned.",
            [("Refunded", "TRY 70.00"), ("Of which in points (you paid with points)", "TRY 70.00")],
        ),
    ],
)
def test_a_refund_is_told_with_how_it_stands_and_where_it_goes(
    facts: dict[str, object], said: str, rows: list[tuple[str, str]]
) -> None:
    content = EmailContent(number="1", facts=PAID_BACK | facts, url="https://shop.example.com/")

    draft, _text, _html = render_email(Email.Kind.CANCELLATION_COMPLETED, content, language="en")

    assert draft.paragraphs == [said]
    assert draft.facts == rows


@LANGUAGES
@pytest.mark.parametrize(
    "kind", ["cancellation_sent", "cancellation_confirmed", "request_received", "cancellation_completed"]
)
def test_no_email_quotes_what_nobody_paid(kind: str, language: str) -> None:
    example = make_example(kind)
    facts = {**example.facts, "items": [], "refund": "", "points": "", "to": "", "is_paid": False}

    draft, text, _html = render_email(kind, EmailContent(number="1", facts=facts, url=""), language=language)

    nothing = {
        "en": "Nothing was paid, so nothing is returned.",
        "tr": "Ödeme yapılmadığı için iade edilecek bir tutar yok.",
    }
    assert nothing[language] in draft.paragraphs
    assert draft.facts == []
    assert not re.search(r"comes back|refunded|iade edildiğini", text, re.IGNORECASE)


def test_a_return_code_comes_with_its_picture_which_is_a_part_of_the_mail() -> None:
    facts = make_example(Email.Kind.RETURN_CODE).facts
    email = Email(kind=Email.Kind.RETURN_CODE, facts=facts, recipient="ayse@example.com", language="tr")

    mail: Any = message_from_bytes(compose_mail(email).message().as_bytes())

    words, picture = mail.get_payload()
    assert mail.get_content_type() == "multipart/related"
    assert [part.get_content_type() for part in words.get_payload()] == ["text/plain", "text/html"]
    assert (picture["Content-ID"], picture.get_content_type()) == ("<return-code>", "image/png")
    png = picture.get_payload(decode=True)
    # 21 modules, and 4 of quiet on each side, at 8 pixels.
    assert struct.unpack(">II", png[16:24]) == (232, 232)
    assert png == write_qr("IADE-4821-77") != write_qr("IADE-4821-78")


def test_any_other_mail_is_text_and_html_alone() -> None:
    email = Email(kind=Email.Kind.CANCELLATION_CHECKING, recipient="ayse@example.com", language="en")
    assert compose_mail(email).message().get_content_type() == "multipart/alternative"
