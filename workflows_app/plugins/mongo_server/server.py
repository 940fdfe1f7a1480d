"""Which server a plugin speaks to, and as whom: the parameters that all of MongoDB's plugins share."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import PATH, choice, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.forwarded import forwarded
from workflows_app.plugins.databases.pod_parameters import pod_selector, refuse_elsewhere
from workflows_app.plugins.kubernetes.forwarding import Forward
from workflows_app.plugins.values import absolute_path, identifier, one_of, whole_number

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 27017
DEFAULT_AUTH_DATABASE = "admin"
NAME_BYTES = 128
SOCKET = "mongodb.sock"
"""The name of a socket that leads into a pod: MongoDB's driver knows one by its ending."""

_SSL_MODES = ("disable", "verify")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", re.ASCII)
# What MongoDB takes in the name of a database on every system; a folder of a dump has that name, too.
_DATABASE = re.compile(r"""[^/\\. "$*<>:|?\0]{1,63}""")

# The first four names are Fossul's (fossul-behaviour.md §7.5).
SPECS = (
    ParameterSpec(name="MongoHost", help="The server's name or address.", default=DEFAULT_HOST),
    ParameterSpec(
        name="MongoPort",
        help="The server's port, 1 to 65535.",
        default=str(DEFAULT_PORT),
        form=number(1, 65535),
    ),
    ParameterSpec(name="MongoUser", help="The user that connects. Empty: a server without users."),
    ParameterSpec(name="MongoPassword", help="The user's password.", secret=True),
    ParameterSpec(
        name="MongoAuthDb",
        help="The database in which the user was created (mongodump's --authenticationDatabase).",
        default=DEFAULT_AUTH_DATABASE,
    ),
    ParameterSpec(
        name="MongoSslMode",
        help="disable, or verify (TLS with a certificate that is checked, or no connection).",
        default="disable",
        form=choice(*_SSL_MODES),
    ),
    ParameterSpec(
        name="MongoSslCa",
        help="A file with the certificates that are trusted, for MongoSslMode verify. Empty: the system's.",
        form=PATH,
    ),
    ParameterSpec(
        name="MongoSslCert",
        help="A file with the worker's own certificate and its key (PEM), where the server asks for one.",
        form=PATH,
    ),
)
REPLICA_SET_SPEC = ParameterSpec(
    name="MongoReplicaSet",
    help="The name of the replica set: its primary is then found through MongoHost. Empty: MongoHost itself "
    "is asked, whichever member it is.",
)


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and the user and password that open it.

    An empty ``user`` is nobody; an empty ``replica_set`` means exactly this server. ``pod`` says in which pod
    it is, for people, and ``way`` opens a socket that leads there; empty and None for one that the worker
    reaches by itself.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    auth_database: str
    replica_set: str
    ssl_mode: str
    ssl_ca: str
    ssl_cert: str
    pod: str = ""
    way: Callable[[], AbstractContextManager[Forward]] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, context: PluginContext) -> "Server":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""
        given = context.parameters
        user = given.get("MongoUser", "").strip()
        password = _password(given.get("MongoPassword", ""))
        if password and not user:
            raise ConfigInvalid("MongoUser", "is empty, and there is a MongoPassword: say whose it is")
        if user and not password:
            raise ConfigInvalid("MongoPassword", f"is empty: give the password of the user {user!r}")
        mode = one_of("MongoSslMode", given.get("MongoSslMode", ""), _SSL_MODES, "disable")
        host = _host(given.get("MongoHost", "").strip() or DEFAULT_HOST)
        port = whole_number("MongoPort", given.get("MongoPort", ""), DEFAULT_PORT, 65535)
        replica_set = _replica_set(given.get("MongoReplicaSet", "").strip())
        selector = pod_selector(given)
        if selector:
            _refuse_in_pod(host, replica_set)
        return cls(
            host=host,
            port=port,
            user=identifier("MongoUser", user, "the user that connects", NAME_BYTES) if user else "",
            password=password,
            auth_database=database_name(
                "MongoAuthDb", given.get("MongoAuthDb", "").strip() or DEFAULT_AUTH_DATABASE
            ),
            replica_set=replica_set,
            ssl_mode=mode,
            ssl_ca=_file("MongoSslCa", given.get("MongoSslCa", ""), mode),
            ssl_cert=_file("MongoSslCert", given.get("MongoSslCert", ""), mode),
            pod=f"{selector!r} in namespace {given['Namespace'].strip()!r}" if selector else "",
            way=partial(forwarded, context, port, SOCKET) if selector else None,
        )

    @property
    def where(self) -> str:
        """The server as an operator knows it: ``db.example.org:27017``, ``[::1]:27017 of pod 'db-' in …``."""
        return f"{self.address} of pod {self.pod}" if self.pod else self.address

    @property
    def address(self) -> str:
        """Host and port, as MongoDB's programs take them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def database_name(field: str, text: str) -> str:
    """The name of a database, such as MongoDB takes on every system. Raises ConfigInvalid."""
    if not _DATABASE.fullmatch(text) or not text.isprintable() or len(text.encode(errors="replace")) > 63:
        raise ConfigInvalid(
            field,
            f"{text!r} is not the name of a database: use up to 63 bytes, no space and none of "
            'the characters / \\ . " $ * < > : | ?',
        )
    return text


def _refuse_in_pod(host: str, replica_set: str) -> None:
    refuse_elsewhere("MongoHost", host)
    if replica_set:
        raise ConfigInvalid(
            "MongoReplicaSet",
            f"{replica_set!r} cannot be looked for through a pod, which leads to the server in it alone: "
            "leave it empty, and choose the primary's pod for a restore",
        )


def _host(text: str) -> str:
    if len(text) > 253 or not _HOST.fullmatch(text):
        raise ConfigInvalid(
            "MongoHost", f"{text!r} is not one host's name or address; its port is in MongoPort"
        )
    return text


def _password(text: str) -> str:
    if "\0" in text or "\n" in text:
        raise ConfigInvalid("MongoPassword", "has a line break or a NUL character, which no password may")
    return text


def _replica_set(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", text):
        raise ConfigInvalid(
            "MongoReplicaSet", f"{text!r} is no name of a replica set: use letters, digits and '. _ -'"
        )
    return text


def _file(field: str, text: str, mode: str) -> str:
    if not text.strip():
        return ""
    path = str(absolute_path(field, text))
    if mode != "verify":
        raise ConfigInvalid(field, "is given, and MongoSslMode is 'disable': set MongoSslMode to 'verify'")
    return path
