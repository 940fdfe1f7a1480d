"""What a folder of configuration files would change in the database."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from workflows_app.domain.config_files.configuration import NO_PLAN, Configuration, FilePolicy
from workflows_app.domain.config_files.difference import difference, profile_difference
from workflows_app.domain.config_files.profile_file import NEW_PROFILE, ProfileSettings
from workflows_app.domain.config_files.secrets import PLAN, with_kept_secrets
from workflows_app.domain.editing.policy_changes import gone_policies
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.planned_backups import planned_backup
from workflows_app.models import Profile, Run
from workflows_app.services.configurations.config_folder import TEMPLATE_PROFILE
from workflows_app.services.configurations.config_rows import exported_of, stored_configs

Names = tuple[str, str]
"""A profile and a configuration of it."""


class Effect(StrEnum):
    """What becomes of a configuration."""

    MADE = "made"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one configuration, or, where ``config`` is empty, of a profile itself.

    ``lines`` are a unified diff without secrets, ``remarks`` say what stays although the files do not
    have it. ``result`` is what is to be stored of a configuration, ``settings`` of a profile, None where
    nothing is; ``gone`` are the policies that it takes away, with their schedules.
    """

    profile: str
    config: str
    effect: Effect
    lines: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    result: Configuration | None = None
    gone: tuple[str, ...] = ()
    settings: ProfileSettings | None = None

    @property
    def differs(self) -> bool:
        """Whether it would change the database."""
        return self.effect in (Effect.MADE, Effect.CHANGED, Effect.DELETED)


def stored() -> dict[Names, Configuration]:
    """Answer every configuration of the database, by profile and name.

    To be called in a transaction: nobody else changes them before it ends.
    """
    rows = stored_configs().select_for_update(of=("self",))
    return {(row.profile.name, row.name): exported_of(row) for row in rows}


def change_of(
    names: Names,
    files: Configuration,
    there: Configuration | None,
    *,
    prune: bool,
    declared: Collection[str],
) -> Change:
    """Answer what the files of one configuration change; ``there`` is what is stored.

    ``declared`` are the names of the parameters that plugins declare secret.
    A secret that the files leave out stays, and so do the description, and whether it is disabled, where they
    say nothing of them; what else they say nothing of (policies, the plan) stays unless ``prune``. Raises
    PlanRefused when a plan that stays no longer fits.
    """
    profile, name = names
    if there is None:
        result = _complete(files.settled(), description="", disabled=False)
        return Change(profile, name, Effect.MADE, difference(name, None, result, declared), result=result)
    merged, secrets = with_kept_secrets(files.settled(), there, declared)
    # A plan with a secret in it is named in its own words below.
    remarks = [f"{secret}: a secret that the files leave out stays" for secret in secrets if secret != PLAN]
    if merged.plan is None and not prune:
        merged = replace(merged, plan=there.plan)
    if files.plan is None and merged.plan is not None and merged.layout != NO_PLAN:
        remarks.append("the plan: the files have none, and it stays")
        planned_backup(merged.config, merged.layout)
    gone = [policy for policy in there.policies if policy.name not in {p.name for p in merged.policies}]
    if not prune:
        remarks += [f"policy {policy.name}: the files do not have it, and it stays" for policy in gone]
    known = {policy.name: policy for policy in there.policies} if not prune else {}
    whole = replace(merged, policies=(*merged.policies, *(() if prune else gone)))
    result = _complete(whole, known, description=there.description, disabled=there.disabled)
    if _same(result, there):
        return Change(profile, name, Effect.UNCHANGED, remarks=tuple(remarks))
    lines, unshown = _shown(name, there, result, declared)
    remarks += unshown
    taken = gone_policies(there, result)
    remarks += [
        f"policy {policy}: its schedules go with it; its restore points stay, and nothing cleans them up"
        for policy in taken
    ]
    return Change(profile, name, Effect.CHANGED, lines, tuple(remarks), result, taken)


def profile_change(profile: str, files: ProfileSettings) -> Change:
    """Answer what a profile's own file changes; what it says nothing of stays."""
    row = Profile.objects.filter(name=profile).first()
    there = ProfileSettings(row.description, row.disabled) if row else None
    result = files.completed(there or NEW_PROFILE)
    if result == there:
        return Change(profile, "", Effect.UNCHANGED)
    effect = Effect.CHANGED if there else Effect.MADE
    return Change(profile, "", effect, profile_difference(profile, there, result), settings=result)


def leftovers(
    in_files: set[Names],
    profiles: Collection[str],
    there: Mapping[Names, Configuration],
    *,
    prune: bool,
    declared: Collection[str],
) -> Iterator[Change]:
    """Answer what becomes of what the files do not have: it is deleted with ``prune``, else it stays.

    A configuration with an open run is never deleted, nor its profile, nor are ``profiles``, which have a
    file of their own. ``declared`` as in ``change_of``.
    """
    used = {profile for profile, _ in in_files} | set(profiles)
    for (profile, name), configuration in there.items():
        if (profile, name) in in_files:
            continue
        reason = _reason_to_keep(profile, name, prune=prune)
        if reason:
            used.add(profile)
            yield Change(profile, name, Effect.KEPT, remarks=(reason,))
        else:
            lines, unshown = _shown(name, configuration, None, declared)
            yield Change(profile, name, Effect.DELETED, lines, unshown)
    for profile in Profile.objects.values_list("name", flat=True) if prune else ():
        if profile not in used and profile != TEMPLATE_PROFILE:
            yield Change(profile, "", Effect.DELETED)


def _shown(
    name: str, old: Configuration, new: Configuration | None, declared: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The difference as lines, and a remark where there are none because no file can hold what is stored."""
    try:
        return difference(name, old, new, declared), ()
    except ConfigInvalid as error:
        return (), (f"the difference cannot be shown, since no file can hold what is stored: {error}",)


def _reason_to_keep(profile: str, name: str, *, prune: bool) -> str:
    """Why a configuration that the files do not have stays; ``""`` when it does not."""
    if profile == TEMPLATE_PROFILE:
        return f"files cannot hold profile {profile!r}, which is Fossul's template"
    if not prune:
        return "the files do not have it; --prune would delete it"
    if Run.objects.open().of(profile, name).exists():
        return "the files do not have it, but a run of it is open"
    return ""


def _complete(
    configuration: Configuration,
    known: Mapping[str, FilePolicy] | None = None,
    *,
    description: str | None,
    disabled: bool | None,
) -> Configuration:
    """The configuration with what it and its policies say nothing of as stored, or as it is by default."""
    return replace(
        configuration,
        policies=tuple(policy.completed((known or {}).get(policy.name)) for policy in configuration.policies),
        description=description if configuration.description is None else configuration.description,
        disabled=disabled if configuration.disabled is None else configuration.disabled,
    )


def _same(one: Configuration, other: Configuration) -> bool:
    return (
        one.config.wire() == other.config.wire()
        and one.policies == other.policies
        and one.layout == other.layout
        and (one.description, one.disabled) == (other.description, other.disabled)
    )
