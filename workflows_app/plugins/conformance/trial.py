"""A plugin on trial: how a conformance case calls it, and what it said."""

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any

from workflows_app.domain.config import Config, Retention
from workflows_app.domain.errors import Cancelled, ConfigInvalid, FossulError
from workflows_app.domain.results import Backup, Level, PluginInfo, Result
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.conformance.scratch import PLACEHOLDER, Scratch
from workflows_app.plugins.deadline import Deadline
from workflows_app.plugins.environment import child_environment
from workflows_app.plugins.process import GRACE_SECONDS

PROFILE = "check-plugin"
CONFIG = "trial"
POLICY = "daily"
OTHER_POLICY = "weekly"
RUNS = ((1, POLICY), (12, POLICY), (2, OTHER_POLICY))
"""The runs and their policies. The first number is a part of the second (fossul-behaviour.md §7.3)."""
EPOCH = 1_700_000_000


class CaseFailed(Exception):
    """The plugin does not keep a promise; the text says which and how."""


class CaseSkipped(Exception):
    """A promise could not be looked at; the text says why, and what to give."""


@dataclass(slots=True)
class Trial:
    """One plugin of ``family``, with its parameters, and the folder that it may work in.

    ``seconds`` is how long a call may take; ``freeze`` says that an application may be frozen for a moment.
    """

    plugin: Any
    family: str
    scratch: Scratch
    given: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 60
    freeze: bool = False
    said: list[tuple[Level, str]] = field(default_factory=list)
    _info: PluginInfo | None = None

    def __post_init__(self) -> None:
        """Raises ConfigInvalid for a path that is not in the scratch folder but should be."""
        for name, value in self.given.items():
            if PLACEHOLDER in value and ".." in value:
                raise ConfigInvalid(name, "has '..', which leads out of the scratch folder")
            if name in self.scratch.parameters and not all(
                path.startswith(f"{PLACEHOLDER}/") for path in value.split(",")
            ):
                raise ConfigInvalid(
                    name, f"the check writes and deletes there: leave it out, or begin it with {PLACEHOLDER}/"
                )

    @property
    def info(self) -> PluginInfo:
        """What the plugin says of itself; asked once."""
        if self._info is None:
            info = self._hear_out(self.plugin.info, "info")
            if not isinstance(info, PluginInfo):
                raise CaseFailed(f"info answered {type(info).__name__}, not PluginInfo")
            self._info = info
        return self._info

    @property
    def knows(self) -> bool:
        """Whether the plugin has told what it is."""
        return self._info is not None

    @property
    def parameters(self) -> Mapping[str, str]:
        """The plugin's parameters: those given, and the scratch folder's paths where it declares them."""
        declared = {spec.name for spec in self.info.parameters}
        given = {n: value.replace(PLACEHOLDER, str(self.scratch.root)) for n, value in self.given.items()}
        return {name: value for name, value in self.scratch.parameters.items() if name in declared} | given

    def need(self, capability: str) -> None:
        """Raises CaseSkipped when the plugin does not declare it, or lacks a parameter that it requires."""
        if capability not in {declared.name for declared in self.info.capabilities}:
            raise CaseSkipped(f"the plugin does not declare {capability}")
        missing = [s for s in self.info.parameters if s.required and s.name not in self.parameters]
        if missing:
            options = " ".join(f"--parameter{'-file' if s.secret else ''} {s.name}=…" for s in missing)
            raise CaseSkipped(f"a required parameter is missing; give {options}")

    def need_scratch(self, *usual: str) -> None:
        """Raises CaseSkipped when nothing tells the plugin to work in the scratch folder.

        It is told by the parameters with the ``usual`` names; for each that it does not have, one of
        another name must have been given.
        """
        missing = [name for name in usual if name not in self.parameters]
        given = [n for n, v in self.given.items() if PLACEHOLDER in v and n not in self.scratch.parameters]
        if len(given) < len(missing):
            raise CaseSkipped(
                f"it does not declare {' and '.join(missing)}, so it could work anywhere; give what it "
                f"has for that as --parameter NAME={PLACEHOLDER}/…"
            )

    def act(
        self,
        method: str,
        config: Config,
        restore: RestoreRequest | None = None,
        held: frozenset[str] = frozenset(),
    ) -> Result:
        """Call an action. Raises CaseFailed when it crashes, does not end in time or answers no Result."""
        result = self.ask(method, config, restore, held)
        if not isinstance(result, Result):
            raise CaseFailed(f"{method} answered {type(result).__name__}, not Result")
        self.said.extend((Level(message.level), message.message) for message in result.messages)
        return result

    def done(self, method: str, config: Config, restore: RestoreRequest | None = None) -> Result:
        """Call an action that should succeed. Raises CaseFailed when it answers another code than 0."""
        begin = len(self.said)
        result = self.act(method, config, restore)
        if result.code != 0:
            errors = [text for level, text in self.said[begin:] if level == Level.ERROR]
            words = f": {errors[0]}" if errors else ", and said nothing at level ERROR"
            raise CaseFailed(f"{method} answered code {result.code}{words}")
        return result

    def refuses(
        self,
        method: str,
        config: Config,
        restore: RestoreRequest | None = None,
        held: frozenset[str] = frozenset(),
    ) -> bool:
        """Whether an action is refused: with words, or with a code. ``held`` are backups that are held."""
        try:
            return self.act(method, config, restore, held).code != 0
        except FossulError as error:
            self.said.append((Level.ERROR, str(error)))
            return True

    def ask(
        self,
        method: str,
        config: Config,
        restore: RestoreRequest | None = None,
        held: frozenset[str] = frozenset(),
        **given: Any,
    ) -> Any:
        """Call any method that takes a context, and what else is ``given``. Raises CaseFailed as ``act``."""
        with Deadline(self.seconds) as deadline:
            context = PluginContext(
                config=config,
                parameters=self.parameters,
                say=lambda level, text: self.said.append((level, text)),
                cancelled=deadline.cancelled,
                on_cancel=deadline.on_cancel,
                environment=child_environment(os.environ),
                restore=restore or RestoreRequest(),
                held=lambda: held,
            )
            return self._hear_out(lambda: getattr(self.plugin, method)(context, **given), method)

    def _hear_out(self, call: Callable[[], Any], method: str) -> Any:
        """Call in a thread of its own: a plugin that does not hear a cancel must not stop the check."""
        future: Future[Any] = Future()
        threading.Thread(target=_fulfil, args=(future, call), daemon=True).start()
        wait([future], self.seconds + 2 * GRACE_SECONDS)
        if not future.done():
            raise CaseFailed(f"{method} did not end, although it was cancelled after {self.seconds:g} s")
        try:
            return future.result()
        except (CaseFailed, FossulError):
            raise
        except Cancelled:
            raise CaseFailed(f"{method} had not ended after {self.seconds:g} s, and was cancelled") from None
        except (Exception, SystemExit) as error:
            raise CaseFailed(f"{method} crashed: {type(error).__name__}: {error}") from None


def run_config(number: int, policy: str = POLICY, keep: int = 5, **changes: Any) -> Config:
    """The configuration of a run of the trial, whose policies keep ``keep`` backups and archives."""
    kept = tuple(Retention(policy=name, retention_number=keep) for name in (POLICY, OTHER_POLICY))
    config = Config(
        profile_name=PROFILE, config_name=CONFIG, backup_retentions=kept, archive_retentions=kept, **changes
    )
    return config.for_run(number, policy, EPOCH + number)


def restore_config(backup: Backup) -> Config:
    """The configuration of a restore of that backup."""
    return run_config(99).for_restore(99, backup, EPOCH + 99)


def _fulfil(future: "Future[Any]", call: Callable[[], Any]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # a plugin's exit() too is an answer
        future.set_exception(error)
