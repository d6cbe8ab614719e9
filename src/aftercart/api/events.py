"""`POST /omnitron/events/`: the OMS's webhook, authenticated by HMAC."""

from django.conf import settings
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from aftercart.actions.sync.receive_events import receive_events
from aftercart.api.open_views import OpenView
from aftercart.api.schema import documented_views as schema
from aftercart.api.serializers import EventsSerializer, read_valid
from aftercart.lib.signed_messages import is_genuine


class SignatureInvalid(APIException):
    """The message was not signed with a secret of ours, or not recently."""

    # Not AuthenticationFailed, which the framework turns into a 403 where no log-in could help.
    status_code = 401
    default_code = "signature_invalid"


class OmsEvents(OpenView):
    """Takes the OMS's word for where to look, and its own word for nothing else."""

    @schema.receive_events
    def post(self, request: Request) -> Response:
        """Have the orders of these events synced at once: 202 and how many of them we know.

        Headers: a timestamp (Unix seconds) and a signature (`sha256=<hex HMAC-SHA256 of "<timestamp>.<body>">`).
        Without a secret there is no such URL.
        """
        timestamp = request.headers.get("X-Omnitron-Timestamp", "")
        signature = request.headers.get("X-Omnitron-Signature", "")
        if timestamp and signature and not settings.OMNITRON_WEBHOOK_SECRETS:
            raise Http404
        body = request._request.body  # noqa: SLF001 - the signature is over the bytes
        if not is_genuine(settings.OMNITRON_WEBHOOK_SECRETS, timestamp, signature, body):
            raise SignatureInvalid(_("The signature is wrong or too old."))
        events = read_valid(EventsSerializer, request.data).validated_data["events"]
        numbers = [event["number"] for event in events]
        return Response({"accepted": receive_events(numbers)}, status=202)
