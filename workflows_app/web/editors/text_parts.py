"""The TOML of the editor as its page shows it: a part for each file, with what is to be said about it."""

from collections.abc import Collection
from dataclasses import dataclass

from workflows_app.domain.config_files.configuration import Family
from workflows_app.domain.config_files.display import MAIN, NO_PARAMETERS, title_of
from workflows_app.domain.editing.config_problems import parameter_setting
from workflows_app.domain.editing.edited_texts import TextRemark, without_typed_secrets
from workflows_app.web.editors.sides import PARTS, PREFIX, Sides


@dataclass(frozen=True, slots=True)
class TextPart:
    """One text: its name in what is sent, a title, the text, and what is wrong or remarkable in it.

    ``kept`` are the names in its lines that hold a secret which the page itself must not lose: it is not sent
    back. ``shown`` is off for a plugin that is not named, ``fresh`` on where the page is to show it anew.
    """

    id: str
    name: str
    title: str
    text: str
    kept: tuple[str, ...]
    shown: bool
    fresh: bool
    errors: tuple[TextRemark, ...]
    remarks: tuple[TextRemark, ...]

    @property
    def rows(self) -> int:
        """How many lines to show at first."""
        return min(max(self.text.count("\n") + 2, 3), 24)


def text_parts(
    sides: Sides, sent: Collection[str], declared: Collection[str], *, whole: bool
) -> tuple[TextPart, ...]:
    """Answer the parts of a page; ``sent`` are the names of all that a browser sent.

    A ``whole`` page has no secret that was typed into the last one: it asks for each again.
    """
    parts = []
    for part in PARTS:
        named = part == MAIN or bool(Family(part).plugin(sides.made.config))
        text = sides.texts.get(part, "")
        shown = named or bool(text.strip() and not sides.rewritten)
        kept = _kept(part, sides.typed)
        if named and not text and part != MAIN:
            text = NO_PARAMETERS
        parts.append(
            TextPart(
                id=f"toml-{part}",
                name=f"{PREFIX}{part}",
                title=title_of(part, sides.made).strip(),
                text=without_typed_secrets(text, declared, kept) if whole else text,
                kept=kept,
                shown=shown,
                fresh=sides.rewritten or shown != (f"{PREFIX}{part}" in sent),
                errors=tuple(remark for remark in sides.problems if remark.part == part),
                remarks=tuple(remark for remark in sides.remarks if remark.part == part),
            )
        )
    return tuple(parts)


def _kept(part: str, typed: Collection[str]) -> tuple[str, ...]:
    if part == MAIN:
        return tuple(sorted(setting for setting in typed if "." not in setting))
    prefix = parameter_setting(Family(part), "")
    return tuple(sorted(s.removeprefix(prefix) for s in typed if s.startswith(prefix)))
