"""Policies that an edit would take away, and what takes their place."""

from collections.abc import Mapping

from workflows_app.domain.config_files.configuration import Configuration
from workflows_app.domain.errors import ConfigInvalid, PoliciesGone


def gone_policies(before: Configuration, after: Configuration) -> tuple[str, ...]:
    """Answer the names of the policies that ``after`` has no more, in their order."""
    left = {policy.name for policy in after.policies}
    return tuple(policy.name for policy in before.policies if policy.name not in left)


def new_policies(before: Configuration, after: Configuration) -> tuple[str, ...]:
    """Answer the names of the policies that ``before`` had not, in their order."""
    return gone_policies(after, before)


def successors_of(before: Configuration, after: Configuration, said: Mapping[str, str]) -> dict[str, str]:
    """Answer, for each policy that is gone, the new one that takes its place, ``""`` where none does.

    ``said`` is what a person said of each. Raises PoliciesGone when it does not tell of one; ConfigInvalid
    for a successor that is no new policy, or takes the place of two.
    """
    gone, new = gone_policies(before, after), new_policies(before, after)
    if any(name not in said for name in gone):
        raise PoliciesGone(gone)
    found = {name: said[name] for name in gone}
    named = [successor for successor in found.values() if successor]
    for successor in named:
        if successor not in new:
            raise ConfigInvalid(f"successor of {_first(found, successor)}", f"{successor!r} is no new policy")
        if named.count(successor) > 1:
            raise ConfigInvalid(
                f"successor of {_first(found, successor)}", f"{successor!r} cannot take the place of two"
            )
    return found


def _first(found: Mapping[str, str], successor: str) -> str:
    return next(name for name, taken in found.items() if taken == successor)
