"""What a child process may know of the worker's environment."""

import re
from collections.abc import Mapping

# The worker's own settings, some of which carry credentials; MyUser and MyPass are Fossul's API's.
_OWN = re.compile(r"FOSSUL_|DATABASE_URL|DJANGO_|TEMPORAL_|MYUSER$|MYPASS$")
_SECRET = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|APIKEY|(?:^|_)(?:PASS|AUTH|KEY)$|_PWD$"
)
# A user and a password in an address, as in postgres://user:password@host/database.
_LOGIN = re.compile(r"://[^\s/?#@:]*:[^\s/?#@]+@")


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Answer ``environ`` without what is the worker's own or looks like a credential.

    Left out, whatever the case of the name, is a variable

    - of the worker: ``FOSSUL_*``, ``DATABASE_URL*``, ``DJANGO_*``, ``TEMPORAL_*``, ``MyUser``, ``MyPass``;
    - with ``PASSWORD``, ``PASSWD``, ``PASSPHRASE``, ``SECRET``, ``TOKEN``, ``CREDENTIAL`` or ``APIKEY``
      anywhere in its name (``PGPASSWORD``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``);
    - whose name is or ends in the word ``PASS``, ``AUTH`` or ``KEY``, or ends in ``_PWD``
      (``SOME_API_KEY``, ``REDISCLI_AUTH``, ``MYSQL_PWD``; but not ``PWD`` or ``SSH_AUTH_SOCK``);
    - whose value is an address with a password in it (``amqp://user:password@host``).

    Fossul hands its whole environment to commands. A command that needs a credential reads it itself,
    from a file that only it and the worker's user can read.
    """
    return {name: value for name, value in environ.items() if not _denied(name.upper(), value)}


def is_own(name: str) -> bool:
    """Whether a variable is one of the worker's own settings, which nothing that it runs may know."""
    return bool(_OWN.match(name.upper()))


def _denied(name: str, value: str) -> bool:
    return bool(_OWN.match(name) or _SECRET.search(name) or _LOGIN.search(value))
