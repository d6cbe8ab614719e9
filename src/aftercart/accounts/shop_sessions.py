"""Sessions of the shop, taken here: its cookie names one, and whose it is the shop has said a moment ago.

What is remembered stands in the table of our own sessions, under a keyed hash of the cookie, with its user, until
`expire_date`: after that the shop is asked again, so that a log-out there ends here. Whoever reads the table cannot
use it: no cookie has the form of such a key. An own session (a member of staff's, a guest's) goes before.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from aftercart.accounts.models import Session, User
from aftercart.accounts.sessions import SessionStore
from aftercart.lib.clock import get_now

_AUTH_KEYS: Final = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)
_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


def name_remembered(cookie: str) -> str:
    """Name the row in which it is remembered whose a session cookie of the shop is.

    Upper case at its beginning, which no cookie that is looked at has.
    """
    return f"C{salted_hmac('aftercart.shop_session', cookie, algorithm='sha256').hexdigest()[:39]}"


class ShopSession(SessionStore):
    """The session of a cookie that may be the shop's; asked for only when something is read from it.

    Reading raises what the source raises where the shop does not answer.
    """

    def __init__(self, cookie: str, client: str) -> None:
        super().__init__(name_remembered(cookie))
        self._cookie = cookie
        self._client = client
        self._expires_at: datetime | None = None
        #: Whether it is one of ours, whose cookie we set.
        self.is_own = False

    @property
    def key_salt(self) -> str:
        """Sign as our other sessions do, which may be one and the same row."""
        return SessionStore().key_salt

    @property
    def cookie(self) -> str:
        """The shop's session key, to ask the shop with; "" of a session of ours."""
        return "" if self.is_own else self._cookie

    def load(self) -> dict[str, Any]:
        """Load what is remembered, or ask the shop."""
        rows = {
            row.session_key: row
            for row in Session.objects.filter(session_key__in=[self._cookie, self._session_key])
        }
        own, remembered = rows.get(self._cookie), rows.get(str(self._session_key))
        now = get_now()
        if own is not None and own.expire_date > now:
            self.is_own, self._session_key = True, self._cookie
            return dict(self.decode(own.session_data))
        data = {} if remembered is None else dict(self.decode(remembered.session_data))
        if remembered is not None and remembered.user_id and remembered.expire_date > now:
            self._expires_at = remembered.expire_date
            return data
        return self._ask(data)

    def _ask(self, data: dict[str, Any]) -> dict[str, Any]:
        ask = import_string(settings.SHOP_SESSION_SOURCE)
        user: User | None = ask(self._cookie, self._client)
        known = {name: value for name, value in data.items() if name not in _AUTH_KEYS}
        if user is None:
            return known
        known |= {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: _BACKEND,
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        self._expires_at = get_now() + timedelta(seconds=settings.COMMERCE_SESSION_SECONDS)
        self._session_cache = known  # what is written looks into it, and must not ask again
        self._write(known)
        return known

    def _write(self, data: dict[str, Any]) -> None:
        """Keep the row, in one statement that two at once cannot trip over."""
        row = self.create_model_instance(data)
        row.session_key = str(self._session_key)
        Session.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["session_key"],
            update_fields=["session_data", "expire_date", "user"],
        )

    def get_expiry_date(self, **given: Any) -> datetime:
        """Return when the shop's word is over, or what holds for any session."""
        return self._expires_at or super().get_expiry_date(**given)

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Keep what was written to it: no longer than the shop's word about its user is good for."""
        if self.is_own:
            super().save(must_create)
        else:
            self._write(self._get_session(no_load=must_create))  # type: ignore[attr-defined]  # the stubs leave it out

    def create(self) -> None:
        """Begin a session of our own, as a log-in of staff does."""
        self.is_own, self._expires_at = True, None
        super().create()

    def flush(self) -> None:
        """Forget what is remembered. The session itself is the shop's, and stays there."""
        if self.is_own:
            super().flush()
            return
        Session.objects.filter(session_key=self._session_key).delete()
        self.clear()
