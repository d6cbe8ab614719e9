"""The document at `/api/schema/`, and a page to read it at `/api/docs/`: nothing comes from elsewhere."""

import json
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularSwaggerSplitView

from aftercart.api.schema.generator import SchemaGenerator


@cache
def build_document() -> bytes:
    """Make the document, once for each process."""
    document = SchemaGenerator().get_schema(public=True)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


@require_safe
def serve_document(_request: HttpRequest) -> HttpResponse:
    """Serve the document. It is the same for all, so that anybody may keep it for a while."""
    headers = {"Cache-Control": "public, max-age=300"}
    return HttpResponse(build_document(), content_type="application/json", headers=headers)


class ReadDocument(SpectacularSwaggerSplitView):
    """The page, whose script comes in a request of its own, as the site's policy wants it."""

    title = "Aftercart API"
    #: Nobody's, as the document is; or a page of what is wrong with a request would fail by who is not let in.
    authentication_classes = ()
    #: What Django REST framework tells by OPTIONS has no template here.
    http_method_names = ("get", "head")
