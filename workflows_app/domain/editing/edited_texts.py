"""The texts of a configuration as somebody edits them, read over what is stored: a mask keeps its secret."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from workflows_app.domain.config_files.configuration import NO_PLAN, SETTING_KEYS, Configuration, Family
from workflows_app.domain.config_files.display import MAIN, NO_PARAMETERS
from workflows_app.domain.config_files.main_file import DESCRIPTION_KEY, DISABLED_KEY, PLAN_KEY, read_main
from workflows_app.domain.config_files.notes import Note, Outcome
from workflows_app.domain.config_files.plugin_file import fossul_match, read_plugin, write_plugin
from workflows_app.domain.config_files.secrets import hides, masked
from workflows_app.domain.config_files.text_comments import comments_in
from workflows_app.domain.config_files.text_places import line_of
from workflows_app.domain.editing.config_problems import parameter_setting
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plan_layouts import MAX_TEXT, PlanLayout
from workflows_app.domain.plans.plan_masks import meant_layout
from workflows_app.domain.secrets.redaction import MASK, Redactor

RETYPE = "(type it again)"
"""Stands in a text for a secret that was typed there and is not shown again."""

_NO_SECRET = (
    f"{MASK!r} stands for a stored secret, and there is none: write the value, here or in the form, or "
    "remove the line"
)
_CHANGED_MASK = f"a part of it is masked as {MASK!r}: leave it wholly as it was, or write it anew"
_IN_THE_FORM = "it stands in the form alone: write it there, and remove the line"
_SWITCHED_ELSEWHERE = "a configuration is disabled and enabled on the page that manages it: remove the line"
_NOT_KEPT = "it is not kept, but goes when you save, or when you change the form"
_AGAIN = "a secret is never shown: write it once more, or remove the line"


class TextRemark(NamedTuple):
    """Something about a text: its part (``Main``, ``App``…), the line from 1 or 0, the setting, and words."""

    part: str
    line: int
    what: str
    words: str


@dataclass(frozen=True, slots=True)
class TextReading:
    """What was read of the texts.

    ``configuration`` is None where there are ``problems``; ``remarks`` say what is otherwise than Fossul
    would read it. ``secrets`` are those that the texts give anew, by their setting (``RestoreCmd``,
    ``AppPluginParameters.Password``).
    """

    configuration: Configuration | None
    problems: tuple[TextRemark, ...] = ()
    remarks: tuple[TextRemark, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)


def read_texts(texts: Mapping[str, str], base: Configuration, declared: Collection[str] = ()) -> TextReading:
    """Read the texts that ``display.editable`` wrote and somebody changed. Never raises.

    A secret that is still masked is the one of ``base``, for the same plugin only; parameters of ``base``
    that no text can hold stay. What a file's reader would drop is a problem here: nothing that was typed is
    lost in silence. ``declared`` are the names of the parameters that plugins declare secret.
    """
    return _Reader(texts, base, declared).reading()


def comment_remarks(texts: Mapping[str, str], written: Mapping[str, str]) -> tuple[TextRemark, ...]:
    """Answer a remark for the first comment that somebody typed into each of the texts: it is not kept.

    ``written`` are the texts as ``display.editable`` writes them, whose comments are none of theirs. What
    Fossul reads as a setting in the file of a plugin is no comment.
    """
    found = []
    for part, text in texts.items():
        ours = {*comments_in(written.get(part, "")).values(), NO_PARAMETERS.rstrip()}
        for line, comment in comments_in(text).items():
            setting = part != MAIN and fossul_match(comment)
            if comment not in ours and not setting:
                found.append(TextRemark(part, line, "a comment", _NOT_KEPT))
                break
    return tuple(found)


class _Reader:
    """Reads the texts of one configuration."""

    def __init__(self, texts: Mapping[str, str], base: Configuration, declared: Collection[str]) -> None:
        self._texts = texts
        self._base = base
        self._declared = declared
        self._problems: list[TextRemark] = []
        self._remarks: list[TextRemark] = []
        self._secrets: dict[str, str] = {}

    def reading(self) -> TextReading:
        """Answer what was read."""
        try:
            main = self._main()
        except ConfigInvalid as error:
            self._problem(MAIN, error.field, error.reason)
            main = None
        parameters = {family: self._parameters(family, main) for family in Family}
        remarks = tuple(self._remarks)
        if main is None or self._problems:
            return TextReading(None, tuple(self._problems), remarks)
        changes: dict[str, Any] = {f.parameters_attribute: values for f, values in parameters.items()}
        return TextReading(main.with_settings(**changes).settled(), (), remarks, self._secrets)

    def _main(self) -> Configuration:
        """The main file's configuration, its secrets those of the base. Raises ConfigInvalid."""
        text = self._texts.get(MAIN, "")
        if len(text) > MAX_TEXT:
            raise ConfigInvalid("the file", f"it is longer than {MAX_TEXT} characters")
        # Half a character, which no browser sends, would not be UTF-8.
        read = read_main(text.encode(errors="replace"))
        for note in read.notes:
            self._take_note(MAIN, note)
        for key, value, words in (
            (DESCRIPTION_KEY, read.configuration.description, _IN_THE_FORM),
            (DISABLED_KEY, read.configuration.disabled, _SWITCHED_ELSEWHERE),
        ):
            if value is not None:
                self._problem(MAIN, key, words)
        changes = {}
        for key, attribute in SETTING_KEYS.items():
            value, stored = (getattr(c.config, attribute) for c in (read.configuration, self._base))
            if isinstance(value, str):
                changes[attribute] = self._value(MAIN, key, key, value, stored)
        policies = tuple(policy.completed() for policy in read.configuration.policies)
        plan = self._plan(read.configuration.plan or NO_PLAN)
        return replace(read.configuration.with_settings(**changes), policies=policies, plan=plan)

    def _plan(self, typed: PlanLayout) -> PlanLayout:
        """The plan with the masked commands of the base in their places. Raises ConfigInvalid."""
        for key, line in typed.commands.items():
            if RETYPE in line:
                raise ConfigInvalid(f"{PLAN_KEY}.Commands.{key}", _AGAIN)
        return meant_layout(typed, self._base.layout)

    def _parameters(self, family: Family, main: Configuration | None) -> dict[str, str]:
        text, part = self._texts.get(family, ""), family.value
        if len(text) > MAX_TEXT:
            self._problem(part, "the file", f"it is longer than {MAX_TEXT} characters")
            return {}
        try:
            read = read_plugin(text.encode(errors="replace"))
        except ConfigInvalid as error:
            self._problem(part, error.field, error.reason)
            return {}
        for note in read.notes:
            # An empty value is no parameter, here as well as to Fossul.
            if read.values.get(note.what) != "":
                self._take_note(part, note)
        if main is None:
            return {}
        plugin = family.plugin(main.config)
        if not plugin and read.values:
            why = f"the main file names no {family.lower()} plugin: name it there, or empty this text"
            self._problem(part, "the file", why)
        same = plugin == family.plugin(self._base.config)
        stored = family.parameters(self._base.config) if same else {}
        values = {name: value for name, value in stored.items() if not _fits(name, value)}
        for name, typed in read.values.items():
            setting = parameter_setting(family, name)
            value = self._value(part, name, setting, typed, stored.get(name, ""), self._declared)
            if value:
                values[name] = value
        return values

    def _value(
        self, part: str, name: str, setting: str, typed: str, stored: str, declared: Collection[str] = ()
    ) -> str:
        """What a text gives: the stored value where its mask was left as it is."""
        if typed == stored:
            return stored
        if stored and typed == masked(name, stored, declared):
            return stored
        if RETYPE in typed:
            self._problem(part, name, _AGAIN)
        elif MASK in typed:
            self._problem(part, name, _NO_SECRET if typed == MASK else _CHANGED_MASK)
        elif hides(name, typed, declared) and typed:
            self._secrets[setting] = typed
        return typed

    def _take_note(self, part: str, note: Note) -> None:
        if note.outcome is Outcome.DROPPED:
            self._problem(part, note.what, f"{note.why}: correct it, or remove it", note.line)
        else:
            line = note.line or self._line(part, note.what, "")
            self._remarks.append(TextRemark(part, line, note.what, note.why))

    def _problem(self, part: str, what: str, words: str, line: int = 0) -> None:
        self._problems.append(TextRemark(part, line or self._line(part, what, words), what, words))

    def _line(self, part: str, what: str, words: str) -> int:
        return line_of(self._texts.get(part, ""), what, words)


