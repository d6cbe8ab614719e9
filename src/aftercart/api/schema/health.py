"""The operations for operators. Their views are plain Django, so that stand-ins speak for them here."""

from collections.abc import Callable
from typing import Any, Final

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.api import health
from aftercart.api.schema import answers
from aftercart.api.schema.operation import operation
from aftercart.api.schema.texts import HEALTH


class _Live(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @operation(
        "check_life",
        tag=HEALTH,
        summary="Is it alive",
        description="Answers as long as the process does.",
        answers={200: (answers.Alive, "It is.")},
        is_bare=True,
    )
    def get(self, request: Request) -> Response:
        raise NotImplementedError


class _Ready(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @operation(
        "check_readiness",
        tag=HEALTH,
        summary="Is it ready",
        description="Ready is when the database answers and has all migrations.",
        answers={200: (answers.Alive, "It is."), 503: (answers.NotReady, "Not yet, or not now.")},
        is_bare=True,
    )
    def get(self, request: Request) -> Response:
        raise NotImplementedError


STAND_INS: Final[dict[Any, Callable[..., Any]]] = {
    health.live: _Live.as_view(),
    health.ready: _Ready.as_view(),
}
