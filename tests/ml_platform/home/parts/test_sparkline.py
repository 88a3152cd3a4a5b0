"""A small chart of a few numbers."""

import pytest
from streamlit.testing.v1 import AppTest

from ml_platform.home.parts.sparkline import HEIGHT, MARGIN, WIDTH, _points


def _script() -> None:
    from ml_platform.home.parts.sparkline import sparkline

    sparkline([0.4, 0.5], "F1 of the last versions")


def test_screen_readers_read_the_numbers():
    drawn = AppTest.from_function(_script).run()
    (html,) = drawn.get("html")
    assert 'role="img" aria-label="F1 of the last versions, the oldest first: 0.400, 0.500"' in html.proto.body


@pytest.mark.parametrize(
    ("values", "heights"),
    [([1, 2], [HEIGHT - MARGIN, MARGIN]), ([3, 3, 3], [HEIGHT / 2] * 3), ([0, 10, 5], [HEIGHT - MARGIN, MARGIN, 18])],
)
def test_the_line_fills_the_height_and_a_flat_one_is_in_the_middle(values, heights):
    points = _points(values)
    assert [y for _, y in points] == pytest.approx(heights)
    assert (points[0][0], points[-1][0]) == pytest.approx((MARGIN, WIDTH - MARGIN))
