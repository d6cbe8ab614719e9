"""Every setting that an operator can turn: name, default, meaning. settings.py reads it, README prints it."""

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

from aftercart.lib.setting_kinds import (
    AMOUNT,
    BIND,
    COLOUR,
    COUNTRY_LIST,
    CURRENCY,
    DATABASE,
    DATES,
    DAYS,
    FLAG,
    FOLDER,
    HOSTS,
    KEY,
    KEYS,
    LINE,
    MAIL_SERVER,
    MODULE,
    NETWORKS,
    ORIGINS,
    PASSWORD,
    SECONDS,
    SENDER,
    TOKEN,
    TOKENS,
    ZONE,
    Kind,
    choice,
    choices,
    number,
    path,
    url,
)

#: Of orders and items (contract section 7; `orders.status` has the moves between them).
STATUSES: Final = (
    "50", "100", "200", "300", "350", "400", "450", "500", "510", "520", "540", "544", "545", "546", "547", "550", "600",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """One environment variable.

    `default` is written as one would write it in the environment; its meaning includes the unit. What the kind does
    not allow stops every command.
    """

    name: str
    default: str
    kind: Kind
    meaning: str


OPTIONS = (
    Option("AFTERCART_ENV", "local", choice("local", "production"), "`local` or `production`. Production wants a `SECRET_KEY`, `ALLOWED_HOSTS`, a `DATABASE_URL` and an `EMAIL_URL`, strong secrets and no wildcard host, and marks cookies Secure."),
    Option("AFTERCART_VAR", "var", LINE, "Folder of everything that a local run writes: the database, the demo, the sandbox's store, the secret."),
    Option("AFTERCART_HOST", "127.0.0.1", BIND, "Address that the web server listens on."),
    Option("PORT", "8000", number(1, 65_535), "Port that the web server listens on."),
    Option("SANDBOX_PORT", "8300", number(1, 65_535), "Port of the Omnitron sandbox."),
    Option("WEB_PROCESSES", "2", number(1, 256), "Web server processes."),
    Option("WEB_THREADS", "8", number(1, 1024), "Threads, at most, of each web server process that work on complete requests at once: two, plus one for each that has been at work for a quarter of a second. Those that wait for Omnitron are not counted."),
    Option("WEB_NICENESS", "5", number(0, 19), "`nice` steps by which the processes in which Django works give way to those that answer plain reads of an order."),
    Option("WORKER_NICENESS", "5", number(0, 19), "`nice` steps by which a worker gives way to everything else on its machine."),
    Option("WEB_HTTP", "1", choice("1", "2", "auto"), "HTTP versions that are served: `1`, `2` or `auto` (both). A proxy in front speaks HTTP/1.1."),
    Option("WEB_HEADER_SECONDS", "30", SECONDS, "Seconds in which a request's headers must arrive, counted from the end of the request before: an idle connection is then closed. Let a proxy in front close its own sooner."),
    Option("WEB_BODY_SECONDS", "10", SECONDS, "Seconds in which a request's body must arrive; a slower one gets 408."),
    Option("WEB_BODIES_MIB", "64", number(1), "MiB of request bodies that each web server process holds, all together; the slowest give way (408)."),
    Option("PUBLIC_URL", "", url(), "How customers reach the shop, as in `https://orders.example.com`; links are made with it. Empty: http://AFTERCART_HOST:PORT."),
    Option("WEB_UPLOAD_SECONDS", "60", SECONDS, "Seconds in which photos of a return must arrive, at most 32 MiB at once."),
    Option("WEB_UPLOADS_MIB", "96", number(32), "MiB of photos that each web server process holds, all together, in addition to `WEB_BODIES_MIB`."),
    Option("DATABASE_URL", "", DATABASE, "PostgreSQL's URI, as in `postgresql://user:password@host:5432/name?sslmode=verify-full&sslrootcert=/etc/ca.pem`: several hosts, sockets and all parameters of libpq are kept. Empty: an embedded PostgreSQL in `AFTERCART_VAR`."),
    Option("DATABASE_POOL_SIZE", "10", number(1, 1000), "Connections that each process may hold."),
    Option("DATABASE_LOCK_SECONDS", "10", SECONDS, "Seconds that a statement waits for what another one holds; the client then gets 503 and may try again."),
    Option("DATABASE_STATEMENT_SECONDS", "30", SECONDS, "Seconds that a statement may take."),
    Option("DATABASE_IDLE_SECONDS", "15", SECONDS, "Seconds that a transaction may stand idle: then its process counts as frozen, and PostgreSQL ends the transaction."),
    Option("DATABASE_SILENCE_SECONDS", "20", SECONDS, "Seconds after which a connection counts as cut off when nothing comes from its other end."),
    Option("SECRET_KEY", "", KEY, "Signs sessions and links. Empty in a local run: made once and kept in `AFTERCART_VAR`."),
    Option("SECRET_KEY_FALLBACKS", "", KEYS, "Older secrets, separated by commas, that still verify: for rotation."),
    Option("FIELD_ENCRYPTION_KEYS", "", KEYS, "Secrets that encrypt IBANs at rest, newest first, separated by commas. Empty: derived from `SECRET_KEY`."),
    Option("ALLOWED_HOSTS", "", HOSTS, "Host names that are served, separated by commas. Empty in a local run: this machine's."),
    Option("CSRF_TRUSTED_ORIGINS", "", ORIGINS, "Origins of a storefront on another host that may post, separated by commas, as in `https://shop.example.com`."),
    Option("TRUSTED_PROXY", "false", FLAG, "`true` when a proxy in front sets X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-For, whatever the client sent."),
    Option("TRUSTED_PROXY_HOPS", "1", number(1, 32), "Proxies in a row that are trusted. The client is the one that the outermost of them saw: counted from the right, this entry of X-Forwarded-For."),
    Option("AFTERCART_LANGUAGE", "en", choice("en", "tr"), "Language for those who ask for neither: `en` or `tr`."),
    Option("TIME_ZONE", "Europe/Istanbul", ZONE, "The shop's time zone: pages, pickup slots, business days. The API always speaks UTC."),
    Option("LOG_LEVEL", "INFO", choice("DEBUG", "INFO", "WARNING", "ERROR"), "`DEBUG`, `INFO`, `WARNING` or `ERROR`."),
    Option("LOG_FORMAT", "", choice("text", "json"), "`text` or `json`. Empty: text in a local run, JSON in production."),
    Option("METRICS_TOKEN", "", TOKEN, "Bearer token that `/metrics` asks for. Empty: open in a local run, absent in production."),
    Option("LINK_DAYS", "7", DAYS, "Days that a signed order link lives."),
    Option("AFTERCART_IDENTITY", "own", choice("own", "commerce"), "Who keeps the customers' accounts and address books: `own`, Aftercart itself, or `commerce`, the shop at `COMMERCE_URL`, whose sessions are then accepted."),
    Option("COMMERCE_URL", "", url(), "The shop's commerce backend, as in `https://commerce.example.com`, for `AFTERCART_IDENTITY=commerce`. Empty in a local run: the sandbox's, on `COMMERCE_SANDBOX_PORT`."),
    Option("COMMERCE_LOGIN_URL", "", url(), "Where customers log in to the shop; `next` is added to it. Empty: `/users/login/` of `PUBLIC_URL`."),
    Option("COMMERCE_SECONDS", "1", SECONDS, "Seconds that the shop has to say whose a session is."),
    Option("COMMERCE_SESSION_SECONDS", "60", SECONDS, "Seconds for which it is remembered whose a session is; a log-out in the shop takes effect here after them."),
    Option("COMMERCE_MAX_CALLS", "4", number(1), "Questions to the shop that one process may have open at once."),
    Option("COMMERCE_UNKNOWN_PER_MINUTE", "60", number(1), "Session cookies in a minute from one network address that the shop is asked about; the shop's own servers (`SHOP_NETWORKS`) have no count."),
    Option("COMMERCE_TOKEN", "", TOKEN, "Token of the shop's own API, from which is added what Omnitron's documents of new orders leave out. Empty: nothing is added."),
    Option("COMMERCE_ORDERS_PATH", "/api/v1/remote/1/orders/", path(), "Path of the shop's orders in that API: a list of order documents, filtered by `number`."),
    Option("COMMERCE_SANDBOX_PORT", "8400", number(1, 65535), "Port of the sandbox's commerce backend."),
    Option("OMS_ADAPTER", "aftercart.omnitron.connect", MODULE, "Python module that speaks with the order-management system: the adapter of the port `aftercart.oms`."),
    Option("OMNITRON_URL", "", url(), "Omnitron's address, as in `https://omnitron.example.com`. Empty: the sandbox on `SANDBOX_PORT`."),
    Option("OMNITRON_API_PREFIX", "/api/v1", path(), "Path before Omnitron's calls."),
    Option("OMNITRON_USERNAME", "aftercart", LINE, "Who Aftercart logs in to Omnitron as."),
    Option("OMNITRON_PASSWORD", "sandbox", PASSWORD, "That user's password. The default is the sandbox's."),
    Option("OMNITRON_TOKEN", "", PASSWORD, "A ready token, instead of name and password."),
    Option("OMNITRON_CHANNEL_ID", "1", number(0, 2**31 - 1), "The sales channel of orders that name none."),
    Option("OMNITRON_CONNECT_SECONDS", "2", SECONDS, "Seconds to wait for a connection to Omnitron."),
    Option("OMNITRON_DIALOGUE_SECONDS", "8", SECONDS, "Seconds that one whole dialogue with Omnitron may take: log-in, reading and sending together."),
    Option("OMNITRON_MAX_DIALOGUES", "64", number(1, 1024), "Dialogues with Omnitron that one process may have at once; they take up none of the `WEB_THREADS`."),
    Option("OMNITRON_BREAKER_FAILURES", "5", number(1), "Failures in a row after which Omnitron counts as down."),
    Option("OMNITRON_BREAKER_SECONDS", "10", SECONDS, "Seconds that Omnitron then counts as down before one call tries it again."),
    Option("OMNITRON_WEBHOOK_SECRETS", "", TOKENS, "Secrets that Omnitron signs its webhook with, separated by commas (the newest first, for rotation). Empty: no webhook."),
    Option("OMNITRON_POLL_SECONDS", "20", SECONDS, "Seconds between two looks at Omnitron's lists of updates."),
    Option("OMNITRON_PULL_ORDERS", "true", FLAG, "Whether orders in Omnitron's list of updates that are unknown here are created from its documents."),
    Option("OMNITRON_READS_PER_MINUTE", "240", number(1), "Calls to Omnitron in a minute by which all workers together read single orders in the background; the lists of updates count, too, but are always read."),
    Option("OMNITRON_ADDRESS_METHOD", "POST", choice("POST", "PUT", "PATCH"), "HTTP method of an address change at Omnitron."),
    Option("OMNITRON_ADDRESS_PATH", "channel/{channel_id}/orders/change_address/", path(is_template=True), "Path of an address change at Omnitron."),
    Option("REPEAT_WAIT_SECONDS", "10", number(0, is_whole=False), "Seconds that a replay of a request that is still running waits for its answer, before it gets 409 with `Retry-After`."),
    Option("INTAKE_REQUESTS_PER_MINUTE", "120", number(1), "Requests in a minute by which one token may send orders to `/api/v1/orders/`, at most 500 orders and 1 MiB each."),
    Option("VERIFY_GRACE_SECONDS", "30", number(0, is_whole=False), "Seconds that an unanswered cancellation is looked for at Omnitron before it counts as not applied."),
    Option("VERIFY_GIVE_UP_HOURS", "24", number(0, is_whole=False), "Hours after which a lost answer about which Omnitron could not be asked is put before the staff."),
    Option("HOLIDAYS", "", DATES, "Days that are not business days, in addition to Saturdays and Sundays, separated by commas, as in `2026-01-01,2026-04-23`."),
    Option("CANCEL_STATUSES", "200,300,350,400,450", choices(*STATUSES), "Default policy: item statuses in which `cancel` is allowed."),
    Option("REFUND_STATUSES", "500,510,520,540,544,545,546,547,550", choices(*STATUSES), "Default policy: item statuses in which `refund` is allowed."),
    Option("ADDRESS_STATUSES", "200,300,350,400,450", choices(*STATUSES), "Default policy: order statuses in which the delivery address may change."),
    Option("ADDRESS_SAME_COUNTRY", "true", FLAG, "Default policy: whether the new address must be in the country of the old one."),
    Option("INVOICE_NEEDS_REVIEW", "true", FLAG, "Default policy: whether an invoiced item goes to the back office instead of being cancelled directly."),
    Option("DIRECT_CANCEL_HOURS", "0", number(0, is_whole=False), "Default policy: hours after the order was placed in which it can be cancelled directly; later the back office decides. 0: no limit."),
    Option("RETURN_DAYS", "14", DAYS, "Default policy: days after delivery in which an item can be returned. 0: no limit."),
    Option("REVIEW_ABOVE_AMOUNT", "", AMOUNT, "Default policy: total of one submission above which the back office decides, in the order's currency. Empty: no limit."),
    Option("REVIEW_TYPES", "", choices("cancel", "refund"), "Default policy: cancellation types that the back office always decides: `cancel`, `refund` or both, separated by a comma."),
    Option("EASY_RETURN", "true", FLAG, "Default policy: whether returns are collected by an easy-return shipping company."),
    Option("RETURN_DEFAULTS", "true", FLAG, "Whether a return that is to be collected and names no address, company or time gets the order's delivery address, the channel's first company and its next free time. `false`: the back office arranges it."),
    Option("UNKNOWN_REASONS", "refuse", choice("refuse", "review"), "What happens to a cancellation whose reason is unknown or of the other type: `refuse` (400), or `review` by the back office, as one without a reason."),
    Option("QUOTE_MINUTES", "30", number(1), "Minutes that a quote of a refund binds."),
    Option("REFUND_DAYS", "14", DAYS, "Days within which a refund has to be with the customer once a cancellation or return is done: customers read the day, and staff are alarmed after it."),
    Option("LOYALTY_CURRENCY", "TRY", CURRENCY, "Currency of the points that `/account/loyalty-account-balance/` reports unless it is asked for another."),
    Option("PHOTO_DAYS", "180", DAYS, "Days that photos of a return are kept, and at least until it is closed."),
    Option("PHOTO_BUCKET", "", LINE, "Bucket of an S3-compatible storage for photos of returns (extra `s3`). Empty: the folder `AFTERCART_VAR/photos`, which all processes must share."),
    Option("PHOTO_S3_URL", "", url(), "Address of that storage, where it is not Amazon's; the log-in comes from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`."),
    Option("IBAN_RETENTION_DAYS", "90", DAYS, "Days after the end of a cancellation in which its IBAN and account holder are kept."),
    Option("SHOP_NAME", "Aftercart", LINE, "The shop's name on pages and in e-mails."),
    Option("BRAND_FOLDER", "", FOLDER, "Folder with the shop's own `theme.css`, `templates/` and `static/`, which go before Aftercart's (docs/branding.md). Empty: none."),
    Option("IMAGE_ORIGINS", "", ORIGINS, "Where pictures of products may come from, separated by commas, as in `https://cdn.example.com,https://*.example.net`. Those of other hosts are not shown, on pages and in e-mails."),
    Option("SHOP_COLOUR", "#0d5c4c", COLOUR, "The shop's colour in e-mails: `#` and six hexadecimal digits."),
    Option("SHOP_ADDRESS", "", LINE, "The shop's legal name and postal address for e-mails, in one line."),
    Option("CONTACT_EMAIL", "", SENDER, "E-mail address that customers write to: on every page and in every e-mail. Empty: none is shown."),
    Option("CONTACT_PHONE", "", LINE, "Phone number that customers call, as in `+90 212 555 00 00`."),
    Option("CONTACT_CHAT_URL", "", url(), "Where customers chat with the shop."),
    Option("TERMS_URL", "", url(), "The shop's terms of cancellation and return, which customers accept."),
    Option("PRIVACY_URL", "", url(), "The shop's privacy notice."),
    Option("EMAIL_URL", "", MAIL_SERVER, "Mail server: `smtp://`, `smtp+tls://` (STARTTLS) or `smtps://`, as in `smtp+tls://user:password@mail.example.com:587`. Empty in a local run: e-mails go into `AFTERCART_VAR/mail`."),
    Option("DEFAULT_FROM_EMAIL", "Aftercart <orders@localhost>", SENDER, "Sender of all e-mails."),
    Option("EMAIL_TIMEOUT_SECONDS", "15", SECONDS, "Seconds to wait for each answer of the mail server."),
    Option("LETTER_DAYS", "180", DAYS, "Days that e-mails are kept in the outbox after they were sent."),
    Option("AUDIT_DAYS", "365", DAYS, "Days that log-ins, what staff changed in the back office, and settled differences stay on record."),
    Option("STORED_DOCUMENT_DAYS", "30", DAYS, "Days after which an order's document that is kept ready to be sent is deleted; the next read builds it anew."),
    Option("REQUEST_ANSWER_DAYS", "3", DAYS, "Days within which customers are promised an answer to a request."),
    Option("WITHDRAWAL_COUNTRIES", "at,be,bg,cy,cz,de,dk,ee,es,fi,fr,gr,hr,hu,ie,is,it,li,lt,lu,lv,mt,nl,no,pl,pt,ro,se,si,sk,tr", COUNTRY_LIST, "Countries (ISO codes) of customers who get the withdrawal function; `*`: all. Rows in the back office go before it."),
    Option("WITHDRAWAL_DAYS", "14", number(0, 3650), "Days of the withdrawal period, counted from the delivery of the last item."),
    Option("LOGIN_ATTEMPTS", "5", number(1), "Failed log-ins with one e-mail from one network address after which that pair is locked out."),
    Option("LOGIN_LOCK_MINUTES", "15", number(1), "Minutes that a lock-out lasts."),
    Option("LOGIN_ATTEMPTS_PER_CLIENT", "30", number(1), "Failed log-ins from one network address, with any e-mails, in `LOGIN_LOCK_MINUTES`; counting those that succeed, thirty times as many."),
    Option("LOGIN_HASHES", "2", number(1, 1024), "Passwords that one web process checks at once; each takes a quarter of a second of processor time. As many more log-ins wait for a moment; the rest get 429."),
    Option("GUEST_LOOKUPS", "10", number(1), "Look-ups of guests' orders in ten minutes from one network address with one order number, and with one e-mail address."),
    Option("GUEST_LOOKUPS_PER_CLIENT", "100", number(1), "Look-ups of guests' orders in ten minutes from one network address."),
    Option("GUEST_MISSES_PER_NUMBER", "60", number(1), "Look-ups with one order number and a wrong e-mail address in ten minutes, from everywhere; five times as many in a day."),
    Option("SHOP_NETWORKS", "", NETWORKS, "Network addresses of the shop's own servers, separated by commas, as in `192.0.2.10,10.1.0.0/16`. All customers of a storefront come from them, so limits for one network address do not apply to them."),
)  # fmt: skip

_BY_NAME = {option.name: option for option in OPTIONS}


#: Without these no production starts; why, in a few words.
REQUIRED = {
    "SECRET_KEY": "`openssl rand -base64 48` generates one",
    "ALLOWED_HOSTS": "the host names under which the shop is reached",
    "DATABASE_URL": "the embedded database is for local runs",
    "EMAIL_URL": "receipts and decisions go by e-mail",
}


class ConfigurationError(ImproperlyConfigured):
    """An environment variable says something that makes no sense; the message tells which and what to say."""


class Configuration:
    """Reads the options from the environment, each by its kind."""

    def check(self) -> None:
        """Raise `ImproperlyConfigured` with all that is wrong, a sentence a line: what starts, starts as it was told."""
        problems = self.list_problems()
        if problems:
            raise ImproperlyConfigured("\n".join(problems))

    def list_problems(self) -> list[str]:
        """List what is wrong, in one sentence each; secrets do not stand in them."""
        problems = []
        for option in OPTIONS:
            try:
                self.read(option.name)
            except ConfigurationError as error:
                problems.append(str(error))
                if option.name == "AFTERCART_ENV":
                    return problems  # whether this is production decides about the others
        if self.is_production:
            problems += [
                f"{name} must be set in production: {reason}."
                for name, reason in REQUIRED.items()
                if not self.text(name)
            ]
            if self.text("AFTERCART_IDENTITY") == "commerce" and not self.text("COMMERCE_URL"):
                problems.append(
                    "COMMERCE_URL must be set with AFTERCART_IDENTITY=commerce: it says who is logged in."
                )
        return problems

    @property
    def is_production(self) -> bool:
        """Whether this is production."""
        return self.text("AFTERCART_ENV") == "production"

    def text(self, name: str) -> str:
        """Read a setting as it is written. An empty one means the default: shells and compose files write "unset" so."""
        return os.environ.get(name, "").strip() or _BY_NAME[name].default

    def read(self, name: str) -> Any:
        """Read a setting as its kind has it. Raises `ConfigurationError`."""
        option, text = _BY_NAME[name], self.text(name)
        if not text:
            return option.kind.empty
        try:
            return option.kind.read(text, self.is_production)
        except ValueError as error:
            has_password = option.kind.is_secret or ("://" in text and "@" in text)
            shown = "" if has_password else f", not {text!r}"
            raise ConfigurationError(f"{name} must be {error}{shown}. {option.meaning}") from None

    def flag(self, name: str) -> bool:
        """Read a yes or no, in any of the usual spellings."""
        return bool(self.read(name))

    def number(self, name: str) -> int:
        """Read a whole number."""
        return int(self.read(name))

    def seconds(self, name: str) -> float:
        """Read a number of seconds."""
        return float(self.read(name))

    def days(self, name: str) -> timedelta:
        """Read a number of days."""
        return timedelta(days=self.read(name))


def get_var_folder() -> Path:
    """Return the folder of local state, made if need be."""
    folder = Path(os.environ.get("AFTERCART_VAR") or _BY_NAME["AFTERCART_VAR"].default).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"AFTERCART_VAR must be a folder that can be made: {error.strerror}."
        ) from None
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
