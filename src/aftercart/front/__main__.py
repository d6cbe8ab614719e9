"""``python -m aftercart.front``: Granian, its arguments, and a watch over its web processes."""

import os
import tempfile
import threading
from pathlib import Path

from granian.cli import entrypoint

from aftercart.front.heartbeats import PARENT, VARIABLE, Watch


def main() -> None:
    """Serve until SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="aftercart-web-") as folder:
        os.environ |= {VARIABLE: folder, PARENT: str(os.getpid())}
        threading.Thread(target=Watch(Path(folder)).run, name="watch", daemon=True).start()
        entrypoint()  # type: ignore[no-untyped-call]  # Granian gives it no types


if __name__ == "__main__":
    main()
