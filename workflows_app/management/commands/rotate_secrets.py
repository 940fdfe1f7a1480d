"""``manage.py rotate_secrets``: seal every stored secret with the newest key."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.domain.errors import FossulError
from workflows_app.services.configurations.secrets import rotate_secrets
from workflows_app.services.people.permissions import command_line


class Command(BaseCommand):
    """Seals all secrets anew: after a new key was put before the old one in FOSSUL_SECRETS_KEY."""

    help = "Seal every stored secret with the first key of FOSSUL_SECRETS_KEY; the old key may go afterwards."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, and say in how many configurations there was something to do."""
        try:
            count = rotate_secrets(command_line(getpass.getuser()))
        except FossulError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Sealed the secrets of {count} configuration{'' if count == 1 else 's'} anew.")
