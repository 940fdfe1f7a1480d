"""Real servers that notices are sent to: one for mail, with AUTH and STARTTLS, and one for HTTP."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_path, key_path


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@dataclass
class MailReceiver:
    """A mail server that wants STARTTLS and a login; ``mails`` are those that it took."""

    port: int = 0
    user: str = "fossul"
    password: str = "a password of the mail server"
    mails: list[EmailMessage] = field(default_factory=list)
    refuses: bool = False
    silent_at_quit: bool = False

    def check(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        good = (data.login, data.password) == (self.user.encode(), self.password.encode())
        return AuthResult(success=good, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuses:
            return "451 the disk of the mail server is full"
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        return "250 taken"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.silent_at_quit:
            await asyncio.Event().wait()
        return "221 good-bye"


def _free_port() -> int:
    """The controller knocks at the port that it was given, which 0 is not."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mail_receiver(certificate: Path, key: Path, *, tls: bool = False) -> Iterator[MailReceiver]:
    """With ``tls`` from the first byte on, and then without a login."""
    receiver = MailReceiver()
    context = _context(certificate, key)
    wants = {"require_starttls": True, "auth_required": True, "authenticator": receiver.check}
    controller = Controller(
        receiver,
        hostname="127.0.0.1",
        port=_free_port(),
        **({"ssl_context": context} if tls else {"tls_context": context, **wants}),
    )
    controller.start()
    try:
        receiver.port = controller.port
        yield receiver
    finally:
        controller.stop()


@dataclass(frozen=True)
class Received:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpReceiver:
    """An HTTP server; it answers ``status``, with ``location`` where that is a redirect."""

    port: int = 0
    status: int = 200
    location: str = ""
    says: bytes = b"ok"
    received: list[Received] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.received]


@contextmanager
def http_receiver(certificate: Path | None = None, key: Path | None = None) -> Iterator[HttpReceiver]:
    receiver = HttpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.received.append(Received(self.path, dict(self.headers.items()), body))
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", str(len(receiver.says)))
            self.end_headers()
            self.wfile.write(receiver.says)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate and key:
        server.socket = _context(certificate, key).wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


@dataclass
class DrippingServer:
    """Says ``first``, then ``drop`` again and again every ``pause`` seconds, until the other side goes.

    ``said`` is how many bytes it got rid of, ``gone`` is set when the other side went.
    """

    first: bytes
    drop: bytes = b"x"
    pause: float = 0.05
    port: int = 0
    said: int = 0
    gone: threading.Event = field(default_factory=threading.Event)

    def serve(self, listening: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                try:
                    connection.sendall(self.first)
                    while not self.gone.wait(self.pause):
                        connection.sendall(self.drop)
                        self.said += len(self.drop)
                finally:
                    self.gone.set()


@contextmanager
def dripping_server(server: DrippingServer) -> Iterator[DrippingServer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.port = listening.getsockname()[1]
        serving = threading.Thread(target=server.serve, args=[listening])
        serving.start()
        try:
            yield server
        finally:
            server.gone.set()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            serving.join()
