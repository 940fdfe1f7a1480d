"""A copy is prepared with the settings of its server: with others InnoDB does not understand the files."""

from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mariadb.conftest import SHOP, server_parameters
from tests.plugins.mariadb.server import running_server, started
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mariadb.plugin import plugin
from workflows_app.plugins.mariadb.settings import FILE, settings_of

UNUSUAL = (
    "--innodb-page-size=8k",
    "--innodb-data-file-path=ibdata1:12M;ibdata2:12M:autoextend:max:1G",
    "--innodb-undo-tablespaces=3",
)


def test_a_copy_of_a_server_with_unusual_files_starts(place: Path) -> None:
    with running_server(*UNUSUAL) as server:
        server.sql("CREATE DATABASE shop")
        server.sql(SHOP, "shop")
        copies = Calls(server_parameters(server) | {"MysqlBackupPath": str(place / "copies")})
        assert plugin.quiesce(copies.context()).code == 0
        rows = server.sql("SELECT * FROM accounts ORDER BY 1", "shop")
        with started(place / "copies/test/shop/7/data", place / "server", *UNUSUAL) as other:
            assert other.sql("SELECT * FROM accounts ORDER BY 1", "shop") == rows


def test_the_settings_are_arguments_and_others_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        "# made\n[mysqld]\ninnodb_page_size=16384\ninnodb_undo_directory=./\nplugin_load=evil.so\n"
        "plugin_dir=/tmp\ninnodb_data_file_path=ibdata1:12M;ibdata2:1G:autoextend\n"
    )
    assert settings_of(tmp_path) == [
        "--innodb-page-size=16384",
        "--innodb-data-file-path=ibdata1:12M;ibdata2:1G:autoextend",
    ]


@pytest.mark.parametrize(
    "path", ["/elsewhere/ibdata1:12M", "../ibdata1:12M", "ibdata1:12M;/dev/sdb:3Gnewraw"]
)
def test_files_outside_of_the_copy_are_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / FILE).write_text(f"innodb_data_file_path={path}\n")
    with pytest.raises(PluginFailed, match="its files must be in its data folder"):
        settings_of(tmp_path)


def test_a_copy_without_settings_is_not_complete(tmp_path: Path) -> None:
    with pytest.raises(PluginFailed, match=r"not complete: its backup-my\.cnf cannot be read"):
        settings_of(tmp_path)
