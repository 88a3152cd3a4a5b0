"""The tables of the documents are replaced, and nothing else; alarms are counted per check and per stream."""

import pytest

from benchmarks import bench_drift as bench
from benchmarks.drift_streams import shift


def test_only_what_is_between_the_marks_is_replaced(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    for _ in range(2):
        bench.write(page, ["| new |\n"])
        before, _, rest = page.read_text(encoding="utf-8").partition(bench.BEGIN)
        assert bench.PAGE.read_text(encoding="utf-8").startswith(before)
        assert rest.startswith(f"\n\n| new |\n\n{bench.END}")
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(SystemExit, match="are not there"):
        bench.write(page, [])


def test_alarms_are_counted_per_check_and_per_stream() -> None:
    found = bench.Alarms([[False, True], [False, False], [False, False]])
    assert (found.per_check, found.per_stream, found.delays) == (1 / 6, 1 / 3, [1])


def test_a_shift_is_found_at_once() -> None:
    assert bench.alarms(shift, 1000, 1, stop=True).streams == [[True]]
