"""Plans of configurations: shown, checked, and changed."""

from dataclasses import dataclass

from django.db import transaction

from workflows_app.domain.config import Config
from workflows_app.domain.errors import PlanProblem, PlanRefused
from workflows_app.domain.plan_layouts import PlanLayout, layout_text, parse_layout
from workflows_app.domain.planned_backups import planned_backup
from workflows_app.domain.plans import Plan, backup_plan
from workflows_app.models import BackupConfig
from workflows_app.services import audit, catalog, versions
from workflows_app.services.audit import Action
from workflows_app.services.catalog import ConfigDetail
from workflows_app.services.config_rows import locked_row
from workflows_app.services.permissions import Actor, Right


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """A plan as a backup would take it; with ``problems`` none would start, and it is Fossul's order."""

    plan: Plan
    problems: tuple[PlanProblem, ...] = ()


def preview(detail: ConfigDetail) -> PlanPreview:
    """Answer the plan of a configuration's backups, or what is wrong with it."""
    return preview_of(detail.config, detail.layout)


def preview_of(config: Config, layout: PlanLayout) -> PlanPreview:
    """Answer the plan that ``layout`` would make of ``config``'s backups, or what is wrong with it."""
    try:
        return PlanPreview(planned_backup(config, layout))
    except PlanRefused as refused:
        return PlanPreview(backup_plan(config), refused.problems)


def plan_text(actor: Actor, profile: str, name: str) -> str:
    """Answer a configuration's plan as TOML; Fossul's order, written out, where it has none of its own.

    Raises NotAllowed, NotFound.
    """
    detail = catalog.get_config(actor, profile, name)
    layout = detail.layout
    if not layout.stages:
        stages = tuple(tuple(s.key for s in stage.steps) for stage in preview(detail).plan.stages)
        layout = layout.model_copy(update={"stages": stages})
    return layout_text(layout)


def save_plan(actor: Actor, profile: str, name: str, text: str) -> None:
    """Change a configuration's plan to what ``text`` (TOML) says; empty text is Fossul's order again.

    A run that is under way keeps the plan that it was started with. Raises NotAllowed; NotFound;
    ConfigInvalid for text that makes no sense; PlanRefused for a plan that breaks a rule. Nothing is changed
    then.
    """
    actor.require(Right.CONFIGURE)
    detail = catalog.get_config(actor, profile, name)
    layout = parse_layout(text)
    plan = planned_backup(detail.config, layout)
    usual = tuple((step.key,) for step in backup_plan(detail.config).steps)
    if layout.stages == usual:
        # Written out or not, it is Fossul's order: a step that is configured later finds its place in it.
        layout = layout.model_copy(update={"stages": ()})
    stored = layout.wire() if layout != PlanLayout() else {}
    details = f"{len(tuple(plan.steps))} steps in {len(plan.stages)} stages"
    with transaction.atomic():
        row = locked_row(profile, name)
        BackupConfig.objects.filter(pk=row.pk).update(plan=stored)
        versions.keep(actor, row, f"changed the plan: {details}")
        audit.note(actor, Action.CHANGED_PLAN, profile, name, details=details)
