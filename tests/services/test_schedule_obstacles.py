"""Why a schedule that is due starts nothing, told before it is due."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_catalog
from tests.services.schedules import key_of
from workflows_app.domain.schedules.schedules import Obstacle, ScheduleKey
from workflows_app.models import BackupConfig, Policy, Profile
from workflows_app.models.schedule_obstacles import find_obstacles

pytestmark = pytest.mark.django_db


def test_nothing_hinders_the_schedule_of_a_policy_that_is_there():
    config = make_catalog()
    assert find_obstacles([key_of(config), key_of(config, "w", "weekly")]) == {}


def test_a_disabled_configuration_or_profile_starts_nothing():
    alone, beside, whole = make_catalog(), make_catalog(), make_catalog()
    BackupConfig.objects.filter(pk=alone.pk).update(disabled=True)
    Profile.objects.filter(pk=whole.profile.pk).update(disabled=True)
    found = find_obstacles([key_of(alone), key_of(beside), key_of(whole)])
    assert found == {key_of(alone): Obstacle.DISABLED, key_of(whole): Obstacle.DISABLED}


def test_a_policy_that_is_gone_fails_and_while_it_is_disabled_is_skipped_like_the_others():
    config = make_catalog()
    Policy.objects.filter(config=config).delete()
    nobody = ScheduleKey(config.profile.name, "gone", "daily", "nightly")
    keys = [key_of(config), nobody]
    assert find_obstacles(keys) == dict.fromkeys(keys, Obstacle.NO_POLICY)
    BackupConfig.objects.filter(pk=config.pk).update(disabled=True)
    assert find_obstacles(keys)[key_of(config)] is Obstacle.DISABLED


def test_all_schedules_cost_one_query():
    keys = [key_of(make_catalog(), name) for name in ("a", "b", "c")]
    with CaptureQueriesContext(connection) as caught:
        find_obstacles(keys)
    assert len(caught) == 1
