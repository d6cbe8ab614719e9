"""Another address: Omnitron takes it, refuses it, or is silent; and what may not be changed."""

import pytest

from aftercart.actions.address.change_address import _prepare, change_address, deliver_address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.cancellations.models import AddressChange
from aftercart.oms.errors import AnswerUnknown, NotSent, Refused
from aftercart.orders.errors import AddressChangeRefused, InputInvalid
from aftercart.orders.models import IdempotencyRecord, Order
from tests.shop import Line, Shop, make_address, make_address_command, make_customer

pytestmark = pytest.mark.django_db


def get_address_pk(shop: Shop) -> int | None:
    shop.order.refresh_from_db()
    address = shop.order.shipping_address
    return address["pk"] if address else None


def get_change() -> AddressChange:
    return AddressChange.objects.get()


def test_an_address_that_omnitron_takes_is_the_orders_at_once() -> None:
    shop = Shop()
    address = make_address(shop.user)

    answer = change_address(make_address_command(shop.order, address), shop.fake)

    assert (answer.status, answer.body) == (200, {"status_code": 200})
    assert get_address_pk(shop) == address.pk
    assert get_change().state == "confirmed"
    assert shop.fake.posts[0].body == {
        "channel_id": 1,
        "order": shop.order.pk,
        "address": {
            "pk": address.pk,
            "first_name": "Ayşe",
            "last_name": "Yılmaz",
            "email": "",
            "phone_number": "+905551112233",
            "title": "Home",
            "line": address.line,
            "postcode": "34710",
            "notes": None,
            "country": address.country_id,
            "city": address.city_id,
            "township": address.township_id,
            "district": None,
            "retail_store": None,
        },
        "order_address_types": ["shipping"],
    }


@pytest.mark.parametrize("error", [NotSent("down", code="unreachable"), AnswerUnknown("?", code="timeout")])
def test_while_omnitron_is_silent_the_change_is_recorded_and_delivered_later(error: NotSent) -> None:
    shop = Shop()
    address = make_address(shop.user)
    shop.fake.fail("change_address", error)

    answer = change_address(make_address_command(shop.order, address), shop.fake)
    assert (answer.status, answer.body) == (202, {"status_code": None, "state": "pending"})
    assert (get_change().state, get_address_pk(shop)) == ("pending", None)

    deliver_address(get_change().pk, shop.fake)
    assert (get_change().state, get_address_pk(shop)) == ("confirmed", address.pk)


def test_a_change_that_could_not_be_delivered_in_time_ends_as_too_late() -> None:
    shop = Shop()
    shop.fake.fail("change_address", NotSent("down", code="unreachable"))
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)
    Order.objects.update(status="500")

    deliver_address(get_change().pk, shop.fake)

    assert (get_change().state, shop.fake.posts) == ("too_late", [])


def test_what_omnitron_refuses_is_told_with_its_reason_and_changes_nothing() -> None:
    shop = Shop()
    shop.fake.fail("change_address", Refused("Too late.", code="address_change_100_1", status=406))
    command = make_address_command(shop.order, make_address(shop.user))

    with pytest.raises(AddressChangeRefused) as caught:
        change_address(command, shop.fake)

    assert caught.value.body() == {"non_field_errors": ["Too late."], "code": "omnitron_refused"}
    assert (get_change().state, get_address_pk(shop)) == ("refused", None)
    assert change_address(command, shop.fake).status == 200


def test_of_two_changes_the_last_one_wins() -> None:
    shop = Shop()
    first, second = make_address(shop.user, title="First"), make_address(shop.user, title="Second")
    shop.fake.fail("change_address", NotSent("down", code="unreachable"))
    change_address(make_address_command(shop.order, first), shop.fake)
    change_address(make_address_command(shop.order, second), shop.fake)

    for change in AddressChange.objects.all():
        deliver_address(change.pk, shop.fake)

    assert [change.state for change in AddressChange.objects.order_by("pk")] == ["superseded", "confirmed"]
    assert get_address_pk(shop) == second.pk


