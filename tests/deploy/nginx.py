"""Run nginx with the configuration of docs/deploy, as a user without privileges."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from tests.browser.conftest import free_port
from tests.docs.documents import ROOT

SHIPPED = ROOT / "docs" / "deploy" / "nginx.conf"
NAME = "archive.example"
REMOVES_HEADER = '    proxy_set_header X-Remote-User "";\n'
# What /etc/nginx/nginx.conf has around the files of conf.d.
AROUND = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  gzip on; access_log {folder}/other.log;
  include {folder}/backfile.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running nginx: its two addresses, its folder, and the context that trusts it."""

    address: str
    plain: str
    folder: Path
    trust: ssl.SSLContext

    @property
    def port(self) -> str:
        """The port of https."""
        return self.address.rpartition(":")[2]

    def client(self, source: str = "127.0.3.1", **headers: str) -> httpx.Client:
        """Return a client at an address, which asks for the server by its name."""
        return httpx.Client(
            base_url=self.address,
            headers={"Host": NAME, **headers},
            timeout=60,
            transport=httpx.HTTPTransport(
                verify=self.trust,
                local_address=source,
                limits=httpx.Limits(max_keepalive_connections=0),
            ),
        )


def uncomment(text: str, *lines: str) -> str:
    """Return a configuration with these lines, which it has as comments, in force."""
    for line in lines:
        assert text.count(f"# {line}\n") == 1, line
        text = text.replace(f"# {line}\n", f"{line}\n")
    return text


def logs_in(text: str) -> str:
    """Return the configuration with nginx checking passwords, as its comment says."""
    assert text.count(REMOVES_HEADER) == 1
    return uncomment(
        text.replace(REMOVES_HEADER, ""),
        'auth_basic "Archive";',
        "auth_basic_user_file /etc/nginx/backfile.htpasswd;",
        "proxy_set_header X-Remote-User $remote_user;",
    )


def find_nginx() -> str:
    """Return the path of nginx; skip the test without one."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if found is None:
        pytest.skip("no nginx: `apt-get install nginx` puts one in the path")
    return found


@contextmanager
def run_nginx(
    text: str, servers: dict[str, int], passwords: dict[str, str] | None = None
) -> Iterator[Proxy]:
    """Run nginx until the block ends.

    Args:
        text: The configuration, with the addresses and paths of the shipped one.
        servers: The port of each server behind it, by the address that the text has.
        passwords: Those that nginx itself checks, by user.
    """
    found = find_nginx()
    https, plain = free_port(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="nginx-"))  # not in pytest's, which is closed to others
    try:
        make_certificate(folder)
        (folder / "htpasswd").write_text(
            "".join(f"{name}:{{PLAIN}}{word}\n" for name, word in (passwords or {}).items())
        )
        own = {
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen [::]:80;": "",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{https} ssl http2;",
            "listen [::]:443 ssl http2;": "",
            "/etc/letsencrypt/live/archive.example/fullchain.pem": f"{folder}/certificate.pem",
            "/etc/letsencrypt/live/archive.example/privkey.pem": f"{folder}/key.pem",
            "/var/log/nginx/backfile.log": f"{folder}/access.log",
            "/var/www/html": f"{folder}/www",
            "/etc/nginx/backfile.htpasswd": f"{folder}/htpasswd",
            **{f"server {name};": f"server 127.0.0.1:{port};" for name, port in servers.items()},
        }
        for shipped, ours in own.items():
            assert text.count(shipped) == (2 if shipped.endswith(".log") else 1), shipped
            text = text.replace(shipped, ours)
        with start_nginx(found, text, folder, https):
            trust = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
            address, http = f"https://127.0.0.1:{https}", f"http://127.0.0.1:{plain}"
            yield Proxy(address, http, folder, trust)
    finally:
        shutil.rmtree(folder)


@contextmanager
def start_nginx(program: str, text: str, folder: Path, port: int) -> Iterator[None]:
    """Run nginx in a folder until the block ends.

    Args:
        program: Its path.
        text: The configuration of its servers.
        folder: Where all of its files are.
        port: A port that it listens on.
    """
    (folder / "backfile.conf").write_text(text)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
    line = [program, "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
    with subprocess.Popen(line, **unprivileged(folder)) as process:
        try:
            wait_for_port(process, port, folder)
            yield
        finally:
            process.terminate()


def unprivileged(folder: Path) -> dict[str, int]:
    """Give a folder to a user without privileges; return the options to run as that user."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.iterdir()):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


def wait_for_port(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    """Wait until nginx accepts connections."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            continue
        return
    raise AssertionError(f"nginx did not start: {(folder / 'error.log').read_text()}")


def make_certificate(folder: Path) -> None:
    """Write a self-signed certificate for the server's name, and its key."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    names = [x509.DNSName(NAME), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
