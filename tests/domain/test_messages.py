import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.domain.messages import MessageBound, storable
from workflows_app.domain.results import Level, Message, Result

texts = st.lists(st.text(max_size=40), max_size=60)
sizes = st.tuples(st.integers(0, 8), st.integers(1, 12), st.integers(4, 24), st.integers(48, 200))


def messages_of(lines: list[str]) -> list[Message]:
    return [Message(time=1000 + n, level=Level.INFO, message=line) for n, line in enumerate(lines)]


def bound(messages: list[Message], *sizes: int, **named: int) -> tuple[Message, ...]:
    kept = MessageBound(*sizes, **named)
    for message in messages:
        kept.add(message)
    return kept.messages()


def is_notice(message: Message) -> bool:
    return message.level == Level.WARN


def size(message: Message) -> int:
    return len(message.message.encode())


def test_what_fits_is_kept_as_it_is() -> None:
    messages = messages_of([f"line {n}" for n in range(1000)])
    assert bound(messages) == tuple(messages)


def test_the_middle_is_left_out_and_counted() -> None:
    messages = messages_of([f"line {n}" for n in range(5000)])
    kept = bound(messages)
    assert kept[:200] == tuple(messages[:200])
    assert kept[201:] == tuple(messages[-800:])
    assert kept[200] == Message(
        time=messages[-801].time,
        level=Level.WARN,
        message="… 4000 lines are left out here; the run's log has them all",
    )


def test_one_line_left_out_is_one_line() -> None:
    kept = bound(messages_of(["a", "b", "c"]), head=1, tail=1)
    assert [message.message for message in kept] == [
        "a", "… 1 line is left out here; the run's log has it", "c",
    ]  # fmt: skip


def test_long_lines_leave_room_for_the_last_ones() -> None:
    messages = messages_of(["x" * 5000] * 999 + ["the reason"])
    kept = bound(messages)
    assert kept[-1] == messages[-1]
    assert sum(map(size, kept)) <= 256 * 1024 + 100
    assert sum(map(is_notice, kept)) == 1


def test_a_long_line_is_cut_between_characters() -> None:
    assert bound(messages_of(["aé" * 4]), line_bytes=8)[0].message == "aéa…"
    assert bound(messages_of(["aéaéaé"[:5]]), line_bytes=8)[0].message == "aéaéa"


def test_what_json_cannot_carry_is_replaced() -> None:
    (message,) = bound([Message(message="a\ud800b")])
    assert message.message == "a?b"
    assert Result(messages=(message,)).model_dump_json()


def test_the_largest_result_stays_far_below_temporals_limit() -> None:
    hostile = messages_of(["\x01" * 4096] * 3000 + ['"'] * 900)
    assert len(Result(messages=bound(hostile)).model_dump_json(by_alias=True)) < 1_800_000


def test_memory_stays_bounded() -> None:
    kept = MessageBound(head=2, tail=3, line_bytes=10, total_bytes=40)
    for message in messages_of(["x" * 100] * 1000):
        kept.add(message)
        assert len(kept.messages()) <= 6


@pytest.mark.parametrize("wrong", [{"head": -1}, {"tail": 0}, {"line_bytes": 3}, {"total_bytes": 8191}])
def test_sizes_without_room_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="No room for messages"):
        MessageBound(**wrong)


@given(texts, sizes)
def test_the_bounds_hold_and_the_ends_are_kept(lines: list[str], limits: tuple[int, int, int, int]) -> None:
    head, tail, line_bytes, total_bytes = limits
    messages = messages_of(lines)
    kept = bound(messages, *limits)
    notices = [index for index, message in enumerate(kept) if is_notice(message)]
    said = [message for message in kept if not is_notice(message)]

    assert len(said) <= head + tail
    assert all(size(message) <= line_bytes for message in said)
    assert sum(map(size, said)) <= total_bytes
    assert len(notices) == (len(said) < len(messages))
    for index, message in enumerate(said):
        back = index - len(said) if notices and index >= notices[0] else index
        original = messages[back]
        assert message.time == original.time
        assert message.message == original.message or (
            message.message.endswith("…") and original.message.startswith(message.message[:-1])
        )
    if messages:
        assert said[-1].time == messages[-1].time
    if notices:
        left_out = len(messages) - len(said)
        assert kept[notices[0]].message.startswith(f"… {left_out} line")


@given(texts, sizes)
def test_nothing_is_left_out_of_what_fits(lines: list[str], limits: tuple[int, int, int, int]) -> None:
    head, tail, line_bytes, total_bytes = limits
    messages = messages_of(lines)
    fits = len(messages) <= head + tail and sum(min(size(m), line_bytes) for m in messages) <= total_bytes
    if fits:
        assert not any(map(is_notice, bound(messages, *limits)))


@given(st.text(st.characters(exclude_categories=[])))
def test_what_is_storable_is_text_without_nul(text: str) -> None:
    kept = storable(text)
    assert kept.encode().decode() == kept
    assert "\0" not in kept
    assert len(kept) == len(text)
    assert storable(kept) == kept


def test_plain_text_is_storable_as_it_is() -> None:
    assert storable("naïve \U0001f40e\t\x1b[31m") == "naïve \U0001f40e\t\x1b[31m"
    assert storable("a\0b\udcffc") == "a\ufffdb?c"
