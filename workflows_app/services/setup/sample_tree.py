"""A folder of sample files: what people keep, in small. The same bytes, names and times on every machine."""

import os
import shutil
from pathlib import Path
from random import Random

SEED = 20_240_229
# Of the newest file; the others are older. Unix seconds.
NEWEST = 1_767_225_600
DAY = 86_400

LETTERS, PICTURES, LEDGERS = 300, 80, 12

_TEXT = (
    "the harbour keeps a ledger of every crate rope barrel lantern and sail that comes ashore before dawn "
    "clerks count what the tide has left and write it twice because paper burns and memory drifts "
    "a copy goes to the tower on the hill where salt and fire have never been and once a year someone "
    "climbs up opens the chest and reads aloud to see that it can still be read"
)
_WORDS = _TEXT.split()
_PLACES = ("Hafen", "Zürich", "São Paulo", "Århus", "Old Town", "Leith")
_CORPUS_BYTES = 256 * 1024


def grow(folder: Path) -> None:
    """Make ``folder`` with some 400 files of 50 MB in all, unless it exists. Raises OSError.

    Text that compresses well and pictures that do not, nested and empty folders, links to a file and to a
    folder, names with spaces and umlauts, and several permissions. It appears under its name when complete.
    """
    if folder.exists():
        return
    draft = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    # Sample data needs to be the same everywhere, not to be unpredictable.
    random = Random(SEED)  # noqa: S311
    _letters(draft / "letters", random)
    _pictures(draft / "Bilder und Töne", random)
    _ledgers(draft / "ledgers", random)
    _oddities(draft)
    _age_folders(draft)
    draft.rename(folder)


def _letters(folder: Path, random: Random) -> None:
    corpus = _corpus(random)
    for number in range(LETTERS):
        place = random.choice(_PLACES)
        path = folder / str(2021 + number % 5) / place / f"{number:03} to {random.choice(_WORDS)}.txt"
        start = random.randrange(_CORPUS_BYTES // 2)
        _write(path, corpus[start : start + random.randrange(1_000, 60_000)], random)


def _pictures(folder: Path, random: Random) -> None:
    for number in range(PICTURES):
        path = folder / random.choice(_PLACES) / f"Überfahrt {number:02}.jpeg"
        _write(path, random.randbytes(random.randrange(200_000, 600_000)), random)


def _ledgers(folder: Path, random: Random) -> None:
    for month in range(1, LEDGERS + 1):
        name = f"2025-{month:02}"
        lines = (
            f"{name}-{random.randrange(1, 29):02};{random.choice(_WORDS)};{random.randrange(10_000)}\n"
            for _ in range(20_000)
        )
        _write(folder / f"{name}.csv", "".join(lines).encode(), random, mode=0o600)


def _oddities(folder: Path) -> None:
    (folder / "outbox" / "nothing yet").mkdir(parents=True)
    links = {"latest ledger.csv": f"ledgers/2025-{LEDGERS:02}.csv", "this year": "letters/2025"}
    for name, target in links.items():
        (folder / name).symlink_to(target)
        os.utime(folder / name, (NEWEST, NEWEST), follow_symlinks=False)
    program = folder / "count crates"
    program.write_text("#!/bin/sh\nexec wc -l ledgers/*.csv\n")
    program.chmod(0o755)
    os.utime(program, (NEWEST, NEWEST))


def _write(path: Path, content: bytes, random: Random, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode if random.random() < 0.8 else 0o640)
    time = NEWEST - random.randrange(900 * DAY)
    os.utime(path, (time, time))


def _age_folders(root: Path) -> None:
    """Give folders their times last, from the bottom up: what is written in them changes them."""
    for folder, _, _ in os.walk(root, topdown=False):
        os.utime(folder, (NEWEST, NEWEST))


def _corpus(random: Random) -> bytes:
    text: list[str] = []
    size = 0
    while size < _CORPUS_BYTES:
        sentence = " ".join(random.choices(_WORDS, k=random.randrange(5, 18))).capitalize() + ".\n"
        text.append(sentence)
        size += len(sentence)
    return "".join(text).encode()
