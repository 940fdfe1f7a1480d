"""What pages ask before a change takes policies away: what each leaves behind, and what takes its place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from asgiref.sync import async_to_sync

from workflows_app.domain.config_files.configuration import Configuration
from workflows_app.domain.editing.policy_changes import gone_policies, new_policies
from workflows_app.domain.errors import PoliciesGone
from workflows_app.services.editing import gone_policies as services
from workflows_app.services.editing.gone_policies import Leftover, Leftovers
from workflows_app.services.people.permissions import Actor

SUCCESSOR = "Gone.successor."
CONFIRMED = "Gone.confirmed"
SHOWN = "Gone.shown"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GonePolicy:
    """A policy that would be gone: what it leaves, and the new one, ``""`` for none, that takes its place."""

    left: Leftover
    successor: str

    @property
    def name(self) -> str:
        """The name of what a page sends of it."""
        return f"{SUCCESSOR}{self.left.policy}"


@dataclass(frozen=True, slots=True)
class GoneView:
    """Policies that would be gone. ``mark`` names them in one text, ``new`` are those that may take their
    place."""

    policies: tuple[GonePolicy, ...]
    new: tuple[str, ...]
    mark: str
    left: Leftovers

    @property
    def successors(self) -> dict[str, str]:
        """What takes the place of each, as it is shown."""
        return {each.left.policy: each.successor for each in self.policies}


def said_successors(sent: Mapping[str, str], before: Configuration, after: Configuration) -> dict[str, str]:
    """Answer what was said of the policies that are gone; nothing unless just these were confirmed."""
    gone = gone_policies(before, after)
    if not gone or sent.get(CONFIRMED) != mark_of(gone):
        return {}
    return {policy: sent.get(f"{SUCCESSOR}{policy}", "") for policy in gone}


def gone_view(
    actor: Actor,
    profile: str,
    config: str,
    before: Configuration,
    after: Configuration,
    renamed: Mapping[str, str],
) -> GoneView:
    """Answer what to ask about the policies that ``after`` has no more.

    ``renamed`` are the new names of those of which they are known; else the new policies are taken to be the
    old ones in the same order where there are as many. Raises NotAllowed; NotFound.
    """
    gone, new = gone_policies(before, after), new_policies(before, after)
    left = async_to_sync(services.left_behind)(actor, profile, config, gone)
    known = {old: name for old, name in renamed.items() if old in gone and name in new}
    open_ones = [policy for policy in gone if policy not in known]
    free = [name for name in new if name not in known.values()]
    if len(open_ones) == len(free):
        known |= dict(zip(open_ones, free, strict=True))
    policies = tuple(GonePolicy(each, known.get(each.policy, "")) for each in left.policies)
    return GoneView(policies, new, mark_of(gone), left)


def saved_or_asked(
    save: Callable[[Mapping[str, str]], T], said: Mapping[str, str], ask: Callable[[], GoneView]
) -> T | GoneView:
    """Save with what was said of policies that are gone; answer what to ``ask`` first, or what ``save`` does.

    There is nothing to ask where they leave nothing.
    """
    try:
        return save(said)
    except PoliciesGone:
        gone = ask()
        return save(gone.successors) if gone.left.nothing else gone


def mark_of(gone: Sequence[str]) -> str:
    """What a page sends to confirm that just these policies are to be gone."""
    return ",".join(gone)
