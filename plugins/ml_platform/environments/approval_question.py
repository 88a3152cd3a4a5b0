"""The question to a person before a version goes live in an environment."""

import json

from ml_platform.environments.environment import Environment
from ml_platform.environments.values import CopiedVersion
from ml_platform.promotion.approval import Question
from ml_platform.registry import registry
from ml_platform.specs.parts import Promotion
from ml_platform.specs.tasks import METRIC_TITLES
from ml_platform.storage import mlflow_client


def question(
    environment: Environment, copied: CopiedVersion, rule: Promotion, *, rows: int, by: str, reason: str
) -> Question:
    """Return the question.

    Args:
        environment: where the version would go live.
        copied: the version and its copy there.
        rule: the spec's part on promotions; it limits the time to answer.
        rows: number of rows for which the copy predicts the same as the original.
        by: the user or DAG that requested it.
        reason: in words.
    """
    tags = registry.get_version(copied.model, copied.version).tags
    run = mlflow_client.run_url(mlflow_client.connect().get_run(copied.run_id))
    with environment.use():
        live = registry.alias_number(copied.model)
    metrics: dict[str, float] = json.loads(tags.get("holdout_metrics", "{}"))
    facts = {
        "requested by": by,
        "reason": reason,
        f"live in {environment.name} now": "nothing" if live is None else f"version {live} there",
        "becomes": f"version {copied.target_version} there",
        "check": f"same predictions there and here for {rows:,} rows",
        "on its hold-out": ", ".join(f"{METRIC_TITLES.get(name, name)} {value:.4g}" for name, value in metrics.items()),
        "training set": tags.get("training_set_sha256", ""),
        "commit": tags.get("git_commit", "unknown"),
        "SHA-256 of its files": copied.model_sha256,
    }
    table = "\n".join(["| | |", "|---|---|", *(f"| {title} | {_cell(value)} |" for title, value in facts.items())])
    stays = "nothing goes live" if live is None else f"version {live} stays"
    choices = (
        f"**Approve**: it goes live in {environment.name}. "
        f"**Reject**, or no answer within {rule.approval_within}: {stays}."
    )
    subject = f"{copied.model}: may version {copied.version} go live in {environment.name}?"
    links = f"[Its run in MLflow]({run})"
    if card_page := tags.get("model_card"):
        links = f"[Its model card]({mlflow_client.page_url(card_page)}). {links}"
    return Question(subject, f"{table}\n\n{choices}\n\n{links}")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
