"""Where Django looks for the admin: it is assembled here."""

from django.apps import apps
from django.contrib import admin

from aftercart.backoffice import (  # noqa: F401 - each registers what it shows
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
    statements,
    submissions,
    withdrawals,
)
from aftercart.backoffice.accounts import LoginForm

# Tables of what works beneath, which nobody has to look at by hand: their lists would count and sort all of it.
for _app in ("axes", "procrastinate"):
    for _model in apps.get_app_config(_app).get_models():
        if admin.site.is_registered(_model):
            admin.site.unregister(_model)

# The index of django-unfold comes first among the templates, so that ours needs another name.
admin.site.index_template = "backoffice/index.html"
admin.site.login_form = LoginForm
admin.site.login_template = "backoffice/login.html"
