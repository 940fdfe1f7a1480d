"""What goes wrong on the way: nothing of it becomes a backup."""

import os
import shutil
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugins.container_basic.conftest import PodStorage
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level

MIB = 1024 * 1024


def fake_tar(pod: PodStorage, script: str) -> None:
    """Put a program ``tar`` into the pod that does something else than its job."""
    folder = pod.server.folder / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "tar"
    program.write_text(f"#!{sys.executable} -IS\nimport os, sys\n{script}\n")
    program.chmod(0o755)
    pod.server.path = f"{folder}:{os.environ['PATH']}"


def real_tar() -> str:
    found = shutil.which("tar")
    assert found
    return found


def refused(pod: PodStorage, words: str, **parameters: str) -> str:
    """A backup fails with these words, and nothing of it is left."""
    with pytest.raises((PluginFailed, ConfigInvalid), match=words) as error:
        pod.backup(**parameters)
    assert pod.kept() == []
    return str(error.value)


def test_a_connection_that_breaks_is_no_backup(pod: PodStorage) -> None:
    (pod.source / "big").write_bytes(os.urandom(8 * MIB))
    pod.server.break_after = 3 * MIB
    refused(pod, "broke before the command had ended")


def test_an_end_that_nobody_vouches_for_is_no_backup(pod: PodStorage) -> None:
    (pod.source / "file").write_text("x")
    pod.server.silent_end = True
    with pytest.raises(PluginFailed, match="broke before the command had ended"):
        pod.backup()
    assert pod.kept() == []


def test_a_tar_that_fails_is_no_backup_even_when_its_stream_is_whole(pod: PodStorage) -> None:
    (pod.source / "file").write_text("x")
    missing = pod.source.parent / "missing"
    words = refused(
        pod, "failed, command terminated with exit code 2", BackupSrcPaths=f"{pod.source},{missing}"
    )
    assert "exit" in words
    assert any("missing" in line for line in pod.last.lines(Level.WARN))


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        ("data[:-11000]", "no whole tar archive"),  # within the last file
        ("data[:512]", "no whole tar archive: .*"),
        ("data[:5 * 512]", "no whole tar archive"),
        ("data[:1536] + b'x' * 512 + data[2048:]", "no whole tar archive"),  # a header that is none
        ("b''", "no whole tar archive"),
    ],
)
def test_a_stream_that_is_not_whole_is_no_backup_even_when_tar_says_that_all_went_well(
    pod: PodStorage, cut: str, words: str
) -> None:
    (pod.source / "a").write_bytes(b"1" * 400)
    (pod.source / "b").write_bytes(b"2" * 400)
    (pod.source / "c").write_bytes(b"3" * 9000)
    fake_tar(
        pod,
        f"import subprocess\nif '--version' in sys.argv: print('tar (busybox)'); sys.exit()\n"
        f"data = subprocess.run([{real_tar()!r}, '--sort=name', *sys.argv[1:]], capture_output=True).stdout\n"
        f"os.write(1, {cut})",
    )
    refused(pod, words)


HOSTILE = """
import io, tarfile
if '--version' in sys.argv: print('tar (busybox)'); sys.exit()
source = sys.argv[-1]
tar = tarfile.open(fileobj=sys.stdout.buffer, mode='w|')
def add(name, kind=tarfile.REGTYPE, link=''):
    info = tarfile.TarInfo(name); info.type = kind; info.linkname = link; tar.addfile(info)
add(source, tarfile.DIRTYPE)
"""


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("add('etc/passwd')", "etc/passwd, which lies in none of the paths"),
        ("add(source + '/../x')", "lies in none of the paths"),
        ("add('/' + source + '-other/x')", "lies in none of the paths"),
        ("add(source + '/hard', tarfile.LNKTYPE, 'etc/shadow')", "etc/shadow, which lies in none"),
        ("add(source + '/odd', b'Z')", "of tar's type b'Z', which is not known here"),
    ],
)
def test_a_pod_that_answers_with_what_was_not_asked_for_is_refused(
    pod: PodStorage, member: str, words: str
) -> None:
    fake_tar(pod, f"{HOSTILE}{member}\ntar.close()")
    refused(pod, words)


