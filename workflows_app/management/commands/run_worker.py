"""``manage.py run_worker``: do the steps of runs."""

import asyncio
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from workflows_app.worker import WorkerOptions, WorkerRunner


class Command(BaseCommand):
    """Runs a worker until SIGTERM or SIGINT: the first drains it, the second stops it at once."""

    help = "Run a worker: it polls Temporal and does the steps of runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the task queue and how much is done at once."""
        parser.add_argument("--task-queue", default=settings.TEMPORAL_TASK_QUEUE)
        parser.add_argument(
            "--activities",
            type=int,
            default=settings.FOSSUL_WORKER_ACTIVITIES,
            help="steps done at once (default %(default)s)",
        )
        parser.add_argument(
            "--questions",
            type=int,
            default=settings.FOSSUL_WORKER_QUESTIONS,
            help="questions of pages answered at once (default %(default)s)",
        )
        parser.add_argument(
            "--workflow-tasks", type=int, default=20, help="workflow tasks at once (default %(default)s)"
        )
        parser.add_argument(
            "--grace-seconds",
            type=float,
            default=settings.FOSSUL_WORKER_GRACE_SECONDS,
            help="how long running steps may go on after the first signal (default %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop, then leave without the interpreter's own exit.

        Temporal's core may crash while the interpreter exits (architecture.md §3.3, "Leaving").
        """
        runner = WorkerRunner(
            WorkerOptions(
                task_queue=options["task_queue"],
                activities=options["activities"],
                questions=options["questions"],
                workflow_tasks=options["workflow_tasks"],
                grace_seconds=options["grace_seconds"],
            )
        )
        code = 0
        try:
            asyncio.run(_run(runner))
        except RuntimeError as error:
            self.stderr.write(f"The worker cannot start: {error}")
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


async def _run(runner: WorkerRunner) -> None:
    runner.listen()
    await runner.run()