def _fits(name: str, value: str) -> bool:
    try:
        write_plugin({name: value})
    except ConfigInvalid:
        return False
    return True


def _hidden(text: str, declared: Collection[str]) -> Iterator[tuple[str, str, bool, bool]]:
    """Each line, the name that it begins with, whether its value is secret, and whether that is masked."""
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        name, bare = name.strip().strip("\"'"), value.strip().strip("\"'[]")
        secret = bool(equals and name and bare) and (hides(name, bare, declared) or MASK in bare)
        redacts = Redactor().redact(line) != line
        yield line, name, secret or redacts, secret and masked(name, bare, declared) == bare


def without_typed_secrets(text: str, declared: Collection[str] = (), names: Collection[str] = ()) -> str:
    """Answer a text as it may be shown again: ``RETYPE`` in place of each secret that was typed into it.

    ``names`` are of those whose mask stands for one that was typed.
    """
    lines = []
    for line, name, secret, safe in _hidden(text, declared):
        lines.append(f'{name} = "{RETYPE}"' if name in names or (secret and not safe) else line)
    return "\n".join(lines)


def fingerprint_text(text: str, declared: Collection[str] = ()) -> str:
    """Answer a text less its secrets, and less what a browser changes: to tell whether it was changed."""
    hidden = _hidden(text.replace("\r\n", "\n").replace("\r", "\n"), declared)
    lines = [f"{name} =" if secret else line for line, name, secret, _ in hidden]
    return "\n".join(lines).rstrip()
