"""The words of all messages of all runs: an index that the database keeps up as lines are written.

A word is a row of letters and digits; capital and small letters are the same. SQLite has the index in a
table of its own (FTS5), PostgreSQL in the index of an expression (migration 0004).
"""

import re
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet, Value
from django.db.models.expressions import RawSQL

from workflows_app.domain.messages import storable
from workflows_app.models import RunMessage

TEXT_CHARS = 200

_PART = re.compile(r'"([^"]*)"?|([^\s"]+)')
_WORD = re.compile(r"[^\W_]+")
# To the letter as in the index, or PostgreSQL does not use it.
_VECTOR = (
    "to_tsvector('simple', regexp_replace(left(workflows_app_runmessage.text, 20000), "
    r"'[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', ' ', 'g'))"
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other; ``open`` when the last one may go on (``back`` finds ``backup``)."""

    words: tuple[str, ...]
    open: bool


def parse_words(text: str) -> tuple[Phrase, ...]:
    """Answer what ``text`` looks for: beginnings of words, and between quotes whole words in their order.

    What has no word in it looks for nothing.
    """
    found = []
    for quoted, plain in _PART.findall(storable(text)[:TEXT_CHARS].lower()):
        words = tuple(_WORD.findall(quoted or plain))
        if words:
            found.append(Phrase(words, open=bool(plain)))
    return tuple(found)


def messages_with(phrases: tuple[Phrase, ...]) -> QuerySet[RunMessage]:
    """Answer the messages that have all of ``phrases``, in no order."""
    if connection.vendor == "sqlite":
        hits = RawSQL(
            "SELECT rowid FROM message_words WHERE message_words MATCH %s",
            [" AND ".join(map(_fts5, phrases))],
        )
        return RunMessage.objects.filter(pk__in=hits)
    fits = RawSQL(  # noqa: S611 - the words are a parameter
        f"({_VECTOR} @@ to_tsquery('simple', %s))", [" & ".join(map(_tsquery, phrases))]
    )
    return RunMessage.objects.annotate(fits=fits).filter(fits=Value(True))


def _fts5(phrase: Phrase) -> str:
    words = " ".join(phrase.words)
    return f'"{words}"{"*" if phrase.open else ""}'


def _tsquery(phrase: Phrase) -> str:
    return f"({' <-> '.join(phrase.words)}{':*' if phrase.open else ''})"
