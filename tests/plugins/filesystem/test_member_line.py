import json

from hypothesis import given
from hypothesis import strategies as st

from workflows_app.plugins.filesystem.kept import Kept
from workflows_app.plugins.filesystem.member_line import member_line
from workflows_app.plugins.filesystem.members import Member

NUMBERS = st.integers(-(2**70), 2**70)
MEMBERS = st.builds(
    Member,
    path=st.text(),
    type=st.text(),
    size=NUMBERS,
    sha256=st.none() | st.text(),
    mode=NUMBERS,
    uid=NUMBERS,
    gid=NUMBERS,
    uname=st.text(),
    gname=st.text(),
    mtime_ns=NUMBERS,
    link=st.text(),
)
KEPT = st.none() | st.builds(
    Kept, inode=st.none() | NUMBERS, ctime_ns=st.none() | NUMBERS, linked=st.booleans()
)


@given(member=MEMBERS, kept=KEPT)
def test_a_line_is_what_json_makes_of_it(member: Member, kept: Kept | None) -> None:
    value = member._asdict() | ({} if kept is None else {"kept": kept._asdict()})
    line = json.dumps(value, separators=(",", ":"))
    assert member_line(member, kept) == line.encode() + b"\n"


def test_bytes_that_are_no_text_come_back() -> None:
    member = Member("a\udcff\n", "file", 1, None, 0o644, 0, 0, "", "", 5, "")
    assert Member(**json.loads(member_line(member))) == member
