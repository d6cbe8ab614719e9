"""Stored documents: what was written is in the next read, whatever wrote it, and whoever read meanwhile."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries, Settings

from aftercart.actions.address.change_address import change_address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.policy.draft_policy import draft_policy
from aftercart.actions.policy.publish_policy import publish_policy
from aftercart.actions.requests.reject_request import reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep.forget import forget_documents
from aftercart.api.stored import _build_json, read_json, read_signed_json
from aftercart.cancellations.models import CancellationRequest, EasyReturnCompany, PolicyRule, PolicyVersion
from aftercart.cancellations.policy.selectors import get_default_book, write_rules
from aftercart.cancellations.stored_documents import Built, Document, read_documents
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import DiscountItem, Order, OrderItem, OrderRevision, StoredDocument
from aftercart.orders.policy.clauses import Clause
from aftercart.orders.policy.topics import Effect, Topic
from tests.clock import stop_clock
from tests.db.test_policy_versions import make_staff
from tests.import_documents import make_document, run_import
from tests.shop import (
    Line,
    Shop,
    make_address,
    make_address_command,
    make_company,
    make_order,
    request_units,
)

pytestmark = pytest.mark.django_db

#: Columns of which a change is shown nowhere, and tables that no document shows, with the reason.
NOT_SHOWN = {
    "orders_order": {
        "id", "remote_pk", "link_version", "synced_at", "sync_due_at", "sync_refusals", "address_due_at",
        "import_digest",
    },
    "orders_orderitem": {"id", "remote_pks"},
    "orders_discountitem": {"id"},
    "orders_timelineentry": {"id", "user_id"},
    # Where the dialogue stands, but not how.
    "cancellations_submission": {
        "id", "user_id", "origin", "cause", "cause_detail", "command", "approved_request_id", "policy_version_id",
        "idempotency_record_id", "checks", "manual_since", "sent_at", "settled_at", "late_at", "created_at",
        # Between the customer and the shop's staff.
        "points_agreed_at", "points_agreement", "points_agreed_amount",
    },
    # What the line's request shows of it; whose account it is is said by nobody, and its quote says where money goes.
    "cancellations_submissionline": {"id", "fully_refund_as_loyalty_money", "holder_name"},
    # Why it is here, and when it was decided.
    "cancellations_cancellationrequest": {
        "id", "uuid", "cause", "reject_reason", "decided_at", "created_date", "modified_date",
    },
    "cancellations_refundquote": {
        "id", "order_version", "is_binding", "way", "rest_points_credited", "fee_amount", "rest_line_id", "created_at",
    },
    "cancellations_refundquoteline": {
        "id", "tax_included", "points_clawed_back",
    },
    "cancellations_withdrawal": {
        "id", "user_id", "name", "email", "language", "statement", "is_in_time", "period_ends_at", "decided_at",
        "decided_by_id",
    },
    "cancellations_withdrawalline": {"id", "withdrawal_id", "quantity", "submission_line_id", "obstacle"},
    "cancellations_easyreturncompany": {"id", "weekdays", "slots", "lead_days", "closed_dates"},
    "loyalty_loyaltyentry": {"id", "user_id", "line_id", "note", "made_by_id"},
}  # fmt: skip
#: Tables of which every write counts, whatever the column.
WHOLE = {"cancellations_returninstructions", "cancellations_withdrawalpolicy", "cancellations_policyversion"}
TABLES_NOT_SHOWN = {
    "orders_idempotencyrecord", "orders_guestcode", "orders_orderrevision", "orders_sharedrevision",
    "orders_storeddocument", "orders_orderwords",
    # A document names its reason by id.
    "cancellations_cancellationreason",
    # What it did stands in the order and in its timeline.
    "cancellations_addresschange",
    # They have addresses of their own.
    "cancellations_returnphoto",
    # Whether Omnitron has a request in its own queue, and has heard of a decision.
    "cancellations_delivery", "cancellations_decisionnotice",
    # Of a version that is published nothing changes any more.
    "cancellations_policyrule",
    "cancellations_sendinghold", "cancellations_installation", "cancellations_readbudget", "cancellations_setback",
    "cancellations_sparerequest", "cancellations_synccursor", "cancellations_difference",
    # An order shows a statement once it is taken as a withdrawal.
    "cancellations_publicstatement",
}  # fmt: skip


def find_watched() -> dict[str, set[str]]:
    """Find the columns of which a trigger watches the change; none for a table of which it watches every write."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT tgrelid::regclass::text, array(
                SELECT attname::text FROM pg_attribute WHERE attrelid = tgrelid AND attnum = ANY(tgattr))
            FROM pg_trigger WHERE tgname ~ '_revise(_shared)?$'
                AND tgname NOT IN ('accounts_user_revise', 'loyalty_first_revise')
        """)
        return {table: set(columns) for table, columns in cursor.fetchall()}


def test_of_every_column_it_is_known_whether_a_document_shows_it() -> None:
    watched = find_watched()
    tables = {
        model._meta.db_table: {field.column for field in model._meta.concrete_fields if field.column}
        for model in apps.get_models()
        if model._meta.app_label in {"orders", "cancellations", "loyalty"}
    }
    assert tables.keys() - watched.keys() == TABLES_NOT_SHOWN
    for table in tables.keys() & watched.keys() - WHOLE:
        assert watched[table].isdisjoint(NOT_SHOWN[table]), table
        assert watched[table] | NOT_SHOWN[table] == tables[table], table
    assert {table for table in WHOLE if watched[table]} == set()


def read(order: Order) -> Any:
    return json.loads(read_json([order.pk])[0].body)


def read_anew(order: Order) -> Any:
    """Build the document without looking at what is stored."""
    return json.loads(_build_json([Order.objects.get(pk=order.pk)])[0].body)


def test_a_document_is_built_once_and_then_read(
    shop: Shop, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = read_json([shop.order.pk])
    with django_assert_num_queries(1):
        assert read_json([shop.order.pk]) == first
    assert StoredDocument.objects.count() == 1
    assert json.loads(first[0].body) == read_anew(shop.order)


@pytest.fixture
def shop() -> Shop:
    return Shop(lines=[Line(), Line("550", quantity=2, price="40.00"), Line("400", price="7.50")])


def _cancel(shop: Shop) -> None:
    cancel_items(shop.command(0), shop.fake)


def _be_notified(shop: Shop) -> None:
    _cancel(shop)
    read(shop.order)
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)


def _ask_for_units(shop: Shop) -> None:
    request_units(shop)


def _reject(shop: Shop) -> None:
    request_units(shop)
    read(shop.order)
    reject_request(CancellationRequest.objects.get().pk, make_staff(), "No.")


def _change_address(shop: Shop) -> None:
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)


def _publish(shop: Shop) -> None:
    staff = make_staff()
    pk = draft_policy(staff, get_default_book())
    refuse = Clause(number=900, topic=Topic.STATUS, effect=Effect.REFUSE, channel_id=shop.order.channel_id)
    PolicyRule.objects.bulk_create(write_rules(PolicyVersion.objects.get(pk=pk), [refuse]))
    publish_policy(pk, staff, None)


def _import_newer(shop: Shop) -> None:
    newer = (timezone.now() + timedelta(minutes=1)).isoformat()
    run_import(make_document(shop.order.number, notes="Ring twice", modified_date=newer))


def _earn_points(shop: Shop) -> None:
    LoyaltyEntry.objects.create(user=shop.user, order=shop.order, kind="earned", amount=5, currency="TRY")


def _write_sql(sql: str) -> Callable[[Shop], None]:
    def write(_shop: Shop) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    return write


WRITERS: dict[str, Callable[[Shop], object]] = {
    "a cancellation": _cancel,
    "news of a decision": _be_notified,
    "a request": _ask_for_units,
    "a rejection": _reject,
    "a policy": _publish,
    "an import": _import_newer,
    "points": _earn_points,
    "a company": lambda _shop: make_company(),
    "a company's name": lambda _shop: EasyReturnCompany.objects.all().delete(),
    "a discount": lambda shop: DiscountItem.objects.create(order=shop.order, amount=3),
    "a discount that goes": lambda shop: DiscountItem.objects.filter(order=shop.order).delete(),
    "an item that goes": lambda shop: shop.items[2].delete(),
    "psql": _write_sql('UPDATE orders_orderitem SET details = \'{"image": "/a.svg"}\''),
    "psql of orders": _write_sql('UPDATE orders_order SET details = \'{"notes": "x"}\''),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_is_in_the_next_read(shop: Shop, name: str) -> None:
    EasyReturnCompany.objects.create(name="Aras", value="aras")
    DiscountItem.objects.create(order=shop.order, amount=1)
    before = read(shop.order), read_json([shop.order.pk]), json.loads(read_signed_json(shop.order.pk).body)

    WRITERS[name](shop)

    after = read(shop.order)
    assert after != before[0]
    assert after == read_anew(shop.order)
    assert json.loads(read_signed_json(shop.order.pk).body)["order"] == after


def test_what_nobody_sees_builds_nothing_anew(
    shop: Shop, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    other = make_order(shop.user)
    first = read_json([shop.order.pk])
    _write_sql("UPDATE orders_order SET synced_at = now(), sync_due_at = now(), link_version = 2")(shop)
    DiscountItem.objects.create(order=other, amount=3)
    draft_policy(make_staff(), get_default_book())
    with django_assert_num_queries(1):
        assert read_json([shop.order.pk]) == first


def test_what_is_built_while_something_is_written_is_never_found(shop: Shop) -> None:
    def build(orders: Sequence[Order]) -> Sequence[Built]:
        built = _build_json(orders)
        OrderItem.objects.filter(order=shop.order).update(quantity=9)
        return built

    old = read_documents([shop.order.pk], "json", build)
    new = read(shop.order)

    assert [item["quantity"] for item in json.loads(old[0].body)["orderitem_set"]] == [1, 2, 1]
    assert [item["quantity"] for item in new["orderitem_set"]] == [9, 9, 9]


def test_an_older_reader_does_not_replace_what_a_newer_one_has_kept(
    shop: Shop, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def build(orders: Sequence[Order]) -> Sequence[Built]:
        built = _build_json(orders)
        OrderItem.objects.filter(order=shop.order).update(quantity=9)
        read(shop.order)
        return built

    read_documents([shop.order.pk], "json", build)
    with django_assert_num_queries(1):
        assert [item["quantity"] for item in read(shop.order)["orderitem_set"]] == [9, 9, 9]


def test_a_document_holds_until_the_first_window_closes(shop: Shop, settings: Settings) -> None:
    settings.RETURN_WINDOW = timedelta(days=14)
    item = OrderItem.objects.get(order=shop.order, status="550")
    assert item.delivered_at is not None
    assert read(shop.order)["orderitem_set"][1]["is_refundable"] is True
    closes_at = item.delivered_at + timedelta(days=14)
    assert StoredDocument.objects.get().valid_until == closes_at

    for moment, is_refundable in ((closes_at, True), (closes_at + timedelta(microseconds=1), False)):
        with stop_clock(moment):
            assert read(shop.order)["orderitem_set"][1]["is_refundable"] is is_refundable


def test_a_document_holds_until_the_next_policy_is_in_force(shop: Shop) -> None:
    assert read(shop.order)["is_cancellable"] is True
    staff, starts_at = make_staff(), timezone.now() + timedelta(days=2)
    pk = draft_policy(staff, get_default_book())
    refuse = Clause(number=900, topic=Topic.STATUS, effect=Effect.REFUSE, channel_id=shop.order.channel_id)
    PolicyRule.objects.bulk_create(write_rules(PolicyVersion.objects.get(pk=pk), [refuse]))
    publish_policy(pk, staff, starts_at)

    assert read(shop.order)["is_cancellable"] is True
    assert StoredDocument.objects.get().valid_until == starts_at - timedelta(microseconds=1)
    with stop_clock(starts_at):
        assert read(shop.order)["is_cancellable"] is False


def test_a_setting_of_the_policy_or_other_code_builds_anew(shop: Shop, settings: Settings) -> None:
    assert read(shop.order)["is_cancellable"] is True
    settings.CANCEL_STATUSES = frozenset()
    assert read(shop.order)["is_cancellable"] is False
    StoredDocument.objects.update(body=b"{}")
    with mock.patch("aftercart.cancellations.stored_documents._digest_code", return_value="another"):
        settings.CANCEL_STATUSES = frozenset({"200"})
        assert read(shop.order)["id"] == shop.order.pk


def test_each_language_has_a_document_of_its_own(shop: Shop) -> None:
    with translation.override("en"):
        assert read(shop.order)["status"]["label"] == "Approved"
    with translation.override("tr"):
        assert read(shop.order)["status"]["label"] == "Onaylandı"
    with translation.override("en"):
        assert read(shop.order)["status"]["label"] == "Approved"
    assert StoredDocument.objects.count() == 2


def test_documents_come_in_the_order_asked_for_and_none_for_who_is_gone(shop: Shop) -> None:
    other = make_order(shop.user)
    found = read_json([other.pk, 999_999, shop.order.pk])
    assert [json.loads(document.body)["id"] for document in found] == [other.pk, shop.order.pk]
    newest_first = read_json(Order.objects.filter(user=shop.user))
    assert newest_first == [found[0], found[1]]


def test_a_revision_comes_and_goes_with_its_order(shop: Shop) -> None:
    read(shop.order)
    assert OrderRevision.objects.filter(order=shop.order).count() == 1
    pk = shop.order.pk
    shop.order.delete()
    assert (OrderRevision.objects.count(), StoredDocument.objects.count()) == (0, 0)
    assert read_json([pk]) == []


def test_the_same_bytes_have_the_same_etag(shop: Shop) -> None:
    first = read_json([shop.order.pk])
    StoredDocument.objects.all().delete()
    assert read_json([shop.order.pk]) == first
    OrderItem.objects.filter(order=shop.order).update(quantity=9)
    second: Document = read_json([shop.order.pk])[0]
    assert second.etag != first[0].etag


def test_what_was_built_a_month_ago_is_deleted_and_built_anew(shop: Shop) -> None:
    other = make_order(shop.user)
    first = read_json([shop.order.pk, other.pk])
    StoredDocument.objects.filter(order=other).update(built_at=timezone.now() - timedelta(days=31))
    with mock.patch("aftercart.lib.retention.BATCH", 1):
        assert forget_documents() == 1
    assert list(StoredDocument.objects.values_list("order", flat=True)) == [shop.order.pk]
    assert read_json([shop.order.pk, other.pk]) == first
    assert forget_documents() == 0
