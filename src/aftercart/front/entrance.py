"""What `aftercart web` has Granian load: the front before Django, as the settings want it."""

from django.conf import settings

from aftercart.wsgi import application

# isort: split
# Below, since they need Django set up.
from aftercart.actions.cancel.settle_overdue import look_for_answers
from aftercart.front.bodies import BodyLimits
from aftercart.front.hands import Hands, fork_hands
from aftercart.front.hot_reads import HotReads
from aftercart.front.server import Front
from aftercart.front.waiting import Waiting
from aftercart.lib.photos import MOST_UPLOADED


def make_front() -> Front:
    """Make the front of a web process, and its hands; Granian calls this once in each, before it has any thread."""
    hands = Hands(application, threads=settings.WEB_THREADS, dialogues=settings.OMNITRON_MAX_DIALOGUES)
    return Front(
        fork_hands(hands.work, steps=settings.WEB_NICENESS),
        limits=BodyLimits(
            size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
            seconds=settings.WEB_BODY_SECONDS,
            total=settings.WEB_BODIES_MEMORY,
        ),
        uploads=BodyLimits(
            size=MOST_UPLOADED, seconds=settings.WEB_UPLOAD_SECONDS, total=settings.WEB_UPLOADS_MEMORY
        ),
        hot_reads=HotReads(application),
        waiting=Waiting(look_for_answers, seconds=settings.REPEAT_WAIT_SECONDS),
    )
