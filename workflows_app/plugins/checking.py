"""How a plugin's test turns what a run would do into findings."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from workflows_app.domain.errors import ConfigInvalid, FossulError
from workflows_app.domain.findings import Finding, doubtful, good, refusal
from workflows_app.domain.results import Level
from workflows_app.plugins.base import PluginContext

T = TypeVar("T")


def read_parameters(
    context: PluginContext, read: Callable[[PluginContext], T]
) -> tuple[T | None, tuple[Finding, ...]]:
    """Read a plugin's parameters as a run does, and answer everything that is wrong with them.

    What is answered has the defaults where something is wrong, and is None where there is none. Nobody may
    be reached with it then: it would be another server than the one that is meant.
    """
    mistakes: dict[str, Finding] = {}
    while True:
        try:
            return read(context), tuple(mistakes.values())
        except ConfigInvalid as error:
            mistakes.setdefault(error.field, refusal(error))
            if error.field not in context.parameters:
                return None, tuple(mistakes.values())
            left = {name: value for name, value in context.parameters.items() if name != error.field}
            context = replace(context, parameters=left)


def looked(
    context: PluginContext,
    read: Callable[[PluginContext], T],
    look: Callable[[PluginContext, T], Iterator[Finding]],
) -> tuple[Finding, ...]:
    """What ``look`` finds with the parameters of a call; or, reaching nobody, all that is wrong with them.

    ``read`` as for ``read_parameters``. Raises what ``look`` raises.
    """
    parameters, mistakes = read_parameters(context, read)
    if parameters is None or mistakes:
        return mistakes
    return tuple(look(context, parameters))


def tried(context: PluginContext, parameter: str, work: Callable[[PluginContext], str]) -> Iterator[Finding]:
    """Do a piece of a run's work that changes nothing.

    The words that it answers are good, what it warns of is doubtful, and a FossulError is bad. ``parameter``
    is what it is about where it names none. Raises what else ``work`` raises.
    """
    warnings: list[str] = []

    def hear(level: Level, text: str) -> None:
        if level == Level.WARN:
            warnings.append(text)

    try:
        yield good(work(replace(context, say=hear)), parameter)
    except FossulError as error:
        yield refusal(error, parameter)
    for text in warnings:
        yield doubtful(text, parameter)
