"""``manage.py run_backup``: start a backup and print its result as Fossul does."""

import asyncio
import getpass
import json
import os
import sys
from argparse import ArgumentParser
from typing import Any

from asgiref.sync import sync_to_async
from django.core.management.base import BaseCommand, CommandError

from workflows_app.domain import ansi
from workflows_app.domain.errors import FossulError
from workflows_app.domain.printable import printable
from workflows_app.services.logs.messages import Tail
from workflows_app.services.people.permissions import command_line
from workflows_app.services.recording.watch import Seen, watch
from workflows_app.services.runs import runs, starts
from workflows_app.services.runs.runs import RunDetail
from workflows_app.services.temporal.progress import Sight


class Command(BaseCommand):
    """Starts a backup, waits for it, and prints ``[{"workflow": …, "result": …}]`` to stdout."""

    help = "Start a backup, wait for it and print its result. Exit status 0 only when it COMPLETED."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to back up, and whether to show it live."""
        parser.add_argument("profile")
        parser.add_argument("config", metavar="configuration")
        parser.add_argument("--policy", required=True)
        parser.add_argument("--follow", action="store_true", help="print the messages to stderr as they come")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start, wait, print. Leaves with 1 when the run did not complete, 2 when it did not start."""
        try:
            run = asyncio.run(self._run(options))
        except FossulError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(json.dumps([run.result], indent=2))
        completed = run.result.get("workflow", {}).get("status") == "COMPLETED"
        sys.stdout.flush()
        sys.stderr.flush()
        # Temporal's core may crash while the interpreter exits (architecture.md §3.3, "Leaving").
        os._exit(0 if completed else 1)

    def _print(self, seen: Seen) -> None:
        if isinstance(seen, Sight):
            if words := seen.trouble or (seen.stall and seen.stall.words):
                self.stderr.write(words)
            return
        for line in seen:
            # What a step printed must not steer this terminal.
            text = printable(ansi.render(line.text).text)
            self.stderr.write(f"{line.time.astimezone():%Y-%m-%d %H:%M:%S} [{line.level}] {text}")

    async def _run(self, options: dict[str, Any]) -> RunDetail:
        actor = command_line(getpass.getuser())
        number = await starts.start_backup(actor, options["profile"], options["config"], options["policy"])
        self.stderr.write(f"Run {number} of {options['profile']}/{options['config']} has started.")
        async with watch(Tail(number)) as stream:
            async for seen in stream:
                if options["follow"]:
                    self._print(seen)
        return await sync_to_async(runs.get_run)(actor, number)
