"""``manage.py run_temporal``: the embedded Temporal server."""

from typing import Any

from django.core.management.base import BaseCommand

from workflows_app.domain.errors import FossulError
from workflows_app.services.setup.embedded import run_embedded


class Command(BaseCommand):
    """Runs the embedded Temporal server until a signal ends it."""

    help = "Runs the embedded Temporal server; with a TEMPORAL_ADDRESS on another machine it only waits."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it; exits with the server's code, or with 1 after one line when it cannot be started."""
        try:
            code = run_embedded()
        except FossulError as error:
            self.stderr.write(str(error))
            code = 1
        raise SystemExit(code)
