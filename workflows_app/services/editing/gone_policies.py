"""What policies leave behind when a change of their configuration takes them away."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.domain.restore_points import Presence
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.points.restore_points import list_points
from workflows_app.services.schedules import schedule_moves
from workflows_app.services.schedules.schedule_lists import ScheduleSummary, list_schedules


@dataclass(frozen=True, slots=True)
class Leftover:
    """What one policy leaves: so many restore points and archives, and its schedules."""

    policy: str
    points: int
    archives: int
    schedules: tuple[ScheduleSummary, ...]


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What policies leave behind, and why that is not known where it is not.

    With ``trouble`` the restore points are those that runs reported.
    """

    policies: tuple[Leftover, ...]
    trouble: str = ""
    archive_trouble: str = ""
    schedule_trouble: str = ""

    @property
    def nothing(self) -> bool:
        """Whether it is known that nothing is left."""
        known = not (self.trouble or self.archive_trouble or self.schedule_trouble)
        return known and not any(one.points or one.archives or one.schedules for one in self.policies)


async def left_behind(actor: Actor, profile: str, config: str, policies: Sequence[str]) -> Leftovers:
    """Answer what ``policies`` would leave behind, asked of a worker and of Temporal at the same time.

    What cannot be found out is said in the answer. Raises NotAllowed; NotFound.
    """
    actor.require(Right.CONFIGURE)
    found, (schedules, schedule_trouble) = await asyncio.gather(
        list_points(actor, profile, config), _schedules(actor, profile, config)
    )
    there = [point for point in found.points if point.presence in (Presence.PRESENT, Presence.UNKNOWN)]
    return Leftovers(
        tuple(
            Leftover(
                policy,
                sum(point.backup.policy == policy for point in there),
                sum(point.backup.policy == policy and bool(point.archived) for point in found.points),
                tuple(one for one in schedules if one.key.policy == policy),
            )
            for policy in policies
        ),
        found.trouble,
        found.archive_trouble,
        schedule_trouble,
    )


def let_schedules_follow(actor: Actor, profile: str, config: str, successors: Mapping[str, str]) -> None:
    """Write down what becomes of the schedules of policies that are gone: by policy, the new one that gets
    them, or ``""`` to delete them.

    To be called in the transaction of that change; ``schedule_moves.follow`` is to be called after it.
    """
    for policy, new in successors.items():
        to = (profile, config) if new else ("", "")
        schedule_moves.note_move(actor, (profile, config), to, policy=policy, to_policy=new)


def gone_words(successors: Mapping[str, str]) -> str:
    """What became of policies, to follow other words in the audit."""
    words = (f"{old} renamed {new}" if new else f"{old} removed" for old, new in successors.items())
    return "".join(f"; policy {each}" for each in words)


async def _schedules(actor: Actor, profile: str, config: str) -> tuple[tuple[ScheduleSummary, ...], str]:
    try:
        return await list_schedules(actor, profile, config), ""
    except TemporalUnavailable as error:
        return (), str(error)
