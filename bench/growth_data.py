"""A shop that has grown: so many orders of three items, and all that comes with them, made by the database itself.

Most of it is history, as in life; of what waits for somebody there is as much as in a small shop. Wants Django set up.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from django.db.models.fields import NOT_PROVIDED

from aftercart.accounts.models import User

#: The customer who is measured, with this many orders, whatever the size of the shop.
SUBJECT, ITS_ORDERS = 1, 20
#: How many of each kind are not at their end.
OPEN = 40
#: With fewer orders, making indexes again is no quicker.
_FEW = 100_000
_WORDS = "orders_orderwords"
#: Of so many orders one was cancelled, returned, written about.
_CANCELLED = 5
_ADDRESS = """jsonb_build_object('pk', 7, 'first_name', 'Ayşe', 'last_name', 'Yılmaz' || {i} % 9973,
    'phone_number', '+90532' || lpad(({i} % 10000000)::text, 7, '0'), 'line', 'Bağdat Caddesi 14',
    'postcode', '34710', 'country', '{{"pk": 1, "name": "Türkiye", "code": "tr"}}'::jsonb,
    'city', '{{"pk": 34, "name": "İstanbul"}}'::jsonb)"""
_PRODUCT = """jsonb_build_object('pk', i, 'sku', 'SKU-' || i, 'base_code', 'KETEN', 'name',
    'Keten gömlek ' || i % 997, 'image', '/static/pages/products/shirt.svg', 'absolute_url', '/keten-gomlek/')"""
_PAYMENT = """'{"pk": 1, "name": "Kredi kartı", "payment_type": "credit_card", "slug": "kart"}'::jsonb"""
_AGO = "now() - {i} * interval '1 minute' * (525600.0 / {count})"


def grow(orders: int) -> None:
    """Make a shop of so many orders, in an empty database; one transaction, if one is open."""
    with _as_replica(), connection.cursor() as cursor:
        indexes = _drop_indexes(cursor) if orders > _FEW else {}
        of_words = {name: definition for name, definition in indexes.items() if _WORDS in definition}
        for model, count, columns in _list_rows(orders):
            insert(model, count, **columns)
        _grow_queue(orders)
        _make_indexes(cursor, [indexes[name] for name in indexes if name not in of_words])
        cursor.execute("SELECT orders_write_words(array_agg(id)) FROM orders_order GROUP BY id / 1000")
        _make_indexes(cursor, of_words.values())
        cursor.execute("ANALYZE")


def _drop_indexes(cursor: CursorWrapper) -> dict[str, str]:
    """Drop the indexes that no constraint needs, and return how they are made: at once is quicker than row by row."""
    cursor.execute(
        """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid AND relnamespace = current_schema()::regnamespace
        WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
        """
    )
    found = dict(cursor.fetchall())
    for name in found:
        cursor.execute(f"DROP INDEX {name}")
    return found


def _make_indexes(cursor: CursorWrapper, definitions: Iterable[str]) -> None:
    cursor.execute("SELECT set_config('maintenance_work_mem', '512MB', false)")
    for definition in definitions:
        cursor.execute(definition)
    cursor.execute("RESET maintenance_work_mem")


def insert(model: type[models.Model], count: int, **columns: str) -> None:
    """Insert rows number 1 to `count` (`i`), of these SQL expressions, and of the model's defaults."""
    names: list[str] = []
    values: list[str] = []
    params: list[Any] = []
    for field in model._meta.concrete_fields:
        given = columns.get(field.attname)
        if given is None and isinstance(field, models.AutoField):
            given = "i"
        if given is None:
            if field.null or field.db_default is not NOT_PROVIDED:
                continue
            params.append(field.get_db_prep_save(field.get_default(), connection))
            given = "%s"
        names.append(f'"{field.column}"')
        values.append(given if given == "%s" else given.replace("%", "%%"))
    table = model._meta.db_table
    into = f"INSERT INTO {table} ({', '.join(names)})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"{into} SELECT {', '.join(values)} FROM generate_series(1, %s) AS i", [*params, count]
        )
        if isinstance(model._meta.pk, models.AutoField):
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, max(count, 1)])


