"""The operations that machines call. Views of their own document here those that are no business of the framework."""

from collections.abc import Callable
from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.api import events, health
from aftercart.api.schema import answers, errors
from aftercart.api.schema.operation import NO_ADDRESS, operation
from aftercart.api.schema.texts import HEALTH, OMS


class _DocumentedView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)


class _Live(_DocumentedView):
    @operation(
        "check_life",
        tag=HEALTH,
        summary="Is it alive",
        description="Answers as long as the process does.",
        answers={200: (answers.Alive, "It is."), 404: NO_ADDRESS},
        is_bare=True,
    )
    def get(self, request: Request) -> Response:
        raise NotImplementedError


class _Ready(_DocumentedView):
    @operation(
        "check_readiness",
        tag=HEALTH,
        summary="Is it ready",
        description="""\
Ready is when the database answers and has all migrations. The queue's lag is told, not judged: taking web servers away
does not help a queue without workers.
""",
        answers={
            200: (answers.Ready, "It is."),
            404: NO_ADDRESS,
            503: (answers.NotReady, "Not yet, or not now."),
        },
        is_bare=True,
    )
    def get(self, request: Request) -> Response:
        raise NotImplementedError


class _Events(_DocumentedView):
    @operation(
        "receive_events",
        tag=OMS,
        summary="Report that orders have changed",
        description="""\
Has the named orders read from Omnitron at once, instead of with the next poll. An event only says where to look:
whatever else it holds is ignored. Unknown numbers are ignored too.
""",
        request=events.EventsSerializer,
        parameters=[
            OpenApiParameter(
                "X-Omnitron-Timestamp",
                {"type": "string", "pattern": r"^\d+$"},
                OpenApiParameter.HEADER,
                required=True,
                description="When it was sent, in Unix seconds; at most five minutes from now.",
            ),
            OpenApiParameter(
                "X-Omnitron-Signature",
                {"type": "string", "pattern": "^(sha256=)?[0-9a-f]{64}$"},
                OpenApiParameter.HEADER,
                required=True,
                description='The HMAC-SHA256 of `"<timestamp>.<body>"` with a secret that both sides know.',
            ),
        ],
        is_open=True,
        answers={
            202: (answers.EventsAccepted, "These orders will be read."),
            400: (
                errors.make_bad_request(
                    "ReceiveEventsBadRequest",
                    errors.make_input_error("EventsInputError", events.EventsSerializer().fields),
                    errors.Unreadable,
                ),
                "The input makes no sense.",
            ),
            401: (errors.SignatureInvalid, "Not signed with a secret of ours, or not recently."),
            404: (errors.NotFound, "The shop has no secret with Omnitron, so that there is no such address."),
        },
    )
    def post(self, request: Request) -> Response:
        raise NotImplementedError


#: By view, or by the class of a view.
DOCUMENTED_VIEWS: Final[dict[Any, Callable[..., Any]]] = {
    health.live: _Live.as_view(),
    health.ready: _Ready.as_view(),
    events.OmsEvents: _Events.as_view(),
}
