"""Trees of files: a nasty one to back up, and a picture of one to compare with another."""

import hashlib
import os
import socket
import stat
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import zstandard
from hypothesis import strategies as st

OLD_NS = 981_173_106_123_456_789
MiB = 1024 * 1024

NAMES = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60).map(
        str.encode
    ),
    st.binary(min_size=1, max_size=120).map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_")),
).filter(lambda name: name not in (b".", b".."))
CONTENTS = st.binary(max_size=2000)
TREES = st.recursive(
    st.dictionaries(NAMES, CONTENTS, max_size=4),
    lambda trees: st.dictionaries(NAMES, st.one_of(CONTENTS, trees), max_size=4),
    max_leaves=8,
)


@dataclass(frozen=True)
class Picture:
    """All that must come back of one file; ``twin`` is the first name of the same file."""

    mode: int
    uid: int
    gid: int
    mtime_ns: int
    content: str
    device: int
    twin: str


def everything(root: Path) -> list[Path]:
    """All that is below ``root``. Before Python 3.11.4 ``rglob`` stumbles over a link to a name too long."""
    return [Path(top, name) for top, folders, files in os.walk(root) for name in (*folders, *files)]


def picture(root: Path) -> dict[str, Picture]:
    """What is below ``root``, by its path from there."""
    pictures: dict[str, Picture] = {}
    twins: dict[tuple[int, int], str] = {}
    for path in sorted([root, *everything(root)]):
        status = path.lstat()
        name = first = str(path.relative_to(root))
        if not stat.S_ISDIR(status.st_mode):
            first = twins.setdefault((status.st_dev, status.st_ino), name)
        pictures[name] = Picture(
            mode=status.st_mode,
            uid=status.st_uid,
            gid=status.st_gid,
            mtime_ns=status.st_mtime_ns,
            content=_content(path, status.st_mode),
            device=status.st_rdev,
            twin=first,
        )
    return pictures


def _content(path: Path, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return str(path.readlink())
    if stat.S_ISREG(mode):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return ""


def names_in(folder: Path) -> list[str]:
    """The names in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def odd(name: bytes) -> str:
    """A name that is not UTF-8, as Python spells it."""
    return os.fsdecode(name)


def make_nasty_tree(root: Path) -> None:
    """Fill ``root`` with all that an archive can get wrong, but for what it can not hold."""
    (root / "plain.txt").write_text("content")
    (root / "empty").write_bytes(b"")
    (root / "big").write_bytes(os.urandom(2 * MiB + 17))
    (root / "exactly").write_bytes(b"x" * 512)
    (root / "empty folder").mkdir()
    (root / "é ü 漢字 🗄").write_text("unicode")
    (root / "line\nbreak\t").write_text("controls")
    (root / " spaces ").write_text("spaces")
    (root / "back\\slash'\"quote").write_text("quotes")
    (root / odd(b"not-\xff\xfe-utf8")).write_text("bytes")
    (root / odd(b"mixed-\xc3\xa9-\xff")).mkdir()
    (root / odd(b"mixed-\xc3\xa9-\xff") / "inside").write_text("mixed")
    (root / ("long-" + "n" * 190)).write_text("long name")
    deep = root.joinpath(*(f"{level:02}-{'d' * 60}" for level in range(8)))
    deep.mkdir(parents=True)
    (deep / "bottom").write_text("deep")
    (root / "link").symlink_to("plain.txt")
    (root / "dangling").symlink_to("/nowhere/at/all")
    (root / "to-folder").symlink_to("empty folder")
    (root / "long-link").symlink_to("t" * 300)
    (root / "odd-link").symlink_to(odd(b"odd-\xff-target"))
    (root / "twin-a").write_text("one file, three names")
    (deep / "twin-b").hardlink_to(root / "twin-a")
    (root / "zz-twin").hardlink_to(root / "twin-a")
    _make_sparse_files(root)
    os.mkfifo(root / "fifo")
    for name, mode in (("setuid", 0o4755), ("setgid", 0o2711), ("private", 0o600)):
        (root / name).write_text(name)
        (root / name).chmod(mode)
    (root / "sticky").mkdir()
    (root / "sticky").chmod(0o1777)
    if os.geteuid() == 0:
        (root / "closed").write_text("closed")
        (root / "closed").chmod(0)
        os.mknod(root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(root / "disk", stat.S_IFBLK | 0o640, os.makedev(259, 70000))
        for name, owner in (("owned", 65534), ("by-a-stranger", 123456), ("by-a-large-number", 3_000_000)):
            (root / name).write_text(name)
            os.chown(root / name, owner, owner)
    os.utime(root / "link", ns=(OLD_NS, OLD_NS), follow_symlinks=False)
    os.utime(root / "plain.txt", ns=(OLD_NS, OLD_NS))
    os.utime(root / "empty", ns=(-1_500_000_000, -1_500_000_000))
    os.utime(root / "exactly", ns=(0, 0))
    os.utime(root / "empty folder", ns=(OLD_NS, OLD_NS))


def _make_sparse_files(root: Path) -> None:
    with (root / "hole-in-the-middle").open("wb") as file:
        file.write(b"start")
        file.seek(3 * MiB)
        file.write(b"end")
    with (root / "hole-at-the-end").open("wb") as file:
        file.write(b"start")
        file.truncate(2 * MiB + 5)
    with (root / "only-a-hole").open("wb") as file:
        file.truncate(MiB)
    with (root / ("hole-" + "ö" * 60)).open("wb") as file:
        for part in range(100):
            file.seek(part * 64 * 1024)
            file.write(os.urandom(100))
    with (root / odd(b"hole-\xff")).open("wb") as file:
        file.truncate(MiB)


def add_socket(path: Path) -> None:
    """Put a socket at ``path``, however long that is."""
    here = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"/proc/self/fd/{here}/{path.name}")
    finally:
        os.close(here)


def unpack_with_tar(archive: Path, target: Path) -> None:
    """Unpack with GNU tar."""
    target.mkdir()
    subprocess.run(
        ["tar", "--zstd", "--numeric-owner", "-xpf", archive, "-C", target],
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )


def unpack_with_python(archive: Path, target: Path) -> None:
    """Unpack with Python's tarfile."""
    plain = target.with_name(f"{target.name}.tar")
    with archive.open("rb") as packed, plain.open("wb") as unpacked:
        zstandard.ZstdDecompressor().copy_stream(packed, unpacked)
    with tarfile.open(plain, encoding="utf-8", errors="surrogateescape") as tar:
        if hasattr(tarfile, "fully_trusted_filter"):  # from Python 3.11.4 on
            tar.extraction_filter = tarfile.fully_trusted_filter
        tar.extractall(target, numeric_owner=True)  # noqa: S202 - it is our own
    plain.unlink()


def plant(root: Path, tree: dict[bytes, object]) -> None:
    """Make the files and folders of an example of ``TREES`` in ``root``."""
    for name, content in tree.items():
        path = root / odd(name)
        if isinstance(content, dict):
            path.mkdir()
            plant(path, content)
        else:
            assert isinstance(content, bytes)
            path.write_bytes(content)
