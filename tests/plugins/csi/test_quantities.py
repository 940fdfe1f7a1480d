import pytest

from workflows_app.plugins.csi.quantities import bytes_of, larger


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10", 10),
        ("1Ki", 1024),
        ("1.5Gi", 1610612736),
        ("2k", 2000),
        ("1e3", 1000),
        ("0.1", 1),
        ("x", None),
        ("", None),
    ],
)
def test_a_quantity_is_so_many_bytes(text: str, size: int | None) -> None:
    assert bytes_of(text) == size


def test_the_larger_one_is_asked_for() -> None:
    assert larger("10Gi", "12Gi") == "12Gi"
    assert larger("10Gi", "9G") == "10Gi"
    assert larger("10Gi", "") == "10Gi"
