"""Staff say which differences they have settled."""

import pytest

from aftercart.cancellations.models import Difference
from tests.http.backoffice_world import log_in, make_order, make_staff

pytestmark = pytest.mark.django_db

PATH = "/backoffice/cancellations/difference/"


@pytest.mark.parametrize(
    ("permissions", "is_settled"),
    [(["view_difference", "change_difference"], True), (["view_difference"], False)],
)
def test_who_may_change_a_difference_can_mark_it_as_settled(
    permissions: list[str], *, is_settled: bool
) -> None:
    chosen, other = (Difference.objects.create(order=make_order(), what="request name taken") for _ in "12")
    data = {"action": "settle", "_selected_action": [chosen.pk]}

    log_in(make_staff(*permissions)).post(PATH, data)

    chosen.refresh_from_db()
    other.refresh_from_db()
    assert (chosen.resolved_at is not None, other.resolved_at) == (is_settled, None)
