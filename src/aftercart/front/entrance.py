"""What `aftercart web` has Granian load: the front before Django, as the settings want it."""

from django.conf import settings

from aftercart.front.bodies import BodyLimits
from aftercart.front.server import Front
from aftercart.front.waiting import Waiting
from aftercart.wsgi import application


def _look(records: frozenset[int]) -> set[int]:
    from aftercart.actions.settle_overdue import look_for_answers  # by now Django is set up

    return look_for_answers(records)


front = Front(
    application,
    threads=settings.WEB_THREADS,
    limits=BodyLimits(
        size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        seconds=settings.WEB_BODY_SECONDS,
        total=settings.WEB_BODIES_MEMORY,
    ),
    waiting=Waiting(_look, seconds=settings.REPEAT_WAIT_SECONDS),
)
