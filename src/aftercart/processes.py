"""The commands of Aftercart's processes, for the command line and for the supervisor alike."""

import resource
import sys
from collections.abc import Sequence

from django.conf import settings

#: How long a web process may take to finish what it serves: longer than any dialogue with the OMS.
_DRAIN_SECONDS = 12
#: What is buffered of a connection; the front limits headers and bodies itself.
_BUFFER_BYTES = 64 * 1024
#: Connections that wait to be accepted.
_BACKLOG = 2048
#: Connections that a process holds at most; an idle or slow one takes some kilobytes and no thread.
_MOST_CONNECTIONS = 8192


def web_command() -> list[str]:
    """Give the command of the web server: Granian, which runs our front in each process, and a watch over these."""
    return [
        sys.executable, "-m", "aftercart.front", "--interface", "rsgi", "aftercart.front.entrance:make_front",
        "--factory",
        "--host", settings.HOST, "--port", str(settings.PORT), "--workers", str(settings.WEB_PROCESSES),
        "--http", settings.WEB_HTTP, "--no-ws",
        "--http1-header-read-timeout", str(round(settings.WEB_HEADER_SECONDS * 1000)),
        "--http1-buffer-size", str(_BUFFER_BYTES),
        "--backlog", str(_BACKLOG), "--backpressure", str(count_connections()),
        "--respawn-failed-workers", "--workers-kill-timeout", f"{_DRAIN_SECONDS}s", "--log-level", "error",
    ]  # fmt: skip


def count_connections() -> int:
    """Count the connections that a web process may hold.

    More cost only memory, but not more than there are file descriptors: Granian never accepts again after `accept`
    has failed for want of one.
    """
    return min(_MOST_CONNECTIONS, _count_descriptors() // 2)


def raise_descriptor_limit() -> None:
    """Let this process, and those that it becomes or starts, open the files that its connections want."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_count_descriptors(), hard))


def _count_descriptors() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, 2 * _MOST_CONNECTIONS)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def worker_command() -> list[str]:
    """Give the command of a worker."""
    return [sys.executable, "-m", "aftercart", "worker"]


def sandbox_command(arguments: Sequence[str] = ()) -> list[str]:
    """Give the command of the OMS sandbox, with our port, store and log-in unless others are given."""
    given = {argument.split("=")[0] for argument in arguments}
    defaults = {
        "--port": str(settings.SANDBOX_PORT),
        "--store": str(settings.VAR / "omnitron.sqlite3"),
        "--username": settings.OMNITRON_USERNAME,
        "--password": settings.OMNITRON_PASSWORD,
    }
    filled = [part for name, value in defaults.items() if name not in given for part in (name, value)]
    return [sys.executable, "-m", "aftercart_sandbox", *filled, *arguments]


def commerce_command() -> list[str]:
    """Return the command of the sandbox's commerce backend, whose log-in sends browsers on to us."""
    options = ["--port", str(settings.COMMERCE_SANDBOX_PORT), "--shop-url", settings.PUBLIC_URL]
    return [sys.executable, "-m", "aftercart_sandbox.commerce", *options]
