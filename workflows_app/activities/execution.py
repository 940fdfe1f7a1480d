"""How a step is done: context in, lines out, and every way to fail turned into what Temporal knows."""

import logging
import os
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError

from workflows_app.activities.message_log import MessageLog
from workflows_app.activities.parameters import resolve
from workflows_app.activities.pulse import Patient, Pulse
from workflows_app.contracts.steps import StepInput
from workflows_app.domain.config import Config
from workflows_app.domain.errors import Cancelled, FossulError
from workflows_app.domain.messages import MessageBound, storable
from workflows_app.domain.results import Level, Message, PluginInfo, Result
from workflows_app.domain.secrets.redaction import Redactor
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.environment import child_environment

logger = logging.getLogger(__name__)

T = TypeVar("T")

PLUGIN_CRASHED = "PluginCrashed"
STEP_SAID_NO = "StepSaidNo"
WORKER_STOPPED = "The worker was stopped while it did this step"


class StepExecution:
    """Does the steps of one worker."""

    def __init__(self, log: MessageLog, pulse: Pulse) -> None:
        self._log = log
        self._pulse = pulse
        self._environment = child_environment(os.environ)

    def do(
        self,
        step: StepInput,
        work: Callable[[PluginContext], Result],
        parameters: Mapping[str, str] | None = None,
        info: Callable[[], PluginInfo] = PluginInfo,
    ) -> Result:
        """Call ``work`` with a context and answer its result, with the lines that were said.

        ``parameters`` are the plugin's as they are stored; ``info`` answers what it says of itself.

        A FossulError is the plugin's own no: a result with code 1. Raises CancelledError when the step
        was cancelled, and ApplicationError (type ``PluginCrashed``, redacted) for anything else; of type
        ``StepSaidNo`` for a failure after which the plan has another attempt.
        """
        transcript = self._log.transcript(step.run, step.step, activity.info().attempt)
        messages = MessageBound()
        patient = self._pulse.admit()
        speaking = threading.Lock()  # a plugin may have threads of its own

        def hear(level: Level, text: str) -> None:
            with speaking:
                transcript.write(level, text)
                messages.add(Message.now(level, text))

        call = _Call(patient, hear)
        say = call.say
        try:
            context = call.context(step.config, parameters or {}, info, self._environment)
            result = work(replace(context, restore=step.restore, relies_on_freeze=step.relies_on_freeze))
            for message in result.messages:  # what a plugin answers rather than says
                say(Level(message.level), message.message)
        except Cancelled:
            if _worker_stops():
                say(Level.ERROR, WORKER_STOPPED)
                raise ApplicationError(WORKER_STOPPED, type="WorkerStopped") from None
            say(Level.WARN, "The step was cancelled")
            raise CancelledError("The step was cancelled") from None
        except FossulError as error:
            say(Level.ERROR, str(error))
            # As it is kept: redacted, and cut to what Temporal takes.
            result = Result(code=1, why=messages.messages()[-1].message)
        except (Exception, SystemExit) as error:  # a plugin's exit() must not end the worker
            words = call.redact(traceback.format_exc())
            logger.error("Run %d step %d crashed\n%s", step.run, step.step, words)
            say(Level.ERROR, f"{type(error).__name__}: {error}")
            # As it is kept: redacted, and cut to what Temporal takes.
            raise ApplicationError(messages.messages()[-1].message, type=PLUGIN_CRASHED) from None
        finally:
            self._pulse.discharge(patient)
            transcript.admit_loss()
        result = result.model_copy(update={"messages": messages.messages(), "lines": transcript.lines})
        if result.code and activity.info().attempt < step.spec.options.attempts:
            # Temporal retries what fails, not what answers; the last answer is the step's.
            raise ApplicationError(result.reason, type=STEP_SAID_NO)
        return result

    def ask(
        self,
        config: Config,
        look: Callable[[PluginContext], T],
        parameters: Mapping[str, str],
        info: Callable[[], PluginInfo],
        cleaned: Callable[[T, Callable[[str], str]], T] = lambda found, redact: found,
    ) -> tuple[T | None, Result]:
        """Call ``look`` outside of any run and answer what it answered, and how that went.

        Arguments as ``do``'s; ``cleaned`` takes the secrets out of an answer that has words in it. A
        FossulError is in the result, with code 1, and the answer is then None: an empty list would say that
        there is nothing. Raises as ``do``.
        """
        messages = MessageBound()
        patient = self._pulse.admit()
        call = _Call(patient, lambda level, text: messages.add(Message.now(level, text)))
        try:
            found = look(call.context(config, parameters, info, self._environment))
            return cleaned(found, call.redact), Result(messages=messages.messages())
        except Cancelled:
            if _worker_stops():
                raise ApplicationError(WORKER_STOPPED, type="WorkerStopped") from None
            raise CancelledError("It was cancelled") from None
        except FossulError as error:
            call.say(Level.ERROR, str(error))
            said = messages.messages()
            return None, Result(code=1, messages=said, why=said[-1].message)
        except (Exception, SystemExit) as error:  # a plugin's exit() must not end the worker
            logger.error("A plugin crashed outside of a run\n%s", call.redact(traceback.format_exc()))
            call.say(Level.ERROR, f"{type(error).__name__}: {error}")
            raise ApplicationError(messages.messages()[-1].message, type=PLUGIN_CRASHED) from None
        finally:
            self._pulse.discharge(patient)


class _Call:
    """One call of a plugin: what it says goes to ``hear``, and nothing that is secret leaves it."""

    def __init__(self, patient: Patient, hear: Callable[[Level, str], None]) -> None:
        self._patient = patient
        self._hear = hear
        self._redactor = Redactor()

    def context(
        self,
        config: Config,
        parameters: Mapping[str, str],
        info: Callable[[], PluginInfo],
        environment: Mapping[str, str],
    ) -> PluginContext:
        """What the plugin is given; from here on its secrets are known. Raises as ``resolve`` does."""
        resolved = resolve(parameters, _said_by(info))
        self._redactor = Redactor(resolved.secrets)
        return PluginContext(
            config=config,
            parameters=resolved.values,
            say=self.say,
            report=self.report,
            cancelled=self._patient.cancelled,
            on_cancel=self._patient.on_cancel,
            environment=environment,
        )

    def redact(self, text: str) -> str:
        """``text`` as it may be kept."""
        return self._redactor.redact(storable(text))

    def say(self, level: Level, text: str) -> None:
        """Take a line."""
        self._hear(level, self.redact(text))

    def report(self, progress: Report) -> None:
        """Take how far the plugin is."""
        self._patient.report = replace(progress, note=self.redact(progress.note))


def _worker_stops() -> bool:
    """Whether a step was told to end for the worker's sake, and nobody cancelled it."""
    details = activity.cancellation_details()
    if details is None or not activity.is_cancelled():
        return True
    return details.worker_shutdown and not details.cancel_requested


def _said_by(info: Callable[[], PluginInfo]) -> PluginInfo:
    """What a plugin declares; nothing where it cannot say, which the work itself will tell if it matters."""
    try:
        return info()
    except FossulError:
        return PluginInfo()
