"""Every setting that an operator can turn: name, default, meaning. settings.py reads it, README prints it."""

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Option:
    """One environment variable.

    `default` is written as one would write it in the environment; its meaning includes the unit.
    """

    name: str
    default: str
    meaning: str


OPTIONS = (
    Option("AFTERCART_ENV", "local", "`local` or `production`. Production wants a `SECRET_KEY`, `ALLOWED_HOSTS`, a `DATABASE_URL` and an `EMAIL_URL`, and marks cookies Secure."),
    Option("AFTERCART_VAR", "var", "Folder of everything that a local run writes: the database, the demo, the stand-in's store, the secret."),
    Option("AFTERCART_HOST", "127.0.0.1", "Address that the web server listens on."),
    Option("PORT", "8000", "Port that the web server listens on."),
    Option("SANDBOX_PORT", "8300", "Port of the stand-in Omnitron."),
    Option("WEB_PROCESSES", "2", "Web server processes."),
    Option("WEB_THREADS", "8", "Threads of each web server process, in which Django answers complete requests."),
    Option("WEB_HTTP", "1", "HTTP versions that are served: `1`, `2` or `auto` (both). A proxy in front speaks HTTP/1.1."),
    Option("WEB_HEADER_SECONDS", "30", "Seconds in which a request's headers must come, from the end of the request before on: an idle connection is closed after them. Let a proxy in front close its own sooner."),
    Option("WEB_BODY_SECONDS", "10", "Seconds in which a request's body must come; a slower one gets 408."),
    Option("WEB_BODIES_MIB", "64", "MiB that each web server process holds of bodies, all together; the slowest give way (408)."),
    Option("PUBLIC_URL", "", "How customers reach the shop, as in `https://orders.example.com`; links are made with it. Empty: http://AFTERCART_HOST:PORT."),
    Option("DATABASE_URL", "", "PostgreSQL, as in `postgresql://user:password@host:5432/name`. Empty: an embedded PostgreSQL in `AFTERCART_VAR`."),
    Option("DATABASE_POOL_SIZE", "10", "Connections that each process may hold."),
    Option("SECRET_KEY", "", "Signs sessions and links. Empty in a local run: made once and kept in `AFTERCART_VAR`."),
    Option("SECRET_KEY_FALLBACKS", "", "Older secrets, separated by commas, that still verify: for rotation."),
    Option("FIELD_ENCRYPTION_KEYS", "", "Secrets that encrypt IBANs at rest, newest first, separated by commas. Empty: derived from `SECRET_KEY`."),
    Option("ALLOWED_HOSTS", "", "Host names that are served, separated by commas. Empty in a local run: this machine's."),
    Option("CSRF_TRUSTED_ORIGINS", "", "Origins of a storefront on another host that may post, separated by commas, as in `https://shop.example.com`."),
    Option("TRUSTED_PROXY", "false", "`true` when a proxy in front sets X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-For, whatever the client sent."),
    Option("AFTERCART_LANGUAGE", "en", "Language of those who ask for none: `en` or `tr`."),
    Option("TIME_ZONE", "Europe/Istanbul", "The shop's time zone: pages, pickup slots, business days. The API always speaks UTC."),
    Option("LOG_LEVEL", "INFO", "`DEBUG`, `INFO`, `WARNING` or `ERROR`."),
    Option("LOG_FORMAT", "", "`text` or `json`. Empty: text in a local run, JSON in production."),
    Option("METRICS_TOKEN", "", "Bearer token that `/metrics` asks for. Empty: open in a local run, absent in production."),
    Option("LINK_DAYS", "7", "Days that a signed order link lives."),
    Option("OMNITRON_URL", "", "Omnitron's address, as in `https://omnitron.example.com`. Empty: the stand-in on `SANDBOX_PORT`."),
    Option("OMNITRON_API_PREFIX", "/api/v1", "Path before Omnitron's calls."),
    Option("OMNITRON_USERNAME", "aftercart", "Who Aftercart logs in to Omnitron as."),
    Option("OMNITRON_PASSWORD", "sandbox", "That user's password. The default is the stand-in's."),
    Option("OMNITRON_TOKEN", "", "A ready token, instead of name and password."),
    Option("OMNITRON_CHANNEL_ID", "1", "The sales channel of orders that name none."),
    Option("OMNITRON_CONNECT_SECONDS", "2", "Seconds to wait for a connection to Omnitron."),
    Option("OMNITRON_DIALOGUE_SECONDS", "8", "Seconds that one whole dialogue with Omnitron may take: log-in, reading and sending together."),
    Option("OMNITRON_MAX_DIALOGUES", "4", "Dialogues with Omnitron that one process may have at once; half of `WEB_THREADS`, so that the other half serves everybody else."),
    Option("OMNITRON_BREAKER_FAILURES", "5", "Failures in a row after which Omnitron counts as down."),
    Option("OMNITRON_BREAKER_SECONDS", "10", "Seconds that Omnitron then counts as down before one call tries it again."),
    Option("OMNITRON_WEBHOOK_SECRETS", "", "Secrets that Omnitron signs its webhook with, separated by commas (the newest first, for rotation). Empty: no webhook."),
    Option("OMNITRON_POLL_SECONDS", "20", "Seconds between two looks at Omnitron's lists of updates."),
    Option("OMNITRON_ADDRESS_METHOD", "POST", "HTTP method of an address change at Omnitron."),
    Option("OMNITRON_ADDRESS_PATH", "channel/{channel_id}/orders/change_address/", "Path of an address change at Omnitron."),
    Option("REPEAT_WAIT_SECONDS", "10", "Seconds that a repeat of a write that is still running waits for its answer, before it gets 409 with `Retry-After`."),
    Option("VERIFY_GRACE_SECONDS", "30", "Seconds that an unanswered cancellation is looked for at Omnitron before it counts as not applied."),
    Option("VERIFY_GIVE_UP_HOURS", "24", "Hours after which a lost answer that Omnitron could not be asked about is laid before the staff."),
    Option("HOLIDAYS", "", "Days that are no business days, beside Saturdays and Sundays, separated by commas, as in `2026-01-01,2026-04-23`."),
    Option("CANCEL_STATUSES", "200,300,350,400,450", "Default policy: item statuses in which `cancel` is allowed."),
    Option("REFUND_STATUSES", "500,510,520,540,544,545,546,547,550", "Default policy: item statuses in which `refund` is allowed."),
    Option("ADDRESS_STATUSES", "200,300,350,400,450", "Default policy: order statuses in which the delivery address may change."),
    Option("ADDRESS_SAME_COUNTRY", "true", "Default policy: whether the new address must be in the country of the old one."),
    Option("INVOICE_NEEDS_REVIEW", "true", "Default policy: whether an invoiced item goes to the back office instead of being cancelled directly."),
    Option("DIRECT_CANCEL_HOURS", "0", "Default policy: hours after the order was placed in which it can be cancelled directly; later the back office decides. 0: no limit."),
    Option("RETURN_DAYS", "14", "Default policy: days after delivery in which an item can be returned. 0: no limit."),
    Option("REVIEW_ABOVE_AMOUNT", "", "Default policy: total of one submission above which the back office decides, in the order's currency. Empty: no limit."),
    Option("REVIEW_TYPES", "", "Default policy: cancellation types that the back office always decides: `cancel`, `refund` or both, separated by a comma."),
    Option("EASY_RETURN", "true", "Default policy: whether returns are collected by an easy-return shipping company."),
    Option("QUOTE_MINUTES", "30", "Minutes that a quote of a refund binds."),
    Option("LOYALTY_CURRENCY", "TRY", "Currency of the points that `/account/loyalty-account-balance/` tells unless it is asked for another."),
    Option("IBAN_RETENTION_DAYS", "90", "Days after the end of a cancellation in which its IBAN and account holder are kept."),
    Option("SHOP_NAME", "Aftercart", "The shop's name, as pages and letters bear it."),
    Option("BRAND_FOLDER", "", "Folder with the shop's own `theme.css`, `templates/` and `static/`, which go before Aftercart's (docs/branding.md). Empty: none."),
    Option("SHOP_COLOUR", "#0d5c4c", "The shop's colour in letters: `#` and six hexadecimal digits."),
    Option("EMAIL_URL", "", "Mail server: `smtp://`, `smtp+tls://` (STARTTLS) or `smtps://`, as in `smtp+tls://user:password@mail.example.com:587`. Empty in a local run: letters go into `AFTERCART_VAR/mail`."),
    Option("DEFAULT_FROM_EMAIL", "Aftercart <orders@localhost>", "Sender of all letters."),
    Option("EMAIL_TIMEOUT_SECONDS", "15", "Seconds to wait for each answer of the mail server."),
    Option("LETTER_DAYS", "180", "Days that letters are kept in the outbox after they were sent."),
    Option("AUDIT_DAYS", "365", "Days that log-ins, and what staff changed in the back office, stay on record."),
    Option("REQUEST_ANSWER_DAYS", "3", "Days within which customers are promised an answer to a request."),
    Option("WITHDRAWAL_COUNTRIES", "at,be,bg,cy,cz,de,dk,ee,es,fi,fr,gr,hr,hu,ie,is,it,li,lt,lu,lv,mt,nl,no,pl,pt,ro,se,si,sk,tr", "Countries (ISO codes) of customers who get the withdrawal function; `*`: all. Rows in the back office go before it."),
    Option("WITHDRAWAL_DAYS", "14", "Days of the withdrawal period, from the delivery of the last item on."),
    Option("LOGIN_ATTEMPTS", "5", "Failed log-ins with one e-mail from one network address after which that pair is locked out."),
    Option("LOGIN_LOCK_MINUTES", "15", "Minutes that a lock-out lasts."),
    Option("LOGIN_ATTEMPTS_PER_CLIENT", "30", "Failed log-ins from one network address, with whatever e-mails, in `LOGIN_LOCK_MINUTES`; with those that succeed, thirty times as many."),
    Option("LOGIN_HASHES", "2", "Passwords that one web process checks at once, each at a quarter of a second of a processor. As many log-ins wait for a moment; the rest get 429."),
    Option("GUEST_LOOKUPS", "10", "Look-ups of guests' orders in ten minutes from one network address with one order number, and with one e-mail address."),
    Option("GUEST_LOOKUPS_PER_CLIENT", "100", "Look-ups of guests' orders in ten minutes from one network address."),
    Option("GUEST_MISSES_PER_NUMBER", "60", "Look-ups with one order number and a wrong e-mail address in ten minutes, from everywhere; five times as many in a day."),
    Option("SHOP_NETWORKS", "", "Network addresses of the shop's own servers, separated by commas, as in `192.0.2.10,10.1.0.0/16`. All customers of a storefront come from them, so limits for one network address do not hold for them."),
)  # fmt: skip

