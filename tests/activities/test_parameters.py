"""References in a plugin's parameters: what they resolve to, and what is refused without showing a value."""

from pathlib import Path

import pytest

from workflows_app.activities.parameters import resolve
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import ParameterSpec, PluginInfo
from workflows_app.domain.secrets.sealing import SealBroken, Seals

INFO = PluginInfo(parameters=(ParameterSpec(name="Hush", secret=True), ParameterSpec(name="Plain")))


@pytest.fixture
def vault(tmp_path: Path, settings) -> Path:
    folder = tmp_path / "vault"
    folder.mkdir()
    settings.FOSSUL_SECRET_DIRS = [str(folder)]
    settings.FOSSUL_SECRETS_KEYS = ["a key"]
    return folder


def test_a_plain_parameter_stays_as_it_is(vault):
    resolved = resolve({"Plain": "value"}, INFO)
    assert dict(resolved.values) == {"Plain": "value"}
    assert resolved.secrets == frozenset()


@pytest.mark.parametrize("name", ["Hush", "PqPassword", "ApiToken"])
def test_what_is_declared_or_named_as_a_secret_is_known_as_one(vault, name):
    assert resolve({name: "hunter2"}, INFO).secrets == {"hunter2"}


def test_a_sealed_value_is_opened(vault):
    resolved = resolve({"Plain": Seals(["a key"]).seal("hunter2")}, INFO)
    assert dict(resolved.values) == {"Plain": "hunter2"}
    assert resolved.secrets == {"hunter2"}


def test_a_value_sealed_with_another_key_is_refused_with_what_to_do(vault):
    with pytest.raises(SealBroken, match="FOSSUL_SECRETS_KEY"):
        resolve({"Plain": Seals(["another key"]).seal("hunter2")}, INFO)


def test_a_variable_of_the_worker_is_read(vault, monkeypatch):
    monkeypatch.setenv("SHOP_DB", "hunter2")
    resolved = resolve({"Plain": "env:SHOP_DB"}, INFO)
    assert dict(resolved.values) == {"Plain": "hunter2"}
    assert resolved.secrets == {"hunter2"}


@pytest.mark.parametrize(
    "variable", ["NOT_THERE_AT_ALL", "FOSSUL_SECRET_KEY", "DATABASE_URL", "TEMPORAL_API_KEY"]
)
def test_a_variable_that_is_missing_or_the_workers_own_is_refused(vault, monkeypatch, variable):
    if variable != "NOT_THERE_AT_ALL":
        monkeypatch.setenv(variable, "hunter2")
    with pytest.raises(PluginFailed, match="parameter Plain is env:") as caught:
        resolve({"Plain": f"env:{variable}"}, INFO)
    assert "hunter2" not in str(caught.value)


def test_a_file_is_read_without_its_last_line_break(vault):
    (vault / "db").write_text("hunter2\n")
    assert dict(resolve({"Plain": f"file:{vault}/db"}, INFO).values) == {"Plain": "hunter2"}


def test_a_file_elsewhere_is_refused_however_it_is_named(vault, tmp_path):
    (tmp_path / "db").write_text("hunter2")
    (vault / "link").symlink_to(tmp_path / "db")
    for path in (tmp_path / "db", vault / ".." / "db", vault / "link"):
        with pytest.raises(PluginFailed, match="FOSSUL_SECRET_DIRS") as caught:
            resolve({"Plain": f"file:{path}"}, INFO)
        assert "hunter2" not in str(caught.value)


def test_a_file_that_is_missing_no_text_or_too_large_is_refused(vault):
    (vault / "binary").write_bytes(b"\xff\xfe\x00")
    (vault / "large").write_text("x" * 70_000)
    for name, words in (("none", "No such file"), ("binary", "not text"), ("large", "too large")):
        with pytest.raises(PluginFailed, match=words):
            resolve({"Plain": f"file:{vault}/{name}"}, INFO)
