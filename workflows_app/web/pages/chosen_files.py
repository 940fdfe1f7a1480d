"""Files of a restore point that somebody ticks, page by page: what is chosen travels in the form itself."""

from dataclasses import dataclass

from django.http import QueryDict

from workflows_app.domain.runs.restores import chosen_files, text_of

SHOWN = 100

# Neither stands in a key, which is percent-encoded.
_SEPARATOR = " "


@dataclass(frozen=True, slots=True)
class ChosenFile:
    """A chosen file or folder: its key, and its path as text."""

    key: str
    path: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The keys of what is chosen, and how a page shows and carries them."""

    keys: tuple[str, ...]

    @property
    def text(self) -> str:
        """All keys in one text."""
        return _SEPARATOR.join(self.keys)

    @property
    def named(self) -> tuple[ChosenFile, ...]:
        """The first ones, as a page shows them."""
        return tuple(ChosenFile(key, text_of(key)) for key in self.keys[:SHOWN])

    @property
    def more(self) -> int:
        """How many are not among them."""
        return max(0, len(self.keys) - SHOWN)


def carried(post: QueryDict) -> Chosen:
    """Answer what a form carries, as it was before this page."""
    return Chosen(tuple(dict.fromkeys(post.get("chosen", "").split())))


def read_chosen(post: QueryDict) -> Chosen:
    """Answer what is chosen after a page of files was sent: what it carries, and its ticks.

    A file that the page showed (``shown``) and that is not ticked is not chosen any more, nor is one that
    is to be left out (``drop``). Raises ConfigInvalid as ``chosen_files``.
    """
    if "none" in post:
        return Chosen(())
    ticked = post.getlist("tick")
    gone = {*post.get("shown", "").split()}.difference(ticked) | {*post.getlist("drop")}
    return Chosen(chosen_files(key for key in (*carried(post).keys, *ticked) if key not in gone))
