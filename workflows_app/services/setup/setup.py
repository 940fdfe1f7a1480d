"""Preparing a start: the machine is checked, and what the dashboard needs is made where it is missing."""

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError

from workflows_app.services.configurations.secrets import seal_plain_secrets
from workflows_app.services.people import accounts
from workflows_app.services.people.accounts import AdminAccount
from workflows_app.services.setup import demo, embedded, machine, static_files

SECRET_KEY_BYTES = 48


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a person needs in order to begin. ``admin`` is None when ``admin`` was removed on purpose."""

    url: str
    admin: AdminAccount | None


def prepare() -> Prepared:
    """Check the machine, then make what is missing: the key, tables, groups, static files, demo, first user.

    May be repeated at will; what people have changed stays as it is, and a demo that was deleted does not
    come back. The user is made last: when anything before fails, no generated password is lost.

    Raises MachineNotReady when something is in the way; OSError when the disk is.
    """
    check_machine()
    if not settings.FOSSUL_SECRETS_KEYS:
        settings.FOSSUL_SECRETS_KEYS = [ensure_secret_key(settings.FOSSUL_VAR_DIR / "secrets_key")]
    if not _has_secret_key():
        settings.SECRET_KEY = ensure_secret_key(settings.FOSSUL_VAR_DIR / "secret_key")
    try:
        call_command("migrate", interactive=False, verbosity=0)
        seal_plain_secrets()
        accounts.ensure_groups()
        static_files.collect()
        if accounts.nobody_yet() and settings.FOSSUL_DEMO:
            demo.install()
        return Prepared(url=url(), admin=accounts.ensure_admin(settings.FOSSUL_ADMIN_PASSWORD))
    except DatabaseError as error:
        reason = str(error).strip().partition("\n")[0]
        raise machine.MachineNotReady(f"The database cannot be used: {reason}") from error


def check_machine() -> None:
    """Raise MachineNotReady when the folder cannot be written to, or a port that will be needed is taken."""
    machine.check_folder(settings.FOSSUL_VAR_DIR, "FOSSUL_VAR_DIR")
    machine.check_port(settings.HOST, settings.PORT, "the web server", f"PORT={settings.PORT % 65_535 + 1}")
    embedded.check_embedded_port()


def url() -> str:
    """The address of the dashboard on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.HOST, settings.HOST)  # noqa: S104
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"http://{host}:{settings.FOSSUL_WEB_PORT}/"


def ensure_secret_key(path: Path) -> str:
    """Answer the key in ``path``, made there at the first call. Raises OSError.

    The file is readable for its owner alone, and complete or absent, also when two processes begin at once.
    """
    if not path.exists():
        # mkstemp makes the file for its owner alone.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        draft = Path(name)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(SECRET_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            # Unlike a rename, a link never replaces the key of a process that was quicker.
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def _has_secret_key() -> bool:
    try:
        return bool(settings.SECRET_KEY)
    except ImproperlyConfigured:
        # Django's answer to an empty key.
        return False