def test_going_back_to_the_first_address_is_not_taken_for_a_replay() -> None:
    shop = Shop()
    first, second = make_address(shop.user), make_address(shop.user)
    for address in (first, second, first, first):
        change_address(make_address_command(shop.order, address, fingerprint=f"to {address.pk}"), shop.fake)

    assert get_address_pk(shop) == first.pk
    assert shop.count_posts("change_address") == 3


@pytest.mark.parametrize(
    ("order_fields", "line", "code"),
    [
        ({"status": "500"}, Line(status="500"), "status_not_allowed"),
        ({"status": "100"}, Line(status="100", cancelled_quantity=1), "status_not_allowed"),
        ({"shipping_address": {"retail_store": {"pk": 3}}}, Line(), "store_pickup"),
        ({"shipping_address": {"country": {"pk": 9, "code": "de"}}}, Line(), "other_country"),
        ({"status": "50"}, Line(status="50"), "cancellation_in_progress"),
    ],
)
def test_an_order_whose_address_cannot_change_says_why(
    order_fields: dict[str, object], line: Line, code: str
) -> None:
    shop = Shop([line], order_fields=order_fields)

    with pytest.raises(AddressChangeRefused) as caught:
        change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)

    assert caught.value.code == code
    assert (AddressChange.objects.count(), shop.fake.posts) == (0, [])


def test_no_address_changes_while_a_cancellation_is_in_progress() -> None:
    shop = Shop([Line(), Line()])
    cancel_items(shop.command(0), shop.fake)

    with pytest.raises(AddressChangeRefused) as caught:
        change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)

    assert caught.value.code == "cancellation_in_progress"


def test_unknown_and_foreign_orders_and_addresses_have_one_wording() -> None:
    shop, stranger = Shop(), make_customer()
    theirs = make_address(stranger)
    mine = make_address(shop.user)
    foreign_order = Shop().order
    foreign_order.user = shop.user

    for command, field, pk in (
        (make_address_command(shop.order, theirs), "address", theirs.pk),
        (make_address_command(foreign_order, mine), "order", foreign_order.pk),
    ):
        with pytest.raises(InputInvalid) as caught:
            change_address(command, shop.fake)
        assert caught.value.fields == {field: [f'Invalid pk "{pk}" - object does not exist.']}


def test_another_channel_is_an_input_error() -> None:
    shop = Shop()

    with pytest.raises(InputInvalid) as caught:
        change_address(make_address_command(shop.order, make_address(shop.user), channel_id=2), shop.fake)

    assert list(caught.value.fields) == ["channel_id"]


def test_a_replay_of_a_change_that_ended_too_late_says_so() -> None:
    shop = Shop()
    address = make_address(shop.user)
    command = make_address_command(shop.order, address, fingerprint="one")
    _prepare(command)  # and then the process dies, before it answers
    Order.objects.update(status="500")

    deliver_address(get_change().pk, shop.fake)
    replayed = change_address(command, shop.fake)

    assert (replayed.status, replayed.is_replay, replayed.body["code"]) == (400, True, "too_late")


def test_a_change_that_a_newer_one_overtook_does_not_run_for_ever() -> None:
    shop = Shop()
    first = make_address_command(shop.order, make_address(shop.user), fingerprint="one")
    _prepare(first)  # and then the process dies
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)

    assert IdempotencyRecord.objects.filter(status_code=None).count() == 0


def test_a_refusal_after_a_lost_answer_is_none_if_omnitron_has_the_address() -> None:
    shop = Shop()
    address = make_address(shop.user)
    shop.fake.fail("change_address", AnswerUnknown("?", code="timeout"), applied=True)
    change_address(make_address_command(shop.order, address), shop.fake)
    shop.fake.fail("change_address", Refused("No.", code="no", status=406))

    deliver_address(get_change().pk, shop.fake)

    assert (get_change().state, get_change().cause, get_address_pk(shop)) == (
        "confirmed",
        "found_applied",
        address.pk,
    )
