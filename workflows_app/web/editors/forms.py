"""The form of a configuration's editor, built from a draft: each problem at its field, and never a secret."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from workflows_app.domain.config import CommandField, WhenBusy
from workflows_app.domain.config_files.configuration import NO_PLAN, Configuration, Family
from workflows_app.domain.config_files.secrets import hides, masked
from workflows_app.domain.editing.config_problems import (
    is_needed,
    parameter_setting,
    plugin_setting,
    policy_setting,
)
from workflows_app.domain.errors import SettingProblem
from workflows_app.domain.parameter_kinds import ParameterKind
from workflows_app.domain.results import ParameterSpec
from workflows_app.services.configurations.plugins import Published, PublishedPlugin
from workflows_app.web.editors.drafts import Draft, ParameterRow, PolicyRow
from workflows_app.web.editors.form_fields import (
    EditForm,
    FamilyForm,
    FormField,
    ParameterRowForm,
    PolicyForm,
    field_id,
)

BLANK_ROWS = 1

_FAMILY_TITLES = {
    Family.APP: ("Application plugin", "Finds, freezes and thaws the application. Empty for none."),
    Family.STORAGE: ("Storage plugin", "Makes and keeps the backups. Empty for none."),
    Family.ARCHIVE: ("Archive plugin", "Copies each backup to second storage. Empty for none."),
}
_COMMAND_TITLES = {
    CommandField.PRE_QUIESCE: "Before the freeze",
    CommandField.QUIESCE: "Freeze",
    CommandField.POST_QUIESCE: "After the freeze",
    CommandField.BACKUP_CREATE: "Backup",
    CommandField.BACKUP_DELETE: "Backup retention",
    CommandField.ARCHIVE_CREATE: "Archive",
    CommandField.ARCHIVE_DELETE: "Archive retention",
    CommandField.PRE_UNQUIESCE: "Before the thaw",
    CommandField.UNQUIESCE: "Thaw",
    CommandField.POST_UNQUIESCE: "After the thaw",
    CommandField.PRE_RESTORE: "Before a restore",
    CommandField.RESTORE: "Restore",
    CommandField.POST_RESTORE: "After a restore",
    CommandField.SUCCESS_NOTICE: "Notice of success",
    CommandField.ERROR_NOTICE: "Notice of failure",
}


def edit_form(
    draft: Draft,
    stored: Configuration,
    known: Published,
    problems: Sequence[SettingProblem],
    *,
    blanks: int = BLANK_ROWS,
    tidy: bool = True,
    new: bool = False,
    moved: Collection[str] = (),
    typed: Collection[str] = (),
) -> EditForm:
    """Answer the form of a draft, with its problems at their fields.

    ``stored`` is what the draft began with. Each list ends with ``blanks`` rows of nothing; those that the
    draft has are left out when ``tidy``. A ``new`` configuration is asked for its name. ``moved`` and
    ``typed`` are settings of secrets, as in ``sides.Sides``.
    """
    return _Builder(draft, stored, known, problems, blanks, tidy, new, moved, typed).form()


class _Builder:
    """Builds one form."""

    def __init__(
        self,
        draft: Draft,
        stored: Configuration,
        known: Published,
        problems: Sequence[SettingProblem],
        blanks: int,
        tidy: bool,
        new: bool,
        moved: Collection[str],
        typed: Collection[str],
    ) -> None:
        self._draft = draft
        self._stored = stored
        self._known = known
        self._declared = known.declared_secrets
        self._blanks = blanks
        self._tidy = tidy
        self._new = new
        self._moved = moved
        self._typed = typed
        self._errors: dict[str, list[str]] = {}
        for setting, words in problems:
            self._errors.setdefault(setting, []).append(words)

    def form(self) -> EditForm:
        """Answer the form. What is left of the errors then belongs to no field."""
        draft = self._draft
        families = tuple(self._family(family) for family in Family)
        form = EditForm(
            opened=draft.opened,
            name=self._field("name", "Name", draft.name, required=True) if self._new else None,
            description=self._field("description", "Description", draft.description),
            families=families,
            commands=tuple(self._command(field) for field in CommandField),
            policies=tuple(self._policies()),
            auto_discovery=draft.auto_discovery,
            job_retention=self._field(
                "JobRetention",
                "Runs kept",
                draft.job_retention,
                help="How many old runs keep their log. 0 keeps all.",
            ),
            plan_errors=tuple(self._errors.pop("Plan", ())),
            own_plan=self._stored.layout != NO_PLAN,
            keeps_plan=draft.keeps_plan,
            others=(),
        )
        others = tuple(f"{setting}: {text}" for setting, words in self._errors.items() for text in words)
        return replace(form, others=others)

    def _field(
        self,
        name: str,
        label: str,
        value: str,
        *,
        help: str = "",  # noqa: A002
        default: str = "",
        required: bool = False,
        setting: str = "",
    ) -> FormField:
        return FormField(
            id=field_id(name),
            name=name,
            label=label,
            value=value,
            help=help,
            default=default,
            required=required,
            errors=tuple(self._errors.pop(setting or name, ())),
        )

    def _command(self, field: CommandField) -> FormField:
        stored = self._stored.config.command(field)
        shown = self._field(field, _COMMAND_TITLES[field], self._draft.commands[field], help=field)
        return self._without_secret(shown, field, field, stored)

    def _without_secret(self, field: FormField, setting: str, name: str, stored: str) -> FormField:
        """The field as it may be shown: without its value where it, or what its name says, is secret."""
        if not hides(name, field.value or stored, self._declared):
            return field
        return replace(
            field,
            value="",
            secret=True,
            stored=masked(name, stored, self._declared),
            removed=bool(stored) and not field.value,
            moved=setting in self._moved,
            elsewhere=setting in self._typed and bool(field.value),
        )

    def _family(self, family: Family) -> FamilyForm:
        title, help_text = _FAMILY_TITLES[family]
        name = self._draft.plugins[family]
        plugin = self._known.find(family, name)
        values = dict(self._draft.parameters[family])
        stored = family.parameters(self._stored.config) if name == family.plugin(self._stored.config) else {}
        fields = [
            self._parameter(family, spec, values.pop(spec.name, ""), stored.get(spec.name, ""))
            for spec in (plugin.info.parameters if plugin else ())
        ]
        typed = {row.name for row in self._draft.rows[family]}
        for secret in [n for n, v in values.items() if n not in typed and hides(n, v, self._declared)]:
            spec = ParameterSpec(name=secret)
            fields.append(self._parameter(family, spec, values.pop(secret), stored.get(secret, "")))
        rows = self._rows(family, values) if name else ()
        return FamilyForm(
            family=family,
            title=title,
            plugin=self._field(plugin_setting(family), title, name, help=help_text),
            choices=self._known.of(family),
            words=plugin.info.description if plugin else "",
            note=plugin_note(family, name, plugin, self._known),
            waits=bool(name) and not self._known.plugins,
            first=tuple(field for field in fields if field.told),
            more=tuple(field for field in fields if not field.told),
            rows=tuple(rows),
        )

    def _parameter(self, family: Family, spec: ParameterSpec, value: str, stored: str) -> FormField:
        setting = parameter_setting(family, spec.name)
        field = self._field(
            setting,
            spec.name,
            value,
            help=spec.help,
            default=spec.default,
            required=is_needed(
                spec, self._draft.parameters[family], auto_discovery=self._draft.auto_discovery
            ),
        )
        number = spec.form.kind is ParameterKind.NUMBER
        field = replace(field, options=spec.form.options, number=number)
        return self._without_secret(field, setting, spec.name, stored)

    def _rows(self, family: Family, values: Mapping[str, str]) -> Iterator[ParameterRowForm]:
        rows = [row for row in self._draft.rows[family] if not self._tidy or row.name or row.value]
        free = max((row.row for row in rows), default=-1) + 1
        typed = {row.name for row in rows}
        undeclared = [(name, value) for name, value in values.items() if name not in typed]
        rows += [ParameterRow(free + i, name, value) for i, (name, value) in enumerate(undeclared)]
        free += len(undeclared)
        rows += [ParameterRow(free + i, "", "") for i in range(self._blanks)]
        for row in rows:
            yield self._row(family, row)

    def _row(self, family: Family, row: ParameterRow) -> ParameterRowForm:
        base = f"{family}Row.{row.row}"
        setting = parameter_setting(family, row.name) if row.name in self._draft.parameters[family] else base
        extra = self._errors.pop(base, ()) if setting != base else ()
        value = self._field(f"{base}.Value", f"Value of {row.name or 'it'}", row.value, setting=setting)
        value = self._without_secret(value, setting, row.name, "") if row.name else value
        return ParameterRowForm(
            name=FormField(field_id(f"{base}.Name"), f"{base}.Name", "Further parameter", row.name),
            value=replace(value, errors=(*value.errors, *extra)),
        )

    def _policies(self) -> Iterator[PolicyForm]:
        rows = [policy for policy in self._draft.policies if not (self._tidy and policy.blank)]
        free = max((policy.row for policy in rows), default=-1) + 1
        rows += [PolicyRow(free + i) for i in range(self._blanks)]
        position = 0
        for policy in rows:
            yield self._policy(policy, -1 if policy.blank else position)
            position += not policy.blank

    def _policy(self, policy: PolicyRow, position: int) -> PolicyForm:
        base = f"Policies.{policy.row}"
        return PolicyForm(
            row=policy.row,
            opened=policy.opened,
            name=self._field(
                f"{base}.Policy", "Policy", policy.name, setting=policy_setting(position, "Policy")
            ),
            keep_backups=self._field(
                f"{base}.BackupRetention",
                "Backups kept",
                policy.keep_backups,
                setting=policy_setting(position, "BackupRetention"),
            ),
            keep_archives=self._field(
                f"{base}.ArchiveRetention",
                "Archives kept",
                policy.keep_archives,
                setting=policy_setting(position, "ArchiveRetention"),
            ),
            waits=policy.when_busy is WhenBusy.QUEUE,
        )


def plugin_note(family: Family, name: str, plugin: PublishedPlugin | None, known: Published) -> str:
    """What is to be said of a plugin that no worker has, as far as is known; ``""`` where all is well."""
    if not name or (plugin and plugin.present):
        return ""
    if plugin:
        return f"No worker has it now: it was last heard of on {plugin.seen:%Y-%m-%d %H:%M} UTC."
    if not known.plugins:
        return "No worker has told of its plugins yet, so what it wants to know is not known. Start a worker."
    return (
        f"No worker has told of {_article(family)} plugin {name!r}. Correct the name, or install it where a "
        "worker runs."
    )


def _article(family: Family) -> str:
    return f"a{'n' if family is not Family.STORAGE else ''} {family.lower()}"
