"""What the desk calls things: in Turkish, everything that is a name, a label or a button is Turkish."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from aftercart.cancellations.models import (
    AddressChange,
    CancellationReason,
    Difference,
    EasyReturnCompany,
    WithdrawalPolicy,
)
from aftercart.cancellations.models.easy_return import ReturnInstructions
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.mail.models import Email
from aftercart.orders.models import Order
from tests.http.backoffice_world import list_models, log_in, make_request, make_staff

pytestmark = pytest.mark.django_db
_OURS = {"accounts", "cancellations", "loyalty", "mail", "orders"}
#: Breadcrumbs, headings of columns, labels, hints, headings of panels, buttons.
_NAMED = "#header-inner h1 a, th, label, .leading-relaxed, h2, legend, button, select[name=action] option"
#: The same in both languages.
_SHARED = {"SKU", "IBAN", "E-posta", "Aftercart"}

_BREADCRUMBS = {
    "accounts.address": "Müşteriler ve personel / Adresler",
    "accounts.city": "Müşteriler ve personel / İller",
    "accounts.country": "Müşteriler ve personel / Ülkeler",
    "accounts.district": "Müşteriler ve personel / Mahalleler",
    "accounts.township": "Müşteriler ve personel / İlçeler",
    "accounts.user": "Müşteriler ve personel / Kullanıcılar",
    "cancellations.addresschange": "İptaller ve iadeler / Adres değişiklikleri",
    "cancellations.cancellationreason": "İptaller ve iadeler / İptal ve iade nedenleri",
    "cancellations.cancellationrequest": "İptaller ve iadeler / Talepler",
    "cancellations.difference": "İptaller ve iadeler / Farklar",
    "cancellations.easyreturncompany": "İptaller ve iadeler / Kolay iade firmaları",
    "cancellations.policyrule": "İptaller ve iadeler / Politika sürümleri",
    "cancellations.policyversion": "İptaller ve iadeler / Politika sürümleri",
    "cancellations.returninstructions": "İptaller ve iadeler / İade talimatları",
    "cancellations.submission": "İptaller ve iadeler / Başvurular",
    "cancellations.publicstatement": "İptaller ve iadeler / Oturumsuz beyanlar",
    "cancellations.withdrawal": "İptaller ve iadeler / Cayma beyanları",
    "cancellations.withdrawalpolicy": "İptaller ve iadeler / Cayma kuralları",
    "loyalty.loyaltyentry": "Sadakat puanı / Puan hareketleri",
    "mail.email": "E-postalar / E-postalar",
    "orders.order": "Siparişler / Siparişler",
}


def list_ours() -> list[type[Model]]:
    found = [model for model in list_models() if model._meta.app_label in _OURS]
    return sorted(found, key=lambda model: model._meta.label_lower)


def read(browser: Client, url: str, language: str) -> BeautifulSoup | None:
    response = browser.get(url, headers={"accept-language": language}, follow=True)
    return BeautifulSoup(response.content, "html.parser") if response.status_code == 200 else None


def list_names(page: BeautifulSoup) -> Iterator[str]:
    for icon in page.select(".material-symbols-outlined, script, style"):
        icon.decompose()
    for element in page.select(_NAMED):
        for text in element.stripped_strings:
            if any(letter.isalpha() for letter in text) and "@" not in text:
                yield " ".join(text.split())


@pytest.fixture
def browser() -> Client:
    return log_in(make_staff(is_superuser=True))


def fill() -> None:
    """Make a row of what can be opened; what people have typed is made of digits."""
    order = make_request().line.submission.order
    AddressChange.objects.create(order=order, user=order.user, address=order.shipping_address)
    Difference.objects.create(order=order, what="status", ours="400", theirs="500")
    EasyReturnCompany.objects.create(name="4711", value="4711")
    ReturnInstructions.objects.create(text="4711")
    WithdrawalPolicy.objects.create()
    LoyaltyEntry.objects.create(user=order.user, currency="TRY", kind="earned", amount=3)
    Email.objects.create(
        kind="order_link", subject=uuid4(), recipient="a@example.com", language="tr", message_id="1"
    )
    CancellationReason.objects.update(subject="4711")
    Order.objects.update(number="4711")


def test_breadcrumbs_are_turkish(browser: Client) -> None:
    shown = {}
    for model in list_ours():
        page = read(browser, reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist"), "tr")
        assert page is not None
        crumbs = [" ".join(link.stripped_strings) for link in page.select("#header-inner h1 a")]
        shown[model._meta.label_lower] = " / ".join(crumbs)

    assert shown == _BREADCRUMBS


@pytest.mark.rotating("model")
@pytest.mark.parametrize("model", list_ours(), ids=lambda model: model._meta.label_lower)
def test_lists_and_forms_name_nothing_in_english(browser: Client, model: type[Model]) -> None:
    fill()
    base = f"admin:{model._meta.label_lower.replace('.', '_')}_"
    row = model._default_manager.order_by("pk").last()
    urls = [reverse(base + "changelist"), reverse(base + "add")]
    urls += [reverse(base + "change", args=[row.pk])] if row else []
    for url in urls:
        english, turkish = read(browser, url, "en"), read(browser, url, "tr")
        if english is None or turkish is None:
            assert url != urls[0]
            continue
        names = set(list_names(turkish))
        assert len(names) > 1, url
        assert set(list_names(english)) & names - _SHARED - {str(row), "4711"} == set(), url