@contextmanager
def _as_replica() -> Iterator[None]:
    """Insert without triggers, as a replica applies changes: what they would write is written here."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = origin")


def _list_rows(orders: int) -> Iterator[tuple[type[models.Model], int, dict[str, str]]]:
    def get(label: str) -> type[models.Model]:
        return apps.get_model(label)

    ago = _AGO.format(i="i", count=orders)
    customers = max(orders // 3, 1)
    # The first of the orders are the subject's, one in four a guest's, the rest the other customers'.
    user = f"CASE WHEN i <= {ITS_ORDERS} THEN {SUBJECT} WHEN i % 4 = 0 THEN NULL ELSE 1 + i % {customers} END"
    yield User, customers, {
        "email": "'customer' || i || '@example.com'", "password": "'!'", "first_name": "'Ayşe'",
        "last_name": "'Yılmaz' || i % 9973", "date_joined": "now()", "phone": "'+90533' || lpad(i::text, 7, '0')",
    }  # fmt: skip
    yield get("orders.Order"), orders, {
        "number": "'G-' || lpad(i::text, 8, '0')", "channel_id": "1 + i % 3", "user_id": user,
        "user_email": f"'customer' || coalesce({user}, i) || '@example.com'", "status": "'550'",
        "currency": "'TRY'", "amount": "749.75", "amount_without_discount": "799.75", "discount_amount": "50",
        "payment_option": _PAYMENT, "shipping_address": _ADDRESS.format(i="i"),
        "billing_address": _ADDRESS.format(i="i"), "created_date": ago, "modified_date": ago, "remote_pk": "i",
        "details": """'{"language_code": "tr-tr", "client_type": "default"}'::jsonb""",
        "sync_due_at": f"CASE WHEN i % {orders // OPEN} = 1 THEN now() END",
    }  # fmt: skip
    order = "1 + (i - 1) / 3"
    ago_of_item = _AGO.format(i=f"({order})", count=orders)
    yield get("orders.OrderItem"), orders * 3, {
        "order_id": order, "status": "'550'", "sku": "'SKU-' || i", "product": _PRODUCT, "price_currency": "'TRY'",
        "price": "249.90", "retail_price": "299.90", "unit_price": "249.90", "total_amount": "249.90",
        "tax_rate": "20", "remote_pks": "ARRAY[i]::bigint[]", "created_date": ago_of_item,
        "modified_date": ago_of_item, "delivered_at": ago_of_item,
    }  # fmt: skip
    yield get("orders.DiscountItem"), orders, {"order_id": "i", "name": "'Sonbahar'", "amount": "50"}
    yield get("orders.TimelineEntry"), orders * 2, {
        "order_id": "1 + (i - 1) / 2", "event": "'order_imported'", "actor": "'import'",
        "at": _AGO.format(i="(1 + (i - 1) / 2)", count=orders),
    }  # fmt: skip
    yield get("orders.OrderRevision"), orders, {"order_id": "i"}
    yield get("orders.StoredDocument"), orders, {
        "order_id": "i", "kind": "'json'", "language": "'tr'", "revision": "1", "shared_revision": "1",
        "conditions": "'old'", "body": "'{}'::bytea", "etag": "'x'",
        "built_at": f"greatest({ago}, now() - interval '29 days')",
    }  # fmt: skip
    yield from _list_cancellations(orders // _CANCELLED)
    yield from _list_the_rest(orders)


def _list_cancellations(count: int) -> Iterator[tuple[type[models.Model], int, dict[str, str]]]:
    """List what one order in five has: a submission of its first item, in half of the cases decided by request."""

    def get(name: str) -> type[models.Model]:
        return apps.get_model(name if "." in name else f"cancellations.{name}")

    ago = _AGO.format(i="i", count=count)
    order = f"i * {_CANCELLED}"
    is_open = f"i % {max(count // OPEN, 1)} = 0"
    yield get("CancellationReason"), 2, {
        "cancellation_type": "CASE i WHEN 1 THEN 'cancel' ELSE 'refund' END", "subject": "'Reason'",
        "uuid": "gen_random_uuid()", "created_date": "now()", "modified_date": "now()",
    }  # fmt: skip
    yield get("orders.IdempotencyRecord"), count, {
        "user_id": "1", "key": "'key-' || i", "fingerprint": "md5(i::text)", "status_code": "200",
        "created_at": f"greatest({ago}, now() - interval '47 hours')",
    }  # fmt: skip
    yield get("Submission"), count, {
        "uuid": "gen_random_uuid()", "order_id": order, "origin": "'direct'", "idempotency_record_id": "i",
        "state": f"CASE WHEN {is_open} THEN 'unknown' WHEN i % 2 = 0 THEN 'refused' ELSE 'applied' END",
        "sent_at": ago, "settled_at": ago, "created_at": ago, "cause": "'requested'",
    }  # fmt: skip
    yield get("SubmissionLine"), count, {
        "submission_id": "i", "order_item_id": f"{order} * 3", "reason_id": "1", "cancellation_type": "'refund'",
        "quantity": "1", "completed_quantity": f"CASE WHEN {is_open} THEN 0 ELSE 1 END", "is_open": is_open,
        "closed_at": f"CASE WHEN NOT {is_open} THEN {ago} END",
        "outcome": f"CASE WHEN {is_open} THEN '' ELSE 'completed' END",
    }  # fmt: skip
    yield get("CancellationRequest"), count, {
        "uuid": "gen_random_uuid()", "line_id": "i", "cause": "'requested'", "created_date": ago,
        "modified_date": ago, "decided_at": ago,
        "status": f"CASE WHEN {is_open} THEN 'waiting' WHEN i % 3 = 0 THEN 'rejected' ELSE 'completed' END",
        "decided_by_id": "CASE WHEN i % 3 = 0 THEN 2 END",
    }  # fmt: skip
    yield get("Delivery"), count, {
        "request_id": "i", "latest_of_id": "i", "name": "md5(i::text)", "state": "'known'", "known_at": ago,
        "remote_pks": "ARRAY[i]::bigint[]", "created_at": ago,
    }  # fmt: skip
    yield get("DecisionNotice"), count // 3, {
        "request_id": "i * 3", "state": "'known'", "known_at": ago,
    }  # fmt: skip
    # One in a hundred was paid with points, and only its delivery comes back as money.
    is_points = "i % 100 = 1"
    yield get("RefundQuote"), count, {
        "submission_id": "i", "order_version": "1", "way": "'review'", "destination": "'payment_method'",
        "created_at": ago, "shipping_refund_amount": f"CASE WHEN {is_points} THEN 30 ELSE 0 END",
        "rest_booked_at": ago,
    }  # fmt: skip
    yield get("RefundQuoteLine"), count, {
        "quote_id": "i", "line_id": "i", "refund_amount": "249.90",
        "points_returned": f"CASE WHEN {is_points} THEN 249.90 ELSE 0 END",
        "reported_amount": f"CASE WHEN {is_points} THEN 30 ELSE 249.90 END",
    }  # fmt: skip
    yield get("AddressChange"), count, {
        "order_id": order, "address": "'{}'::jsonb", "created_at": ago, "settled_at": ago,
        "state": f"CASE WHEN {is_open} THEN 'pending' ELSE 'confirmed' END",
    }  # fmt: skip
    yield get("Difference"), count, {
        "order_id": order, "what": "'status'", "first_seen": ago, "last_seen": ago,
        "resolved_at": f"CASE WHEN NOT {is_open} THEN {ago} END",
    }  # fmt: skip
    yield get("SpareRequest"), count, {
        "request_id": "i", "name": "'n' || i", "found_at": ago,
        "state": f"CASE WHEN {is_open} THEN 'found' ELSE 'rejected' END",
    }  # fmt: skip
    yield get("Withdrawal"), count, {
        "uuid": "gen_random_uuid()", "order_id": order, "name": "'Ayşe'", "email": "'a@example.com'",
        "language": "'tr'", "statement": "'Cayıyorum'", "is_in_time": "true", "submitted_at": ago,
        "state": f"CASE WHEN {is_open} THEN 'received' ELSE 'accepted' END",
    }  # fmt: skip
    yield get("WithdrawalLine"), count, {
        "withdrawal_id": "i", "order_item_id": f"{order} * 3", "submission_line_id": "i", "quantity": "1",
    }  # fmt: skip
    yield get("PublicStatement"), count, {
        "uuid": "gen_random_uuid()", "name": "'Ayşe'", "number": f"'G-' || lpad(({order})::text, 8, '0')",
        "email": f"'customer' || {order} || '@example.com'", "items": "''", "language": "'tr'",
        "fingerprint": "md5(i::text)", "is_acknowledged": "true", "submitted_at": ago, "reason": "''",
        "state": f"CASE WHEN {is_open} THEN 'open' ELSE 'matched' END",
        "settled_at": f"CASE WHEN NOT {is_open} THEN {ago} END",
    }  # fmt: skip
    yield get("ReturnPhoto"), count, {
        "uuid": "gen_random_uuid()", "line_id": "i", "place": "1", "digest": "md5(i::text)", "width": "800",
        "height": "600", "created_at": ago, "stored_at": ago,
    }  # fmt: skip


def _list_the_rest(orders: int) -> Iterator[tuple[type[models.Model], int, dict[str, str]]]:
    ago = _AGO.format(i="i", count=orders)
    some = orders // 4
    is_open = f"i % {some // OPEN} = 0"
    yield apps.get_model("mail.Email"), orders, {
        "uuid": "gen_random_uuid()", "kind": "'cancellation_sent'", "subject": "gen_random_uuid()",
        "order_id": "i", "recipient": "'customer' || i || '@example.com'", "language": "'tr'",
        "message_id": "'<' || i || '@example.com>'", "created_at": ago, "sent_at": ago,
        "state": f"CASE WHEN {is_open} THEN 'prepared' ELSE 'sent' END",
    }  # fmt: skip
    lines = orders // _CANCELLED
    yield (
        apps.get_model("mail.LineNotice"),
        lines,
        {"line_id": "i", "outcome": "'completed'", "email_id": "i"},
    )
    yield apps.get_model("mail.OptOut"), some, {"email": "'customer' || i || '@example.com'"}
    yield from _list_logs(some)
    yield apps.get_model("loyalty.LoyaltyEntry"), some, {
        "user_id": f"1 + i % {max(orders // 3, 1)}", "currency": "'TRY'", "kind": "'earned'", "amount": "1",
        "order_id": "i", "reference": "i::text", "created_date": ago,
    }  # fmt: skip
    yield apps.get_model("orders.OneTimeCode"), some, {
        "uuid": "gen_random_uuid()", "number": "'G-' || lpad(i::text, 8, '0')", "language": "'tr'",
        "email": "'customer' || i || '@example.com'", "order_id": "i", "code_hash": "md5(i::text)",
        "created_at": f"greatest({ago}, now() - interval '47 hours')",
        "expires_at": f"CASE WHEN {is_open} THEN now() + interval '9 minutes' ELSE {ago} END",
        "settled_at": f"CASE WHEN NOT {is_open} THEN {ago} END", "mailed_at": f"CASE WHEN NOT {is_open} THEN {ago} END",
    }  # fmt: skip
    yield apps.get_model("accounts.Address"), some, {
        "user_id": f"1 + i % {max(orders // 3, 1)}", "title": "'Ev'", "phone_number": "'+905321234567'",
        "first_name": "'Ayşe'", "last_name": "'Yılmaz'", "country_id": "1", "city_id": "1", "township_id": "1",
        "line": "'Bağdat Caddesi 14'", "hash_data": "md5(i::text)", "created_date": "now()", "modified_date": "now()",
    }  # fmt: skip
    yield apps.get_model("accounts.RateLimit"), some, {
        "key": "md5(i::text)", "window_start": f"greatest({ago}, now() - interval '47 hours')",
    }  # fmt: skip
    yield apps.get_model("accounts.Session"), some, {
        "session_key": "md5(i::text)", "session_data": "'x'", "expire_date": "now() + i * interval '1 second'",
    }  # fmt: skip


def _list_logs(count: int) -> Iterator[tuple[type[models.Model], int, dict[str, str]]]:
    """List what is logged of staff and of log-ins."""
    ago = _AGO.format(i="i", count=count)
    yield apps.get_model("admin.LogEntry"), count, {
        "action_time": ago, "user_id": "1", "object_id": "i::text", "object_repr": "'G-' || i",
        "action_flag": "2", "change_message": "''",
    }  # fmt: skip
    who = {
        "user_agent": "'Firefox'", "ip_address": "'192.0.2.1'", "username": "'customer' || i || '@example.com'",
        "http_accept": "'*/*'", "path_info": "'/users/login/'", "attempt_time": ago,
    }  # fmt: skip
    yield apps.get_model("axes.AccessLog"), count, who


def _grow_queue(orders: int) -> None:
    """Make the queue's jobs of a day, most of them done."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status)
            SELECT 'default', 'aftercart.sync_order', 'aftercart.sync_order:' || i, '{}',
                   (CASE WHEN i %% %s = 0 THEN 'todo' ELSE 'succeeded' END)::procrastinate_job_status
            FROM generate_series(1, %s) AS i
            """,
            [orders // OPEN, orders],
        )
        cursor.execute(
            """
            INSERT INTO procrastinate_events (job_id, type, at)
            SELECT id, kind::procrastinate_job_event_type, now() - interval '1 hour'
            FROM procrastinate_jobs, unnest(ARRAY['deferred', 'started', 'succeeded']) AS kind
            """
        )
