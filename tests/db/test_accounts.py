"""Account numbers at rest: encrypted, encrypted anew when keys rotate, gone after their time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.upkeep import rotate_keys as rotating
from aftercart.actions.upkeep.forget import forget_accounts
from aftercart.actions.upkeep.rotate_keys import RotationResult, rotate_keys
from aftercart.cancellations.models import SubmissionLine
from aftercart.lib.crypto import decrypt, encrypt, renew
from tests.shop import Line, Shop, ask, make_command

pytestmark = pytest.mark.django_db

IBAN, HOLDER = "TR330006100519786457841326", "Ayşe Yılmaz"
TRANSFER = {"pk": 4, "name": "Havale", "payment_type": "funds_transfer", "slug": "havale"}


def make_line() -> SubmissionLine:
    shop = Shop(order_fields={"payment_option": TRANSFER})
    asked = ask(shop.items[0], shop.cancel_reason, iban=IBAN, holder_name=HOLDER)
    assert cancel_items(make_command(shop.order, asked), shop.fake).status == 204
    return SubmissionLine.objects.get(order_item=shop.items[0])


def read_stored(line: SubmissionLine) -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT iban, holder_name FROM cancellations_submissionline WHERE id = %s", [line.pk])
        iban, holder = cursor.fetchone()
    return iban, holder


# --- keys --------------------------------------------------------------------------------------------------


def test_after_a_rotation_the_old_key_can_be_taken_out(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    line = make_line()
    settings.FIELD_ENCRYPTION_KEYS = ["new", "old"]
    newer = make_line()
    progress: list[tuple[int, int]] = []

    assert rotate_keys(lambda done, total: progress.append((done, total))) == RotationResult(
        checked=4, renewed=2
    )

    assert progress == [(1, 4), (2, 4), (3, 4), (4, 4)]
    settings.FIELD_ENCRYPTION_KEYS = ["new"]
    for each in (line, newer):
        each.refresh_from_db()
        assert (each.iban, each.holder_name) == (IBAN, HOLDER)
    assert rotate_keys() == RotationResult(checked=4)


def test_without_a_rotation_dropping_the_old_key_loses_the_account(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    line = make_line()
    settings.FIELD_ENCRYPTION_KEYS = ["new"]
    stored = read_stored(line)

    assert rotate_keys() == RotationResult(checked=2, lost=2)

    assert SubmissionLine.objects.get().iban == ""
    assert read_stored(line) == stored  # kept: the key may be found again
    settings.FIELD_ENCRYPTION_KEYS = ["new", "old"]
    assert SubmissionLine.objects.get().iban == IBAN


def test_the_setting_can_be_introduced_in_place_of_the_secret_key(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = []
    line = make_line()
    settings.FIELD_ENCRYPTION_KEYS = ["new", settings.SECRET_KEY]
    assert rotate_keys().renewed == 2
    settings.FIELD_ENCRYPTION_KEYS = ["new"]
    line.refresh_from_db()
    assert line.iban == IBAN


def test_who_clears_an_account_during_a_rotation_wins(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    line = make_line()
    settings.FIELD_ENCRYPTION_KEYS = ["new", "old"]

    def clear_and_renew(token: str) -> str | None:
        SubmissionLine.objects.update(iban="", holder_name="")
        return renew(token)

    monkeypatch.setattr(rotating, "renew", clear_and_renew)

    assert rotate_keys().renewed == 0
    assert read_stored(line) == ("", "")


def test_a_rotation_reads_in_batches_and_misses_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotating, "_BATCH", 2)
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    for _ in range(5):
        make_line()
    settings.FIELD_ENCRYPTION_KEYS = ["new", "old"]

    assert rotate_keys() == RotationResult(checked=10, renewed=10)


def test_a_token_is_renewed_only_where_it_has_to_be(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    token = encrypt("secret")
    assert renew(token) == token
    assert renew("") == ""
    settings.FIELD_ENCRYPTION_KEYS = ["new", "old"]
    fresh = renew(token)
    assert fresh not in {None, token}
    settings.FIELD_ENCRYPTION_KEYS = ["new"]
    assert (decrypt(str(fresh)), decrypt(token), renew(token)) == ("secret", "", None)


# --- retention ---------------------------------------------------------------------------------------------


def close(line: SubmissionLine, days_ago: float) -> None:
    closed = timezone.now() - timedelta(days=days_ago)
    SubmissionLine.objects.filter(pk=line.pk).update(is_open=False, closed_at=closed)


def test_an_account_is_gone_after_its_time_and_not_before(settings: Settings) -> None:
    settings.IBAN_RETENTION = timedelta(days=90)
    old, recent = make_line(), make_line()
    close(old, 90.1)
    close(recent, 89.9)

    assert forget_accounts() == 1
    assert forget_accounts() == 0

    assert read_stored(old) == ("", "")
    recent.refresh_from_db()
    assert (recent.iban, recent.holder_name) == (IBAN, HOLDER)


def test_an_open_line_keeps_its_account_however_old_it_is(settings: Settings) -> None:
    settings.IBAN_RETENTION = timedelta(0)
    line = make_line()
    SubmissionLine.objects.update(closed_at=timezone.now() - timedelta(days=1000))

    assert forget_accounts() == 0

    line.refresh_from_db()
    assert line.iban == IBAN


def test_what_no_key_opens_is_forgotten_too_and_all_of_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aftercart.actions.upkeep.forget._BATCH", 2)
    settings.FIELD_ENCRYPTION_KEYS = ["lost"]
    lines = [make_line() for _ in range(5)]
    settings.FIELD_ENCRYPTION_KEYS = ["new"]
    for line in lines:
        close(line, 91)

    assert forget_accounts() == 5
    assert {read_stored(line) for line in lines} == {("", "")}


@pytest.mark.parametrize("payment_type", ["credit_card", "", "loyalty_money"])
def test_a_payment_that_goes_back_to_its_source_takes_no_account(payment_type: str) -> None:
    from aftercart.orders.errors import InputInvalid

    shop = Shop([Line()], order_fields={"payment_option": {**TRANSFER, "payment_type": payment_type}})
    asked = ask(shop.items[0], shop.cancel_reason, iban=IBAN, holder_name=HOLDER)

    with pytest.raises(InputInvalid, match="please leave out the IBAN"):
        cancel_items(make_command(shop.order, asked), shop.fake)

    assert not SubmissionLine.objects.exists()
    assert shop.count_posts() == 0
