"""Real processes: one sandbox and one web server for all tests of a worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from aftercart.cancellations.models import CancellationReason
from aftercart.orders.models import Order, OrderItem
from tests.processes import ShopClient, running_web
from tests.remote.sandbox_process import SandboxProcess, item_document, order_document
from tests.remote.sandbox_process import running as running_sandbox
from tests.shop import Line, get_items, make_customer, make_order, make_reason

#: Shorter than in production, so that a test of the deadline does not take 8 s.
DEADLINE = 2.0


@dataclass(slots=True)
class OrderScenario:
    """A shop in the real world: its web server, its Omnitron, a customer with an order."""

    base_url: str
    sandbox: SandboxProcess
    order: Order
    shop_client: ShopClient
    reason: CancellationReason

    @property
    def items(self) -> list[OrderItem]:
        """The order's items as they are now."""
        return get_items(self.order)

    def cancel(self, position: int = 0, **fields: Any) -> Any:
        """Cancel one item as the customer."""
        return self.shop_client.cancel(self.order.number, self.items[position].pk, self.reason.pk, **fields)

    def count_posts(self) -> int:
        """Count the cancellations that reached Omnitron, applied or not."""
        return len(self.sandbox.calls(call="order_cancel", limit=100))

    def count_cancelled(self) -> list[int]:
        """Return how often each unit was taken for cancellation, by Omnitron's own books."""
        return [row["cancels_accepted"] for row in self.sandbox.ledger(self.order.number)]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Run an Omnitron sandbox."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "omnitron.sqlite3") as process:
        yield process


@contextmanager
def serving(blocker: DjangoDbBlocker, sandbox: SandboxProcess, deadline: float) -> Iterator[str]:
    """Run a web server on this worker's database, with a deadline for all that is said to Omnitron."""
    with blocker.unblock():
        context = running_web(
            sandbox.base_url,
            OMNITRON_DIALOGUE_SECONDS=str(deadline),
            OMNITRON_BREAKER_FAILURES="1000",  # each test brings its own outage
            WEB_THREADS="16",
        )
        base = context.__enter__()
    yield base
    context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def base_url(
    django_db_setup: None,  # noqa: ARG001 - a fixture that only has to be there
    django_db_blocker: DjangoDbBlocker,
    sandbox: SandboxProcess,
) -> Iterator[str]:
    """Run a web server that does not wait long for Omnitron."""
    with serving(django_db_blocker, sandbox, DEADLINE) as base:
        yield base


@pytest.fixture(scope="session")
def patient_url(
    django_db_setup: None,  # noqa: ARG001 - a fixture that only has to be there
    django_db_blocker: DjangoDbBlocker,
    sandbox: SandboxProcess,
) -> Iterator[str]:
    """Run a web server that waits for Omnitron for as long as a busy machine takes."""
    with serving(django_db_blocker, sandbox, 60) as base:
        yield base


@pytest.fixture
def scenario(transactional_db: None, sandbox: SandboxProcess, base_url: str) -> OrderScenario:  # noqa: ARG001 - a fixture that only has to be there
    """A customer with an order of two items, known to Omnitron."""
    sandbox.control("reset", {})
    return make_scenario(sandbox, base_url)


@pytest.fixture
def patient_scenario(transactional_db: None, sandbox: SandboxProcess, patient_url: str) -> OrderScenario:  # noqa: ARG001 - a fixture that only has to be there
    """The same, where nothing fails for taking long."""
    sandbox.control("reset", {})
    return make_scenario(sandbox, patient_url)


def make_scenario(sandbox: SandboxProcess, base_url: str, *lines: Line) -> OrderScenario:
    """Make a customer with an order, and tell the sandbox of it."""
    user = make_customer()
    order = make_order(user, *(lines or (Line(), Line())))
    items = [
        item_document(item.pk, quantity=item.quantity, status=item.status, price=str(item.price))
        for item in get_items(order)
    ]
    sandbox.load(order_document(order.pk, *items, number=order.number))
    return OrderScenario(
        base_url=base_url,
        sandbox=sandbox,
        order=order,
        shop_client=ShopClient(base_url).enter(user),
        reason=make_reason("cancel"),
    )
