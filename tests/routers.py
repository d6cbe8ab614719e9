"""The routing samples of docs/routing in real routers, before Aftercart and a commerce backend."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes import answers_at_all, find_free_port, running, wait_until

SAMPLES = Path(__file__).parents[1] / "docs" / "routing"
_CALLS = '{"method": "$request_method", "path": "$request_uri", "status": $status, "to": "$proxy_host"}'


@dataclass(frozen=True, slots=True)
class Call:
    """A request that came to the router, the status that it got, and who answered: `aftercart` or `commerce`."""

    method: str
    path: str
    status: int
    to: str


@dataclass(frozen=True, slots=True)
class Router:
    """A running router, and what came to it, where it keeps that."""

    url: str
    log: Path

    def read_calls(self) -> list[Call]:
        """Read what has been answered so far, in order."""
        return [Call(**json.loads(line)) for line in self.log.read_text("utf-8").splitlines()]


def fill_in(sample: str, port: int, aftercart: str, commerce: str) -> str:
    """Put into a sample where it listens, and what it passes on to; nothing else."""
    text = (SAMPLES / sample).read_text("utf-8")
    listen = "listen 8080" if sample.endswith(".conf") else "\n:8080 {"
    for name, value in (
        ("aftercart.internal:8000", aftercart.removeprefix("http://")),
        ("commerce.internal:8000", commerce.removeprefix("http://")),
        (listen, f"listen 127.0.0.1:{port}" if sample.endswith(".conf") else f"\nhttp://127.0.0.1:{port} {{"),
    ):
        assert name in text, (sample, name)
        text = text.replace(name, value)
    return text


@contextmanager
def running_nginx(folder: Path, aftercart: str, commerce: str, *more: str) -> Iterator[Router]:
    """Run nginx with its sample; `more` names samples that go into its `server {}`."""
    port = find_free_port()
    sample = fill_in("nginx.conf", port, aftercart, commerce).rstrip().removesuffix("}")
    sample += "".join((SAMPLES / name).read_text("utf-8") for name in more) + "}\n"
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration, log = folder / "nginx.conf", folder / "calls.log"
    configuration.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ log_format calls escape=json '{_CALLS}'; access_log {log} calls;\n{temporary}{sample}\n}}\n"
    )
    with _running(["nginx", "-c", str(configuration), "-p", str(folder)], port, folder / "error.log") as url:
        yield Router(url, log)


@contextmanager
def running_caddy(folder: Path, aftercart: str, commerce: str) -> Iterator[Router]:
    """Run Caddy with its sample, without its administration."""
    port = find_free_port()
    configuration = folder / "Caddyfile"
    options = "{\n\tadmin off\n\tauto_https off\n}\n"
    configuration.write_text(options + fill_in("Caddyfile", port, aftercart, commerce))
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(configuration)]
    with _running(command, port, folder / "error.log") as url:
        yield Router(url, folder / "calls.log")


@contextmanager
def _running(command: list[str], port: int, errors: Path) -> Iterator[str]:
    folder = str(errors.parent)  # where Caddy keeps its own state
    environment = os.environ | {"XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder}
    with errors.open("ab") as log, running(command, environment, log) as process:

        def is_up() -> bool:
            assert process.poll() is None, errors.read_text()
            return answers_at_all(port)

        wait_until(is_up)
        yield f"http://127.0.0.1:{port}"
