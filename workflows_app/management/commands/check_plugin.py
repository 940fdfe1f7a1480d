"""``manage.py check_plugin``: hold a plugin against what its family promises."""

import signal
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from workflows_app.domain.errors import ConfigInvalid, PluginFailed, PluginMissing
from workflows_app.domain.printable import printable
from workflows_app.plugins.conformance.cases import Outcome, Verdict
from workflows_app.plugins.conformance.scratch import Scratch
from workflows_app.plugins.conformance.suite import check_plugin
from workflows_app.plugins.conformance.trial import Trial
from workflows_app.plugins.process import kill_children
from workflows_app.plugins.registry import PluginRegistry

_FAMILIES = ("app", "storage", "archive")


class Command(BaseCommand):
    """Prints what a plugin does right and what not, one case a line."""

    help = (
        "Check a plugin: built in, of an installed package, or an executable. Exit status 0 when it "
        "conforms, 1 when not, 2 when it cannot be checked. Files are written to a scratch folder only."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the plugin, and what it needs to know."""
        parser.add_argument("name", nargs="?", help="the name that a configuration gives the plugin")
        parser.add_argument("--list", action="store_true", help="name all plugins that are registered")
        parser.add_argument("--family", choices=_FAMILIES, help="where several families have the name")
        parser.add_argument(
            "--parameter",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a parameter of the plugin; {scratch} in it is the folder that the check makes",
        )
        parser.add_argument(
            "--parameter-file",
            action="append",
            default=[],
            metavar="NAME=FILE",
            help="a parameter whose value is in a file: for secrets, which others see on a command line",
        )
        parser.add_argument(
            "--freeze",
            action="store_true",
            help="allow that an app plugin freezes its application for a moment",
        )
        parser.add_argument(
            "--timeout",
            type=float,
            default=60.0,
            metavar="SECONDS",
            help="for each call (default %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check or list. Leaves with 1 when the plugin does not conform, 2 when it cannot be checked."""
        registry = PluginRegistry(folders=settings.FOSSUL_PLUGIN_DIRS)
        if options["list"]:
            self._list(registry)
        elif options["name"]:
            self._check(registry, options)
        else:
            raise CommandError("Give the name of a plugin, or --list.", returncode=2)

    def _list(self, registry: PluginRegistry) -> None:
        for plugin in registry.registered():
            self.stdout.write(f"{plugin.family:<8} {plugin.name:<24} {plugin.origin}")

    def _check(self, registry: PluginRegistry, options: dict[str, Any]) -> None:
        name = options["name"]
        try:
            family = options["family"] or _family_of(registry, name)
            plugin = registry.find(family, name)
        except PluginMissing as error:
            raise CommandError(str(error), returncode=2) from error
        except PluginFailed as error:
            self._print(Outcome(Verdict.FAIL, "the plugin can be loaded", str(error)))
            raise CommandError(f"{name} does not conform.", returncode=1) from error
        # As by Ctrl-C: what the plugin runs is ended, and the scratch folder removed.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        with tempfile.TemporaryDirectory(prefix="fossul-check-") as folder, _without_children():
            try:
                trial = Trial(
                    plugin,
                    family,
                    Scratch(Path(folder).resolve()),
                    given=_parameters(options),
                    seconds=options["timeout"],
                    freeze=options["freeze"],
                )
            except ConfigInvalid as error:
                raise CommandError(str(error), returncode=2) from error
            verdicts = [self._print(outcome) for outcome in check_plugin(trial)]
        self._conclude(f"{family} plugin {name}", verdicts)

    def _print(self, outcome: Outcome) -> Verdict:
        self.stdout.write(
            printable(f"{outcome.verdict:<8} {outcome.case}{outcome.why and f': {outcome.why}'}")
        )
        self.stdout.flush()
        return outcome.verdict

    def _conclude(self, what: str, verdicts: list[Verdict]) -> None:
        counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in Verdict)
        if Verdict.FAIL in verdicts:
            raise CommandError(f"The {what} does not conform: {counts}.", returncode=1)
        self.stdout.write(f"The {what} conforms: {counts}.")


@contextmanager
def _without_children() -> Iterator[None]:
    """However it is left, nothing that the plugin runs goes on: this process waits for no thread."""
    try:
        yield
    finally:
        kill_children()


def _family_of(registry: PluginRegistry, name: str) -> str:
    """The one family that has the name. Raises PluginMissing, and CommandError where several have it."""
    names = (name, name.removesuffix(".so"))
    found = sorted({plugin.family for plugin in registry.registered() if plugin.name in names})
    if len(found) > 1:
        raise CommandError(f"{name} is a plugin of several families: give --family.", returncode=2)
    if found:
        return found[0]
    for family in _FAMILIES:  # one that is there and may not be used is told by its own words
        try:
            registry.find(family, name)
        except PluginMissing:
            continue
        return family
    raise PluginMissing(f"There is no plugin {name!r} here. `manage.py check_plugin --list` names all.")


def _parameters(options: dict[str, Any]) -> dict[str, str]:
    """The parameters given. Raises ConfigInvalid for one without a name, or whose file cannot be read."""
    parameters = {}
    for given in options["parameter"]:
        name, value = _pair("--parameter", given)
        parameters[name] = value
    for given in options["parameter_file"]:
        name, path = _pair("--parameter-file", given)
        try:
            parameters[name] = Path(path).read_text().rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigInvalid(
                name, f"{path}: {getattr(error, 'strerror', None) or 'is not text'}"
            ) from error
    return parameters


def _pair(option: str, given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not name or not equals:
        raise ConfigInvalid(option, f"{given!r} is not NAME=VALUE")
    return name, value
