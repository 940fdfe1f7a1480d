"""What policies leave behind when a change of their configuration takes them away."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.db.models import Count

from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.domain.restore_points import Presence
from workflows_app.models import Run
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.points.restore_points import list_points
from workflows_app.services.schedules import schedule_moves
from workflows_app.services.schedules.schedule_lists import ScheduleSummary, list_schedules


@dataclass(frozen=True, slots=True)
class Leftover:
    """What one policy leaves: so many restore points, archives and runs, and its schedules."""

    policy: str
    points: int
    archives: int
    schedules: tuple[ScheduleSummary, ...]
    runs: int


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
        """Whether it is known that nothing is left but runs, which only tell what was."""
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
    runs = await sync_to_async(_runs)(profile, config)
    there = [point for point in found.points if point.presence in (Presence.PRESENT, Presence.UNKNOWN)]
    return Leftovers(
        tuple(
            Leftover(
                policy,
                sum(point.backup.policy == policy for point in there),
                sum(point.backup.policy == policy and bool(point.archived) for point in found.points),
                tuple(one for one in schedules if one.key.policy == policy),
                runs.get(policy, 0),
            )
            for policy in policies
        ),
        found.trouble,
        found.archive_trouble,
        schedule_trouble,
    )


def let_others_follow(actor: Actor, profile: str, config: str, successors: Mapping[str, str]) -> None:
    """Let the runs of policies that are gone follow, and write down what becomes of their schedules: by
    policy, the new one that gets them, or ``""`` to leave the runs and delete the schedules.

    To be called in the transaction of that change; ``schedule_moves.follow`` is to be called after it.
    """
    for policy, new in successors.items():
        if new:
            Run.objects.of(profile, config).rename_policy(policy, new)
        to = (profile, config) if new else ("", "")
        schedule_moves.note_move(actor, (profile, config), to, policy=policy, to_policy=new)


def gone_words(successors: Mapping[str, str]) -> str:
    """What became of policies, to follow other words in the audit."""
    words = (f"{old} renamed {new}" if new else f"{old} removed" for old, new in successors.items())
    return "".join(f"; policy {each}" for each in words)


def _runs(profile: str, config: str) -> dict[str, int]:
    """How many runs there are of each policy."""
    counted = Run.objects.of(profile, config).order_by().values_list("policy").annotate(Count("pk"))
    return dict(counted)


async def _schedules(actor: Actor, profile: str, config: str) -> tuple[tuple[ScheduleSummary, ...], str]:
    try:
        return await list_schedules(actor, profile, config), ""
    except TemporalUnavailable as error:
        return (), str(error)
