"""``manage.py prepare``: everything that a start needs, checked and made."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from workflows_app.domain.errors import FossulError
from workflows_app.services.setup.setup import Prepared, prepare


class Command(BaseCommand):
    """Checks the machine, makes what is missing, and says how to sign in."""

    help = "Checks the machine, makes key, tables, first user and demo where missing, says how to sign in."
    # The checks ask for the key and the tables that this command makes.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare; exits with code 1 after one line when that cannot be done."""
        try:
            prepared = prepare()
        except (FossulError, OSError) as error:
            self.stderr.write(str(error))
            raise SystemExit(1) from None
        for name, value in _lines(prepared):
            self.stdout.write(f"  {name:<10}{value}".rstrip())
        self.stdout.write("")


def _lines(prepared: Prepared) -> list[tuple[str, str]]:
    lines = [("", ""), ("Fossul", prepared.url)]
    if prepared.admin is None:
        return lines
    lines.append(("User", prepared.admin.username))
    change = f".venv/bin/python manage.py changepassword {prepared.admin.username}"
    if prepared.admin.generated:
        return [
            *lines,
            ("Password", prepared.admin.generated),
            ("", f"It is shown this once. To change it: {change}"),
        ]
    if settings.FOSSUL_ADMIN_PASSWORD:
        return [*lines, ("Password", "the one in FOSSUL_ADMIN_PASSWORD")]
    return [
        *lines,
        ("Password", "as it was set at the first start or since"),
        ("", f"To change it: {change}"),
    ]