def test_a_source_of_which_nothing_came_is_told(pod: PodStorage) -> None:
    other = pod.source.parent / "other"
    fake_tar(pod, f"{HOSTILE}add(source + '/file')\ntar.close()")
    refused(pod, f"Nothing came out of the pod for {pod.source}", BackupSrcPaths=f"{pod.source},{other}")


def test_a_source_that_is_only_a_link_is_refused(pod: PodStorage) -> None:
    link = pod.source.parent / "link"
    link.symlink_to(pod.source)
    refused(pod, "is a symbolic link to .* give the real path", BackupSrcPaths=str(link))


def test_a_container_without_tar_is_told_plainly(pod: PodStorage) -> None:
    pod.server.path = str(pod.server.folder)
    refused(pod, r"There is no program tar in namespace \[shop\] on pod \[db-0\] container \[main\]")


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ("/", "'/' has /proc and /sys in it"),
        ("/a,/a/b", "'/a/b' lies in '/a'"),
        ("a/b", "is not an absolute path"),
        ("", "is empty"),
    ],
)
def test_wrong_paths_are_refused_before_the_cluster_is_asked(pod: PodStorage, paths: str, words: str) -> None:
    refused(pod, words, BackupSrcPaths=paths)
    assert pod.server.execs == []


def test_a_cancel_leaves_nothing(pod: PodStorage) -> None:
    fake_tar(pod, "import time\nif '--version' in sys.argv: print('GNU tar'); sys.exit()\ntime.sleep(60)")
    call = pod.call()
    call.on_line = lambda text: threading.Timer(0.2, call.cancel).start() if "Executing" in text else None
    with pytest.raises(Cancelled):
        pod.storage.backup(call.context)
    assert pod.kept() == []


def test_a_restore_that_breaks_says_how_far_it_was_and_can_be_run_again(pod: PodStorage) -> None:
    for number in range(20):
        (pod.source / f"file-{number}").write_bytes(os.urandom(MIB))
    before = {path.name: path.read_bytes() for path in pod.source.iterdir()}
    backup = pod.backup().backup
    shutil.rmtree(pod.source)
    pod.server.break_input = 5 * MIB
    with pytest.raises(PluginFailed, match="broke before the command had ended"):
        pod.restore(backup)
    assert any("run the restore again" in line for line in pod.last.lines(Level.WARN))
    pod.server.break_input = None
    pod.restore(backup)
    assert {path.name: path.read_bytes() for path in pod.source.iterdir()} == before


@pytest.mark.parametrize("early", [True, False])
def test_a_restore_whose_tar_fails_is_no_success(pod: PodStorage, early: bool) -> None:
    (pod.source / "file").write_bytes(os.urandom(4 * MIB))
    backup = pod.backup().backup
    reading = "" if early else "while os.read(0, 65536): pass\n"
    fake_tar(
        pod,
        f"if '--version' in sys.argv: print('GNU tar'); sys.exit()\n{reading}"
        "sys.stderr.write('tar: No space left on device'); sys.exit(2)",
    )
    with pytest.raises(PluginFailed, match="exit code 2: tar: No space left on device"):
        pod.restore(backup)


