"""Tests of configurations, stored or only typed: a worker tries what a run will need, and changes nothing."""

import json
from collections.abc import Collection, Iterable
from datetime import timedelta
from functools import partial

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils.crypto import salted_hmac
from temporalio.client import Client

from workflows_app.contracts.checks import CheckInput
from workflows_app.domain.config import CommandField, Config, check_name
from workflows_app.domain.config_files.configuration import SETTING_KEYS, Configuration, Family
from workflows_app.domain.config_files.secrets import is_secret
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.findings import CheckedParts, CheckPart
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.services.configurations import catalog, plugins
from workflows_app.services.configurations.check_seats import Asking, Seated, take_seat
from workflows_app.services.configurations.secrets import sealed_settings
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.temporal import looks
from workflows_app.workflows.check import PART_TIMEOUT

EVERYTHING = tuple(CheckPart)

# The parts are tested at once; what is above their limit is for the way there and back.
ANSWER_SECONDS = PART_TIMEOUT.total_seconds() + 10
# What a configuration without a fit name is called while it is tested.
NAMELESS = "unnamed"


async def check_draft(
    actor: Actor,
    profile: str,
    name: str,
    configuration: Configuration,
    parts: Collection[CheckPart] = EVERYTHING,
) -> CheckedParts:
    """Test a configuration as it is typed; nothing of it is stored. ``name`` may be empty or unfit.

    Secrets go to the worker sealed. Of ``parts``, if there are several, those are tested of which something
    is configured.

    Somebody who asks the same again while it runs is answered by the same test. Raises NotAllowed; NotNow
    when he asks for another of the same configuration, or too many tests run; TemporalUnavailable, also when
    no worker answers; FossulError.
    """
    actor.require(Right.CONFIGURE)
    return await _check(actor, configuration.config, profile, name, configuration.layout, parts)


async def check_config(
    actor: Actor, profile: str, name: str, parts: Collection[CheckPart] = EVERYTHING
) -> CheckedParts:
    """Test a stored configuration. Arguments and what is raised as ``check_draft``; NotFound."""
    actor.require(Right.OPERATE)
    detail = await sync_to_async(catalog.get_config)(actor, profile, name)
    return await _check(actor, detail.config, profile, name, detail.layout, parts)


def check_input(
    config: Config, layout: PlanLayout, parts: Collection[CheckPart], declared: Collection[str]
) -> CheckInput:
    """Answer what a worker is asked; ``declared`` are the names that plugins declare secret.

    Raises FossulError when there is a secret and no key to seal it with.
    """
    programs = {SETTING_KEYS[field]: _program(config.command(field)) for field in CommandField}
    sealed = sealed_settings(config.wire(), partial(is_secret, declared=declared))
    asked = Config.model_validate(sealed).model_copy(update=programs)
    own = {key: _program(line) for key, line in layout.commands.items()}
    told = [part for part in parts if len(parts) == 1 or _has(asked, own, part)]
    return CheckInput(config=asked, parts=tuple(told), programs=own)


async def _check(
    actor: Actor, config: Config, profile: str, name: str, layout: PlanLayout, parts: Collection[CheckPart]
) -> CheckedParts:
    named = config.model_copy(update={"profile_name": profile, "config_name": _fit(name)})
    declared = await sync_to_async(plugins.declared_secrets)()
    asked = check_input(named, layout, parts, declared)
    if not asked.parts:
        return CheckedParts()
    asking = Asking(actor.name, profile, named.config_name, _mark(named, layout, asked.parts))
    what = asking.place if named.config_name == name else "the new configuration"
    words = f"whether {what} has what a run needs"

    async def sit(client: Client, limit: timedelta) -> Seated:
        return await take_seat(client, asked, asking, limit)

    return await looks.answer_of(sit, words, settings.TEMPORAL_TASK_QUEUE, ANSWER_SECONDS)


def _mark(config: Config, layout: PlanLayout, parts: Iterable[CheckPart]) -> str:
    """What is the same for the same question, and tells nothing of the secrets in it."""
    told = [config.model_dump_json(), layout.model_dump_json(), *parts]
    return salted_hmac("fossul.check", json.dumps(told), algorithm="sha256").hexdigest()


def _program(line: str) -> str:
    """The program of a command: its arguments may have secrets, and nobody asks for them."""
    return line.partition(",")[0]


def _has(config: Config, own: dict[str, str], part: CheckPart) -> bool:
    """Whether there is anything to test."""
    if part is CheckPart.COMMANDS:
        return bool(own) or any(config.command(field) for field in CommandField)
    return bool(Family(part.title()).plugin(config))


def _fit(name: str) -> str:
    try:
        check_name("name", name)
    except ConfigInvalid:
        return NAMELESS
    return name
