"""Log-in and tokens (contract section 8): 400 for bad credentials, 429 for too many, 401 for a bad token."""

import datetime as dt
import hmac
import secrets

from aftercart_sandbox.call import Call, Reply
from aftercart_sandbox.errors import ApiError, required
from aftercart_sandbox.values import stamp


def log_in(call: Call) -> Reply:
    """``POST auth/login/ {username, password}``: 200 ``{"key"}``, 400, or 429 with ``Retry-After``.

    A failure is kept, so it is answered and not raised (raising would roll it back).
    """
    body = call.json()
    credentials = []
    for field in ("username", "password"):
        value = body.get(field) if isinstance(body, dict) else None
        if not isinstance(value, str) or not value:
            raise required(field)
        credentials.append(value)
    username, password = credentials
    options, store = call.options, call.store
    now = store.now()
    since = stamp(now - dt.timedelta(seconds=options.login_pause))
    failures = store.all("SELECT at FROM failures WHERE username = ? AND at > ? ORDER BY at", username, since)
    if len(failures) >= options.login_failures:
        wait = dt.datetime.fromisoformat(failures[0]["at"]) + dt.timedelta(seconds=options.login_pause) - now
        seconds = max(1, round(wait.total_seconds()))
        raise ApiError(
            429,
            {
                "detail": f"Request was throttled. Expected available in {seconds} seconds.",
                "code": "throttled",
            },
            {"Retry-After": str(seconds)},
        )
    right = hmac.compare_digest(username.encode(), options.username.encode())
    right &= hmac.compare_digest(password.encode(), options.password.encode())
    if not right:
        store.run("INSERT INTO failures(username, at) VALUES(?, ?)", username, stamp(now))
        message = "Unable to log in with provided credentials."
        return Reply({"non_field_errors": [message], "code": "authorization"}, 400)
    store.run("DELETE FROM failures WHERE username = ?", username)
    key = secrets.token_hex(20)
    expires = stamp(now + dt.timedelta(seconds=options.token_life))
    store.run("INSERT INTO tokens(key, expires) VALUES(?, ?)", key, expires)
    return Reply({"key": key})


def authenticate(call: Call) -> None:
    """Raise a 401 unless the call carries a token that is known and has not expired."""
    scheme, _, key = call.authorization.partition(" ")
    if scheme.lower() != "token" or not key.strip():
        raise _unauthorised("Authentication credentials were not provided.", "not_authenticated")
    token = call.store.one("SELECT expires FROM tokens WHERE key = ?", key.strip())
    if token is None:
        raise _unauthorised("Invalid token.", "authentication_failed")
    if token["expires"] <= call.store.stamp():
        raise _unauthorised("Token has expired.", "token_expired")


def _unauthorised(detail: str, code: str) -> ApiError:
    return ApiError(401, {"detail": detail, "code": code}, {"WWW-Authenticate": "Token"})


def active_user(call: Call) -> Reply:
    """``GET active_user/``: the account behind the token."""
    name = call.options.username
    return Reply(
        {
            "pk": 1,
            "id": 1,
            "username": name,
            "email": f"{name}@example.com",
            "is_active": True,
            "is_staff": True,
        }
    )
