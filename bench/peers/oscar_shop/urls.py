"""What its documentation says to put here."""

from typing import Any

from django.apps import apps
from django.urls import include, path

_shop: Any = apps.get_app_config("oscar")
urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include(_shop.urls[0])),
]
