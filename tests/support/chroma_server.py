"""Real Chroma servers for tests: processes that can be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.ports import free_port

# The script in a virtual environment's folder needn't be in the path.
RUN = "import sys; from chromadb.cli.cli import app; sys.exit(app())"


@dataclass
class ChromaProcess:
    """A server with a folder and a port of its own; it keeps both over a restart."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="chroma-")))
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def collections(self) -> str:
        """Address of its collections, to look at them and to damage them."""
        database = "tenants/default_tenant/databases/default_database"
        return f"{self.url}/api/v2/{database}/collections"

    def start(self) -> ChromaProcess:
        """Start the server, and wait until it answers."""
        line = [sys.executable, "-c", RUN, "run", "--path", str(self.folder)]
        line += ["--host", "127.0.0.1", "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                line,
                stdout=log,
                stderr=log,
                env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
            )
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/api/v2/heartbeat", timeout=5).status_code == 200:
                    return self
            except httpx.HTTPError:
                continue
        raise AssertionError((self.folder / "server.log").read_text())

    def ensure_running(self) -> ChromaProcess:
        """Start the server if it was killed, and let it go on if it was stopped."""
        if self.process is None:
            return self.start()
        self.process.send_signal(signal.SIGCONT)
        return self

    def vacuum(self) -> None:
        """Stop the server, run `chroma vacuum`, and start it again."""
        self.kill()
        line = [sys.executable, "-c", RUN, "vacuum", "--path", str(self.folder), "--force"]
        subprocess.run(line, check=True, capture_output=True)
        self.start()

    def kill(self) -> None:
        """Kill the server as `kill -9` does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        """Kill the server and delete its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
