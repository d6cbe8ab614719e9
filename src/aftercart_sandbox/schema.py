"""The tables of the store. Money is text with two decimals, moments are text that sorts by time."""

import re
from typing import Final

from aftercart_sandbox.tables import FIRST_ACTION, FIRST_ITEM, FIRST_ORDER, FIRST_REQUEST

FIRST_KEYS: Final = {
    "orders": FIRST_ORDER,
    "items": FIRST_ITEM,
    "requests": FIRST_REQUEST,
    "actions": FIRST_ACTION,
}
"""Where each table's keys begin, so that no id here is ever mistaken for one of the shop's."""

SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS settings(key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tokens(key TEXT PRIMARY KEY, expires TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS failures(username TEXT NOT NULL, at TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS reasons(
        pk INTEGER PRIMARY KEY, cancellation_type TEXT NOT NULL, subject TEXT NOT NULL, turkish TEXT NOT NULL,
        extra_information_needed INTEGER NOT NULL, is_active INTEGER NOT NULL, created_date TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS orders(
        pk INTEGER PRIMARY KEY AUTOINCREMENT, channel INTEGER NOT NULL, number TEXT NOT NULL,
        remote_id TEXT NOT NULL, status TEXT NOT NULL, base_status TEXT NOT NULL, cancel_status TEXT,
        currency TEXT NOT NULL, amount TEXT NOT NULL, refund_amount TEXT NOT NULL,
        discount_refund_amount TEXT NOT NULL, shipping_amount TEXT NOT NULL,
        shipping_refund_amount TEXT NOT NULL, shipping_refund_pending INTEGER NOT NULL DEFAULT 0,
        shipping_address TEXT NOT NULL, flags TEXT NOT NULL,
        document TEXT NOT NULL, source TEXT NOT NULL, changed INTEGER NOT NULL DEFAULT 0,
        created_date TEXT NOT NULL, modified_date TEXT NOT NULL, UNIQUE(channel, number))""",
    "CREATE INDEX IF NOT EXISTS orders_modified ON orders(channel, changed, modified_date)",
    """CREATE TABLE IF NOT EXISTS items(
        pk INTEGER PRIMARY KEY AUTOINCREMENT, order_pk INTEGER NOT NULL REFERENCES orders(pk),
        channel INTEGER NOT NULL, remote_id TEXT NOT NULL, unit INTEGER NOT NULL, product INTEGER, sku TEXT,
        status TEXT NOT NULL, status_before TEXT, cancel_status TEXT, cancel_kind TEXT, cancel_reason INTEGER,
        waiting_amount TEXT, waiting_since TEXT, price TEXT NOT NULL, quantity INTEGER NOT NULL,
        cancelled_quantity INTEGER NOT NULL DEFAULT 0, refund_amount TEXT NOT NULL, document TEXT NOT NULL,
        created_date TEXT NOT NULL, modified_date TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS items_order ON items(order_pk)",
    "CREATE INDEX IF NOT EXISTS items_waiting ON items(waiting_since) WHERE waiting_since IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS requests(
        pk INTEGER PRIMARY KEY AUTOINCREMENT, channel INTEGER NOT NULL,
        order_pk INTEGER NOT NULL REFERENCES orders(pk), order_item INTEGER NOT NULL,
        reason INTEGER NOT NULL, status TEXT NOT NULL, remote_id TEXT, cancellation_type TEXT NOT NULL,
        description TEXT, quantity INTEGER NOT NULL, iban TEXT, holder_name TEXT,
        fully_refund_as_loyalty_money INTEGER NOT NULL, easy_return TEXT, reject_reason TEXT,
        refund_amount TEXT,
        changed INTEGER NOT NULL DEFAULT 0, created_date TEXT NOT NULL, modified_date TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS requests_item ON requests(order_item, status)",
    """CREATE TABLE IF NOT EXISTS actions(
        pk INTEGER PRIMARY KEY AUTOINCREMENT, channel INTEGER NOT NULL, content_type TEXT NOT NULL,
        object_id INTEGER NOT NULL, remote_id TEXT NOT NULL, created_date TEXT NOT NULL,
        modified_date TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS actions_remote ON actions(channel, content_type, remote_id)",
    "CREATE INDEX IF NOT EXISTS actions_object ON actions(content_type, object_id)",
    """CREATE TABLE IF NOT EXISTS calls(
        n INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, call TEXT NOT NULL, method TEXT NOT NULL,
        path TEXT NOT NULL, query TEXT NOT NULL, body TEXT, order_pk INTEGER, order_number TEXT,
        answered TEXT,
        applied INTEGER NOT NULL DEFAULT 0, fault INTEGER)""",
    """CREATE TABLE IF NOT EXISTS faults(
        id INTEGER PRIMARY KEY AUTOINCREMENT, spec TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 0,
        used INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS ledger(
        n INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, event TEXT NOT NULL, kind TEXT NOT NULL,
        order_pk INTEGER NOT NULL, order_number TEXT NOT NULL, item_pk INTEGER NOT NULL,
        remote_id TEXT NOT NULL,
        unit INTEGER NOT NULL, amount TEXT NOT NULL, call INTEGER)""",
    "CREATE INDEX IF NOT EXISTS ledger_order ON ledger(order_number)",
    """CREATE TRIGGER IF NOT EXISTS ledger_keeps BEFORE UPDATE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS ledger_holds BEFORE DELETE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
)

TABLES: Final = tuple(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", " ".join(SCHEMA)))
