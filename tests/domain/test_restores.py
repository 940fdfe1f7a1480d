"""What a restore is asked for: chosen files, bounded and each once."""

import pytest

from tests.factories import make_config
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plans import restore_plan
from workflows_app.domain.runs.restores import (
    LARGEST_CHOICE,
    MOST_FILES,
    NAMED,
    RestoreRequest,
    chosen_files,
    is_covered,
    restoring,
)


def test_each_file_is_chosen_once_and_none_that_is_in_a_chosen_folder():
    keys = ("/srv/b", "/srv/a/x", "/srv/b", "/srv/a", "/srv/ab", "/srv/a/x/y")
    assert chosen_files(keys) == ("/srv/b", "/srv/a", "/srv/ab")


@pytest.mark.parametrize(
    ("key", "folder", "covered"),
    [
        ("/srv/a", "/srv", True),
        ("/srv/a/b/c", "/srv/a", True),
        ("/srv", "/", True),
        ("/srv", "/srv", False),
        ("/", "/", False),
        ("/srv/ab", "/srv/a", False),
        ("/srv", "/srv/a", False),
    ],
)
def test_a_file_is_covered_by_a_folder_that_it_is_in(key, folder, covered):
    assert is_covered(key, {folder}) is covered


@pytest.mark.parametrize("key", ["", "srv/a", "/srv/../etc", "/a%00b", "/a b", "/%2Fsrv", "/%zz", "/é"])
def test_what_is_no_key_of_a_file_is_refused(key):
    with pytest.raises(ConfigInvalid, match="no file of a backup") as caught:
        chosen_files([key])
    assert caught.value.field == "files"


def test_keys_of_any_bytes_are_taken():
    assert chosen_files(["/a%FF%20b/%25%0A"]) == ("/a%FF%20b/%25%0A",)


def test_more_than_a_payload_may_carry_is_refused():
    assert len(chosen_files(f"/f{n}" for n in range(MOST_FILES))) == MOST_FILES
    with pytest.raises(ConfigInvalid, match="choose folders"):
        chosen_files(f"/f{n}" for n in range(MOST_FILES + 1))
    with pytest.raises(ConfigInvalid, match="choose folders"):
        chosen_files(f"/{n}{'x' * 3000}" for n in range(LARGEST_CHOICE // 3000 + 1))


def test_what_a_run_tells_of_it_is_bounded():
    told = restoring("b", RestoreRequest(files=tuple(f"/f%20{n}" for n in range(MOST_FILES))))
    assert (told.files, len(told.named), told.named[0]) == (MOST_FILES, NAMED, "/f 0")


def test_chosen_files_are_restored_by_the_storage_alone_after_the_safety_backup():
    config = make_config(preAppRestoreCmd="echo,x", restoreCmd="echo,x", postAppRestoreCmd="echo,x")
    for safety in (False, True):
        keys = [step.key for step in restore_plan(config, dry_run=False, safety=safety, chosen=True).steps]
        assert "restore-plugin" in keys
        assert ("backup-plugin" in keys) is safety
        assert not {"pre-restore-plugin", "post-restore-plugin", "restore-command"} & {*keys}
    whole = {step.key for step in restore_plan(config, dry_run=False).steps}
    assert {"pre-restore-plugin", "post-restore-plugin", "restore-command"} <= whole
