"""What a person does with a model: roll back, promote to another environment, train again."""

from collections.abc import Callable

import psycopg2
import streamlit as st
from mlflow.exceptions import MlflowException

from ml_platform.exceptions import ServiceError
from ml_platform.home.models import choosing
from ml_platform.home.models.words import SHOWN, described, score
from ml_platform.home.parts import acting
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import when
from ml_platform.promotion.rollback import rollback
from ml_platform.records import environments, models, runs
from ml_platform.records.environments import Promotion
from ml_platform.records.models import ModelVersion
from ml_platform.specs.spec import Dataset

GRIDS = {
    "quick": "quick: the first value of each parameter only; minutes",
    "full": "full: every combination; may take long",
}


def buttons(dataset: Dataset) -> None:
    """Draw the buttons of all that can be done; each opens a dialog that says what would change."""
    disabled = not acting.is_allowed()
    with st.container(horizontal=True):
        for title, icon, dialog in (
            ("Train again", "model_training", train),
            ("Roll back", "undo", roll_back),
            ("Promote to another environment", "move_up", promote),
        ):
            if st.button(title, icon=f":material/{icon}:", disabled=disabled):
                st.dialog(title, width="large")(dialog)(dataset)


def train(dataset: Dataset) -> None:
    """Draw the dialog that starts a training."""
    st.write(
        "A new version is trained on all rows that are loaded now. It goes live only if the gate finds it better than "
        "the live one; until then nothing changes."
    )
    grid = st.radio("Grid", list(GRIDS), format_func=lambda name: GRIDS[name])

    def start(person: str, _: str) -> str:
        runs.trigger(f"train_{dataset.name}", {"grid": grid}, by=person)
        return "The training has started; the page Runs shows how far it is."

    _confirm("Start the training", "train", start, dataset, f"grid {grid}")


def roll_back(dataset: Dataset) -> None:
    """Draw the dialog that makes another version live."""
    with may_be_missing("The versions"):
        found = models.versions(dataset.name, limit=SHOWN)
        now = next((one for one in found if one.is_champion), None)
        others = targets(found)
        if now is None or not others:
            st.info("There is no other version that could be live.", icon=":material/info:")
            return
        then = st.selectbox("Version to roll back to", others, format_func=described)
        _what_changes(now, then)

        def move(person: str, reason: str) -> str:
            try:
                live = rollback(dataset.name, reason=reason, by=person, to=then.version)
            except (MlflowException, psycopg2.Error) as error:
                raise ServiceError(f"{dataset.name}: {error}") from error
            return f"Version {live.champion} of {dataset.name} is live; version {live.previous} was before."

        _confirm(f"Make version {then.version} live", "roll back the model", move, dataset, f"version {then.version}")


def targets(found: list[ModelVersion]) -> list[ModelVersion]:
    """Return the versions that can be made live: decided about, not refused, not live. First those that were live."""
    possible = [one for one in found if not one.is_champion and (one.made_live_at or one.decision == "kept")]
    return sorted(possible, key=lambda one: one.made_live_at is None)


def _what_changes(now: ModelVersion, then: ModelVersion) -> None:
    rows = [
        ("version", str(now.version), str(then.version)),
        ("score", score(now), score(then)),
        (
            "live",
            f"since {when(now.made_live_at)}",
            f"last on {when(then.made_live_at)}" if then.made_live_at else "never before",
        ),
        ("made live by", now.made_live_by or "–", then.made_live_by or "–"),
        ("candidate", now.candidate or "–", then.candidate or "–"),
    ]
    st.dataframe(
        [{"": title, "now": first, "then": second} for title, first, second in rows],
        hide_index=True,
        alt=f"What would change: version {now.version} now, version {then.version} then.",
    )
    st.write(
        "From then on new test files, streams and the HTTP service are answered by this version. Files that were "
        "scored before are not scored again."
    )


def promote(dataset: Dataset) -> None:
    """Draw the dialog that starts a promotion to another environment."""
    with may_be_missing("The environments"):
        names = environments.environments()
        if not names:
            st.info(
                "There is no other environment. Each is a connection in Airflow, such as `mlflow_production`: the "
                "guide on environments says how to make one.",
                icon=":material/info:",
            )
            return
        found = [one for one in models.versions(dataset.name, limit=SHOWN) if one.decision != "refused"]
        if not found:
            choosing.no_version_yet()
            return
        target = st.selectbox("Environment", names)
        live = next((index for index, one in enumerate(found) if one.is_champion), 0)
        version = st.selectbox("Version", found, index=live, format_func=described)
        _what_changes_there(target, version, environments.newest_promotions(dataset.name).get(target))
        if dataset.promotion.approval:
            st.write("A person has to approve it before it goes live there.")

        def start(person: str, reason: str) -> str:
            form = {"environment": target, "version": version.version, "reason": reason}
            runs.trigger(f"promote_{dataset.name}", form, by=person)
            return "The promotion has started; the page Runs shows it, and asks if a person has to approve."

        target_text = f"version {version.version} to {target}"
        _confirm("Start the promotion", "promote the model", start, dataset, target_text)


def _what_changes_there(target: str, version: ModelVersion, newest: Promotion | None) -> None:
    if newest is None:
        now = "nothing that was promoted from here"
    else:
        now = (
            f"version {newest.target_version} there, a copy of version {newest.version} here, promoted by "
            f"{newest.promoted_by} on {when(newest.promoted_at)}"
        )
    st.dataframe(
        [
            {"": f"live in {target} now", "what": now},
            {"": "then", "what": f"a copy of version {version.version} here, {score(version)}"},
        ],
        hide_index=True,
        alt=f"What would change in {target}.",
    )
    st.write(
        "The files are copied and checked there: the copy must predict the same for the hold-out. Only then it goes "
        "live."
    )


def _confirm(label: str, action: str, do: Callable[[str, str], str], dataset: Dataset, target: str) -> None:
    """Ask for the reason, and do it: `do` gets the person's name and the reason."""
    reason = st.text_input("Reason", key=f"reason to {action}", max_chars=500, help="It is recorded in the history.")
    if not st.button(label, type="primary", disabled=not acting.is_allowed()):
        return
    if not reason.strip():
        st.error("A reason is needed: it is recorded.", icon=":material/error:")
        return
    given = reason.strip()
    with st.spinner("Please wait …"):
        acting.act(action, lambda person: do(person, given), dataset=dataset.name, target=target, reason=given)
    st.rerun()
