"""What a shop of somebody else's needs to be measured: a folder, a database, and a script that is a few functions."""

import json
import os
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PASSWORD: Final = "Bench-2026"  # noqa: S105 - of a customer who lives for some minutes
#: Installing takes a minute or two each; more than this is a network that hangs.
_STEP_SECONDS: Final = 900
_LAST_LINES: Final = 25


class PeerError(Exception):
    """A peer could not be installed, started or asked; the message says which step, and what it said."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer lives: its folder, and a database of its own in the PostgreSQL of this run."""

    folder: Path
    host: Path
    database: str
    role: str

    @property
    def environment(self) -> dict[str, str]:
        """Return what its processes are told."""
        return {
            **os.environ,
            "PGHOST": str(self.host), "PGDATABASE": self.database, "PGUSER": self.role,
            "BENCH_ORDER": str(self.folder / "order.json"), "BENCH_PASSWORD": PASSWORD,
        }  # fmt: skip

    def read_order(self) -> Any:
        """Return the order that it shall have, as our import reads it."""
        return json.loads((self.folder / "order.json").read_text())

    def run(self, *command: str, **environment: str) -> str:
        """Run a step to its end in the folder, and return what it printed. Raises `PeerError` with its last lines."""
        try:
            done = subprocess.run(
                command, cwd=self.folder, env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_STEP_SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PeerError(f"{' '.join(command[:3])}: {error}") from error
        if done.returncode:
            last = "\n".join(done.stdout.splitlines()[-_LAST_LINES:])
            raise PeerError(f"{' '.join(command[:3])} ended with {done.returncode}\n{last}")
        return done.stdout


@dataclass(frozen=True, slots=True)
class Peer:
    """A shop of somebody else's, at one version, and what of ours it is compared with (`detail`, `detail_html`)."""

    name: str
    version: str
    what: str
    ours: str
    #: Install it, make its tables; nothing runs yet.
    install: Callable[[Place], None]
    #: The command that serves it on `{port}`, by one process.
    serve: Callable[[Place], Sequence[str]]
    #: The request by which the owner reads the order, once the server answers.
    ask: Callable[[Place, int], bytes]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name it with its version."""
        return f"{self.name} {self.version}"


def read_answer(port: int, request: bytes) -> bytes:
    """Return the body of one answer. Raises `PeerError` unless it is whole, says its length and is a 200."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(request)
        with client.makefile("rb") as answer:
            status = answer.readline()
            headers = {}
            while (line := answer.readline().strip()) and b":" in line:
                name, _, value = line.partition(b":")
                headers[name.lower()] = value.strip()
            # The load generator finds the end of an answer by its length alone.
            body = answer.read(int(headers.get(b"content-length", b"0")))
    if status.split()[1:2] != [b"200"] or not body:
        raise PeerError(f"it answered {status!r}, {headers}: {body[:500]!r}")
    return body
