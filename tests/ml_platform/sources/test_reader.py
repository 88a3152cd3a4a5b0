"""What readers share: the names of files, and positions as texts."""

from ml_platform.sources.reader import slug


def test_a_position_becomes_a_part_of_a_name() -> None:
    assert slug("2026-11-29T10:00:00.000001+00:00") == "2026-11-29T1000000000010000"
    assert slug("../../etc/passwd ") == "etcpasswd"


def test_long_positions_stay_apart() -> None:
    first, second = slug("x" * 100 + "1"), slug("x" * 100 + "2")
    assert first != second
    assert len(first) == 48
