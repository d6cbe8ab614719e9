"""A production set up by the README's steps, behind a proxy that ends TLS: the back office opens, and doctor knows."""

import http.client
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.processes import find_free_port, make_environment, running_web

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of `localhost` that signs itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def ending_tls(certificate: Path, port: int, shop: str) -> Iterator[None]:
    """Run a proxy that takes TLS on a port and passes plain HTTP on to the shop, as the README tells one to."""

    class Proxy(BaseHTTPRequestHandler):
        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            headers |= {"X-Forwarded-Proto": "https", "X-Forwarded-Host": self.headers["Host"]}
            behind = http.client.HTTPConnection(shop.removeprefix("http://"), timeout=20)
            behind.request(self.command, self.path, body or None, headers | {"X-Forwarded-For": "127.0.0.1"})
            answer = behind.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {
                    "connection",
                    "content-length",
                    "transfer-encoding",
                    "date",
                    "server",
                }:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            behind.close()

        do_GET = do_POST = forward  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_parts: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Proxy)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("is_trusted", "mark", "finding"),
    [("true", "ok", "opens and answers at"), ("false", "FAIL", "would be refused with 403")],
)
def test_doctor_says_whether_the_back_office_can_be_entered_behind_tls(
    certificate: Path, is_trusted: str, mark: str, finding: str
) -> None:
    port = find_free_port()
    production = {
        "AFTERCART_ENV": "production",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "PUBLIC_URL": f"https://localhost:{port}",
        "EMAIL_URL": "smtp://127.0.0.1:9",
        "TRUSTED_PROXY": is_trusted,
        "SSL_CERT_FILE": str(certificate),
    }
    with (
        running_web("http://127.0.0.1:9", **production) as shop,
        ending_tls(certificate, port, shop),
    ):
        examined = subprocess.run(
            [sys.executable, "-m", "aftercart", "doctor"],
            env=make_environment("http://127.0.0.1:9", **production),
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    assert examined.returncode == 1  # there is neither a worker nor an Omnitron here
    line = next(line for line in examined.stdout.splitlines() if "log-in" in line)
    assert line.split()[:2] == [mark, "log-in"]
    assert finding in line
