"""Why schedules that are due start nothing, as far as the configurations tell."""

from collections.abc import Collection

from workflows_app.domain.schedules.schedules import Obstacle, ScheduleKey
from workflows_app.models.catalog import BackupConfig


def find_obstacles(keys: Collection[ScheduleKey]) -> dict[ScheduleKey, Obstacle]:
    """Answer why those of ``keys`` start nothing that do not, in one query: as ``stored_order`` would say."""
    if not keys:
        return {}
    rows = BackupConfig.objects.values_list(
        "profile__name", "name", "policies__name", "disabled", "profile__disabled"
    )
    policies: set[tuple[str, str, str | None]] = set()
    disabled: set[tuple[str, str]] = set()
    for profile, config, policy, itself, by_profile in rows:
        policies.add((profile, config, policy))
        if itself or by_profile:
            disabled.add((profile, config))
    found = {}
    for key in keys:
        if (key.profile, key.config) in disabled:
            found[key] = Obstacle.DISABLED
        elif (key.profile, key.config, key.policy) not in policies:
            found[key] = Obstacle.NO_POLICY
    return found
