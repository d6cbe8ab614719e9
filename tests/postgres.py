"""A pytest plugin: one real PostgreSQL for the run, started before Django reads its settings.

pytest-django then gives each parallel worker a database of its own in it: a copy of one that is migrated, and kept
between runs with its cluster for as long as the migrations and the locked versions stay. `DATABASE_URL` names
another PostgreSQL, in which each worker migrates its own.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

#: The migrated database that workers copy.
MIGRATED = "AFTERCART_TEST_MIGRATED"
_READY = "AFTERCART_TEST_READY"
_ROOT = Path(__file__).parents[1]
#: A test database need not survive a power cut.
_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=400")
_stack = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start it once; the parallel workers inherit the environment that says where."""
    if _READY in os.environ:
        return
    from aftercart.lib import postgres

    folder = Path(_stack.enter_context(tempfile.TemporaryDirectory(prefix="aftercart-test-")))
    os.environ["AFTERCART_VAR"] = str(folder)
    os.environ[_READY] = "1"
    # Another run that begins meanwhile would close pytest's own folder to the user that PostgreSQL runs as.
    early_config.option.basetemp = early_config.known_args_namespace.basetemp or str(folder / "tmp")
    if not os.environ.get("DATABASE_URL"):
        copy_cluster(folder, early_config.rootpath / ".pytest_cache")
        _stack.enter_context(postgres.running(folder / "postgres", _OPTIONS))
        os.environ[MIGRATED] = postgres.DATABASE


def copy_cluster(folder: Path, cache: Path) -> None:
    """Put a cluster with the migrated database into a folder; make the one that is kept if there is none."""
    kept = cache / f"postgres-{_digest()}"
    if not kept.exists():
        for old in cache.glob("postgres-*"):
            shutil.rmtree(old, ignore_errors=True)
        _migrate_into(kept)
    # With its owner, whom PostgreSQL insists on, and without its times, which keep nothing apart.
    subprocess.run(["cp", "-R", "-p", str(kept), str(folder / "postgres")], check=True)


def _migrate_into(kept: Path) -> None:
    from aftercart.lib import postgres

    with tempfile.TemporaryDirectory(prefix="aftercart-migrated-") as made:
        environment = {**os.environ, "AFTERCART_VAR": made, "PYTHONPATH": str(_ROOT / "src")}
        environment.pop("DATABASE_URL", None)
        with postgres.running(Path(made) / "postgres", _OPTIONS):
            subprocess.run([sys.executable, "-m", "aftercart", "migrate"], env=environment, check=True)
        kept.parent.mkdir(exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix="partial-", dir=kept.parent))
        subprocess.run(["cp", "-R", "-p", f"{made}/postgres", str(partial / "postgres")], check=True)
    try:
        (partial / "postgres").rename(kept)
    except OSError:  # another run was quicker
        shutil.rmtree(partial / "postgres")
    partial.rmdir()


def _digest() -> str:
    """Digest what the migrated database depends on: all migrations, and the versions of what brings others."""
    digest = hashlib.sha256()
    for path in [*sorted(_ROOT.glob("src/aftercart/*/migrations/*.py")), _ROOT / "requirements" / "dev.txt"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def pytest_unconfigure() -> None:
    """Stop it, in the process that started it."""
    _stack.close()
