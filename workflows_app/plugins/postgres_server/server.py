"""Which server a plugin speaks to, and as whom: the parameters that all of PostgreSQL's plugins share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import PATH, choice, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.databases import login
from workflows_app.plugins.databases.pod_parameters import pod_selector
from workflows_app.plugins.values import absolute_path, identifier, one_of, whole_number

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 5432

# As libpq has them, https://www.postgresql.org/docs/current/libpq-ssl.html
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# What sun_path can hold, less the name of the socket itself.
_SOCKET_FOLDER_BYTES = 90

# Names and meanings are Fossul's (fossul-behaviour.md §7.5).
SPECS = (
    ParameterSpec(
        name="PqHost",
        help="The server's name or address, or the absolute path of the folder with its socket.",
        default=DEFAULT_HOST,
    ),
    ParameterSpec(
        name="PqPort",
        help="The server's port, 1 to 65535.",
        default=str(DEFAULT_PORT),
        form=number(1, 65535),
    ),
    ParameterSpec(name="PqUser", help="The role that connects.", required=True),
    ParameterSpec(
        name="PqPassword",
        help="The role's password. Empty: none, or what the .pgpass file of the worker's user has.",
        secret=True,
    ),
    ParameterSpec(
        name="PqSslMode",
        help="How the connection is protected: disable, allow, prefer, require, verify-ca or verify-full.",
        default="prefer",
        form=choice(*_SSL_MODES),
    ),
    ParameterSpec(
        name="PqSslCa",
        help="A file with the certificates that are trusted, for verify-ca and verify-full, where the "
        "programs run. Empty: ~/.postgresql/root.crt.",
        form=PATH,
    ),
    ParameterSpec(
        name="PqLibraryPath",
        help="Folders for LD_LIBRARY_PATH of PostgreSQL's programs, separated by colons. Mostly empty.",
    ),
)


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and the role and password that open it. ``host`` may be the folder of a socket.

    ``pod`` is what chooses the pod that the server is reached from, empty for the worker itself. ``label`` is
    what an operator calls the server, where ``host`` and ``port`` do not say it.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    ssl_mode: str
    ssl_ca: str
    library_path: str
    pod: str
    label: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Server":
        """Read a plugin's parameters. Raises ConfigInvalid, which names the one that is refused."""
        ssl_ca = given.get("PqSslCa", "").strip()
        return cls(
            host=_host(given.get("PqHost", "").strip() or DEFAULT_HOST),
            port=whole_number("PqPort", given.get("PqPort", ""), DEFAULT_PORT, 65535),
            user=identifier("PqUser", given.get("PqUser", ""), "the role that connects"),
            password=login.password("PqPassword", given.get("PqPassword", "")),
            ssl_mode=one_of("PqSslMode", given.get("PqSslMode", ""), _SSL_MODES, "prefer"),
            ssl_ca=str(absolute_path("PqSslCa", ssl_ca)) if ssl_ca else "",
            library_path=_library_path(given.get("PqLibraryPath", "").strip()),
            pod=pod_selector(given),
        )

    @property
    def where(self) -> str:
        """The server as an operator knows it: ``db.example.org:5432``, ``localhost:5432 of pod 'db-'``."""
        at = login.address(self.host, self.port)
        return self.label or (f"{at} of pod {self.pod!r}" if self.pod else at)


def _host(text: str) -> str:
    if text.startswith("/"):
        if not text.isprintable() or "," in text or len(text.encode()) > _SOCKET_FOLDER_BYTES:
            raise ConfigInvalid(
                "PqHost",
                f"{text!r} is no folder of a socket: use up to {_SOCKET_FOLDER_BYTES} bytes, no comma",
            )
        return text
    if not login.is_host(text):
        raise ConfigInvalid(
            "PqHost", f"{text!r} is neither one host's name or address nor the absolute path of a folder"
        )
    return text


def _library_path(text: str) -> str:
    if text and not (text.isprintable() and all(folder.startswith("/") for folder in text.split(":"))):
        raise ConfigInvalid("PqLibraryPath", f"{text!r} is not a list of absolute paths separated by colons")
    return text
