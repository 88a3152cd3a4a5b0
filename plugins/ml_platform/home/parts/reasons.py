"""The reasons of a prediction, as a chart and as a table."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from ml_platform.home.parts.text import plain
from ml_platform.parsing.conversion import value_text
from ml_platform.specs.parts import Scalar

UP, DOWN = "up", "down"


class Shown(NamedTuple):
    """A feature, the row's value, and how much it moves the prediction."""

    feature: str
    value: Scalar | None
    effect: float


def draw(reasons: Sequence[Shown], base: float, rest: float, scale: str) -> None:
    """Draw reasons: the largest effects, in that order.

    Args:
        reasons: the largest effects.
        base: what the model says if it knows nothing about the row.
        rest: sum of all other effects.
        scale: what base, effects and rest add up to.
    """
    table = pd.DataFrame(
        {
            "reason": [f"{one.feature} = {_text(one.value)}" for one in reasons],
            "effect": [one.effect for one in reasons],
            "moves it": [UP if one.effect > 0 else DOWN for one in reasons],
        }
    )
    alt = "Effects of the features: " + "; ".join(f"{one.feature} {one.effect:+.3g}" for one in reasons)
    # `sort=False` keeps the order: the largest effect is the uppermost bar
    st.bar_chart(table, x="reason", y="effect", color="moves it", horizontal=True, sort=False, alt=alt)
    st.dataframe(_rows(reasons, base, rest), hide_index=True, alt="The reasons as a table")
    st.caption(
        f"Base, effects and rest add up to the {plain(scale)}. They say what the model does with this row, not what "
        "causes the label."
    )


def _rows(reasons: Sequence[Shown], base: float, rest: float) -> list[dict[str, Any]]:
    listed = [("base: nothing is known", "", base), *((r.feature, _text(r.value), r.effect) for r in reasons)]
    return [
        {"feature": feature, "value": value, "effect": f"{effect:+.4g}"}
        for feature, value, effect in [*listed, ("all other features", "", rest)]
    ]


def _text(value: Scalar | None) -> str:
    return "missing" if value is None else value_text(value)
