"""How django-unfold is to look here: the value of the UNFOLD setting. Imports nothing of Django's models."""

from typing import Any, Final

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

_BRAND: Final = {
    "50": "#eef7f4", "100": "#d6ece5", "200": "#aedacd", "300": "#7cc2af", "400": "#45a38b", "500": "#1c7f69",
    "600": "#0d5c4c", "700": "#0a4a3e", "800": "#083b32", "900": "#062e27", "950": "#031a16",
}  # fmt: skip

UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Aftercart",
    "SITE_HEADER": "Aftercart",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_SYMBOL": "assignment_return",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("pages/icon.svg")},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda _request: static("backoffice/backoffice.css")],
    "COLORS": {"primary": _BRAND},
    "DASHBOARD_CALLBACK": "aftercart.backoffice.dashboard.fill_dashboard",
    "TABS": "aftercart.backoffice.navigation.list_tabs",
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "aftercart.backoffice.navigation.list_menu",
    },
}
