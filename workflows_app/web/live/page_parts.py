"""Pages in parts that are sent anew when they change: sections, and the rows of their tables."""

import re
from dataclasses import dataclass
from hashlib import blake2s

# Our own templates: rows have an id and hold no tables.
_ROW = re.compile(r'<tr id="([^"]+)".*?</tr>', re.DOTALL)
# What changes as time goes by, which the page itself keeps right.
_PASSING = re.compile(r'(<time\b[^>]*>|<span class="clock"[^>]*>)[^<]*')


@dataclass(frozen=True, slots=True)
class Part:
    """An element of a page by its id; ``mark`` is the same as long as it says the same."""

    id: str
    html: str
    mark: str


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a page: ``whole`` with its rows in their order, and each of ``rows``."""

    whole: Part
    rows: tuple[Part, ...]


Shown = dict[str, str]
"""What a page shows: the marks of its parts by their id."""


def section(name: str, html: str) -> Section:
    """Answer the section ``html`` whose element has the id ``name``."""
    rows = tuple(Part(row[1], row[0], _mark(row[0])) for row in _ROW.finditer(html))
    return Section(Part(name, html, _mark(_ROW.sub(r"\1", html))), rows)


def frames(now: Section, shown: Shown) -> list[str]:
    """Answer what brings a page up to date, and note it in ``shown``.

    That are the rows that changed, in one frame; the whole section when anything else of it did.
    """
    changed = [row for row in now.rows if shown.get(row.id) != row.mark]
    shown.update((row.id, row.mark) for row in changed)
    if shown.get(now.whole.id) != now.whole.mark:
        shown[now.whole.id] = now.whole.mark
        return [now.whole.html]
    return ["".join(row.html for row in changed)] if changed else []


def _mark(html: str) -> str:
    return blake2s(_PASSING.sub(r"\1", html).encode(), digest_size=8).hexdigest()
