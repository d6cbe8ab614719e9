"""What `aftercart web` has Granian load: the front before Django, as the settings want it."""

from django.conf import settings

from aftercart.front.bodies import BodyLimits
from aftercart.front.server import Front
from aftercart.wsgi import application

front = Front(
    application,
    threads=settings.WEB_THREADS,
    limits=BodyLimits(
        size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        seconds=settings.WEB_BODY_SECONDS,
        total=settings.WEB_BODIES_MEMORY,
    ),
)
