"""The proxies' configurations as they are shipped, run for real before a server of ours."""

from __future__ import annotations

import datetime
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SHIPPED = Path(__file__).resolve().parents[2] / "docs" / "deploy"
KINDS = [kind for kind in ("nginx", "caddy") if shutil.which(kind)]


@dataclass
class Proxy:
    """A running proxy: its port of TLS, and the folder of its logs and bodies."""

    kind: str
    port: int
    folder: Path

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """(status, beginning of the body)."""
        with closing(self.connection(20)) as client:
            client.request(method, path, body=body, headers=headers)
            answer = client.getresponse()
            return answer.status, answer.read(65_536)

    def connection(self, timeout: float) -> HTTPSConnection:
        return HTTPSConnection("localhost", self.port, timeout=timeout, context=_trusting())

    def socket(self, first: bytes) -> ssl.SSLSocket:
        """A connection on which so much was sent, and nothing more."""
        plain = socket.create_connection(("localhost", self.port), timeout=10)
        secured = _trusting().wrap_socket(plain, server_hostname="localhost")
        secured.sendall(first)
        return secured

    def logs(self) -> str:
        """All that it has written."""
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("*.log"))


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@contextmanager
def running(kind: str, upstream: int, folder: Path) -> Iterator[Proxy]:
    """The proxy of this kind before the server on port `upstream`."""
    port, plain = _free(), _free()
    _certificate(folder)
    made = {"nginx": _nginx, "caddy": _caddy}[kind](folder, upstream, port, plain)
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "PATH": "/usr/sbin:/usr/bin"}
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen(made, env=environment, stdout=console, stderr=console)
    try:
        _wait(process, port, folder)
        yield Proxy(kind, port, folder)
    finally:
        process.terminate()
        process.wait(10)


def _nginx(folder: Path, upstream: int, port: int, plain: int) -> list[str]:
    text = (SHIPPED / "nginx.conf").read_text(encoding="utf-8")
    text = _replaced(
        text,
        {
            "    listen [::]:80;\n": "",
            "    listen [::]:443 ssl;\n": "",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{upstream};",
            "/etc/ssl/threads.example/fullchain.pem": f"{folder}/certificate.pem",
            "/etc/ssl/threads.example/privkey.pem": f"{folder}/key.pem",
            "server_name threads.example;": "server_name localhost;",
            "/var/log/nginx": str(folder),
        },
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/start.log crit;\n"
        # The folders of tests are their owner's alone.
        f"{'user root;' if os.geteuid() == 0 else ''}\n"
        f"events {{}}\nhttp {{\n{temporary}{text}\n}}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(path)]


def _caddy(folder: Path, upstream: int, port: int, plain: int) -> list[str]:
    text = (SHIPPED / "Caddyfile").read_text(encoding="utf-8")
    text = _replaced(
        text,
        {
            "\nthreads.example {": f"\nlocalhost:{port} {{\n"
            f"\ttls {folder}/certificate.pem {folder}/key.pem",
            "127.0.0.1:8000": f"127.0.0.1:{upstream}",
            "/var/log/caddy": str(folder),
            "\n{\n": f"\n{{\n\tadmin off\n\thttp_port {plain}\n\tauto_https disable_redirects\n",
        },
    )
    path = folder / "Caddyfile"
    path.write_text(text)
    return ["caddy", "run", "--config", str(path), "--adapter", "caddyfile"]


def _replaced(text: str, changes: dict[str, str]) -> str:
    """What differs on an operator's machine; a line that is not there is a test gone stale."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert process.poll() is None, (folder / "console.log").read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError((folder / "console.log").read_text())
