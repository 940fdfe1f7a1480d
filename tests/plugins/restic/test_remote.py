import getpass
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.filesystem.trees import picture
from tests.plugins.restic.conftest import Repository
from tests.plugins.restic.sshd import SftpServer, running_sshd
from tests.plugins.s3.server import ACCESS_KEY, SECRET_KEY, S3Server, running_server
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.restic.plugin import plugin

MiB = 1024 * 1024


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def in_s3(nowhere: Repository, s3: S3Server) -> Repository:
    nowhere.given |= {
        "Repository": f"s3:{s3.endpoint}/{s3.new_bucket()}/prefix",
        "AccessKeyId": ACCESS_KEY,
        "SecretAccessKey": SECRET_KEY,
    }
    (nowhere.source / "file").write_bytes(os.urandom(3 * MiB))
    return nowhere


@pytest.fixture
def by_sftp(nowhere: Repository, sftp: SftpServer, tmp_path: Path) -> Repository:
    nowhere.given |= {
        "Repository": f"sftp:{getpass.getuser()}@127.0.0.1:{tmp_path}/by-sftp",
        "SftpPort": str(sftp.port),
        "SftpKeyFile": str(sftp.key),
        "SftpKnownHosts": str(sftp.known_hosts),
    }
    (nowhere.source / "file").write_bytes(os.urandom(3 * MiB))
    return nowhere


def test_a_repository_in_s3_brings_everything_back(in_s3: Repository, tmp_path: Path) -> None:
    before = picture(in_s3.source)
    assert in_s3.backup().code == 0
    assert any(line.startswith("Reading back ") for line in in_s3.lines())
    assert in_s3.restore(tmp_path / "target").code == 0
    assert picture(tmp_path / "target" / in_s3.source.relative_to("/")) == before


def test_a_wrong_key_is_told(in_s3: Repository) -> None:
    with pytest.raises(PluginFailed, match=r"[Tt]he repository s3:.* refuses|failed"):
        in_s3.backup(SecretAccessKey="wrong-secret-of-the-tests")
    assert not any("wrong-secret" in text for _, text in in_s3.said)


def test_a_server_that_is_not_there_is_told(nowhere: Repository) -> None:
    (nowhere.source / "file").write_text("x")
    with pytest.raises(PluginFailed, match=r"sftp:.* cannot be reached|restic failed"):
        nowhere.backup(Repository="sftp:nobody@127.0.0.1:/x", SftpPort="1")


def test_a_repository_by_sftp_brings_everything_back(by_sftp: Repository, tmp_path: Path) -> None:
    before = picture(by_sftp.source)
    assert by_sftp.backup().code == 0
    (backup,) = by_sftp.backups()
    assert plugin.backup_verify(by_sftp.of(backup)).code == 0
    assert by_sftp.restore(tmp_path / "target").code == 0
    assert picture(tmp_path / "target" / by_sftp.source.relative_to("/")) == before


def test_an_sftp_server_whose_key_is_not_known_is_refused(by_sftp: Repository, tmp_path: Path) -> None:
    (tmp_path / "nobody").write_text("")
    with pytest.raises(PluginFailed, match="Host key verification failed"):
        by_sftp.backup(SftpKnownHosts=str(tmp_path / "nobody"))
