"""Configuration as files: reading a folder into the database, and writing the database into a folder."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from django.db import transaction

from workflows_app.domain.config import check_name
from workflows_app.domain.config_files.configuration import Configuration, Family
from workflows_app.domain.config_files.files import (
    SUFFIX,
    FileReport,
    read_files,
    without_mark,
    write_files,
)
from workflows_app.domain.config_files.notes import Note, Outcome
from workflows_app.domain.config_files.profile_file import ProfileSettings, read_profile, write_profile
from workflows_app.domain.config_files.secrets import is_secret, without_secrets
from workflows_app.domain.editing.config_problems import missing_values, wrong_values
from workflows_app.domain.errors import ConfigInvalid, FossulError, NotNow, SettingsRefused
from workflows_app.models import BackupConfig, Catalogue, Profile
from workflows_app.services.configurations import plugins, versions
from workflows_app.services.configurations.config_folder import (
    TEMPLATE_PROFILE,
    Folder,
    FolderRefused,
    folder_of,
    profile_path,
    read_folder,
    write_folder,
)
from workflows_app.services.configurations.config_rows import exported_of, store, stored_configs
from workflows_app.services.configurations.plugins import Published
from workflows_app.services.editing.config_edits import declared_parameters
from workflows_app.services.editing.gone_policies import let_others_follow
from workflows_app.services.files.config_changes import (
    Change,
    Effect,
    Names,
    change_of,
    leftovers,
    profile_change,
    stored,
)
from workflows_app.services.people import audit
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.schedules import schedule_moves

_TEMPLATE = f"profile {TEMPLATE_PROFILE!r} is Fossul's template and no profile to it; rename it"
_HEADER = "# Written by export_configs of the Fossul dashboard. Fossul reads it, too.\n"
_PROFILE_HEADER = "# Written by export_configs of the Fossul dashboard. Fossul passes over it.\n"


@dataclass(frozen=True, slots=True)
class FolderReport:
    """What was read from, or written to, a folder, by path; and what became of each configuration.

    Where a file is refused nothing was changed, and ``changes`` is empty. ``seen`` is a digest of the
    changes and of all that they were compared with.
    """

    files: tuple[FileReport, ...]
    changes: tuple[Change, ...] = ()
    seen: str = ""

    @property
    def refused(self) -> bool:
        """Whether a file, and with it everything, was refused."""
        return any(file.refused for file in self.files)

    @property
    def differs(self) -> bool:
        """Whether the files change anything in the database."""
        return any(change.differs for change in self.changes)


def import_configs(actor: Actor, root: Path, *, dry_run: bool = False) -> FolderReport:
    """Take a folder of Fossul's configuration files into the database; what they do not have stays.

    All or nothing: a file that is refused leaves everything as it was. With ``dry_run`` it only tells.
    Raises NotAllowed, FolderRefused.
    """
    actor.require(Right.CONFIGURE)
    return _take(actor, read_folder(root), prune=False, write=not dry_run)


def import_files(
    actor: Actor, files: Mapping[str, bytes], *, dry_run: bool = False, seen: str = ""
) -> FolderReport:
    """Take files, contents by path, as ``import_configs`` takes a folder of them.

    With ``seen``, the digest of an earlier dry run, everything is refused when it would not be the same now.
    Raises NotAllowed; NotNow.
    """
    actor.require(Right.CONFIGURE)
    return _take(actor, folder_of(files), prune=False, write=not dry_run, seen=seen)


def apply_configs(actor: Actor, root: Path, *, prune: bool = False, plan: bool = False) -> FolderReport:
    """Make the database what a folder says. With ``prune`` what the folder does not have is deleted, with
    its schedules.

    As ``import_configs`` otherwise. With ``plan`` it only tells. Refuses to prune by a folder without any
    configuration, which would delete everything.
    """
    actor.require(Right.CONFIGURE)
    report = _take(actor, read_folder(root), prune=prune, write=not plan)
    if not plan and any(change.gone or change.effect is Effect.DELETED for change in report.changes):
        schedule_moves.follow()
    return report


def export_configs(
    actor: Actor, root: Path, *, with_secrets: bool = False, force: bool = False
) -> FolderReport:
    """Write every configuration into a folder as files that Fossul and ``import_configs`` read back the same.

    Secrets are left out unless ``with_secrets``. Files of an earlier export whose configuration is gone
    are removed. Raises NotAllowed; FolderRefused for a folder with other content, unless ``force``.
    """
    texts, reports = exported(actor, with_secrets=with_secrets)
    if any(report.refused for report in reports):
        return FolderReport(reports)
    try:
        removed = write_folder(root, texts, force=force)
    except OSError as error:
        raise FolderRefused(f"{error.filename or root}: {error.strerror}") from error
    gone = (Note(Outcome.DROPPED, "the file", "removed: an earlier export wrote it, and it is stale"),)
    return FolderReport((*reports, *(FileReport(path, notes=gone) for path in removed)))


def exported(
    actor: Actor, profile: str = "", config: str = "", *, with_secrets: bool = False
) -> tuple[dict[str, str], tuple[FileReport, ...]]:
    """Answer the files of all configurations, of a profile's or of one, by path, and what is to be said.

    One that files cannot hold is refused in the reports. Raises NotAllowed; SealBroken.
    """
    actor.require(Right.CONFIGURE)
    rows = stored_configs()
    if profile:
        rows = rows.filter(profile__name=profile)
    if config:
        rows = rows.filter(name=config)
    texts: dict[str, str] = {}
    reports: list[FileReport] = []
    if not config:
        for owner in Profile.objects.filter(**({"name": profile} if profile else {})):
            written, report = _exported_profile(owner)
            texts |= written
            reports.append(report)
    for row in rows:
        try:
            written, report = _exported(row, with_secrets=with_secrets, alone=bool(config))
        except ConfigInvalid as error:
            written, report = {}, FileReport(str(row), refused=str(error))
        texts |= written
        reports.append(report)
    return texts, tuple(reports)


def _exported_profile(row: Profile) -> tuple[dict[str, str], FileReport]:
    """A profile's own file by its path, and what is to be said of it."""
    taken = row.configs.filter(name=f"{row.name}{SUFFIX}").exists()
    if row.name == TEMPLATE_PROFILE or taken:
        why = "a configuration's folder is where its file would be" if taken else _TEMPLATE
        return {}, FileReport(row.name, notes=(Note(Outcome.DROPPED, "the profile", why),))
    text = write_profile(ProfileSettings(row.description, row.disabled))
    return {profile_path(row.name): f"{_PROFILE_HEADER}{text}"}, FileReport(row.name, 1)


