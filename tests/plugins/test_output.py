from hypothesis import given
from hypothesis import strategies as st

from workflows_app.plugins.output import LINE_LIMIT, OutputLines

_bytes = st.lists(st.sampled_from([b"\n", b"\r", b"\0", b"a", b"\xff", "é".encode(), "𝄞".encode()])).map(
    b"".join
)


def lines_of(*chunks: bytes, limit: int = LINE_LIMIT) -> list[str]:
    lines = OutputLines(limit)
    return [line for chunk in chunks for line in lines.feed(chunk)] + list(lines.finish())


def test_lines_end_at_newlines_only() -> None:
    assert lines_of(b"one\ntwo\x0b\x0c\xe2\x80\xa8three\n") == ["one", "two\x0b\x0c\u2028three"]


def test_a_carriage_return_is_dropped_at_the_end_and_kept_inside() -> None:
    assert lines_of(b"10%\r20%\r\nlast\r") == ["10%\r20%", "last"]


def test_the_last_line_needs_no_newline() -> None:
    assert lines_of(b"one\n\nthree") == ["one", "", "three"]


def test_what_is_not_text_becomes_a_replacement_character() -> None:
    assert lines_of(b"a\0b\xffc\xc3\n") == ["a\ufffdb\ufffdc\ufffd"]


def test_a_character_may_arrive_in_two_chunks() -> None:
    assert lines_of(b"caf\xc3", b"\xa9\n") == ["café"]


def test_a_long_line_is_cut_between_characters_before_it_ends() -> None:
    lines = OutputLines(limit=8)
    assert list(lines.feed("aaaaaaa𝄞".encode())) == ["aaaaaaa"]
    assert list(lines.feed(b"b\n")) == ["𝄞b"]


def test_a_line_of_exactly_the_limit_is_not_cut() -> None:
    assert lines_of(b"12345678\n", limit=8) == ["12345678"]


def test_continuation_bytes_without_a_character_are_cut_all_the_same() -> None:
    assert [len(line) for line in lines_of(b"\x80" * 20, limit=8)] == [5, 5, 5, 5]


@given(st.lists(_bytes))
def test_chunks_make_no_difference(chunks: list[bytes]) -> None:
    assert lines_of(*chunks) == lines_of(b"".join(chunks))


@given(_bytes, st.integers(4, 12))
def test_cutting_loses_nothing_and_keeps_to_the_limit(output: bytes, limit: int) -> None:
    output = output.replace(b"\r", b"").replace(b"\xff", b"")
    lines = lines_of(output, limit=limit)
    assert all(len(line.replace("\ufffd", "\0").encode()) <= limit for line in lines)
    assert "".join(lines) == output.replace(b"\n", b"").replace(b"\0", "\ufffd".encode()).decode()
