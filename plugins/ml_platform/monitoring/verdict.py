"""What a comparison found, in words."""

from collections.abc import Sequence

from ml_platform.monitoring.comparison import Finding, Kind, has_drift

LISTED = 4
SUBJECTS: dict[Kind, str] = {
    "values": "the values of {}", "missing": "the missing values of {}", "together": "all features together",
    "predictions": "the predictions",
}  # fmt: skip


def subject(finding: Finding) -> str:
    """Return what a finding is about."""
    return SUBJECTS[finding.kind].format(finding.feature)


def effect(finding: Finding) -> str:
    """Return the size of a difference with its unit."""
    if finding.kind == "missing":
        return f"{finding.effect:+.1%}"
    return f"{'AUC' if finding.kind == 'together' else 'PSI'} {finding.effect:.2f}"


def status(finding: Finding) -> str:
    """Return whether a difference is drift, or why it is none."""
    return "drift" if finding.is_drift else "too small" if finding.is_significant else "not significant"


def sentence(name: str, version: int, rows: int, findings: Sequence[Finding]) -> str:
    """Return the verdict of a check in one sentence."""
    what = f"{rows:,} rows that version {version} of {name} scored"
    if not has_drift(findings):
        small = sum(finding.is_significant for finding in findings)
        more = f" ({small} of {len(findings)} differences are significant, but too small to matter)" if small else ""
        return f"No drift: the {what} are like those of its training{more}."
    drifted = [f"{subject(one)} ({effect(one)})" for one in findings if one.is_drift]
    more = f" and {len(drifted) - LISTED} more" if len(drifted) > LISTED else ""
    return f"Drift: the {what} differ from those of its training in {', '.join(drifted[:LISTED])}{more}."
