"""A plan while it is edited: a board and its TOML, of which one follows the other.

Each page carries the TOML as both sides last agreed on it, so what was changed since is seen from what is
sent, in whatever order requests arrive. The board has no arrangement of its own: it is the agreed TOML's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workflows_app.domain.config_files.text_comments import comments_in
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plan_actions import Act, Action, acted, with_command
from workflows_app.domain.plans.plan_fields import FLAGS, NO, read_plan_field, read_step_field
from workflows_app.domain.plans.plan_layouts import (
    BACKUP_STEPS,
    PLAN_FIELDS,
    STEP_FIELDS,
    OptionChanges,
    PlanLayout,
    check_command,
    check_heartbeat,
    layout_text,
    parse_layout,
)
from workflows_app.domain.plans.plan_moves import Stages
from workflows_app.web.editors.sides import Lead
from workflows_app.web.words.numbers import whole_number

NEW_NAME, NEW_COMMAND = "New.Name", "New.Command"
AGREED, TEXT = "agreed", "plan"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field that says nothing that can be: what was typed into it, and what is wrong with that."""

    typed: str
    words: str


@dataclass(frozen=True, slots=True)
class PlanDraft:
    """Both sides as they stand.

    ``layout`` is what the board shows, ``text`` the TOML, which is ``agreed`` where both say the same.
    ``wrong`` are fields by name; ``unreadable`` says why the TOML cannot be read. ``opened`` is the version
    that was opened. ``new`` are the name and the line of a command that is not added yet.
    """

    opened: int
    layout: PlanLayout
    text: str
    agreed: str
    lead: Lead = Lead.NONE
    wrong: Mapping[str, Wrong] = field(default_factory=dict)
    unreadable: str = ""
    new: tuple[str, str] = ("", "")

    @property
    def stuck(self) -> bool:
        """Whether nothing can be saved or moved before a person decides which side counts."""
        return self.lead in (Lead.APART, Lead.UNREADABLE)

    @property
    def comment(self) -> int:
        """The line of the first comment in the TOML, which is not kept; 0 where there is none."""
        return next(iter(comments_in(self.text)), 0)

    def rewritten(self, layout: PlanLayout) -> "PlanDraft":
        """The draft with another board, and the TOML that says so."""
        text = layout_text(layout)
        return replace(self, layout=layout, text=text, agreed=text, lead=Lead.FORM, unreadable="")


def draft_of(opened: int, layout: PlanLayout) -> PlanDraft:
    """Answer the draft of a plan of which nothing was changed yet."""
    text = layout_text(layout)
    return PlanDraft(opened, layout, text, text)


def read_draft(post: Mapping[str, str], usual: Stages) -> PlanDraft:
    """Answer what was sent. ``do`` in it (``form`` or ``text``) decides for one side. Never raises.

    Without an agreed TOML the text counts alone; ``usual`` is what the board shows where it cannot be read.
    """
    opened = whole_number(post.get("opened", ""), 0)
    new = (post.get(NEW_NAME, "").strip(), post.get(NEW_COMMAND, ""))
    text, agreed = (post.get(name, "").replace("\r\n", "\n") for name in (TEXT, AGREED))
    take = post.get("do", "")
    try:
        if AGREED not in post:
            raise ConfigInvalid(AGREED, "it is not there")
        before = parse_layout(agreed)
    except ConfigInvalid:
        before, post, take = PlanLayout(stages=usual), {}, Lead.TEXT.value
    board, wrong = _read_board(post, before)
    draft = PlanDraft(opened, board, text, agreed, wrong=wrong, new=new)
    by_text = text.rstrip() != agreed.rstrip()
    by_board = board != before or bool(wrong)
    if take == Lead.FORM or (by_board and not by_text and take != Lead.TEXT):
        return draft.rewritten(board)
    if not by_text and take != Lead.TEXT:
        return draft
    try:
        typed = parse_layout(text)
    except ConfigInvalid as error:
        return replace(draft, lead=Lead.UNREADABLE, unreadable=str(error))
    if by_board and (typed != board or wrong) and take != Lead.TEXT:
        return replace(draft, lead=Lead.APART)
    return PlanDraft(opened, typed, text, text, Lead.TEXT, new=new)


def after_action(draft: PlanDraft, action: Action, usual: Stages) -> PlanDraft:
    """Answer the draft after an action, with the TOML written anew.

    Raises ConfigInvalid for an action that is about no step or stage of the plan.
    """
    after = draft.rewritten(acted(draft.layout, usual, action))
    if action.act is Act.RESET:
        return replace(after, wrong={})
    if action.act is Act.REMOVE:
        ours = (f"Commands.{action.key}", f"Steps.{action.key}.")
        return replace(after, wrong={name: w for name, w in draft.wrong.items() if not name.startswith(ours)})
    return after


def after_adding(draft: PlanDraft, usual: Stages) -> PlanDraft:
    """Answer the draft with its new command on the board, or with what is wrong with that."""
    key, line = draft.new
    try:
        after = draft.rewritten(with_command(draft.layout, usual, key, line))
    except ConfigInvalid as error:
        name, typed = (NEW_NAME, key) if error.field == "name" else (NEW_COMMAND, line)
        return replace(draft, wrong={**draft.wrong, name: Wrong(typed, error.reason)})
    return replace(after, new=("", ""))


def _read_board(post: Mapping[str, str], before: PlanLayout) -> tuple[PlanLayout, dict[str, Wrong]]:
    """What the fields make of the agreed layout; one that is wrong or was not sent leaves what it was."""
    wrong: dict[str, Wrong] = {}
    changes: dict[str, Any] = {}
    for name, (attribute, _) in PLAN_FIELDS.items():
        typed = post.get(f"Plan.{name}", NO if name in FLAGS else "")
        try:
            changes[attribute] = read_plan_field(name, typed)
        except ConfigInvalid as error:
            wrong[f"Plan.{name}"] = Wrong(typed, error.reason)
    commands = dict(before.commands)
    for key in commands:
        typed = post.get(f"Commands.{key}", commands[key])
        try:
            check_command(key, key, typed)
            commands[key] = typed
        except ConfigInvalid as error:
            wrong[f"Commands.{key}"] = Wrong(typed, error.reason)
    options = {}
    for key in dict.fromkeys((*before.options, *BACKUP_STEPS, *commands)):
        options[key] = _read_options(post, key, before.options.get(key, OptionChanges()), wrong)
    changes |= {
        "commands": commands,
        "options": {key: said for key, said in options.items() if said != OptionChanges()},
    }
    return before.model_copy(update=changes), wrong


def _read_options(
    post: Mapping[str, str], key: str, before: OptionChanges, wrong: dict[str, Wrong]
) -> OptionChanges:
    changes = {}
    for name, (attribute, _) in STEP_FIELDS.items():
        sent = f"Steps.{key}.{name}"
        if sent not in post:
            continue
        try:
            changes[attribute] = read_step_field(key, name, post[sent])
        except ConfigInvalid as error:
            wrong[sent] = Wrong(post[sent], error.reason)
    after = before.model_copy(update=changes)
    try:
        check_heartbeat("Heartbeat", after)
    except ConfigInvalid as error:
        heartbeat = f"Steps.{key}.Heartbeat"
        wrong[heartbeat] = Wrong(post.get(heartbeat, ""), error.reason)
        return after.model_copy(update={"heartbeat_seconds": None})
    return after
