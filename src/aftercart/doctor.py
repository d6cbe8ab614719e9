"""`aftercart doctor`: look at everything that has to be right, and say what to do where it is not."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

from django.conf import settings
from django.core.checks import run_checks
from django.core.mail import get_connection
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from aftercart.actions.upkeep.measure_unsettled import measure_unsettled
from aftercart.cancellations.models import Setback
from aftercart.cancellations.models.holds import find_hold
from aftercart.cancellations.models.setbacks import count_persistent
from aftercart.lib.clock import get_now
from aftercart.lib.configuration import OPTIONS
from aftercart.lib.setting_kinds import KEY_LENGTH, TOKEN_LENGTH, is_weak
from aftercart.mail.outbox import measure_outbox
from aftercart.oms.connect import get_client
from aftercart.oms.errors import OmsError
from aftercart.worker.queue import measure_queue

_WORST_CLOCK_SKEW = 5.0
_LONGEST_LAG = 60.0
#: Of the log-in page: seconds for it to come, and bytes that are read of it.
_PATIENCE = 10.0
_LONGEST_PAGE = 1024 * 1024
_CSRF_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
#: After how many seconds it is late: what a living process or recovery ends at once, and what the OMS or the mail
#: server must answer for.
_LATE_AT_ONCE, _LATE = 120.0, 3600.0
_LATE_SOON = frozenset({"submission_prepared", "submission_sent"})


#: What a check returns: whether it is fine, and in a sentence what was found.
_Found = tuple[bool, str]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one check found: fine or not, in a sentence, and the cure, "" for what is fine."""

    name: str
    is_fine: bool
    finding: str
    cure: str


def examine() -> Iterator[Diagnosis]:
    """Check everything, one after the other; a check that breaks is itself a finding."""
    for name, (check, cure) in _CHECKS.items():
        try:
            is_fine, finding = check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the operator should see it
            is_fine, finding = False, f"{type(error).__name__}: {error}".strip()
        yield Diagnosis(name, is_fine=is_fine, finding=finding, cure="" if is_fine else cure)


def _check_configuration() -> _Found:
    problems = [str(message.msg) for message in run_checks(include_deployment_checks=False)]
    if problems:
        return False, "; ".join(problems)
    kind = "local" if settings.IS_LOCAL else "production"
    return True, f"{kind}, {len(OPTIONS)} settings understood"


def _check_secret() -> _Found:
    """List weak secrets, which a local run may have, and no production starts with."""
    secrets = {
        "SECRET_KEY": ([settings.SECRET_KEY], KEY_LENGTH),
        "SECRET_KEY_FALLBACKS": (settings.SECRET_KEY_FALLBACKS, KEY_LENGTH),
        "FIELD_ENCRYPTION_KEYS": (settings.FIELD_ENCRYPTION_KEYS, KEY_LENGTH),
        "METRICS_TOKEN": ([settings.METRICS_TOKEN] if settings.METRICS_TOKEN else [], TOKEN_LENGTH),
        "OMNITRON_WEBHOOK_SECRETS": (settings.OMNITRON_WEBHOOK_SECRETS, TOKEN_LENGTH),
    }
    weak = [name for name, (texts, least) in secrets.items() if any(is_weak(text, least) for text in texts)]
    if weak:
        return False, f"too short or too simple: {', '.join(weak)}"
    return True, f"strong, {len(settings.SECRET_KEY_FALLBACKS)} older ones accepted"


def _check_database() -> _Found:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    kind = "embedded " if settings.IS_DATABASE_EMBEDDED else ""
    return True, f"{kind}PostgreSQL {version} answers"


def _check_migrations() -> _Found:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return not pending, f"{len(pending)} not applied" if pending else "all applied"


def _check_clock() -> _Found:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        skew = abs(float(cursor.fetchone()[0]) - get_now().timestamp())
    return skew < _WORST_CLOCK_SKEW, f"{skew:.2f} s from the database's"


def _check_queue() -> _Found:
    queue = measure_queue()
    is_fine = queue.workers > 0 and queue.lag_seconds < _LONGEST_LAG
    return is_fine, f"{queue.workers} workers, {queue.due} jobs due, the oldest for {queue.lag_seconds:.0f} s"


def _check_sending() -> _Found:
    hold = find_hold()
    if hold is None:
        return True, "not on hold"
    return False, f"on hold since {hold.since:%Y-%m-%d %H:%M} (UTC): {hold.reason}"


