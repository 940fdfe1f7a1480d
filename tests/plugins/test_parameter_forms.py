"""What the plugins declare of their parameters is what they themselves take and refuse."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from workflows_app.domain.config import Config
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.parameter_kinds import ParameterForm, ParameterKind
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem import parameters as filesystem
from workflows_app.plugins.filesystem_archive import parameters as filesystem_archive
from workflows_app.plugins.mariadb import parameters as mariadb
from workflows_app.plugins.mariadb_dump import parameters as mariadb_dump
from workflows_app.plugins.mongo import parameters as mongo
from workflows_app.plugins.mongo_dump import parameters as mongo_dump
from workflows_app.plugins.postgres import parameters as postgres
from workflows_app.plugins.postgres_dump import parameters as postgres_dump
from workflows_app.plugins.registry import PluginRegistry
from workflows_app.plugins.restic import parameters as restic
from workflows_app.plugins.restic import specs as restic_specs
from workflows_app.plugins.s3 import parameters as s3

Read = Callable[[PluginContext], Any]

# What is right for these depends on others: a socket has the protocol unix.
DEPENDENT = ("MysqlProto",)
SERVER = {"PqUser": "u", "PqDb": "d", "MysqlUser": "u"}
READERS: list[tuple[tuple[ParameterSpec, ...], Read, Mapping[str, str]]] = [
    (
        filesystem.SPECS,
        filesystem.Parameters.of,
        {"BackupSrcPaths": "/source", "BackupDestPath": "/destination"},
    ),
    (filesystem_archive.SPECS, filesystem_archive.Parameters.of, {"ArchivePath": "/usr"}),
    (mariadb.SPECS, mariadb.Parameters.of, SERVER | {"MysqlBackupPath": "/copy"}),
    (mariadb_dump.SPECS, mariadb_dump.Parameters.of, SERVER | {"MysqlDumpPath": "/dump"}),
    (mongo.SPECS, mongo.Parameters.of, {}),
    (mongo_dump.SPECS, mongo_dump.Parameters.of, {"MongoDumpPath": "/dump"}),
    (postgres.SPECS, postgres.Parameters.of, SERVER | {"PqBackupPath": "/copy"}),
    (
        postgres_dump.SPECS,
        postgres_dump.Parameters.of,
        SERVER | {"PqDumpPath": "/dump", "PqDumpFormat": "directory"},
    ),
    (restic_specs.SPECS, restic.Parameters.of, {"Repository": "sftp:u@h:/r", "Password": "p"}),
    (s3.specs(False), lambda context: s3.Parameters.of(context, False), {"BucketName": "bucket"}),
]


TRIED = (
    ParameterKind.FLAG,
    ParameterKind.CHOICE,
    ParameterKind.NUMBER,
    ParameterKind.SPELLED,
    ParameterKind.ADDRESS,
)


def examples(form: ParameterForm) -> tuple[list[str], list[str]]:
    """Texts that the form takes, and texts that it refuses."""
    if form.options:
        return list(form.options), ["nonsense"]
    if form.kind is ParameterKind.ADDRESS:
        return ["https://s3.example.org:9000"], ["nonsense"]
    if form.kind is ParameterKind.SPELLED:
        first = form.characters[0]
        return [first * form.least, first * (form.most or 99)], [
            "ä",
            *([first * (form.most + 1)] if form.most else []),
        ]
    good = [str(form.least), str(form.most or 99)]
    return good, [str(form.least - 1), "x", *([str(form.most + 1)] if form.most else [])]


def read(reader: Read, given: Mapping[str, str]) -> None:
    config = Config(profile_name="p", config_name="c").for_run(1, "daily", 1_700_000_000)
    reader(PluginContext(config=config, parameters=given, say=lambda level, text: None))


def declared() -> list[Any]:
    return [
        pytest.param(spec, reader, given, id=f"{reader.__module__.split('.')[2]}-{spec.name}")
        for specs, reader, given in READERS
        for spec in specs
        if spec.form.kind in TRIED and spec.name not in DEPENDENT
    ]


@pytest.mark.parametrize(("spec", "reader", "given"), declared())
def test_what_the_form_takes_the_plugin_takes_and_what_it_refuses_is_refused(
    spec: ParameterSpec, reader: Read, given: Mapping[str, str]
) -> None:
    form = spec.form
    good, bad = examples(form)
    for text in good:
        assert form.refusal(text) == ""
        try:
            read(reader, {**given, spec.name: text})
        except (
            ConfigInvalid
        ) as error:  # one that does not fit another parameter is refused by that one's name
            assert error.field != spec.name, error
        except PluginFailed:
            pass  # it took the text, and looked further
    for text in bad:
        assert form.refusal(text)
        with pytest.raises(ConfigInvalid) as refused:
            read(reader, {**given, spec.name: text})
        assert refused.value.field == spec.name


def test_the_default_of_every_parameter_has_its_form() -> None:
    infos = PluginRegistry(installed=lambda group: ()).infos()
    wrong = [
        (info.name, spec.name, spec.form.refusal(spec.default))
        for info in infos
        for spec in info.parameters
        if spec.form.refusal(spec.default)
    ]
    assert infos
    assert wrong == []
