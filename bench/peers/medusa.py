"""Medusa: its server with the modules for one process; its workflows make the order, its store API shows it."""

import json
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bench.load import write_request
from bench.peers.peer import Peer, Place

_VERSION: Final = "2.21.2"
_SHOP: Final = Path(__file__).parent / "medusa_shop"
_ENVIRONMENT: Final = {"NODE_ENV": "production", "MEDUSA_DISABLE_TELEMETRY": "true"}
_PACKAGES: Final = ("medusa", "framework", "cli")
_PROGRAM: Final = "node_modules/.bin/medusa"


def _install(place: Place) -> None:
    for name in ("medusa-config.js", "seed.js"):
        shutil.copy(_SHOP / name, place.folder)
    (place.folder / "package.json").write_text('{"private": true}')
    wanted = [f"@medusajs/{name}@{_VERSION}" for name in _PACKAGES]
    place.run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *wanted)
    place.run(_PROGRAM, "db:migrate", "--skip-scripts", **_name_database(place))
    place.run(_PROGRAM, "exec", "./seed.js", **_name_database(place))


def _name_database(place: Place) -> dict[str, str]:
    url = f"postgres://{place.role}@{quote(str(place.host), safe='')}/{place.database}"
    return {**_ENVIRONMENT, "BENCH_DATABASE_URL": url}


def _serve(place: Place) -> list[str]:
    given = [f"{name}={value}" for name, value in _name_database(place).items()]
    return ["env", *given, _PROGRAM, "start", "--host", "127.0.0.1", "--port", "{port}"]


def _ask(place: Place, _: int) -> bytes:
    made = json.loads((place.folder / "made.json").read_text())
    headers = {"Accept": "application/json", "x-publishable-api-key": made["key"]}
    return write_request(f"/store/orders/{made['order']}", headers)


PEER: Final = Peer(
    name="Medusa", version=_VERSION, what="`/store/orders/{id}` (its id is what opens it)", ours="detail",
    install=_install, serve=_serve, ask=_ask,
)  # fmt: skip
