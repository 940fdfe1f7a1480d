"""``manage.py import_configs``: take a folder of Fossul's configuration files into the database."""

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.domain.errors import FossulError
from workflows_app.domain.printable import printable
from workflows_app.management.config_report import change_lines, file_lines
from workflows_app.services.files.config_files import import_configs
from workflows_app.services.people.permissions import command_line


class Command(BaseCommand):
    """Reads ``DIR/<profile>/<configuration>/*.conf`` as Fossul does, and says what became of each file."""

    help = "Take a folder of Fossul's configuration files into the database. Nothing is deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder, and whether only to tell."""
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, store, print. Leaves with 1, having changed nothing, when anything is refused."""
        try:
            actor = command_line(getpass.getuser())
            report = import_configs(actor, options["folder"], dry_run=options["dry_run"])
        except FossulError as error:
            raise CommandError(str(error)) from error
        for line in (*file_lines(report.files, "taken"), "", *change_lines(report.changes, diff=False)):
            self.stdout.write(printable(line))
        if report.refused:
            raise CommandError("Nothing was changed: a file is refused.")
        if options["dry_run"]:
            self.stdout.write("Nothing was changed: this was a dry run.")
