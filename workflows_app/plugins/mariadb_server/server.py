"""Which server a plugin speaks to, and as whom: the parameters that all of MariaDB's plugins share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import PATH, choice, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.databases import login
from workflows_app.plugins.databases.pod_parameters import pod_selector
from workflows_app.plugins.values import absolute_path, identifier, one_of, whole_number

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 3306
NAME_BYTES = 128

_SSL_MODES = ("prefer", "disable", "verify")
# What sun_path can hold.
_SOCKET_BYTES = 107

# The first five names are Fossul's (fossul-behaviour.md §7.5).
SPECS = (
    ParameterSpec(
        name="MysqlHost",
        help="The server's name or address, or the absolute path of its socket.",
        default=DEFAULT_HOST,
    ),
    ParameterSpec(
        name="MysqlProto",
        help="tcp, or unix for a socket. Empty: unix when MysqlHost is an absolute path, tcp otherwise.",
        form=choice("tcp", "unix"),
    ),
    ParameterSpec(
        name="MysqlPort",
        help="The server's port, 1 to 65535.",
        default=str(DEFAULT_PORT),
        form=number(1, 65535),
    ),
    ParameterSpec(name="MysqlUser", help="The user that connects.", required=True),
    ParameterSpec(
        name="MysqlPassword",
        help="The user's password. Empty: none, for a user who is known by the socket.",
        secret=True,
    ),
    ParameterSpec(
        name="MysqlSslMode",
        help="prefer (as MariaDB's programs do by themselves, which may be without TLS), disable, or verify "
        "(TLS with a certificate that is checked, or no connection).",
        default="prefer",
        form=choice(*_SSL_MODES),
    ),
    ParameterSpec(
        name="MysqlSslCa",
        help="A file with the certificates that are trusted, for MysqlSslMode verify. Empty: the system's.",
        form=PATH,
    ),
)


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and the user and password that open it. ``host`` may be the path of a socket.

    ``pod`` is what chooses the pod that the server is reached from, empty for the worker itself.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    ssl_mode: str
    ssl_ca: str
    pod: str

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Server":
        """Read a plugin's parameters. Raises ConfigInvalid, which names the one that is refused."""
        host = _host(given.get("MysqlHost", "").strip() or DEFAULT_HOST)
        own = "unix" if host.startswith("/") else "tcp"
        if one_of("MysqlProto", given.get("MysqlProto", ""), ("tcp", "unix"), own) != own:
            raise ConfigInvalid(
                "MysqlProto", f"must be {own!r} or empty, since MysqlHost is {host!r}: unix needs a path"
            )
        ssl_ca = given.get("MysqlSslCa", "").strip()
        return cls(
            host=host,
            port=whole_number("MysqlPort", given.get("MysqlPort", ""), DEFAULT_PORT, 65535),
            user=identifier("MysqlUser", given.get("MysqlUser", ""), "the user that connects", NAME_BYTES),
            password=login.password("MysqlPassword", given.get("MysqlPassword", "")),
            ssl_mode=one_of("MysqlSslMode", given.get("MysqlSslMode", ""), _SSL_MODES, "prefer"),
            ssl_ca=str(absolute_path("MysqlSslCa", ssl_ca)) if ssl_ca else "",
            pod=pod_selector(given),
        )

    @property
    def where(self) -> str:
        """The server as an operator knows it: ``db.example.org:3306``, ``/run/mysqld/mysqld.sock``."""
        at = login.address(self.host, self.port)
        at = self.host if self.host.startswith("/") else at
        return f"{at} of pod {self.pod!r}" if self.pod else at

    @property
    def arguments(self) -> list[str]:
        """How MariaDB's programs are told of the server; the password is not in it."""
        if self.host.startswith("/"):
            to = [f"--socket={self.host}"]
        elif self.host == "localhost" and self.ssl_mode == "verify":
            # The certificate is for that name.
            to = ["--protocol=tcp", f"--host={self.host}", f"--port={self.port}"]
        else:
            # They would take "localhost" for the socket.
            to = [f"--host={'127.0.0.1' if self.host == 'localhost' else self.host}", f"--port={self.port}"]
        tls = {
            "prefer": [],
            "disable": ["--skip-ssl"],
            "verify": [
                "--ssl",
                "--ssl-verify-server-cert",
                *([f"--ssl-ca={self.ssl_ca}"] * bool(self.ssl_ca)),
            ],
        }[self.ssl_mode]
        return [*to, f"--user={self.user}", *tls]


def _host(text: str) -> str:
    if text.startswith("/"):
        if not text.isprintable() or len(text.encode()) > _SOCKET_BYTES:
            raise ConfigInvalid(
                "MysqlHost", f"{text!r} is no path of a socket: use up to {_SOCKET_BYTES} bytes"
            )
        return text
    if not login.is_host(text):
        raise ConfigInvalid(
            "MysqlHost", f"{text!r} is neither one host's name or address nor the absolute path of a socket"
        )
    return text