def _check_unsettled() -> _Found:
    ages = {kind: seconds for kind, seconds in measure_unsettled().items() if seconds > 0}
    late = [k for k, s in ages.items() if s > (_LATE_AT_ONCE if k in _LATE_SOON else _LATE)]
    oldest = ", ".join(f"{kind} {seconds:.0f} s" for kind, seconds in sorted(ages.items()))
    return not late, f"the oldest: {oldest}" if oldest else "nothing"


def _check_setbacks() -> _Found:
    worst = Setback.objects.order_by("-failures").first()
    count = count_persistent()
    finding = f"{count} rows fail again and again" if count else "none"
    if count and worst:
        finding = f"{finding}, as {worst.key}: {worst.error}"
    return not count, finding


def _check_emails() -> _Found:
    outbox = measure_outbox()
    place = str(settings.EMAIL_FILE_PATH) if settings.ARE_EMAILS_KEPT_HERE else _reach_mail_server()
    return outbox.manual == 0, f"{outbox.waiting} waiting, {outbox.manual} given up; delivery goes to {place}"


def _reach_mail_server() -> str:
    """Open and close a connection, log-in included; raises what the mail server or the network says."""
    connection = get_connection()
    connection.open()
    connection.close()
    return str(settings.EMAIL_HOST)


def _check_oms() -> _Found:
    try:
        with get_client().dialogue() as dialogue:
            dialogue.check_login()
    except OmsError as error:
        return False, error.detail
    return True, f"logged in at {settings.OMNITRON_URL}"


def _check_login_page() -> _Found:
    """Open the back office's log-in page as a browser would, through whatever stands in front, and send it empty.

    An empty form logs nobody in and counts as no attempt; but it passes the CSRF check only if scheme, host and
    cookies arrive as the browser sent them.
    """
    url = f"{settings.PUBLIC_URL}{reverse('admin:login')}"
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    with browser.open(url, timeout=_PATIENCE) as page:
        token = _CSRF_FIELD.search(page.read(_LONGEST_PAGE).decode(errors="replace"))
    if token is None:
        return False, f"{url} is not our log-in page"
    if not any(cookie.name == settings.CSRF_COOKIE_NAME for cookie in jar):
        return False, f"the cookies of {url} do not come back"
    form = urlencode({"csrfmiddlewaretoken": token[1], "username": "", "password": ""}).encode()
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    try:
        with browser.open(Request(url, form, {"Origin": origin, "Referer": url}), timeout=_PATIENCE):  # noqa: S310 - the setting's own scheme
            return True, f"opens and answers at {url}"
    except HTTPError as error:
        with error:
            return False, f"a log-in at {url} would be refused with {error.code}"


#: The checks by name, in their order, each with its cure.
_CHECKS: Final[dict[str, tuple[Callable[[], _Found], str]]] = {
    "configuration": (_check_configuration, "See the table of settings in the README."),
    "secret": (
        _check_secret,
        "Set them to at least 32 random characters: `openssl rand -base64 48` generates one.",
    ),
    "database": (
        _check_database,
        "Start PostgreSQL, or check DATABASE_URL. Without one, `aftercart run` starts its own.",
    ),
    "migrations": (_check_migrations, "Run `aftercart migrate` (`aftercart run` does it by itself)."),
    "clock": (_check_clock, "Synchronise this machine's and the database's clocks (NTP)."),
    "queue": (_check_queue, "Start `aftercart worker`."),
    "sending": (
        _check_sending,
        "After a restore, run `aftercart reconcile --before-sending`; otherwise `aftercart hold-sending --release`.",
    ),
    "unsettled": (
        _check_unsettled,
        "Make sure that a worker runs and that Omnitron and the mail server answer; see docs/operations.md, States.",
    ),
    "setbacks": (
        _check_setbacks,
        "Read the worker's log for these rows: something in them, or in Aftercart, is wrong.",
    ),
    "emails": (
        _check_emails,
        "Check EMAIL_URL and the mail server; then send the e-mails again in the back office.",
    ),
    "omnitron": (
        _check_oms,
        "Check OMNITRON_URL, OMNITRON_USERNAME and OMNITRON_PASSWORD. `aftercart sandbox` starts a sandbox.",
    ),
    "log-in": (
        _check_login_page,
        "Check PUBLIC_URL, ALLOWED_HOSTS and the proxy; behind one that ends TLS, set TRUSTED_PROXY=true.",
    ),
}
