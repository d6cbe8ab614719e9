"""The WSGI entrance, served by Granian."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from aftercart.lib.garbage import collecting_rarely

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftercart.settings")
with collecting_rarely():  # a tenth of the time: all that is made here stays
    application = get_wsgi_application()
    get_resolver().url_patterns  # noqa: B018 - reads them: else each hand would, when its first request comes
