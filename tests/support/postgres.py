"""A PostgreSQL server for tests: an unprivileged process on a free port, in a temporary folder."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg

USER, PASSWORD = "backfile", "not-to-be-shown"
_numbers = itertools.count()


def find_binaries() -> Path:
    """Return the folder of the newest PostgreSQL's programs.

    Raises:
        FileNotFoundError: PostgreSQL isn't installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)
    if found:
        return found[-1].parent
    if path := shutil.which("postgres"):
        return Path(path).parent
    raise FileNotFoundError("no PostgreSQL server: `apt-get install postgresql`")


def _version(path: Path) -> int:
    name = path.parent.parent.name
    return int(name) if name.isdigit() else 0


def _runs(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


class PostgresServer:
    """A server that can be stopped, killed and started again."""

    def __init__(self) -> None:
        """Make the server's files, and start it."""
        self._programs = find_binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="backfile-postgres-"))
        (self.folder / "password").write_text(PASSWORD)
        self._owner = "nobody" if os.getuid() == 0 else None  # PostgreSQL refuses to run as root
        if self._owner:
            shutil.chown(self.folder, self._owner)
            shutil.chown(self.folder / "password", self._owner)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run(
            "initdb", "-D", "data", "-E", "UTF8", "--locale=C.UTF-8", "-U", USER,
            "-A", "scram-sha-256", "--pwfile=password", "--no-sync",
        )  # fmt: skip
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Start the server if it doesn't run, and wait until it answers."""
        if self._is_running():
            return
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= "
            "-c fsync=off -c max_connections=100 -c shared_buffers=64MB"
        )
        self._run("pg_ctl", "-D", "data", "-o", options, "-l", "log", "-w", "start")

    def stop(self) -> None:
        """Stop the server."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def kill(self) -> None:
        """Kill the server's processes, as a machine that loses power does."""
        number = int((self._data / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(number)], capture_output=True, text=True, check=True
        ).stdout.split()
        everything = (number, *map(int, children))
        for process in everything:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(map(_runs, everything)):
            time.sleep(0.01)
        (self._data / "postmaster.pid").unlink()  # names a process that its parent may never reap

    def _is_running(self) -> bool:
        try:
            self._run("pg_ctl", "-D", "data", "status")
        except subprocess.CalledProcessError:
            return False
        return True

    def close(self) -> None:
        """Stop the server, and delete its files."""
        if self._is_running():
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Create an empty database; return its address."""
        name = f"test_{next(_numbers)}"
        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        return self.address(name)

    def wait_for_clients(self, address: str) -> None:
        """Wait until no client of a database is left: it ends what killed ones have begun."""
        others = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(address, autocommit=True) as connection:
            while connection.execute(others).fetchone() != (0,):
                time.sleep(0.01)

    def _run(self, program: str, *arguments: str) -> None:
        identity = {}
        if self._owner:
            entry = pwd.getpwnam(self._owner)
            identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        with (self.folder / f"{program}.out").open("w") as output:
            subprocess.run(
                [self._programs / program, *arguments],
                cwd=self.folder, check=True, stdout=output, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, **identity,
            )  # fmt: skip
