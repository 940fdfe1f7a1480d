"""The two sides of the editor, the form and the TOML: which of them was changed, and what the other becomes.

Each page carries a digest of both sides as they last agreed, so what was changed since is seen from what is
sent, in whatever order requests arrive. Secrets are in no digest: those that were typed on either side count.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256

from workflows_app.domain.config import CommandField
from workflows_app.domain.config_files.configuration import SETTING_KEYS, Configuration, Family
from workflows_app.domain.config_files.display import MAIN, editable
from workflows_app.domain.config_files.secrets import hides
from workflows_app.domain.editing.config_problems import parameter_setting
from workflows_app.domain.editing.edited_texts import (
    TextReading,
    TextRemark,
    comment_remarks,
    fingerprint_text,
    read_texts,
)
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.services.configurations.plugins import Published
from workflows_app.web.editors.drafts import AGREED_POLICY, Draft, draft_of, number_in

PARTS = (MAIN, *(family.value for family in Family))
PREFIX = "Toml."

# What the form has no field for, and only the TOML can change.
_TEXT_ONLY = frozenset(SETTING_KEYS.values()) - {
    "auto_discovery",
    "job_retention",
    *(family.plugin_attribute for family in Family),
    *(SETTING_KEYS[command] for command in CommandField),
}


class Lead(StrEnum):
    """Which side was changed last, so that the other follows; or why none of them can."""

    NONE = "none"
    FORM = "form"
    TEXT = "text"
    APART = "apart"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Agreed:
    """Digests of both sides as they were when they last said the same, and the policies' names by row."""

    form: str = ""
    text: str = ""
    policies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides as they stand.

    ``draft`` is what the form is to show, ``made`` the configuration that would be saved, ``texts`` the TOML
    by part, which is written anew where ``rewritten``. ``problems`` keep the TOML from being read. ``typed``
    are the settings of secrets that stand in the TOML and nowhere else, ``moved`` those about which the TOML
    and no longer the form decides.
    """

    lead: Lead
    draft: Draft
    made: Configuration
    texts: Mapping[str, str]
    agreed: Agreed
    rewritten: bool = False
    problems: tuple[TextRemark, ...] = ()
    remarks: tuple[TextRemark, ...] = ()
    typed: frozenset[str] = field(default_factory=frozenset)
    moved: frozenset[str] = field(default_factory=frozenset)

    @property
    def stuck(self) -> bool:
        """Whether nothing can be saved before a person decides which side counts."""
        return self.lead in (Lead.APART, Lead.UNREADABLE)


def sides_of(draft: Draft, stored: Configuration, known: Published) -> Sides:
    """Answer both sides of a draft of which nobody has sent a TOML: it is written from the draft."""
    return _from_form(draft, stored, known.declared_secrets, Sides(Lead.NONE, draft, stored, {}, Agreed()))


def read_sides(post: Mapping[str, str], draft: Draft, stored: Configuration, known: Published) -> Sides:
    """Answer both sides of what was sent; ``draft`` is the form that was read of it.

    ``take`` in it (``form`` or ``text``) decides for one side, whatever became of the other.
    """
    if f"{PREFIX}{MAIN}" not in post or post.get("take") == Lead.FORM:
        return replace(sides_of(draft, stored, known), lead=Lead.FORM)
    declared = known.declared_secrets
    sent = {part: post.get(f"{PREFIX}{part}", "") for part in PARTS}
    texts = {part: text.replace("\r\n", "\n") for part, text in sent.items()}
    base = draft.configuration(stored)
    reading = read_texts(texts, base, declared)
    rows = {k.removeprefix(AGREED_POLICY): v for k, v in post.items() if k.startswith(AGREED_POLICY)}
    agreed = Agreed(post.get("Agreed.form", ""), post.get("Agreed.text", ""), rows)
    remarks = (*reading.remarks, *comment_remarks(texts, _written(stored, declared)))
    as_sent = Sides(Lead.UNREADABLE, draft, base, texts, agreed, problems=reading.problems, remarks=remarks)
    if reading.configuration is None:
        return as_sent
    under = _beneath(stored, reading.configuration)
    with_secrets = draft.with_secrets(reading.secrets)
    by_form = _digest(fingerprint(draft, declared)) != agreed.form
    by_text = _text_digest(texts, declared) != agreed.text
    if by_form and by_text and post.get("take") != Lead.TEXT:
        if not _equal(with_secrets.configuration(under), reading.configuration):
            return replace(as_sent, lead=Lead.APART)
    elif not by_text and post.get("take") != Lead.TEXT:
        typed = frozenset(reading.secrets) - draft.decided
        now = replace(as_sent, lead=Lead.FORM if by_form else Lead.NONE, draft=with_secrets, typed=typed)
        made = with_secrets.configuration(under)
        if not by_form and _equal(made, reading.configuration):
            return replace(now, made=made)
        return _from_form(with_secrets, under, declared, now)
    return _from_text(reading, reading.configuration, draft, declared, as_sent)


def fingerprint(draft: Draft, declared: Collection[str]) -> str:
    """Answer in one text what a form says as TOML could, less secrets: to tell whether it was changed."""
    parameters = {
        family: sorted((n, v) for n, v in draft.parameters[family].items() if v and not hides(n, v, declared))
        for family in Family
        if draft.plugins[family]
    }
    commands = [line for f, line in sorted(draft.commands.items()) if not hides(f, line, declared)]
    policies = [
        (p.name, p.keep_backups, number_in(p.keep_archives, 0), p.when_busy) for p in draft.named_policies
    ]
    others = (draft.auto_discovery, draft.job_retention, draft.keeps_plan)
    return repr((sorted(draft.plugins.items()), sorted(parameters.items()), commands, policies, others))


def _from_form(draft: Draft, under: Configuration, declared: Collection[str], now: Sides) -> Sides:
    """The TOML follows the form, or stays as it is while the form cannot be read."""
    made = draft.configuration(under)
    now = replace(now, draft=draft, made=made)
    texts = _written(made, declared)
    reading = read_texts(texts, made, declared)
    # What cannot be read back would be stuck there.
    if now.texts and (draft.mistakes or not texts or reading.problems):
        return now
    agreed = _agreed(draft, texts, declared)
    return replace(now, texts=texts, agreed=agreed, rewritten=True, remarks=reading.remarks)


def _written(configuration: Configuration, declared: Collection[str]) -> Mapping[str, str]:
    """The TOML of a configuration, by part; none where its main file cannot be written."""
    try:
        return editable(configuration, declared)
    except ConfigInvalid:
        return {}


def _from_text(
    reading: TextReading, made: Configuration, form: Draft, declared: Collection[str], now: Sides
) -> Sides:
    """The form follows the TOML."""
    draft = draft_of(form.opened, form.name, form.description, made, form.rows)
    agreed = _agreed(draft, now.texts, declared)
    moved = frozenset(_moved(now.made, made, declared))
    typed = frozenset(reading.secrets)
    return replace(now, lead=Lead.TEXT, draft=draft, made=made, agreed=agreed, typed=typed, moved=moved)


def _agreed(draft: Draft, texts: Mapping[str, str], declared: Collection[str]) -> Agreed:
    rows = {str(policy.row): policy.name for policy in draft.named_policies}
    return Agreed(_digest(fingerprint(draft, declared)), _text_digest(texts, declared), rows)


def _beneath(stored: Configuration, read: Configuration) -> Configuration:
    """What is beneath the form: what it has no field for is as the TOML says."""
    changes = {attribute: getattr(read.config, attribute) for attribute in _TEXT_ONLY}
    return replace(stored.with_settings(**changes), plan=read.layout, policies=read.policies)


def _moved(form: Configuration, text: Configuration, declared: Collection[str]) -> set[str]:
    """The settings of the secrets that the TOML has otherwise than the form."""
    pairs = {f.value: (form.config.command(f), text.config.command(f)) for f in CommandField}
    for family in Family:
        ours, theirs = family.parameters(form.config), family.parameters(text.config)
        for name in ours.keys() | theirs.keys():
            pairs[parameter_setting(family, name)] = (ours.get(name, ""), theirs.get(name, ""))
    return {
        setting
        for setting, (ours, theirs) in pairs.items()
        if ours != theirs and hides(setting.rpartition(".")[2], theirs or ours, declared)
    }


def _equal(one: Configuration, other: Configuration) -> bool:
    return (
        one.config.wire() == other.config.wire()
        and one.policies == other.policies
        and one.layout == other.layout
    )


def _text_digest(texts: Mapping[str, str], declared: Collection[str]) -> str:
    return _digest(repr([fingerprint_text(texts.get(part, ""), declared) for part in PARTS]))


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()
