"""The operations of the session (contract sections 1 and 5)."""

from aftercart.accounts.document import User
from aftercart.api import serializers
from aftercart.api.schema import errors
from aftercart.api.schema.operation import (
    COOKIES,
    CSRF_FAILED,
    NOT_JSON,
    UNAVAILABLE,
    UNKNOWN_FORMAT,
    operation,
)
from aftercart.api.schema.texts import SESSION
from aftercart.lib.documents import Document, text


class LoggedIn(Document):
    """The new session."""

    key = text("The session's key, as the cookies `sessionid` and `osessionid` carry it.")


class LoggedOut(Document):
    """There is no session any more."""

    detail = text("For a person.")


class CsrfToken(Document):
    """A token for writes."""

    csrf_token = text("Send it as `X-CSRFToken` with every write.")


log_in = operation(
    "log_in",
    tag=SESSION,
    summary="Log in",
    description="""\
Answers with the session's key, and sets `sessionid`, `osessionid` (both HttpOnly) and `csrftoken`. Needs no CSRF
token: another site cannot send JSON here. Further fields, such as those of the storefront's form, are ignored.

Every failure is told in one wording, and an error has no `code` here: each member is a field, or `non_field_errors`,
with its sentences. After too many failures for one e-mail from one network address, or from that address at all, 429
for a while, even with the right password; also when too many log in at once.
""",
    request=serializers.LoginSerializer,
    parameters=[COOKIES],
    is_open=True,
    answers={
        200: (LoggedIn, "Logged in; the cookies are set."),
        400: (errors.LogInError, "Not logged in."),
        415: (errors.LogInError, NOT_JSON[1]),
        429: (errors.LogInError, "Too many tries; the password was not looked at."),
        503: (errors.LogInError, UNAVAILABLE[1]),
    },
    has_page=True,
)

log_out = operation(
    "log_out",
    tag=SESSION,
    summary="Log out",
    description="Ends the session and clears its three cookies. Who is not logged in gets the same answer.",
    parameters=[COOKIES],
    is_open=True,
    answers={
        200: (LoggedOut, "Logged out; the cookies are cleared."),
        403: CSRF_FAILED,
    },
    has_page=True,
)

log_out_by_get = operation(
    "log_out_by_get",
    tag=SESSION,
    summary="Log out, as older clients do",
    description="""\
The same as `log_out`, without a CSRF token; so it is refused where another site's page may have caused it: with an
`Origin`, `Referer` or `Sec-Fetch-Site` of another site, or with an `Accept` that names `text/html` and none of these.
""",
    parameters=[COOKIES],
    is_open=True,
    answers={
        200: (LoggedOut, "Logged out; the cookies are cleared."),
        403: (errors.CsrfFailed, "Another site's page may have caused it."),
    },
    has_page=True,
)

get_current_user = operation(
    "get_current_user",
    tag=SESSION,
    summary="Return who is logged in",
    description="What the storefront shows of its customer.",
    answers={
        200: (User, "The customer."),
        404: UNKNOWN_FORMAT,
    },
)

get_csrf_token = operation(
    "get_csrf_token",
    tag=SESSION,
    summary="Get a CSRF token",
    description="Gives a token for writes, and sets the cookie `csrftoken` that belongs to it.",
    parameters=[COOKIES],
    is_open=True,
    needs_database=False,
    answers={200: (CsrfToken, "The token."), 404: UNKNOWN_FORMAT},
)
