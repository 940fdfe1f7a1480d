"""``manage.py export_configs``: write every configuration into a folder, as files that Fossul reads."""

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.domain.errors import FossulError
from workflows_app.domain.printable import printable
from workflows_app.management.config_report import file_lines
from workflows_app.services.files.config_files import export_configs
from workflows_app.services.people.permissions import command_line


class Command(BaseCommand):
    """Writes ``DIR/<profile>/<configuration>/*.conf``, and says what was left out."""

    help = "Write every configuration into a folder, as files that Fossul and import_configs read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder, and how far to go."""
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument("--with-secrets", action="store_true", help="write passwords and the like, too")
        parser.add_argument("--force", action="store_true", help="write into a folder that has other content")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write, print. Leaves with 1, having written nothing, when anything is refused."""
        try:
            report = export_configs(
                command_line(getpass.getuser()),
                options["folder"],
                with_secrets=options["with_secrets"],
                force=options["force"],
            )
        except FossulError as error:
            raise CommandError(str(error)) from error
        for line in file_lines(report.files, "files"):
            self.stdout.write(printable(line))
        if report.refused:
            raise CommandError("Nothing was written: a configuration is refused.")
