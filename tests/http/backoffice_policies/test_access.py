"""Who may do what to the policy in the back office."""

import pytest
from django.test import Client

from aftercart.cancellations.models import PolicyVersion
from tests.http.backoffice_policies.world import POLICIES, REASONS, count_everything, make_draft, read
from tests.http.backoffice_world import ORDERS, log_in, make_order, make_staff

pytestmark = pytest.mark.django_db
_EDITOR = ("view_policyversion", "add_policyversion", "change_policyversion", "delete_policyversion")


def test_each_permission_opens_its_own_door_only() -> None:
    version, order = make_draft(), make_order()
    doors = {
        f"{POLICIES}": ("get", _EDITOR[:1]),
        f"{POLICIES}draft/": ("post", _EDITOR[1:2]),
        f"{POLICIES}{version.pk}/publish/": ("post", ("publish_policyversion",)),
        f"{POLICIES}try/": ("get", ("view_policyversion", "view_order")),
        f"{ORDERS}{order.pk}/override/": ("get", ("override_policyversion", "view_order")),
        f"{REASONS}sync/": ("post", ("change_cancellationreason",)),
    }
    for path, (method, permissions) in doors.items():
        assert getattr(Client(), method)(path).status_code == 302, path
        others = {p for _path, (_m, ps) in doors.items() for p in ps} - set(permissions)
        refused = log_in(make_staff(*(others - {"view_order", "view_policyversion"})))
        before = count_everything()
        assert getattr(refused, method)(path).status_code == 403, path
        assert count_everything() == before
        assert getattr(log_in(make_staff(*permissions)), method)(path).status_code in {200, 302}, path


def test_a_customer_is_sent_to_the_log_in() -> None:
    order = make_order()
    assert order.user is not None
    browser = log_in(order.user)
    for path in (f"{POLICIES}", f"{POLICIES}try/", f"{ORDERS}{order.pk}/override/"):
        assert browser.get(path)["Location"] == f"/backoffice/login/?next={path}"
    assert browser.post(f"{POLICIES}draft/").status_code == 302
    assert PolicyVersion.objects.count() == 0


def test_who_may_edit_may_not_publish_nor_see_the_button() -> None:
    version = make_draft()
    editor = log_in(make_staff(*_EDITOR))

    assert "/publish/" not in read(editor, f"{POLICIES}{version.pk}/change/")
    assert editor.post(f"{POLICIES}{version.pk}/publish/").status_code == 403
    version.refresh_from_db()
    assert version.is_draft


def test_writes_want_a_token_and_the_post() -> None:
    version, order = make_draft(), make_order()
    strict = log_in(make_staff(is_superuser=True), checks_csrf=True)
    paths = (
        f"{POLICIES}draft/",
        f"{POLICIES}{version.pk}/publish/",
        f"{ORDERS}{order.pk}/override/",
        f"{REASONS}sync/",
    )
    before = count_everything()
    assert [strict.post(path).status_code for path in paths] == [403] * 4
    root = log_in(make_staff(is_superuser=True))
    assert [root.get(path).status_code for path in paths] == [405, 405, 200, 405]
    assert root.post(f"{POLICIES}try/").status_code == 405
    assert count_everything() == before
