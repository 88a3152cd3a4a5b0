"""What a person is asked before a version goes live in an environment."""

from ml_platform.environments.copy_version import Carried
from ml_platform.environments.environment import Environment
from ml_platform.promotion import alias_log
from ml_platform.registry import registry
from ml_platform.specs.parts import Promotion
from ml_platform.training import tracking


def question(
    environment: Environment, carried: Carried, rule: Promotion, *, rows: int, by: str, reason: str
) -> dict[str, str]:
    """Return `subject` and `body` (Markdown) of the question.

    Args:
        environment: where the version would go live.
        carried: the version.
        rule: how long there is to answer.
        rows: that it answered there as it does here.
        by: who wants it live.
        reason: in words.
    """
    tags = registry.numbered(carried.model, carried.version).tags
    run = tracking.run_url(tracking.client().get_run(carried.run_id))
    with environment.entered():
        live = alias_log.live_version(carried.model)
    facts = {
        "asked for by": by,
        "reason": reason,
        f"live in {environment.name} now": "nothing" if live is None else f"version {live} there",
        "becomes": f"version {carried.target_version} there",
        "checked": f"it answered {rows:,} rows there as it does here",
        "F1 on its hold-out": f"{float(tags.get('holdout_f1', 'nan')):.4f}",
        "training set": tags.get("training_set_sha256", ""),
        "commit": tags.get("git_commit", "unknown"),
        "digest of its files": carried.model_sha256,
    }
    table = "\n".join(["| | |", "|---|---|", *(f"| {title} | {_cell(value)} |" for title, value in facts.items())])
    stays = "nothing goes live" if live is None else f"version {live} stays"
    choices = (
        f"**Approve**: it is live in {environment.name}. "
        f"**Reject**, or no answer within {rule.approval_within}: {stays}."
    )
    subject = f"{carried.model}: may version {carried.version} go live in {environment.name}?"
    return {"subject": subject, "body": f"{table}\n\n{choices}\n\n[Its run in MLflow]({run})"}


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
