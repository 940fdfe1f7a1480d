"""Moving the steps of a plan between its stages: pure, and never losing or doubling a step."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

Stages = tuple[tuple[str, ...], ...]
"""Step keys by stage: stages run one after the other, the steps of a stage at the same time."""


class Place(NamedTuple):
    """Where a step goes, among the stages that there are without it.

    ``slot`` is its position in that stage; None makes a stage of its own before that stage, or, where
    ``stage`` is their number, after the last.
    """

    stage: int
    slot: int | None = None


class Move(StrEnum):
    """What a person does with a step; each leaves everything as it is where there is nowhere to go."""

    EARLIER = "earlier"
    LATER = "later"
    WITH_ABOVE = "with-above"
    WITH_BELOW = "with-below"
    ALONE = "alone"


def place_of(stages: Stages, key: str) -> Place:
    """Answer the place of a step, to which ``move`` brings it back. Raises KeyError for an unknown one."""
    stage = _stage_of(stages, key)
    return Place(stage) if len(stages[stage]) == 1 else Place(stage, stages[stage].index(key))


def move(stages: Stages, key: str, place: Place) -> Stages:
    """Answer the stages with a step at another place; what lies beyond the last place means the last.

    A stage that loses its only step is gone. Raises KeyError for an unknown step.
    """
    rest = without(stages, key)
    stage = max(0, min(place.stage, len(rest)))
    if place.slot is None or stage == len(rest):
        return (*rest[:stage], (key,), *rest[stage:])
    slot = max(0, place.slot)
    joined = (*rest[stage][:slot], key, *rest[stage][slot:])
    return (*rest[:stage], joined, *rest[stage + 1 :])


def without(stages: Stages, key: str) -> Stages:
    """Answer the stages less the first mention of a step. Raises KeyError for an unknown one."""
    stage = _stage_of(stages, key)
    slot = stages[stage].index(key)
    left = stages[stage][:slot] + stages[stage][slot + 1 :]
    return (*stages[:stage], *((left,) if left else ()), *stages[stage + 1 :])


def moved(stages: Stages, key: str, way: Move) -> Stages:
    """Answer the stages after a move by one place. Raises KeyError for an unknown step.

    ``EARLIER`` and ``LATER`` end in a stage of its own: past the neighbour, or out of the stage that it
    shares. ``ALONE`` leaves a shared stage for one right after it.
    """
    at, shared = _stage_of(stages, key), len(stages[_stage_of(stages, key)]) > 1
    first, last = at == 0, at == len(stages) - 1
    match way:
        case Move.EARLIER if shared:
            return move(stages, key, Place(at))
        case Move.EARLIER if not first:
            return move(stages, key, Place(at - 1))
        case Move.LATER if shared or not last:
            return move(stages, key, Place(at + 1))
        case Move.ALONE if shared:
            return move(stages, key, Place(at + 1))
        case Move.WITH_ABOVE if not first:
            return move(stages, key, Place(at - 1, len(stages[at - 1])))
        case Move.WITH_BELOW if not last:
            return move(stages, key, Place(at + 1 if shared else at, len(stages[at + 1])))
    return stages


def onto(stages: Stages, key: str, stage: int) -> Stages:
    """Answer the stages with a step at the end of stage ``stage``, counted from 0 as they are now.

    Raises KeyError for an unknown step, IndexError for an unknown stage.
    """
    members = stages[_index(stage, len(stages))]
    if key in members:
        return stages
    at, shared = _stage_of(stages, key), len(stages[_stage_of(stages, key)]) > 1
    return move(stages, key, Place(stage - (at < stage and not shared), len(members)))


def between(stages: Stages, key: str, gap: int) -> Stages:
    """Answer the stages with a step in a stage of its own before stage ``gap`` as they are now, or last.

    Raises KeyError for an unknown step, IndexError for an unknown gap.
    """
    _index(gap, len(stages) + 1)
    at, shared = _stage_of(stages, key), len(stages[_stage_of(stages, key)]) > 1
    return move(stages, key, Place(gap - (at < gap and not shared)))


def put_back(stages: Stages, key: str, usual: Sequence[str]) -> Stages:
    """Answer the stages with a step that they lack, in a stage of its own.

    That comes right after the nearest step before it in the ``usual`` order that is there. Raises KeyError
    when ``usual`` lacks it.
    """
    if key not in usual:
        raise KeyError(key)
    for former in reversed(usual[: usual.index(key)]):
        if any(former in stage for stage in stages):
            after = _stage_of(stages, former) + 1
            return (*stages[:after], (key,), *stages[after:])
    return ((key,), *stages)


def _stage_of(stages: Stages, key: str) -> int:
    for index, stage in enumerate(stages):
        if key in stage:
            return index
    raise KeyError(key)


def _index(number: int, count: int) -> int:
    if not 0 <= number < count:
        raise IndexError(number)
    return number
