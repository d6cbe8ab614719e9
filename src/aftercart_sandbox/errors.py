"""The errors a handler raises, each with its status, body and headers. Raising one rolls everything back."""

from typing import Any

from aftercart_sandbox.tables import REFUSALS


class ApiError(Exception):
    """An answer other than success.

    ``status`` is the HTTP status, ``body`` the JSON object to send, ``headers`` what goes with it.
    """

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def invalid(field: str, message: str, code: str = "invalid") -> ApiError:
    """Return a 400 with one field's message: ``{field: [message], "code": code}`` (contract section 8)."""
    return ApiError(400, {field: [message], "code": code})


def required(field: str) -> ApiError:
    """Return the 400 for a field that is missing."""
    return invalid(field, "This field is required.", "required")


def refused(code: str) -> ApiError:
    """Return the 406 of a business rule; ``code`` is a key of `sandbox.tables.REFUSALS`."""
    refusal = REFUSALS[code]
    message = [refusal.message] if refusal.as_list else refusal.message
    return ApiError(406, {"non_field_errors": message, "code": code})


def not_found() -> ApiError:
    """Return the 404 of an object or address that does not exist."""
    return ApiError(404, {"detail": "Not found.", "code": "not_found"})
