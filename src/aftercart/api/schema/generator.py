"""Makes the document: finds the operations behind shared addresses, and adds what holds for all of them."""

from collections.abc import Callable, Sequence
from typing import Any

from django.urls import URLPattern, URLResolver
from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import EndpointEnumerator as FrameworkEnumerator
from drf_spectacular.generators import SchemaGenerator as FrameworkGenerator

from aftercart.api.schema import fields, requests  # noqa: F401 - say how schemas are derived
from aftercart.api.schema.documented_views import DOCUMENTED_VIEWS
from aftercart.api.schema.operation import SHARED
from aftercart.api.schema.texts import DESCRIPTION, TAGS


def find_json_view(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Find the view that answers in JSON: behind `by_format`, or standing in for a plain one."""
    view: Callable[..., Any] = getattr(callback, "json_view", callback)
    return DOCUMENTED_VIEWS.get(view, view)


class EndpointEnumerator(FrameworkEnumerator):
    """Looks through `by_format`, which hides its views from the framework."""

    def _get_api_endpoints(self, patterns: Sequence[URLPattern | URLResolver] | None, prefix: str) -> Any:
        shown = [
            URLPattern(pattern.pattern, find_json_view(pattern.callback), pattern.default_args, pattern.name)
            if isinstance(pattern, URLPattern)
            else pattern
            for pattern in (self.patterns or () if patterns is None else patterns)
        ]
        return super()._get_api_endpoints(shown, prefix)


class SchemaGenerator(FrameworkGenerator):
    """The framework's, in English whatever the caller's language is: the document is one for all."""

    endpoint_inspector_cls = EndpointEnumerator

    def get_schema(self, request: Any = None, public: bool = False) -> Any:  # noqa: FBT001, FBT002 - the framework's
        """Make the document."""
        with translation.override("en"):
            document = super().get_schema(request, public)
        _drop_marks(document)
        _share_examples(document["paths"])
        document["components"]["examples"] = SHARED
        document["info"]["description"] = DESCRIPTION
        document["info"]["license"] = {"name": "MIT", "identifier": "MIT"}
        document["tags"] = TAGS
        return document


def _drop_marks(part: Any) -> None:
    """Drop what the framework marks enumerations with, for a hook that is not in use."""
    if isinstance(part, dict):
        part.pop("x-spec-enum-id", None)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _drop_marks(inner)


def _share_examples(part: Any) -> None:
    """Point at the examples that many answers share."""
    for name, inner in part.items() if isinstance(part, dict) else ():
        if name == "examples":
            inner.update(
                {kind: {"$ref": f"#/components/examples/{kind}"} for kind in inner.keys() & SHARED.keys()}
            )
        else:
            _share_examples(inner)


class SessionExtension(OpenApiAuthenticationExtension):
    """Two cookies, either of which will do, and a token for every write."""

    target_class = "aftercart.api.authentication.SessionAuthentication"
    name = ["sessionid", "osessionid", "csrfToken"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:  # noqa: ARG002 - drf-spectacular's signature
        """Define the three schemes."""
        session = "The session's key. Both cookies carry the same; either is enough."
        return [
            {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": session},
            {"type": "apiKey", "in": "cookie", "name": "osessionid", "description": session},
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-CSRFToken",
                "description": "The value of the cookie `csrftoken`, for writes of who is logged in.",
            },
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Want one of the cookies, and for a write the token too."""
        token: dict[str, list[Any]] = {} if auto_schema.method == "GET" else {"csrfToken": []}
        return [{"sessionid": [], **token}, {"osessionid": [], **token}]
