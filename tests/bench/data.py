"""Backup and restore of the plugin ``filesystem`` against tar with zstd, restic and borg."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.programs import Used, run
from tests.bench.table import BYTES, SECONDS, Row, say, show, show_head
from tests.bench.timing import scale
from tests.bench.trees import MiB, grow_large, grow_small

ROUNDS = scale("DATA_ROUNDS", 3)
FILES = scale("FILES", 2000)
LARGE_MIB = scale("LARGE_MIB", 192)
PASSWORD = "bench"
AIM = 1.05


@dataclass(frozen=True)
class Way:
    """One way to back a tree up: how, how again when nothing has changed, and how to restore it."""

    name: str
    backup: Callable[[Path, Path], Used]
    again: Callable[[Path, Path], Used] | None
    restore: Callable[[Path, Path], Used]


def _ours(*arguments: str | Path) -> Used:
    used = run([sys.executable, "-m", "tests.bench.storage", *arguments])
    return Used(float(used.said), used.peak, "")


def _restic(store: Path, *arguments: str | Path, cwd: Path | None = None) -> Used:
    argv = ["restic", "--quiet", "--no-cache", "--repo", store, *arguments]
    return run(argv, cwd, RESTIC_PASSWORD=PASSWORD)


def _borg(cwd: Path, *arguments: str | Path) -> Used:
    return run(["borg", *arguments], cwd, BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes")


def ways() -> list[Way]:
    """Ours, tar, and those of the others that are installed."""
    found = [
        Way(
            "filesystem",
            lambda tree, store: _ours("backup", tree, store, "7"),
            lambda tree, store: _ours("backup", tree, store, "8"),
            lambda store, target: _ours("restore", store, target, "7"),
        ),
        Way(
            "filesystem, tree",
            lambda tree, store: _ours("backup", tree, store, "7", "tree"),
            lambda tree, store: _ours("backup", tree, store, "8", "tree"),
            lambda store, target: _ours("restore", store, target, "7"),
        ),
        Way(
            "tar",
            lambda tree, store: run(["tar", "--zstd", "-cf", store / "tree.tar.zst", "-C", tree, "."]),
            None,
            lambda store, target: run(["tar", "--zstd", "-xf", store / "tree.tar.zst", "-C", target]),
        ),
        Way(
            "tar, compared",
            lambda tree, store: run(
                ["sh", "-c", 'tar --zstd -cf "$0" -C "$1" . && sync "$0" && tar --zstd -df "$0" -C "$1"',
                 store / "tree.tar.zst", tree]
            ),
            None,
            lambda store, target: run(["tar", "--zstd", "-xf", store / "tree.tar.zst", "-C", target]),
        ),
    ]  # fmt: skip
    if shutil.which("restic"):
        found.append(
            Way(
                "restic",
                lambda tree, store: _restic(store, "backup", ".", cwd=tree),
                lambda tree, store: _restic(store, "backup", ".", cwd=tree),
                lambda store, target: _restic(store, "restore", "latest", "--target", target),
            )
        )
    if shutil.which("borg"):
        found.append(
            Way(
                "borg",
                lambda tree, store: _borg(tree, "create", f"{store}::one", "."),
                lambda tree, store: _borg(tree, "create", f"{store}::two", "."),
                lambda store, target: _borg(target, "extract", f"{store}::one"),
            )
        )
    return found


@dataclass(frozen=True)
class Taken:
    """Medians of one way on one tree; ``again`` is None where it makes no difference."""

    backup: float
    again: float | None
    restore: float
    backup_peak: float
    restore_peak: float


def take(way: Way, tree: Path, folder: Path) -> tuple[Used, Used | None, Used]:
    """Back the tree up, again, and restore it, in ``folder``, which is created."""
    store, target = folder / "store", folder / "target"
    store.mkdir(parents=True)
    target.mkdir()
    if way.name == "restic":
        _restic(store, "init")
    elif way.name == "borg":
        _borg(tree, "init", "--encryption", "none", store)
    backup = way.backup(tree, store)
    again = way.again(tree, store) if way.again else None
    restore = way.restore(store, target)
    _check(tree, target)
    return backup, again, restore


def _check(tree: Path, target: Path) -> None:
    """Raise RuntimeError unless as many bytes were restored as there were."""
    sizes = [sum(path.stat().st_size for path in top.rglob("*") if path.is_file()) for top in (tree, target)]
    if sizes[0] != sizes[1]:
        raise RuntimeError(f"{sizes[1]} of {sizes[0]} bytes were restored")


def compare(tree: Path, folder: Path, found: list[Way], words: str, *, many: bool) -> None:
    """Print the rows of one tree, worked on in ``folder``.

    Where it has ``many`` files, nothing is removed before all was measured: to make files after as many were
    removed costs some filesystems seconds (ext4 without a journal), whoever makes them.
    """
    rounds: list[dict[str, tuple[Used, Used | None, Used]]] = []
    for number in range(ROUNDS):
        rounds.append({})
        for way in found:
            at = folder / str(number) / way.name
            rounds[-1][way.name] = take(way, tree, at)
            if not many:
                shutil.rmtree(at)
    taken = {}
    for way in found:
        backups, agains, restores = zip(*(one[way.name] for one in rounds), strict=True)
        taken[way.name] = Taken(
            median(used.seconds for used in backups),
            median(used.seconds for used in agains) if way.again else None,
            median(used.seconds for used in restores),
            median(used.peak for used in backups),
            median(used.peak for used in restores),
        )
    shutil.rmtree(folder)
    say(words)
    ours, tree_of_ours, tar = taken["filesystem"], taken["filesystem, tree"], taken["tar"]
    show(Row("backup, verified / tar --zstd", ours.backup, tar.backup, SECONDS, AIM))
    show(Row("  … / the same and tar --compare", ours.backup, taken["tar, compared"].backup, SECONDS))
    show(Row("restore, verified / tar --zstd", ours.restore, tar.restore, SECONDS, AIM))
    show(Row("peak memory of a backup / tar and zstd", ours.backup_peak, tar.backup_peak, BYTES))
    show(Row("peak memory of a restore / tar and zstd", ours.restore_peak, tar.restore_peak, BYTES))
    show(Row("first tree / tar --zstd", tree_of_ours.backup, tar.backup, SECONDS))
    show(Row("second, unchanged tree / the first", tree_of_ours.again or 0, tree_of_ours.backup, SECONDS))
    for name in ("restic", "borg"):
        if name in taken:
            other = taken[name]
            show(Row(f"backup / {name}", ours.backup, other.backup, SECONDS))
            show(
                Row(
                    f"second, unchanged backup (a tree) / {name}",
                    tree_of_ours.again or 0,
                    other.again,
                    SECONDS,
                )
            )
            show(Row(f"restore / {name}", ours.restore, other.restore, SECONDS))
            show(Row(f"peak memory of a backup / {name}", ours.backup_peak, other.backup_peak, BYTES))


def main() -> None:
    """Measure on four trees."""
    found = ways()
    show_head(f"data: the plugin filesystem; medians of {ROUNDS}")
    for name in ("restic", "borg"):
        if not shutil.which(name):
            say(f"{name} is not installed")
    with tempfile.TemporaryDirectory(prefix="fossul-bench-") as name:
        folder = Path(name)
        for compressible, kind in ((True, "text"), (False, "noise")):
            small, large = folder / f"small-{kind}", folder / f"large-{kind}"
            size = grow_small(small, FILES, compressible=compressible)
            words = f"{FILES} small files of {kind}, {size // MiB} MiB"
            compare(small, folder / "work", found, words, many=True)
            shutil.rmtree(small)
            size = grow_large(large, 3, LARGE_MIB, compressible=compressible)
            words = f"3 large files of {kind}, {size // MiB} MiB"
            compare(large, folder / "work", found, words, many=False)
            shutil.rmtree(large)


if __name__ == "__main__":
    main()
