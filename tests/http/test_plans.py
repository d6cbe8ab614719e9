"""No query that people, polls or probes make regularly reads a table that grows from one end to the other."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from aftercart.accounts.models import User
from aftercart.accounts.sessions import SessionStore
from aftercart.actions.mail.send_email import forget_emails, recover_emails
from aftercart.actions.sync.learn_ids import MOST, list_orders_without_ids
from aftercart.actions.sync.poll_updates import _FINDERS, list_streams_due
from aftercart.actions.upkeep import forget, recover
from aftercart.actions.upkeep.measure_unsettled import measure_unsettled
from aftercart.backoffice import lists
from aftercart.cancellations.models import Delivery
from aftercart.cancellations.selectors import list_orders_to_sync
from aftercart.orders.models import Order
from aftercart.orders.selectors import find_guest_order
from aftercart.worker.queue import measure_queue
from aftercart.worker.take_over import take_over_jobs
from bench.growth_data import SUBJECT, grow
from tests.http.backoffice_world import list_models, log_in
from tests.plans import SMALL, Plans, explaining
from tests.strength import is_deep

#: The first of them makes the shop, which takes minutes in a deep run.
pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.timeout(1800 if is_deep() else 300)]

ORDERS = 1_000_000 if is_deep() else 20_000
#: So many rows of a list are counted here, so that walking through a small table is seen; a third fit some filters.
_COUNTED = 500
_MOST_ROWS = 3 * _COUNTED + 100
_NUMBER, _EMAIL = "G-00000024", "customer24@example.com"
#: Beginnings of words, of a name and of an article, with which some hundred orders are found.
_NAME, _SKU = ("Y%C4%B1lmaz2424", "SKU-72721") if is_deep() else ("Y%C4%B1lmaz24", "SKU-72")


@pytest.fixture(scope="module")
def grown(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:  # noqa: ARG001 - a fixture
    """Make a shop that has grown, for all tests of this module; nothing of it is committed.

    A million rows are planned as they are. With twenty thousand a scan is sometimes the quickest: there the question is
    whether there is another way, which a planner that shuns scans takes; what it walks through instead is counted.
    """
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around._from_testcase = True  # type: ignore[attr-defined]  # as Django marks that of a test
        with around:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
                grow(ORDERS)
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
                if not is_deep():
                    cursor.execute("SET LOCAL enable_seqscan = off")
            yield
            transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST", _COUNTED)


def check(plans: Plans) -> None:
    assert plans.statements
    assert plans.list_scans() == []
    assert plans.list_walks(_MOST_ROWS) == []


def explain(work: Callable[[], object]) -> Plans:
    cache.clear()
    with explaining() as plans:
        work()
    return plans


def log_in_subject() -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=SUBJECT), backend="django.contrib.auth.backends.ModelBackend")
    return client


def log_in_staff() -> Client:
    return log_in(User.objects.create_superuser("root@example.com", "secret"))


#: As many rows have come to their end since then, however many there are.
_YEAR_BUT_A_LITTLE = timedelta(days=365) - timedelta(days=20_000 / ORDERS)


def list_due() -> Any:
    return list(list_orders_without_ids()[:MOST])


WORK: dict[str, Callable[[], object]] = {
    "recovery of submissions": recover.recover_submissions,
    "recovery of e-mails": recover_emails,
    "recovery of jobs": recover.recover_jobs,
    "orders to sync": lambda: list_orders_to_sync(200),
    "orders without ids": list_due,
    "streams to poll": list_streams_due,
    "orders in a list of updates": lambda: _FINDERS["orders"]([Order(number=_NUMBER)]),
    "requests in a list of updates": lambda: list(Delivery.objects.filter(remote_pks__overlap=[24])),
    "jobs of dead workers": lambda: take_over_jobs(20),
    "the queue": measure_queue,
    "ages of what is unsettled": measure_unsettled,
    "accounts to forget": forget.forget_accounts,
    "documents to forget": forget.forget_documents,
    "logs to forget": forget.forget_logs,
    "settled differences to forget": forget.forget_history,
    "replays to forget": forget.forget_writes,
    "codes to forget": forget.forget_guests,
    "e-mails to forget": lambda: forget_emails(_YEAR_BUT_A_LITTLE),
    "sessions to forget": SessionStore.clear_expired,
    "a guest's order": lambda: find_guest_order(number=_NUMBER, email=_EMAIL),
}


def test_the_shop_has_rows_in_each_table_that_grows(grown: None) -> None:  # noqa: ARG001 - a fixture
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND reltuples <= 0 ORDER BY 1"
        )
        empty = {name for (name,) in cursor.fetchall()}

    assert empty - SMALL == set()


@pytest.mark.parametrize("name", WORK)
def test_the_worker_and_the_probes_scan_nothing(name: str, grown: None) -> None:  # noqa: ARG001 - a fixture
    check(explain(WORK[name]))


@pytest.mark.parametrize(
    "path",
    [
        "/users/orders/3/?format=json", "/users/orders/3/", "/users/orders/?format=json&limit=10",
        "/users/orders/?format=json&limit=10&page=2", "/users/orders/", "/orders/G-00000003/cancel/",
        "/account/loyalty/", "/account/loyalty-account-balance/", "/account/points/", "/address/?format=json",
        "/metrics", "/readyz",
    ],
)  # fmt: skip
def test_what_customers_and_probes_read_scans_nothing(path: str, grown: None) -> None:  # noqa: ARG001 - a fixture
    client = log_in_subject()

    def read() -> None:
        assert client.get(path).status_code == 200

    check(explain(read))


_MODELS = [model for model in list_models() if model._meta.model_name != "policyrule"]
_ORDERS = reverse("admin:orders_order_changelist")
_REQUESTS = reverse("admin:cancellations_cancellationrequest_changelist")


@pytest.mark.parametrize(
    "path",
    [
        "/backoffice/", f"{_ORDERS}5/change/", f"{_REQUESTS}5/change/",
        *(
            reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") + query
            for model in _MODELS
            for query in ("", f"?q={_NUMBER}", f"?q={_EMAIL}")
        ),
        *(
            f"{_ORDERS}?{query}"
            for query in (
                "p=10", "after=9000", "after=9000&p=10", "status__exact=550", "status__exact=100", "channel=2",
                "currency=TRY", "q=05320000024", f"q={_NAME}", f"q={_SKU}", "q=%2312", "o=4",
            )
        ),
        *(
            f"{_REQUESTS}?{query}"
            for query in (
                "status=waiting", "status=bounced", "status=completed", "status=rejected", "status=all",
                "status=under_way", "status=all&p=10", "delivery=undeliverable", "delivery=waiting", "cause=lost",
                "type=refund", "channel=2", "q=%2312", "status=all&after=900",
            )
        ),
    ],
)  # fmt: skip
def test_what_staff_read_scans_nothing(path: str, grown: None) -> None:  # noqa: ARG001 - a fixture
    client = log_in_staff()

    def read() -> None:
        assert client.get(path).status_code == 200

    check(explain(read))


@pytest.mark.parametrize(
    ("index", "path"),
    [
        ("orders_newest", _ORDERS),
        ("orders_by_words", f"{_ORDERS}?q={_NUMBER}"),
        ("refunds_unreported", "/metrics"),
    ],
)
def test_without_its_index_a_scan_is_seen(index: str, path: str, grown: None) -> None:  # noqa: ARG001 - a fixture
    client = log_in_staff()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index}")

    plans = explain(lambda: client.get(path))

    assert plans.list_scans() + plans.list_walks(_MOST_ROWS) != []
