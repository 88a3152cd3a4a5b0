"""A small chart of a few numbers, for cards: a drawing that screen readers read as a sentence."""

from collections.abc import Sequence

import streamlit as st

WIDTH, HEIGHT, MARGIN = 200, 36, 4


def sparkline(values: Sequence[float], name: str) -> None:
    """Draw a line through the values, the last one as a point.

    Args:
        values: the oldest first, at least two.
        name: what they are, for screen readers.
    """
    points = _points(values)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    text = f"{name}, the oldest first: {', '.join(f'{value:.3f}' for value in values)}"
    st.html(
        f'<svg role="img" aria-label="{text}" viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" height="{HEIGHT}">'
        f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="currentColor"/></svg>'
    )


def _points(values: Sequence[float]) -> list[tuple[float, float]]:
    low, high = min(values), max(values)
    step = (WIDTH - 2 * MARGIN) / (len(values) - 1)
    heights = [(value - low) / (high - low) if high > low else 0.5 for value in values]
    drawn = HEIGHT - 2 * MARGIN
    return [(MARGIN + step * place, HEIGHT - MARGIN - height * drawn) for place, height in enumerate(heights)]
