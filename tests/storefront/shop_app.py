"""A minimal Next.js shop on the public client, built once and run for a while.

`shop/` holds its pages; the package's middlewares, proxy, log-in, log-out and data layer are `@akinon/next`'s own. What
npm installs for its lock file is kept in the user's cache, with the last build.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import answers, find_free_port, running, wait_until

SOURCES = Path(__file__).parent / "shop"
_LEFT_OUT = ("node_modules", ".next")


def build_shop() -> Path:
    """Build the application, unless this very state of it is built; skip where npm cannot install it."""
    key = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aftercart-tests"
    folder = cache / f"shop-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    with (cache / f"shop-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built, state = folder / "built", _hash_sources()
        if not built.exists() or built.read_text() != state:
            _build(folder)
            built.write_text(state)
    return folder


def _hash_sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*")):
        if path.is_file() and not set(_LEFT_OUT) & set(path.parts):
            digest.update(f"{path.relative_to(SOURCES)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _build(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != "node_modules":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns(*_LEFT_OUT), dirs_exist_ok=True)
    if not (folder / "node_modules" / ".package-lock.json").exists():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode:
            pytest.skip(f"NOT RUN: npm could not install the storefront: {done.stderr[-500:]}")
    command = ["npx", "next", "build"]
    environment = os.environ | {"NEXT_TELEMETRY_DISABLED": "1", "NODE_ENV": "production"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]


@contextmanager
def running_shop(folder: Path, backend: str, log: Path) -> Iterator[str]:
    """Run the built application with `backend` as its `SERVICE_BACKEND_URL`; give its address."""
    port = find_free_port()
    # Not 127.0.0.1: Next.js takes that for another host than its own when a middleware rewrites.
    url = f"http://localhost:{port}"
    environment = os.environ | {
        "NODE_ENV": "production",
        "NEXT_TELEMETRY_DISABLED": "1",
        "SERVICE_BACKEND_URL": backend,
        "NEXT_PUBLIC_URL": url,
        "NEXTAUTH_URL": url,
        "NEXTAUTH_SECRET": "for-tests-only",
    }
    program = str(folder / "node_modules" / "next" / "dist" / "bin" / "next")
    command = ["node", program, "start", str(folder), "--port", str(port), "--hostname", "localhost"]
    with log.open("wb") as output, running(command, environment, output):
        wait_until(lambda: answers(f"{url}/healthz"))
        yield url
