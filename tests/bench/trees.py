"""Trees of files to back up: many small ones or few large ones, of text or of noise."""

import random
from pathlib import Path

KiB, MiB = 2**10, 2**20


def grow_small(top: Path, files: int, *, compressible: bool) -> int:
    """Make so many files of 1 to 15 KiB, a hundred to a folder; answer their bytes."""
    chance = random.Random(7)  # noqa: S311
    total = 0
    for number in range(files):
        folder = top / f"{number // 100:04}"
        if number % 100 == 0:
            folder.mkdir(parents=True)
        content = _content(chance, chance.randrange(KiB, 15 * KiB), compressible=compressible)
        (folder / f"{number:06}.dat").write_bytes(content)
        total += len(content)
    return total


def grow_large(top: Path, files: int, mebibytes: int, *, compressible: bool) -> int:
    """Make files that have so many MiB together; answer their bytes."""
    chance = random.Random(11)  # noqa: S311
    top.mkdir(parents=True)
    for number in range(files):
        with (top / f"{number}.dat").open("wb") as file:
            for _ in range(mebibytes // files):
                file.write(_content(chance, MiB, compressible=compressible))
    return mebibytes // files * files * MiB


def _content(chance: random.Random, size: int, *, compressible: bool) -> bytes:
    """Noise, or the same in hexadecimal digits: half as much when it is compressed, and nothing twice."""
    return chance.randbytes(size // 2).hex().encode() if compressible else chance.randbytes(size)
