import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.domain.secrets.redaction import Redactor


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("password=hunter2", "password=***"),
        ("Password: hunter2", "Password: ***"),
        ("passwd: bob's", "passwd: ***"),
        ("password = hunter2 user = bob", "password = *** user = bob"),
        ("passphrase=x", "passphrase=***"),
        ("DB_PASS=x", "DB_PASS=***"),
        ("MYSQL_PWD=/x", "MYSQL_PWD=***"),
        ("Server=h;Pwd=x", "Server=h;Pwd=***"),
        ("PGPASSWORD=pw PGDATABASE=db pg_dump", "PGPASSWORD=*** PGDATABASE=db pg_dump"),
        ("command [mysqldump --password hunter2 db]", "command [mysqldump --password *** db]"),
        ("Executing command [mysqldump --password=hunter2]", "Executing command [mysqldump --password=***]"),
        ("command [mysqldump,--password,hunter2,db]", "command [mysqldump,--password,***,db]"),
        ("--db-password 'two words' x", "--db-password '***' x"),
        ("-password x", "-password ***"),
        ("['--token', 'abc', 'x']", "['--token', '***', 'x']"),
        ("token=abc", "token=***"),
        ("csrftoken: abc", "csrftoken: ***"),
        ("token: Bearer abc", "token: Bearer ***"),
        ("api_key=k, x", "api_key=***, x"),
        ("X-Api-Key: k", "X-Api-Key: ***"),
        ("secret=x", "secret=***"),
        ("client_secret => 'y' z", "client_secret => '***' z"),
        ("secretKey: x", "secretKey: ***"),
        ("aws_secret_access_key = a/b+c", "aws_secret_access_key = ***"),
        ("AWS_ACCESS_KEY_ID=A AWS_SECRET_ACCESS_KEY=x", "AWS_ACCESS_KEY_ID=A AWS_SECRET_ACCESS_KEY=***"),
        ('{"password": "a\\"b", "user": "bob"}', '{"password": "***", "user": "bob"}'),
        ('"{\\"password\\": \\"hunter2\\"}"', '"{\\"password\\": \\"***\\"}"'),
        ('password="never closed', 'password="***'),
        ('password=a"b\'c d', "password=*** d"),
        ("(password=x).", "(password=***)."),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("> authorization: basic Zm9v", "> authorization: basic ***"),
        ('curl -H "Authorization: Basic Zm9v" http://x', 'curl -H "Authorization: Basic ***" http://x'),
        ('Authorization: Digest username="u", response="r"\nHost: h', "Authorization: ***\nHost: h"),
        ('{"Authorization": "Bearer abc"}', '{"Authorization": "***"}'),
        ("postgres://bob:pw@host/db", "postgres://bob:***@host/db"),
        ("redis://:pw@host", "redis://:***@host"),
        ("postgres://bob:p@ss@host/db", "postgres://bob:***@host/db"),
        ("http://a.b/c mongodb://u:p@h1,h2/x", "http://a.b/c mongodb://u:***@h1,h2/x"),
    ],
)  # fmt: skip
def test_credentials_are_replaced_and_their_names_stay(text: str, redacted: str) -> None:
    assert Redactor().redact(text) == redacted
    assert Redactor().redact(redacted) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "copied /var/lib/mysql/ibdata1 12,345,678 bytes in 0.3 s (41 MB/s)",
        "the password is wrong",
        "--password --user bob",
        "password:",
        'password=""',
        "tokens: 512",
        "3 tests pass: 0 failed",
        "PWD=/home/x OLDPWD=/",
        "a key = value",
        "ssh://git@host/x",
        "https://host:8443/path?at=a@b",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert Redactor(["not in there"]).redact(text) == text


def test_known_secrets_are_replaced_wherever_they_are() -> None:
    redactor = Redactor(["hunter22", "hunter22-long"])
    assert redactor.redact("xhunter22y hunter22-long hunter2") == "x***y *** hunter2"


def test_secrets_that_overlap_leave_no_rest() -> None:
    assert Redactor(["abcdef", "defghi"]).redact("<abcdefghi>") == "<***>"
    assert Redactor(["ababab"]).redact("<abababab>") == "<***>"


def test_a_short_secret_is_not_searched_for() -> None:
    assert Redactor(["", "abcde"]).redact("abcdef") == "abcdef"


def test_each_line_of_a_secret_is_a_secret() -> None:
    redactor = Redactor(["-----BEGIN KEY-----\r\nMIIEpAIB\n"])
    assert redactor.redact("read MIIEpAIB") == "read ***"


@given(st.lists(st.text("ab", min_size=6, max_size=9), max_size=4), st.text("abc", max_size=60))
def test_no_known_secret_survives(secrets: list[str], text: str) -> None:
    redacted = Redactor(secrets).redact(text)
    assert not any(secret in redacted for secret in secrets)


@given(st.lists(st.sampled_from(
    ["password", "--token", "authorization", "secret", "=", ":", " ", ",", '"', "'", "\\", "\n", "://", "@",
     "a", "]", "basic ", "***", "-"]
)).map("".join))  # fmt: skip
def test_redacting_never_fails_and_keeps_a_mask(text: str) -> None:
    redacted = Redactor().redact(text)
    assert ("***" in redacted) or redacted == text


@pytest.mark.parametrize(
    "unit",
    [
        "password", "password ", "password=", "password='", 'password="\\', 'password=\\"', "password=]",
        "--password,a,", "--password --", "--", "-a", "://", "://a:", "://a:b@", "a@", "://@:", " ",
        "authorization: ", "authorization: basic ", "secret_access_", "pwd=/", "pass =", 'token\\"', "aaaaaa",
        "hunter22", "key", "\\",
    ],
)  # fmt: skip
def test_a_hostile_line_takes_linear_time(unit: str) -> None:
    redactor = Redactor(["hunter22", "aaaaaaa"])
    line = unit * (1_000_000 // len(unit))
    begin = time.perf_counter()
    redactor.redact(line)
    assert time.perf_counter() - begin < 3, "about 0.1 s; minutes if it were quadratic"
