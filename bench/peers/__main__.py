"""Reading the same order from other shops, in turns with ours. `make bench PEERS=1` runs it.

    python -m bench.peers [oscar vendure medusa] [--rounds 5] [--seconds 2] [--write]

Each is installed at one version into a temporary folder, by its own package manager, makes its tables in this run's
PostgreSQL and one customer with one order of four items, and is read by the owner on 16 connections: its one process
on the first core, PostgreSQL and the clients on the others, as with ours. What cannot be installed or asked is told,
with its error, and is no failure of the run. `--write` writes the section of docs/benchmarks.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import traceback
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

from bench.database import own_database
from bench.load import write_request
from bench.machine import write_section
from bench.peers.peer import Peer, PeerError, Place, read_answer
from bench.peers.report import Result, describe

PEERS = ("oscar", "vendure", "medusa")
#: Of our own orders, the first: with one, its list is as short as theirs.
_ORDERS = 1


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}; all unless told")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, os.sched_getaffinity(0) - {core} or {core})
    with own_database() as folder:
        text = describe(_run(folder, core, options), _name_node())
    print(text)
    if options.write:
        write_section("peers", text)
    return 0


def get_peer(name: str) -> Peer:
    """Return a shop that is compared."""
    peer: Peer = import_module(f"bench.peers.{name}").PEER
    return peer


def _run(folder: Path, core: int, options: argparse.Namespace) -> list[Result]:
    from bench.servers import serving
    from bench.shop_data import make_data, make_order

    data = make_data(_ORDERS)
    given = json.dumps(make_order(0), ensure_ascii=False)
    cookies = {
        "Cookie": f"sessionid={data.session}; osessionid={data.session}", "Accept-Language": "en",
    }  # fmt: skip
    path = f"/users/orders/{data.order}/"
    ours = {
        "detail": write_request(path, {**cookies, "Accept": "application/json"}),
        "detail_html": write_request(path, {**cookies, "Accept": "text/html,*/*;q=0.8"}),
    }
    results = []
    command = [sys.executable, "-m", "aftercart", "web"]
    with serving(command, core, WEB_PROCESSES="1") as our_server:
        for name in options.peers or PEERS:
            peer = get_peer(name)
            result = Result(peer.title, peer.what, peer.ours)
            results.append(result)
            _say(f"{peer.title}: installing")
            place = _make_place(folder, name, given)
            try:
                _compare(peer, place, core, result, options, (*our_server, ours[peer.ours]))
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are measured
                _give_up(result, error, place)
            shutil.rmtree(place.folder, ignore_errors=True)
    return results


def _make_place(folder: Path, name: str, given: str) -> Place:
    from aftercart.lib import postgres

    data = folder / "postgres"
    postgres.create_database(data, f"peer_{name}")
    place = Place(folder / f"peer-{name}", postgres.get_socket_folder(data), f"peer_{name}", postgres.ROLE)
    place.folder.mkdir()
    (place.folder / "order.json").write_text(given, encoding="utf-8")
    return place


def _compare(
    peer: Peer,
    place: Place,
    core: int,
    result: Result,
    options: argparse.Namespace,
    ours: tuple[int, int, bytes],
) -> None:
    """Install a peer, start it, and measure it and ourselves in turns: ports, processes and requests."""
    from bench.servers import measure_memory, measure_with_cost, serving

    peer.install(place)
    quietly = ["sh", "-c", 'cd "$0" && exec "$@" >server.log 2>&1', str(place.folder)]
    with ExitStack() as stack:
        port, pid = stack.enter_context(
            serving([*quietly, *peer.serve(place)], core, **{**place.environment, **peer.environment})
        )
        theirs = (port, pid, peer.ask(place, port))
        sizes = [len(check_answer(read_answer(at, asked), place)) for at, _, asked in (theirs, ours)]
        result.sizes = (sizes[0], sizes[1])
        for number in range(options.rounds + 1):
            for name, found, (at, process, asked) in (
                (peer.title, result.theirs_measured, theirs),
                ("ours", result.ours_measured, ours),
            ):
                measured = measure_with_cost(at, process, asked, 200, options.seconds if number else 2)
                if number:  # the first one warms everything up
                    found.append(measured)
                _say(f"round {number} of {options.rounds}: {name}: {measured.per_second:.0f} a second")
        result.memory = measure_memory(pid)


def check_answer(body: bytes, place: Place) -> bytes:
    """Return an answer that shows the order. Raises `PeerError` for one that lacks its number or an item."""
    order = place.read_order()
    wanted = [order["number"], *(item["product"]["name"] for item in order["orderitem_set"])]
    text = body.decode()
    if any(text.count(word) < wanted.count(word) for word in wanted):
        raise PeerError(f"it answered with something else than the order: {text[:500]}")
    return body


def _give_up(result: Result, error: Exception, place: Place) -> None:
    result.reason = str(error) or type(error).__name__
    result.theirs_measured.clear()
    result.ours_measured.clear()
    _say(f"{result.title} was not measured.\n{result.reason}")
    if not isinstance(error, PeerError):
        traceback.print_exception(error)
    log = place.folder / "server.log"
    if log.exists():
        _say("\n".join(log.read_text(errors="replace").splitlines()[-25:]))


def _name_node() -> str:
    node = shutil.which("node")
    if node is None:
        return "no node"
    found = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return f"node {found.stdout.strip().removeprefix('v')}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