_BY_NAME = {option.name: option for option in OPTIONS}


_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}


class ConfigurationError(ValueError):
    """An environment variable says something that makes no sense; the message tells which and what to say."""


class Configuration:
    """Reads the options from the environment; a value that makes no sense raises `ConfigurationError`."""

    def text(self, name: str) -> str:
        """Read a string. An empty one means the default: shells and compose files write "unset" that way."""
        return os.environ.get(name, "").strip() or _BY_NAME[name].default

    def flag(self, name: str) -> bool:
        """Read a yes or no, in any of the usual spellings."""
        value = self.text(name).lower()
        if value not in _YES | _NO:
            raise ConfigurationError(f"{name} must be true or false, not {value!r}. {_BY_NAME[name].meaning}")
        return value in _YES

    def number(self, name: str) -> int:
        """Read a whole number."""
        return int(self._number(name))

    def seconds(self, name: str) -> float:
        """Read a number of seconds."""
        return self._number(name)

    def days(self, name: str) -> timedelta:
        """Read a number of days."""
        return timedelta(days=self._number(name))

    def dates(self, name: str) -> frozenset[date]:
        """Read a list of days, separated by commas."""
        try:
            return frozenset(date.fromisoformat(word) for word in self.words(name))
        except ValueError:
            message = (
                f"{name} must be days as in 2026-04-23, not {self.text(name)!r}. {_BY_NAME[name].meaning}"
            )
            raise ConfigurationError(message) from None

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Read a list of networks, or single addresses, separated by commas."""
        try:
            return tuple(ip_network(word) for word in self.words(name))
        except ValueError as error:
            raise ConfigurationError(f"{name}: {error}. {_BY_NAME[name].meaning}") from None

    def words(self, name: str) -> list[str]:
        """Read a list separated by commas."""
        return [word.strip() for word in self.text(name).split(",") if word.strip()]

    def _number(self, name: str) -> float:
        value = self.text(name)
        try:
            return float(value)
        except ValueError:
            message = f"{name} must be a number, not {value!r}. {_BY_NAME[name].meaning}"
            raise ConfigurationError(message) from None


def get_var_folder() -> Path:
    """Tell the folder of local state, made if need be."""
    folder = Path(os.environ.get("AFTERCART_VAR") or _BY_NAME["AFTERCART_VAR"].default).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read_or_make_secret(folder: Path) -> str:
    """Read the local secret, made at the first run; of several starting processes one wins, and all agree."""
    path = folder / "secret_key"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=folder) as file:  # readable by its owner only
            file.write(secrets.token_urlsafe(50))
            file.flush()
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text()
