"""Where Django looks for the admin: it is assembled here."""

from django.contrib import admin

from aftercart.backoffice import (
    accounts,
    differences,
    emails,
    orders,
    places,
    points,
    policies,
    reasons,
    requests,
    returns,
    submissions,
    withdrawals,
)
from aftercart.backoffice.login import LoginForm

__all__ = [
    "accounts",
    "differences",
    "emails",
    "orders",
    "places",
    "points",
    "policies",
    "reasons",
    "requests",
    "returns",
    "submissions",
    "withdrawals",
]

# The index of django-unfold comes first among the templates, so that ours needs another name.
admin.site.index_template = "backoffice/index.html"
admin.site.login_form = LoginForm
