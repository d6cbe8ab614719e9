"""The commands of Aftercart's processes, for the command line and for the supervisor alike."""

import sys
from collections.abc import Sequence

from django.conf import settings

#: How long a web process may take to finish what it serves: longer than any dialogue with Omnitron.
_DRAIN_SECONDS = 12


def web_command() -> list[str]:
    """Give the command of the web server: Granian serving WSGI, since Django under ASGI is half as fast."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "aftercart.wsgi:application",
        "--host", settings.HOST, "--port", str(settings.PORT),
        "--workers", str(settings.WEB_PROCESSES), "--blocking-threads", str(settings.WEB_THREADS),
        "--respawn-failed-workers", "--workers-kill-timeout", f"{_DRAIN_SECONDS}s", "--log-level", "error",
    ]  # fmt: skip


def worker_command() -> list[str]:
    """Give the command of a worker."""
    return [sys.executable, "-m", "aftercart", "worker"]


def sandbox_command(arguments: Sequence[str] = ()) -> list[str]:
    """Give the command of the stand-in Omnitron, with our port, store and log-in unless others are given."""
    given = {argument.split("=")[0] for argument in arguments}
    defaults = {
        "--port": str(settings.SANDBOX_PORT),
        "--store": str(settings.VAR / "omnitron.sqlite3"),
        "--username": settings.OMNITRON_USERNAME,
        "--password": settings.OMNITRON_PASSWORD,
    }
    filled = [part for name, value in defaults.items() if name not in given for part in (name, value)]
    return [sys.executable, "-m", "sandbox", *filled, *arguments]
