"""Plans of configurations: shown, checked, and changed."""

from dataclasses import dataclass, replace

from django.db import transaction

from workflows_app.domain.config import Config
from workflows_app.domain.errors import PlanProblem, PlanRefused
from workflows_app.domain.plans.plan_layouts import PlanLayout, layout_text, parse_layout
from workflows_app.domain.plans.plan_masks import meant_layout, shown_layout
from workflows_app.domain.plans.plan_moves import Stages
from workflows_app.domain.plans.planned_backups import arranged_backup
from workflows_app.domain.plans.plans import Plan, backup_plan
from workflows_app.models import BackupConfig
from workflows_app.models.stored_configs import config_of
from workflows_app.services.configurations import catalog, versions
from workflows_app.services.configurations.catalog import ConfigDetail
from workflows_app.services.configurations.config_rows import locked_row
from workflows_app.services.editing import config_edits
from workflows_app.services.editing.config_edits import Meanwhile
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """A plan as a backup would take it; with ``problems`` no backup would start."""

    plan: Plan
    problems: tuple[PlanProblem, ...] = ()


def preview(detail: ConfigDetail) -> PlanPreview:
    """Answer the plan of a configuration's backups, and what is wrong with it."""
    return PlanPreview(*arranged_backup(detail.config, detail.layout))


def preview_of(detail: ConfigDetail, typed: PlanLayout) -> PlanPreview:
    """Answer the plan that ``typed`` would make of a configuration's backups, and what is wrong with it.

    Its commands may be masked, as ``shown_plan`` answers them. Raises ConfigInvalid for one that was changed
    around its mask.
    """
    return PlanPreview(*arranged_backup(detail.config, meant_layout(typed, detail.layout)))


def usual_stages(config: Config) -> Stages:
    """Answer Fossul's order of a configuration's backup."""
    return tuple((step.key,) for step in backup_plan(config).steps)


def shown_plan(detail: ConfigDetail) -> PlanLayout:
    """Answer a configuration's plan as people may read it, without credentials in its commands.

    Fossul's order is written out where it has none of its own.
    """
    layout = shown_layout(detail.layout)
    return layout.model_copy(update={"stages": layout.stages or usual_stages(detail.config)})


def plan_text(actor: Actor, profile: str, name: str) -> str:
    """Answer a configuration's plan as TOML, as ``shown_plan`` has it. Raises NotAllowed, NotFound."""
    return layout_text(shown_plan(catalog.get_config(actor, profile, name)))


def save_plan(actor: Actor, profile: str, name: str, opened: int, text: str) -> bool:
    """Change a configuration's plan, opened at version ``opened``, to what ``text`` (TOML) says.

    Empty text is Fossul's order again; a command that is still masked keeps its credentials. Answers whether
    anything was different. A run that is under way keeps the plan that it was started with. Raises
    NotAllowed; NotFound; ConfigInvalid for text that makes no sense; PlanRefused for a plan that breaks a
    rule; Outdated when somebody else has changed the configuration since. Nothing is changed then.
    """
    actor.require(Right.CONFIGURE)
    typed = parse_layout(text)
    with transaction.atomic():
        row = locked_row(profile, name)
        versions.refuse_outdated(row, opened)
        config, before = config_of(row), PlanLayout.model_validate(row.plan)
        layout = meant_layout(typed, before)
        plan, problems = arranged_backup(config, layout)
        if problems:
            raise PlanRefused(problems)
        if layout.stages == usual_stages(config):
            # Written out or not, it is Fossul's order: a step that is configured later finds its place in it.
            layout = layout.model_copy(update={"stages": ()})
        if layout == before:
            return False
        stored = layout.wire() if layout != PlanLayout() else {}
        BackupConfig.objects.filter(pk=row.pk).update(plan=stored)
        details = f"{len(tuple(plan.steps))} steps in {len(plan.stages)} stages"
        versions.keep(actor, row, f"changed the plan: {details}")
        audit.note(actor, Action.CHANGED_PLAN, profile, name, details=details)
    return True


def meanwhile(actor: Actor, profile: str, name: str, opened: int, text: str) -> Meanwhile:
    """Answer what was changed since version ``opened``, and what saving the plan ``text`` would change now.

    Raises NotAllowed; NotFound; ConfigInvalid for text that makes no sense now.
    """
    now = config_edits.open_edit(actor, profile, name)
    layout = meant_layout(parse_layout(text), now.configuration.layout)
    if layout.stages == usual_stages(now.configuration.config):
        layout = layout.model_copy(update={"stages": ()})
    yours = replace(now.configuration, plan=layout)
    return config_edits.meanwhile(actor, profile, name, opened, now.description, yours)
