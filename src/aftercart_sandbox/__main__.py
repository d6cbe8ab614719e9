"""``python -m aftercart_sandbox``: start the Omnitron sandbox."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from dataclasses import fields

try:
    from aiohttp import web
except ModuleNotFoundError:
    sys.exit("The sandbox needs aiohttp: pip install 'aftercart[local]'.")

from aftercart_sandbox.app import build_app
from aftercart_sandbox.call import Options
from aftercart_sandbox.store import Store

_EPILOG = """\
examples:
  python -m aftercart_sandbox                                    listen on http://127.0.0.1:8300/, store in var/
  python -m aftercart_sandbox --port 0 --store /tmp/o.sqlite3    a free port, printed once the server listens
  curl -X POST localhost:8300/sandbox/faults/ -d '{"call": "order_cancel", "kind": "drop_after"}'
                                                       the next cancellation is applied and never answered

The API stands under /api/v1/ and wants a log-in; the test controls stand under /sandbox/ and want none, so
leave the server on a loopback address. Open / in a browser for a page that explains and works them. What is
stored survives a kill -9; two servers must not share one store.
"""


def parse_options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        prog="python -m aftercart_sandbox",
        description="A sandbox of Akinon Omnitron: log-in, orders, cancellations, faults on demand.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = Options()
    listen = parser.add_argument_group("where")
    listen.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    listen.add_argument(
        "--port", type=int, default=8300, help="port; 0 takes a free one and prints it (%(default)s)"
    )
    listen.add_argument(
        "--store",
        default="var/omnitron.sqlite3",
        help="SQLite file, made if absent; :memory: forgets (%(default)s)",
    )
    _add_account(parser, known)
    parser.add_argument(
        "--address-path",
        default=known.address_path,
        metavar="PATH",
        help="the address change, below channel/<id>/orders/; may hold {pk} (%(default)s)",
    )
    parser.add_argument("--verbose", action="store_true", help="log every request to stderr")
    return parser.parse_args()


def _add_account(parser: argparse.ArgumentParser, known: Options) -> None:
    account = parser.add_argument_group("the API's account")
    account.add_argument(
        "--username",
        default=os.environ.get("SANDBOX_USERNAME", known.username),
        help=f"or $SANDBOX_USERNAME ({known.username})",
    )
    account.add_argument(
        "--password",
        default=os.environ.get("SANDBOX_PASSWORD", known.password),
        help=f"or $SANDBOX_PASSWORD ({known.password})",
    )
    account.add_argument(
        "--token-life",
        type=float,
        default=known.token_life,
        metavar="SECONDS",
        help="life of a token (%(default)s)",
    )
    account.add_argument(
        "--login-failures",
        type=int,
        default=known.login_failures,
        help="failures before log-in answers 429 (%(default)s)",
    )
    account.add_argument(
        "--login-pause",
        type=float,
        default=known.login_pause,
        metavar="SECONDS",
        help="how long failures count, and so how long 429 lasts (%(default)s)",
    )


async def run(chosen: argparse.Namespace) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    store = Store(chosen.store)
    options = Options(**{option.name: getattr(chosen, option.name) for option in fields(Options)})
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    access_log = logging.getLogger("sandbox.access") if chosen.verbose else None
    runner = web.AppRunner(build_app(store, options), access_log=access_log, shutdown_timeout=0.2)
    try:
        await runner.setup()
        server = await _listen(runner, store, chosen)
        host, port = server.sockets[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        print(f"The Omnitron sandbox listens on http://{shown}:{port}/ (store: {chosen.store})", flush=True)  # noqa: T201 - people read it in the terminal
        await stop.wait()
        server.close()
    finally:
        await runner.cleanup()
        store.close()


async def _listen(runner: web.AppRunner, store: Store, chosen: argparse.Namespace) -> asyncio.Server:
    """Listen for connections, each of which the network notes."""

    def connect() -> asyncio.Protocol:
        assert runner.server is not None  # noqa: S101 - it is set up
        connection = runner.server()
        store.network.open(connection)
        return connection

    return await asyncio.get_running_loop().create_server(
        connect, chosen.host, chosen.port, reuse_address=True, backlog=1024
    )


def main() -> None:
    """Run the command line."""
    chosen = parse_options()
    logging.basicConfig(
        level=logging.INFO if chosen.verbose else logging.WARNING, format="%(levelname)s %(message)s"
    )
    asyncio.run(run(chosen))


if __name__ == "__main__":
    main()
