"""The menu, and the tabs above the queue (django-unfold asks for both)."""

from functools import partial
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from aftercart.accounts.models import Address, City, Country, District, Township, User
from aftercart.backoffice.links import make_list_url
from aftercart.cancellations.models import (
    AddressChange,
    CancellationReason,
    CancellationRequest,
    Difference,
    EasyReturnCompany,
    PolicyVersion,
    PublicStatement,
    Submission,
    Withdrawal,
    WithdrawalPolicy,
)
from aftercart.cancellations.models.easy_return import ReturnInstructions
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.mail.models import Email
from aftercart.orders.models import Order


def list_menu(request: HttpRequest) -> list[dict[str, Any]]:
    """List what the person may see, in groups."""
    item = partial(_make_item, request)
    waiting = {"badge": "aftercart.backoffice.dashboard.count_waiting", "badge_variant": "primary"}
    return [
        {
            "items": [
                {"title": _("Overview"), "icon": "dashboard", "link": reverse("admin:index")},
                item(CancellationRequest, _("Requests"), "inbox") | waiting,
                item(Withdrawal, _("Withdrawals"), "undo"),
                item(PublicStatement, _("Open statements"), "contact_mail"),
                item(Order, _("Orders"), "receipt_long"),
            ],
        },
        {
            "title": _("Behind the scenes"),
            "items": [
                item(Submission, _("Submissions"), "send"),
                item(AddressChange, _("Address changes"), "edit_location"),
                item(Difference, _("Differences"), "difference"),
                item(LoyaltyEntry, _("Loyalty points"), "loyalty"),
                item(Email, _("E-mails"), "mail"),
            ],
        },
        {
            "title": _("Setup"),
            "items": [
                item(PolicyVersion, _("Policy"), "policy"),
                item(CancellationReason, _("Reasons"), "list"),
                item(EasyReturnCompany, _("Easy-return companies"), "local_shipping"),
                item(ReturnInstructions, _("Return instructions"), "assignment_return"),
                item(WithdrawalPolicy, _("Right of withdrawal"), "gavel"),
                item(User, _("Users"), "person"),
                item(Group, _("Groups"), "group"),
            ],
        },
        {
            "title": _("Addresses"),
            "collapsible": True,
            "items": [
                item(Address, _("Addresses"), "home"),
                item(Country, _("Countries"), "public"),
                item(City, _("Cities"), "location_city"),
                item(Township, _("Townships"), "map"),
                item(District, _("Districts"), "pin_drop"),
            ],
        },
    ]


def list_tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """List the tabs above the queue: the views of it that staff switch between all day."""
    chosen = {name: value for name in ("status", "delivery") if (value := request.GET.get(name))}
    views: tuple[tuple[str, dict[str, str]], ...] = (
        (_("Open"), {}),
        (_("Waiting for a decision"), {"status": "waiting"}),
        (_("Held"), {"status": "verifying"}),
        (_("Undeliverable"), {"delivery": "undeliverable"}),
        (_("Rejected"), {"status": "rejected"}),
        (_("All"), {"status": "all"}),
    )
    return [
        {
            "models": ["cancellations.cancellationrequest"],
            "items": [
                {
                    "title": title,
                    "link": make_list_url(CancellationRequest, **filters),
                    "active": chosen == filters,
                }
                for title, filters in views
            ],
        }
    ]


def _make_item(request: HttpRequest, model: type[Model], title: str, icon: str) -> dict[str, Any]:
    app, name = model._meta.app_label, model._meta.model_name
    may_see = any(request.user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))
    return {
        "title": title,
        "icon": icon,
        "link": make_list_url(model),
        "permission": lambda _request: may_see,
    }
