"""The session store: Django's database store, on a table whose row knows its user."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import models
from django.http import HttpRequest, HttpResponseBase

from aftercart.accounts.models import Session, User
from aftercart.lib.clock import get_now
from aftercart.lib.prepared import prepared
from aftercart.lib.retention import delete_oldest


@prepared
def _find_session(key: str | None, now: datetime) -> models.QuerySet[Session]:
    return Session.objects.select_related("user").filter(session_key=key, expire_date__gt=now)


class SessionStore(DatabaseStore):
    """Keeps a session's user in a column of its own as well as in the signed data."""

    #: Who the row names, once it has been read.
    user: User | None = None

    def _get_session_from_db(self) -> Session | None:
        """Read the row, and its user with it."""
        found = _find_session(self.session_key, get_now())
        if not found:
            self._session_key = None
            return None
        self.user = found[0].user
        return found[0]

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the sessions that are over."""
        delete_oldest(Session.objects.filter(expire_date__lt=get_now()), "expire_date")

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Name the table."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Make the row that is saved, with its user."""
        session: Session = super().create_model_instance(data)  # type: ignore[assignment]  # the stubs know Django's own model only
        user_id = data.get(SESSION_KEY)
        session.user_id = None if user_id is None else int(user_id)
        return session


def end_session(request: HttpRequest, response: HttpResponseBase) -> None:
    """Log out, and have the browser forget the three cookies; those of a session of the shop's, too.

    Its row here is only what the shop has said: while the browser kept the cookies, the next page would ask again.
    """
    auth.logout(request)
    for name in (
        settings.SESSION_COOKIE_NAME,
        settings.SESSION_COOKIE_TWIN_NAME,
        settings.CSRF_COOKIE_NAME,
    ):
        response.delete_cookie(name, samesite="Lax")
