"""The comparison of two sets of rows: which differences are significant, and which of these are large enough to matter.

With many rows each difference is significant, and with many features some are by chance. So an alarm needs both: a
p-value that stays small when the false discoveries among all tests are controlled (Benjamini and Hochberg, 1995), and
an effect above a limit, which does not depend on the number of rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, false_discovery_control

from ml_platform.eda.drift import SOME, drift
from ml_platform.monitoring.domain_classifier import separation

ALPHA = 0.002  # of a check: series of ten checks stay well below one false alarm in twenty
Kind = Literal["values", "missing", "together", "predictions"]
LIMITS: dict[Kind, float] = {"values": SOME, "missing": 0.05, "together": 0.55, "predictions": SOME}
EFFECTS: dict[Kind, str] = {
    "values": "PSI", "missing": "difference of the shares", "together": "AUC", "predictions": "PSI",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One test of a comparison.

    Attributes:
        kind: `values` or `missing` values of a feature, all features `together`, or `predictions`.
        feature: its name; "" if it is about no single one.
        effect: the size of the difference: see `EFFECTS`; for missing values with its sign.
        p_value: of its test.
        q_value: its p-value, adjusted for the false discoveries among all tests of the comparison.
    """

    kind: Kind
    feature: str
    effect: float
    p_value: float
    q_value: float = 1.0

    @property
    def is_significant(self) -> bool:
        """Whether it is, after the control of false discoveries."""
        return self.q_value <= ALPHA

    @property
    def is_large(self) -> bool:
        """Whether the effect is above the limit of its kind."""
        return abs(self.effect) >= LIMITS[self.kind]

    @property
    def is_drift(self) -> bool:
        """Whether the difference is both significant and large."""
        return self.is_significant and self.is_large


def compare(
    reference: pd.DataFrame, window: pd.DataFrame, predictions: tuple[pd.Series, pd.Series] | None = None
) -> list[Finding]:
    """Compare rows of now with rows of the training.

    Args:
        reference: shape (n_rows, n_features); columns of float64, or objects of str; NaN is missing.
        window: the same columns; both may be without rows.
        predictions: of reference rows that the model was not fitted on, and of now: numbers, or objects of str.

    Returns:
        A finding per test, drift first, then by effect over its limit.
    """
    found = [finding for name in reference.columns for finding in _feature(name, reference[name], window[name])]
    if (apart := separation(reference, window)) is not None:
        found.append(Finding("together", "", apart.auc, apart.p_value))
    if predictions is not None:
        found += _values("predictions", "", *predictions)
    return sorted(_controlled(found), key=_order)


def has_drift(findings: Iterable[Finding]) -> bool:
    """Return whether any of the findings is drift."""
    return any(finding.is_drift for finding in findings)


def relative_effect(finding: Finding) -> float:
    """Return an effect as a multiple of its limit; for an AUC both count from 0.5."""
    chance = 0.5 if finding.kind == "together" else 0.0
    return (abs(finding.effect) - chance) / (LIMITS[finding.kind] - chance)


def _feature(name: str, reference: pd.Series, window: pd.Series) -> Iterator[Finding]:
    yield from _values("values", name, reference, window)
    counts = np.array([[one.isna().sum(), one.notna().sum()] for one in (reference, window)])
    if counts.any(axis=0).all() and counts.any(axis=1).all():
        difference = float(window.isna().mean() - reference.isna().mean())
        yield Finding("missing", name, difference, float(chi2_contingency(counts).pvalue))


def _values(kind: Kind, name: str, reference: pd.Series, window: pd.Series) -> Iterator[Finding]:
    """Yield the finding about the values that are not missing, unless a side has none."""
    sides = [one.dropna().rename("x").to_frame() for one in (reference, window)]
    psi, p_value = drift(*sides)[["psi", "p_value"]].to_numpy("float64")[0]
    if np.isfinite(p_value):
        yield Finding(kind, name, float(psi), float(p_value))


def _controlled(found: Sequence[Finding]) -> list[Finding]:
    if not found:
        return []
    adjusted = false_discovery_control([finding.p_value for finding in found], method="bh")
    return [replace(one, q_value=float(q_value)) for one, q_value in zip(found, adjusted, strict=True)]


def _order(finding: Finding) -> tuple[bool, float]:
    return not finding.is_drift, -relative_effect(finding)