def _exported(row: BackupConfig, *, with_secrets: bool, alone: bool) -> tuple[dict[str, str], FileReport]:
    """The files of one configuration by path, and what is to be said of them; ``alone`` without its
    profile's. Raises ConfigInvalid.
    """
    if row.profile.name == TEMPLATE_PROFILE:
        return {}, FileReport(str(row), notes=(Note(Outcome.DROPPED, "the configuration", _TEMPLATE),))
    check_name("profile", row.profile.name)
    check_name("configuration", row.name)
    configuration = exported_of(row)
    notes = (*_idle_notes(row), *(_profile_notes(row) if alone else ()))
    if not with_secrets:
        configuration, left_out = without_secrets(configuration, plugins.declared_secrets())
        why = "a secret is left out; --with-secrets writes it"
        notes += tuple(Note(Outcome.DROPPED, name, why) for name in left_out)
    files = write_files(row.name, configuration)
    texts = {f"{row}/{file}": f"{_HEADER}{text}" for file, text in files.items()}
    return texts, FileReport(str(row), len(files), notes)


def _idle_notes(row: BackupConfig) -> tuple[Note, ...]:
    """A note for each family whose stored parameters belong to no plugin."""
    why = "no plugin of this family is named, so no file can hold them"
    return tuple(
        Note(Outcome.DROPPED, f"{family}PluginParameters", why)
        for family in Family
        if row.settings.get(f"{family.lower()}PluginParameters")
        and not row.settings.get(f"{family.lower()}Plugin")
    )


def _profile_notes(row: BackupConfig) -> tuple[Note, ...]:
    """A note when the configuration starts no backup because its profile is disabled."""
    if not row.profile.disabled:
        return ()
    why = "its profile is disabled, which these files do not hold; those of the whole profile do"
    return (Note(Outcome.DROPPED, "the profile", why),)


def _take(actor: Actor, folder: Folder, *, prune: bool, write: bool, seen: str = "") -> FolderReport:
    found, files = _read(folder)
    profiles, own = _read_profiles(folder)
    report = FolderReport(tuple(sorted((*files, *own), key=lambda file: file.name)))
    if report.refused:
        return report
    if prune and not found:
        raise FolderRefused("The folder has no configuration: --prune would delete everything.")
    known = plugins.published(actor)
    with transaction.atomic():
        report = _with_changes(report, found, profiles, known, prune=prune)
        if seen and seen != report.seen:
            raise NotNow(
                "Configurations were changed since the plan was shown, and nothing was taken. Look at the "
                "plan as it is now."
            )
        if write and not report.refused:
            for change in report.changes:
                _carry_out(actor, change)
    return report


