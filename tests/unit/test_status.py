"""The tables of legal moves, whole."""

import itertools

from aftercart.cancellations.models import Submission
from aftercart.cancellations.states import LEGAL_MOVES as SUBMISSION_MOVES
from aftercart.cancellations.states import UNDER_WAY
from aftercart.orders.document import OrderStatus
from aftercart.orders.status import FINAL, SHIPPED, Status, is_legal_move

NUMBERS = "50 100 200 300 350 400 450 500 510 520 540 544 545 546 547 550 600".split()
FULFILMENT = [number for number in NUMBERS if number not in {"50", "100", "600"}]


def test_the_statuses_are_the_contracts_each_with_a_label() -> None:
    assert [status.value for status in Status] == NUMBERS
    assert OrderStatus.write("510") == {"value": "510", "label": "Shipped and informed"}
    assert sorted(SHIPPED) == "500 510 520 540 544 545 546 547 550".split()
    assert sorted(FINAL) == ["100", "600"]


def test_every_move_between_statuses_is_told_by_one_sentence() -> None:
    for before, after in itertools.product(NUMBERS, NUMBERS):
        forward = before in FULFILMENT and after in FULFILMENT and before < after
        cancel = before in FULFILMENT and after == "50"
        reject = before == "50" and after in FULFILMENT
        canceled = before not in FINAL and after == "100"
        refunded = (before == "50" or before in SHIPPED) and after == "600"
        assert is_legal_move(before, after) == (forward or cancel or reject or canceled or refunded), (
            before,
            after,
        )


def test_a_submission_goes_from_prepared_by_sent_to_its_end_and_never_back() -> None:
    assert {(str(before), str(after)) for before, after in SUBMISSION_MOVES} == {
        ("prepared", "sent"),
        ("prepared", "refused"),
        ("sent", "applied"),
        ("sent", "refused"),
        ("sent", "unknown"),
        ("unknown", "applied"),
        ("unknown", "refused"),
    }
    ends = set(Submission.State) - {before for before, _after in SUBMISSION_MOVES}
    assert {str(state) for state in ends} == {"applied", "refused"}
    assert set(UNDER_WAY) | ends == set(Submission.State)
