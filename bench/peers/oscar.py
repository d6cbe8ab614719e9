"""django-oscar: a project made of its own defaults, served by Granian as our yardsticks are."""

import re
import sys
from importlib.metadata import version
from typing import Final

import httpx2

from bench.load import write_request
from bench.peers.peer import PASSWORD, Peer, PeerError, Place
from tests.processes import ROOT

_VERSION: Final = "4.2.1"
_SETTINGS: Final = {
    "DJANGO_SETTINGS_MODULE": "bench.peers.oscar_shop.settings", "PYTHONPATH": str(ROOT),
    "PYTHONDONTWRITEBYTECODE": "1",
}  # fmt: skip


def _install(place: Place) -> None:
    place.run(sys.executable, "-m", "venv", "venv")
    wanted = [
        f"django-oscar[sorl-thumbnail]=={_VERSION}",
        # The same server and the same driver as ours.
        f"granian=={version('granian')}", f"psycopg[binary]=={version('psycopg')}",
    ]  # fmt: skip
    place.run("venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted)
    place.run("venv/bin/python", "-m", "django", "migrate", "--verbosity", "0", **_SETTINGS)
    place.run("venv/bin/python", "-m", "bench.peers.oscar_shop.seed", **_SETTINGS)


def _serve(place: Place) -> list[str]:
    return [
        str(place.folder / "venv/bin/python"), "-m", "granian", "--interface", "wsgi",
        "bench.peers.oscar_shop.wsgi:application", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1",
        "--blocking-threads", "1", "--no-ws", "--log-level", "error",
    ]  # fmt: skip


def _ask(place: Place, port: int) -> bytes:
    order = place.read_order()
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, follow_redirects=True) as client:
        page = client.get("/accounts/login/").text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None:
            raise PeerError("its log-in has no form")
        form = {
            "csrfmiddlewaretoken": token[1], "login-username": order["user_email"], "login-password": PASSWORD,
            "login_submit": "1",
        }  # fmt: skip
        client.post("/accounts/login/", data=form)
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    return write_request(f"/accounts/orders/{order['number']}/", {"Cookie": cookies, "Accept": "text/html"})


PEER: Final = Peer(
    name="django-oscar", version=_VERSION, what="the owner's page of the order (HTML; it has no JSON)",
    ours="detail_html", install=_install, serve=_serve, ask=_ask, environment=_SETTINGS,
)  # fmt: skip
