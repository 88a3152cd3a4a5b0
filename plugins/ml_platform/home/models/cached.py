"""What the page Models has read before and that never changes: facts of a version, and its hold-out."""

import streamlit as st

from ml_platform.evaluation.thresholds import ThresholdCurve
from ml_platform.records import holdout, version_details
from ml_platform.records.holdout import HoldoutPredictions
from ml_platform.records.version_details import TrainingFacts, VersionDetails


@st.cache_resource(max_entries=200, show_spinner="Reading from MLflow …")
def _facts(run_id: str, version: int, _details: VersionDetails) -> TrainingFacts:
    return version_details.training_facts(_details)


def facts(details: VersionDetails) -> TrainingFacts:
    """Return what MLflow knows of a version, see `version_details.training_facts`."""
    return _facts(details.run_id, details.version, details)


@st.cache_resource(max_entries=4, show_spinner="Reading the hold-out …")  # few: a hold-out may have many rows
def _holdout(run_id: str, version: int, _details: VersionDetails) -> HoldoutPredictions:
    return holdout.holdout(_details)


def predictions(details: VersionDetails) -> HoldoutPredictions:
    """Return the predictions of a version for its hold-out, see `holdout.holdout`."""
    return _holdout(details.run_id, details.version, details)


@st.cache_resource(max_entries=8, show_spinner=False)
def _curve(run_id: str, version: int, _found: HoldoutPredictions) -> ThresholdCurve:
    return ThresholdCurve.of(_found.labels, _found.outputs)


def curve(details: VersionDetails) -> ThresholdCurve:
    """Return the confusion matrices of a version of two classes by threshold."""
    return _curve(details.run_id, details.version, predictions(details))
