"""The editor of a configuration as its page shows it: fields with their help and errors, never a secret."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workflows_app.domain.config_files.configuration import Family
from workflows_app.services.configurations.plugins import PublishedPlugin

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class FormField:
    """One input. A ``secret`` has no ``value``; ``stored`` then tells, masked, of what is stored.

    ``options`` are all values that it may have, where these can be listed; ``number`` says that it is one.

    Such a one is ``removed`` when that is to go, ``moved`` when the TOML and no longer the form decides about
    it, ``elsewhere`` when the TOML gives it anew.
    """

    id: str
    name: str
    label: str
    value: str = ""
    help: str = ""
    default: str = ""
    required: bool = False
    secret: bool = False
    options: tuple[str, ...] = ()
    number: bool = False
    stored: str = ""
    removed: bool = False
    moved: bool = False
    elsewhere: bool = False
    errors: tuple[str, ...] = ()

    @property
    def lines(self) -> bool:
        """Whether it takes more than one line to show."""
        return "\n" in self.value

    @property
    def chosen(self) -> bool:
        """Whether it is chosen from its options; a reference, or what is none of them, is typed."""
        return bool(self.options) and (not self.value or self.value in self.options)

    @property
    def told(self) -> bool:
        """Whether there is a reason to show it at once."""
        return bool(self.required or self.value or self.secret or self.errors)


@dataclass(frozen=True, slots=True)
class ParameterRowForm:
    """A parameter whose name is typed; what is wrong with it is at its value."""

    name: FormField
    value: FormField


@dataclass(frozen=True, slots=True)
class PolicyForm:
    """A policy's inputs. ``row`` is its place on the page, ``opened`` its name when the page was opened."""

    row: int
    opened: str
    name: FormField
    keep_backups: FormField
    keep_archives: FormField
    waits: bool

    @property
    def fields(self) -> tuple[FormField, ...]:
        """Its inputs that can be wrong."""
        return self.name, self.keep_backups, self.keep_archives


@dataclass(frozen=True, slots=True)
class FamilyForm:
    """A plugin and its parameters. ``first`` are shown at once, ``more`` on demand.

    ``note`` says what is not known of the plugin, ``words`` what it says of itself. It ``waits`` while no
    worker has told of any plugin, as when everything has just been started.
    """

    family: Family
    title: str
    plugin: FormField
    choices: tuple[PublishedPlugin, ...]
    words: str
    note: str
    waits: bool
    first: tuple[FormField, ...]
    more: tuple[FormField, ...]
    rows: tuple[ParameterRowForm, ...]

    @property
    def declares(self) -> bool:
        """Whether anything is known of what the plugin wants to know."""
        return bool(self.first or self.more)

    @property
    def fields(self) -> Iterator[FormField]:
        """All its inputs that can be wrong."""
        yield self.plugin
        yield from self.first
        yield from self.more
        yield from (row.value for row in self.rows)


@dataclass(frozen=True, slots=True)
class EditForm:
    """The whole form. ``others`` are the problems that have no field of their own.

    ``name`` is there for a configuration that is to be made.
    """

    opened: int
    name: FormField | None
    description: FormField
    families: tuple[FamilyForm, ...]
    commands: tuple[FormField, ...]
    policies: tuple[PolicyForm, ...]
    auto_discovery: bool
    job_retention: FormField
    plan_errors: tuple[str, ...]
    own_plan: bool
    keeps_plan: bool
    others: tuple[str, ...]

    @property
    def fields(self) -> Iterator[FormField]:
        """All inputs that can be wrong."""
        if self.name:
            yield self.name
        yield self.description
        for family in self.families:
            yield from family.fields
        yield from self.commands
        for policy in self.policies:
            yield from policy.fields
        yield self.job_retention

    @property
    def wrong(self) -> tuple[FormField, ...]:
        """The inputs that are wrong."""
        return tuple(field for field in self.fields if field.errors)

    @property
    def commands_told(self) -> int:
        """How many commands there are, or should be looked at."""
        return sum(field.told for field in self.commands)

    @property
    def error_count(self) -> int:
        """How many problems there are."""
        return sum(len(f.errors) for f in self.fields) + len(self.plan_errors) + len(self.others)


def field_id(name: str) -> str:
    """The id of the input of that name, fit for an address and a selector."""
    return "f-" + _NOT_IN_AN_ID.sub(lambda found: f"_{ord(found[0]):x}-", name)