def test_a_damaged_backup_never_reaches_the_pod(pod: PodStorage) -> None:
    (pod.source / "file").write_bytes(os.urandom(MIB))
    backup = pod.backup().backup
    archive = pod.folder / backup.name / f"{backup.name}.tar.zst"
    damaged = bytearray(archive.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    archive.write_bytes(damaged)
    (pod.source / "file").write_text("now")
    with pytest.raises(PluginFailed, match="failed its verification"):
        pod.restore(backup)
    assert (pod.source / "file").read_text() == "now"


@pytest.mark.parametrize("target", ["relative", "/a/../b"])
def test_a_target_that_is_no_path_is_refused(pod: PodStorage, target: str) -> None:
    (pod.source / "file").write_text("x")
    backup = pod.backup().backup
    with pytest.raises(ConfigInvalid, match="target"):
        pod.restore(backup, target=target)


def test_a_target_that_cannot_be_made_is_told(pod: PodStorage, tmp_path: Path) -> None:
    (pod.source / "file").write_text("x")
    backup = pod.backup().backup
    (tmp_path / "pod" / "plain").write_text("a file")
    with pytest.raises(PluginFailed, match="Cannot make the folder"):
        pod.restore(backup, target=f"{tmp_path}/pod/plain/below")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (lambda source: [f"{source}/not-there"], "has no .*not-there"),
        (lambda source: [f"{source}/second"], "is the same file as .*first, which is not chosen"),
    ],
)
def test_a_choice_that_cannot_be_restored_is_refused(
    pod: PodStorage, files: Callable[[Path], list[str]], words: str
) -> None:
    (pod.source / "first").write_text("x")
    backup = pod.backup().backup
    os.link(pod.source / "first", pod.source / "second")
    fake_tar(
        pod,
        f"if '--version' in sys.argv: print('GNU tar'); sys.exit()\n"
        f"os.execv({real_tar()!r}, ['tar', '--sort=name', *sys.argv[1:]])",
    )
    backup = pod.backup(8).backup
    (pod.source / "first").write_text("now")
    with pytest.raises(PluginFailed, match=words):
        pod.restore(backup, files=files(pod.source))
    assert (pod.source / "first").read_text() == "now"


def test_the_archive_is_for_its_owner_alone(pod: PodStorage) -> None:
    (pod.source / "file").write_text("x")
    name = pod.backup().backup.name
    for path in (pod.folder / name).iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("raw(tarfile.XHDTYPE, 10 << 20, b'30 comment=' + b'x' * (10 << 20))", "longer than any file's"),
        ("raw(tarfile.GNUTYPE_LONGNAME, 10 << 20, b'x' * (10 << 20))", "longer than any file's"),
        ("raw(tarfile.XGLTYPE, 11, b'11 a=bcdef\\n')", "a header for all of its members"),
        ("raw(tarfile.REGTYPE, -512)", "a size below zero"),
        ("[raw(tarfile.GNUTYPE_LONGNAME, 1, b'x') for _ in range(2000)]", "recursion"),
    ],
)
def test_a_tar_that_wants_the_workers_memory_is_no_backup(pod: PodStorage, member: str, words: str) -> None:
    raw = """
def raw(kind, size, content=b''):
    info = tarfile.TarInfo(source + '/x'); info.type = kind; info.size = size
    header = info.tobuf(tarfile.GNU_FORMAT)
    sys.stdout.buffer.write(header + content + bytes(-len(content) % 512))
"""
    fake_tar(pod, f"{HOSTILE}{raw}{member}\ntar.close()")
    refused(pod, words)


def test_a_pod_that_lists_without_an_end_makes_the_dry_run_know_less(pod: PodStorage) -> None:
    (pod.source / "file").write_text("x")
    backup = pod.backup().backup
    folder = pod.server.folder / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "find").write_text(
        f"#!{sys.executable} -IS\nimport os\nwhile True: os.write(1, b'x' * 65536)\n"
    )
    (folder / "find").chmod(0o755)
    pod.server.path = f"{folder}:{os.environ['PATH']}"
    assert pod.restore(backup, dry_run=True).code == 0
    assert any("cannot be listed there" in line for line in pod.last.lines(Level.WARN))


def test_a_tar_that_talks_and_does_not_read_ends_the_restore(pod: PodStorage) -> None:
    (pod.source / "big").write_bytes(os.urandom(8 * MIB))
    backup = pod.backup().backup
    fake_tar(
        pod,
        "if '--version' in sys.argv: print('tar (busybox)'); sys.exit()\n"
        "for _ in range(2000): os.write(1, b'x' * 65536)",
    )
    with pytest.raises(PluginFailed, match="it goes on talking and does not listen"):
        pod.restore(backup)
