"""The filter of the list of runs as the address has it."""

from datetime import date
from urllib.parse import urlencode

from django.http import QueryDict

from workflows_app.domain.states import RunState
from workflows_app.services.logs.message_words import TEXT_CHARS
from workflows_app.services.runs.run_search import RunOrder, RunQuery

TYPES = ("backup", "restore")

SORTS = {
    "": ("newest first", RunOrder.STARTED, False),
    "oldest": ("oldest first", RunOrder.STARTED, True),
    "longest": ("longest first", RunOrder.DURATION, False),
    "shortest": ("shortest first", RunOrder.DURATION, True),
    "largest": ("largest first", RunOrder.SIZE, False),
    "smallest": ("smallest first", RunOrder.SIZE, True),
}
"""The orders by their word in the address: what the page calls each."""


def asked_runs(asked: QueryDict) -> tuple[RunQuery, tuple[str, ...]]:
    """Answer what an address asks for, and in words what of it makes no sense and was left out."""
    problems: list[str] = []

    def day(name: str) -> date | None:
        value = asked.get(name, "")
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            problems.append(f"{name}: a day is wanted, like 2026-11-24.")
            return None

    def one_of(name: str, known: object) -> str:
        value = asked.get(name, "")
        if value and value not in known:  # type: ignore[operator]
            problems.append(f"{name}: there is no such choice.")
            return ""
        return value

    _, order, ascending = SORTS[one_of("sort", SORTS)]
    state = one_of("state", [state.value for state in RunState])
    query = RunQuery(
        profile=asked.get("profile", ""),
        config=asked.get("config", ""),
        policy=asked.get("policy", ""),
        type=one_of("type", TYPES),
        state=RunState(state) if state else None,
        first=day("from"),
        last=day("to"),
        text=asked.get("q", "").strip()[:TEXT_CHARS],
        order=order,
        ascending=ascending,
    )
    return query, tuple(problems)


def sort_word(query: RunQuery) -> str:
    """Answer the word of the address for the query's order."""
    return next(word for word, (_, *order) in SORTS.items() if order == [query.order, query.ascending])


def query_string(query: RunQuery, page: int = 1) -> str:
    """Answer the address's part for a page of the list; ``""`` for the first page without a filter."""
    given = {
        "q": query.text,
        "profile": query.profile,
        "config": query.config,
        "policy": query.policy,
        "type": query.type,
        "state": query.state.value if query.state else "",
        "from": query.first.isoformat() if query.first else "",
        "to": query.last.isoformat() if query.last else "",
        "sort": sort_word(query),
        "page": str(page) if page > 1 else "",
    }
    asked = {name: value for name, value in given.items() if value}
    return f"?{urlencode(asked)}" if asked else ""
