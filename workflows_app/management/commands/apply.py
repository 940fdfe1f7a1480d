"""``manage.py apply``: configuration as code. Make the database what a folder of files says."""

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.domain.errors import FossulError
from workflows_app.domain.printable import printable
from workflows_app.management.config_report import change_lines, file_lines
from workflows_app.services.files.config_files import apply_configs
from workflows_app.services.people.permissions import command_line


class Command(BaseCommand):
    """Shows the difference between files and database, and, without ``--plan``, carries it out.

    With ``--plan`` it leaves with 0 when there is no difference, 2 when there is one, 1 when refused.
    """

    help = "Make the database what a folder of configuration files says. --plan only shows the difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder, and how far to go."""
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument(
            "--plan",
            action="store_true",
            help="only show the difference; exit status 0: none, 2: there is one, 1: refused",
        )
        parser.add_argument("--prune", action="store_true", help="delete what the files do not have")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare, print, carry out. Leaves with 1, having changed nothing, when anything is refused."""
        try:
            report = apply_configs(
                command_line(getpass.getuser()),
                options["folder"],
                prune=options["prune"],
                plan=options["plan"],
            )
        except FossulError as error:
            raise CommandError(str(error)) from error
        told = [file for file in report.files if file.notes or file.refused]
        for line in (*file_lines(told, "taken"), "", *change_lines(report.changes, diff=True)):
            self.stdout.write(printable(line))
        if report.refused:
            raise CommandError("Nothing was changed: a file is refused.")
        if options["plan"] and report.differs:
            raise SystemExit(2)
