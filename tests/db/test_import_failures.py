from collections.abc import Sequence
from contextlib import suppress
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import psycopg
import pytest
from django.db import DataError, IntegrityError, OperationalError, connection
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from aftercart.actions.intake import import_orders as module
from aftercart.actions.intake import write_orders as write_module
from aftercart.actions.intake.import_orders import BadLine, ImportResult
from aftercart.actions.intake.resolve_customers import resolve_customers
from aftercart.actions.intake.write_orders import BatchOutcome, write_orders
from aftercart.orders.intake.order import OrderIntake
from aftercart.orders.models import Order, TimelineEntry
from tests.import_documents import make_address, make_document, make_item, run_import, write_line
from tests.strength import examples

_numbers = iter(range(1, 10**9))


class Refusing:
    """Writes orders, but fails as the database would while one of some numbers is among them."""

    def __init__(self, error: Exception, numbers: set[str], times: int = 10**9) -> None:
        self.error, self.numbers, self.times, self.calls = error, numbers, times, 0

    def __call__(self, intakes: Sequence[OrderIntake]) -> BatchOutcome:
        self.calls += 1
        outcome = write_orders(intakes)
        if self.times and any(intake.number in self.numbers for intake in intakes):
            self.times -= 1
            raise self.error
        return outcome


@pytest.mark.django_db
def test_an_order_that_the_database_refuses_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "write_orders", Refusing(DataError("no such thing\nDETAIL"), {"3", "6"}))
    result, bad = run_import(*[make_document(str(n), id=n) for n in range(1, 10)])
    assert result == ImportResult(created=7, bad=2)
    reason = "the database refused it: no such thing"
    assert bad == [BadLine(3, reason, "3"), BadLine(6, reason, "6")]
    assert set(Order.objects.values_list("number", flat=True)) == set("124578 9".replace(" ", ""))
    assert TimelineEntry.objects.count() == 7


@pytest.mark.django_db
def test_a_conflict_with_somebody_else_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Refusing(IntegrityError("accounts_user_email_key"), {"1"}, times=1)
    monkeypatch.setattr(module, "write_orders", refusing)
    assert run_import(make_document("1"), make_document("2")) == (ImportResult(created=2), [])
    assert refusing.calls == 2


@pytest.mark.django_db
def test_a_deadlock_is_tried_again_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OperationalError("deadlock detected")
    error.__cause__ = psycopg.errors.DeadlockDetected()
    refusing = Refusing(error, {"1"}, times=4)
    monkeypatch.setattr(module, "write_orders", refusing)
    assert run_import(make_document("1"))[0] == ImportResult(created=1)
    assert refusing.calls == 5


@pytest.mark.django_db
def test_a_database_that_goes_away_is_not_blamed_on_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OperationalError("terminating connection")
    error.__cause__ = psycopg.errors.AdminShutdown()
    monkeypatch.setattr(module, "write_orders", Refusing(error, {"2"}))
    with pytest.raises(OperationalError):
        run_import(make_document("1"), make_document("2"), batch_size=1)
    assert list(Order.objects.values_list("number", flat=True)) == ["1"]


@pytest.mark.django_db(transaction=True)
def test_imports_of_the_same_file_at_once_wait_for_each_other() -> None:
    documents = [make_document(str(n), user_email=f"c{n % 7}@example.com") for n in range(60)]
    barrier, results = Barrier(4), []

    def work() -> None:
        barrier.wait()
        try:
            results.append(run_import(*documents, batch_size=10))
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result.created for result, _ in results) == 60
    assert sum(result.unchanged for result, _ in results) == 180
    assert all(bad == [] for _, bad in results)
    assert Order.objects.count() == 60


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("takes_turns", [True, False])
def test_without_taking_turns_two_imports_of_one_order_collide(
    monkeypatch: pytest.MonkeyPatch,
    takes_turns: bool,
) -> None:
    meeting, collisions = Barrier(2), []

    def meet(intakes: Sequence[OrderIntake]) -> Any:
        with suppress(BrokenBarrierError):  # whoever waits for a turn does not come
            meeting.wait(timeout=1)
        return resolve_customers(intakes)

    def write(intakes: Sequence[OrderIntake]) -> BatchOutcome:
        try:
            return write_orders(intakes)
        except IntegrityError as error:
            collisions.append(error)
            raise

    def work() -> None:
        try:
            assert run_import(make_document("1"))[0].bad == 0
        finally:
            connection.close()

    monkeypatch.setattr(write_module, "resolve_customers", meet)
    monkeypatch.setattr(module, "write_orders", write)
    if not takes_turns:
        monkeypatch.setattr(write_module, "lock_purpose", lambda _: None)
    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(collisions) == (0 if takes_turns else 1)
    assert Order.objects.count() == 1


# --- any JSON at all ---------------------------------------------------------------------------------------

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**31 - 2, max_value=2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["", "\0", "400", "approved", "TRY", "2026-01-01T00:00:00Z", "1e300", "-1", "x" * 600])
)
_json = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["value", "name", "pk"]), inner, max_size=4)
    ),
    max_leaves=8,
)
_WHOLE = make_document(
    id=10**6,
    orderitem_set=[make_item(id=10**6, parent=None, extra_field={"delivered_date": "2026-01-01T00:00:00Z"})],
    discountitem_set=[{"pk": 10**6, "name": "a", "amount": "1", "code": "c", "promotion": 1}],
    billing_address=make_address(extra_field={}, retail_store=None),
    payment_option={"payment_type": "credit_card"},
    campaigns=[],
    card={"pk": 1},
    channel=1,
    extra_field={},
)


def _list_places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, below in inner for place in _list_places(below, (*path, key)))]


def _replace(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replace(value[path[0]], path[1:], new)
    return copy


_KNOWN_FIELDS = st.sampled_from(
    ["refund_amount", "status", "bin_number", "invoice_number", "modified_date", "language_code", "bank"]
)
_spoiled = st.builds(
    lambda path, new, more: (
        {**spoiled, **more} if isinstance(spoiled := _replace(_WHOLE, path, new), dict) else spoiled
    ),
    st.sampled_from(_list_places(_WHOLE)),
    _json,
    st.dictionaries(_KNOWN_FIELDS | st.text(max_size=5), _json, max_size=1),
)


@pytest.mark.django_db
@examples(500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.lists(_spoiled | _json, min_size=1, max_size=3))
def test_no_json_crashes_the_import_or_takes_a_good_neighbour_with_it(documents: list[Any]) -> None:
    first, last = f"good-{next(_numbers)}", f"good-{next(_numbers)}"
    result, bad = run_import(make_document(first), *documents, make_document(last))
    assert Order.objects.filter(number__in=[first, last]).count() == 2
    assert (result.bad, result.doubtful) == tuple(
        sum(line.is_imported is is_imported for line in bad) for is_imported in (False, True)
    )
    counted = result.created + result.updated + result.unchanged + result.kept + result.bad
    assert counted == len(documents) + 2
    assert all(1 < line.line <= len(documents) + 1 for line in bad)
    assert not any("the database refused it" in line.reason for line in bad)


@pytest.mark.django_db
@examples(500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.binary(max_size=60), max_size=4), cut=st.integers(0, 900))
def test_no_bytes_crash_the_import_either(lines: list[bytes], cut: int) -> None:
    number = f"good-{next(_numbers)}"
    torn = write_line(make_document(f"torn-{next(_numbers)}"))[:cut]
    run_import(*lines, torn, make_document(number))
    assert Order.objects.filter(number=number).exists()