def _with_changes(
    report: FolderReport,
    found: dict[Names, Configuration],
    profiles: dict[str, ProfileSettings],
    known: Published,
    *,
    prune: bool,
) -> FolderReport:
    """The report with what becomes of each profile and configuration, or with why one cannot be taken."""
    there, declared = stored(), known.declared_secrets
    changes = [profile_change(profile, settings) for profile, settings in profiles.items()]
    refused: list[FileReport] = []
    for names, files in found.items():
        try:
            change = change_of(names, files, there.get(names), prune=prune, declared=declared)
            changes.append(_held_against_plugins(change, known))
        except FossulError as error:
            refused.append(FileReport("/".join(names), refused=str(error)))
    if refused:
        return FolderReport((*report.files, *refused))
    changes += leftovers(set(found), profiles, there, prune=prune, declared=declared)
    return replace(report, changes=tuple(changes), seen=_digest(changes, there))


def _held_against_plugins(change: Change, known: Published) -> Change:
    """The change, with a remark for each parameter that is still missing.

    Fossul's plugins may not know a parameter that ours need; but a value that is none is one for nobody.
    Raises SettingsRefused.
    """
    if change.result is None:
        return change
    told = declared_parameters(change.result, known)
    if wrong := tuple(wrong_values(change.result, told)):
        raise SettingsRefused(wrong)
    missing = tuple(f"{problem.setting}: {problem.words}" for problem in missing_values(change.result, told))
    return replace(change, remarks=(*change.remarks, *missing))


def _digest(changes: Iterable[Change], there: Mapping[Names, Configuration]) -> str:
    """A digest of what is to be done and of what it is done to; what is only kept may change meanwhile."""
    told = [(c, there.get((c.profile, c.config))) for c in changes if c.effect is not Effect.KEPT]
    return sha256(repr(told).encode(errors="surrogatepass")).hexdigest()


def _carry_out(actor: Actor, change: Change) -> None:
    if change.result is not None:
        secret = partial(is_secret, declared=plugins.declared_secrets())
        row = store(change.profile, change.config, change.result, secret=secret)
        versions.keep(actor, row, f"imported: {change.effect}")
        let_others_follow(actor, change.profile, change.config, dict.fromkeys(change.gone, ""))
    elif change.settings is not None:
        Profile.objects.update_or_create(name=change.profile, defaults=asdict(change.settings))
    elif change.effect is not Effect.DELETED:
        return
    elif change.config:
        BackupConfig.objects.filter(profile__name=change.profile, name=change.config).delete()
        Catalogue.objects.filter(profile=change.profile, config=change.config).delete()
        schedule_moves.note_move(actor, (change.profile, change.config))
    else:
        Profile.objects.filter(name=change.profile).delete()
    audit.note(actor, audit.Action.IMPORTED, change.profile, change.config, details=change.effect)


def _read(folder: Folder) -> tuple[dict[Names, Configuration], tuple[FileReport, ...]]:
    """The configurations of a folder, and what is to be said of each file."""
    found: dict[Names, Configuration] = {}
    refused = dict(folder.refused)
    reports = [FileReport(path, refused=why) for path, why in folder.refused]
    reports += [FileReport(path, notes=_dropped(why)) for path, why in folder.ignored]
    for (profile, name), files in folder.configs.items():
        if profile == TEMPLATE_PROFILE:
            why = "a template of Fossul's for new configurations, and none itself"
            reports += _below(profile, name, (FileReport(file, notes=_dropped(why)) for file in files))
            continue
        if f"{profile}/{name}/{name}{SUFFIX}" in refused:
            continue  # of what else it has nothing can be said, least of all that this file is missing
        configuration, read = read_files(name, files)
        reports += _below(profile, name, read)
        if configuration is not None:
            found[profile, name] = configuration
    return found, tuple(sorted(reports, key=lambda report: report.name))


def _read_profiles(folder: Folder) -> tuple[dict[str, ProfileSettings], tuple[FileReport, ...]]:
    """What the own files of a folder's profiles say, and what is to be said of each file."""
    found: dict[str, ProfileSettings] = {}
    reports: list[FileReport] = []
    for profile, content in folder.profiles.items():
        path = profile_path(profile)
        if profile == TEMPLATE_PROFILE:
            reports.append(FileReport(path, notes=_dropped(_TEMPLATE)))
            continue
        try:
            text, marked = without_mark(content)
            found[profile], notes = read_profile(text)
            reports.append(FileReport(path, found[profile].taken, (*marked, *notes)))
        except ConfigInvalid as error:
            reports.append(FileReport(path, refused=str(error)))
    return found, tuple(reports)


def _below(profile: str, config: str, reports: Iterable[FileReport]) -> list[FileReport]:
    return [replace(report, name=f"{profile}/{config}/{report.name}") for report in reports]


def _dropped(why: str) -> tuple[Note, ...]:
    return (Note(Outcome.DROPPED, "the file", why),)
