"""What a user may see, from the lines of SHOW GRANTS as servers of 10.11 print them."""

import pytest

from workflows_app.plugins.mariadb_server.grants import Grants

ENOUGH = "SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE"


@pytest.mark.parametrize(
    ("lines", "database", "missing"),
    [
        (["GRANT ALL PRIVILEGES ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*1'"], "shop", []),
        (["GRANT ALL PRIVILEGES ON *.* TO `a`@`%`"], None, []),
        (["GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`"], "shop", []),
        (["GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`"], None, ["EVENT", "SELECT", "SHOW VIEW", "TRIGGER"]),
        ([f"GRANT {ENOUGH} ON `shop`.* TO `a`@`%`"], "shop", []),
        ([f"GRANT {ENOUGH} ON `shop`.* TO `a`@`%`"], "shop2", ["EVENT", "SELECT", "SHOW VIEW", "TRIGGER"]),
        ([f"GRANT {ENOUGH} ON `sh%`.* TO `a`@`%`"], "shop", []),
        ([f"GRANT {ENOUGH} ON `sh_p`.* TO `a`@`%`"], "shop", []),
        ([f"GRANT {ENOUGH} ON `sh\\_p`.* TO `a`@`%`"], "sh_p", []),
        ([f"GRANT {ENOUGH} ON `sh\\_p`.* TO `a`@`%`"], "shop", ["EVENT", "SELECT", "SHOW VIEW", "TRIGGER"]),
        ([f"GRANT {ENOUGH} ON `a``b`.* TO `a`@`%`"], "a`b", []),
        (["GRANT SELECT ON *.* TO `a`@`%`", "GRANT SHOW VIEW, EVENT ON `shop`.* TO `a`@`%`"], "shop",
         ["TRIGGER"]),
        ([f"GRANT {ENOUGH} ON `shop`.`ledger` TO `a`@`%`"], "shop",
         ["EVENT", "SELECT", "SHOW VIEW", "TRIGGER"]),
        ([f"GRANT {ENOUGH} ON `shop`.* TO `role`"], "shop", ["EVENT", "SELECT", "SHOW VIEW", "TRIGGER"]),
    ],
)  # fmt: skip
def test_what_a_dump_would_lack(lines: list[str], database: str | None, missing: list[str]) -> None:
    found = Grants(lines, with_role=False).missing(database)
    assert [privilege for privilege in found if privilege != "EXECUTE"] == missing


def test_a_role_counts_when_it_is_the_sessions() -> None:
    lines = [
        "GRANT `role` TO `a`@`%`",
        "GRANT USAGE ON *.* TO `a`@`%`",
        f"GRANT {ENOUGH} ON `shop`.* TO `role`",
    ]
    assert Grants(lines, with_role=True).missing("shop") == []
    assert Grants(lines, with_role=False).missing("shop")[-1] == "EXECUTE"
