"""Which parts of a page are sent anew: rows that changed, whole sections when rows come and go, no clocks."""

from workflows_app.web.live.page_parts import Shown, frames, section


def table(*rows: tuple[str, str], head: str = "2", ago: str = "3 s ago") -> str:
    body = "".join(
        f'<tr id="now-{n}"><td>{text}</td><td><time datetime="x" data-time="ago">{ago}</time>'
        f'<span class="clock" data-since="y">{ago}</span></td></tr>\n'
        for n, text in rows
    )
    return f'<section id="now"><h2>{head}</h2><table>{body}</table></section>'


def test_only_rows_that_changed_are_sent_in_one_frame() -> None:
    shown: Shown = {}
    first = table(("1", "copying"), ("2", "waiting"))
    assert frames(section("now", first), shown) == [first]
    assert frames(section("now", first), shown) == []
    (frame,) = frames(section("now", table(("1", "archiving"), ("2", "waiting"))), shown)
    assert frame.count("<tr") == 1
    assert 'id="now-1"' in frame
    assert "archiving" in frame


def test_time_that_goes_by_is_no_change() -> None:
    shown: Shown = {}
    frames(section("now", table(("1", "copying"))), shown)
    assert frames(section("now", table(("1", "copying"), ago="4 s ago")), shown) == []


def test_rows_that_come_go_or_move_and_what_is_around_them_bring_the_whole_section() -> None:
    shown: Shown = {}
    frames(section("now", table(("1", "a"), ("2", "b"))), shown)
    for html in (
        table(("1", "a")),
        table(("2", "b"), ("1", "a")),
        table(("2", "b"), ("1", "a"), head="9"),
    ):
        assert frames(section("now", html), shown) == [html]
        assert frames(section("now", html), shown) == []
