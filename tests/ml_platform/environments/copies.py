"""Models that are copied to a second registry, and what is found there."""

from functools import cache
from typing import Any

from mlflow.entities import Metric, Param

from ml_platform.environments.environment import Environment
from ml_platform.environments.values import CopiedVersion, PromotionRequest
from ml_platform.estimators.model_parts import threshold_of
from ml_platform.evaluation.binary import Binary
from ml_platform.promotion.results import LiveVersions
from ml_platform.registry import registry, version_tags
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.storage import database, mlflow_client
from ml_platform.training import tracking
from ml_platform.training.candidates import Candidate
from ml_platform.training.fitting import fit
from ml_platform.training.split import split
from tests.ml_platform.environments.second_registry import BUCKET, store
from tests.ml_platform.promotion.champions import make_live
from tests.ml_platform.training.trainings import make_dataset, make_frame, make_training_set

REQUEST = PromotionRequest("alice", "it was good for a month", approved_by="bob")


@cache
def fitted(seed: int) -> Any:
    data = make_training_set(frame=make_frame(300, seed))
    return fit(Candidate("logistic_regression", {}), split(data, 3), 3)


def register(name: str, seed: int = 1, *, model_card: bool = True) -> int:
    """Register what a training would, without its search, and make it the champion here; return its number."""
    api, dataset, model = mlflow_client.connect(), make_dataset(name), fitted(seed)
    sha256 = f"{seed:064d}"
    tags = {"search_id": f"{seed}", "kind": "search", "training_set_sha256": sha256, "packages": "{}", "sources": "[]"}
    uri = f"s3://mlflow/training_sets/{sha256}.parquet"
    tags |= {"training_set_uri": uri, "mlflow.source.git.commit": "c0ffee", "reason": "new"}
    run = api.create_run(mlflow_client.experiment_id(api, name), run_name=name, tags=tags)
    api.log_batch(run.info.run_id, [Metric("holdout_f1", 0.5, 1, 0)], [Param("folds", "3")])
    if model_card:
        tracking.log_model_card(run.info.run_id, {"model_card.html": f"<p>{name}</p>", "model_card.md": f"# {name}"})
    tracking.log_input(api, run.info.run_id, name, sha256, uri, {"num_rows": 300})
    api.set_terminated(run.info.run_id)
    recorded = version_tags.required_tags(Binary(("0", "1"), threshold_of(model)), HoldoutRule(name, "entity", 0.2))
    recorded |= {"training_set_sha256": sha256, "git_commit": "c0ffee", "decision": "promoted"}
    if model_card:
        recorded["model_card"] = tracking.model_card_page(run)
    example = make_frame(300)[list(dataset.features)].head(3)
    version = int(registry.register(run, dataset, model, example, recorded).version)
    make_live(name, version)
    return version


def aliases(name: str) -> LiveVersions:
    """Return the versions with the aliases in the registry of this moment."""
    versions = [registry.alias_version(name, alias) for alias in ("champion", "previous")]
    return LiveVersions(*(version and int(version.version) for version in versions))


def versions(name: str) -> list[int]:
    return sorted(int(version.version) for version in mlflow_client.connect().search_model_versions(f"name = '{name}'"))


def runs(name: str) -> list[Any]:
    api = mlflow_client.connect()
    return api.search_runs([api.get_experiment_by_name(name).experiment_id])


def promotions(name: str) -> list[tuple[Any, ...]]:
    """Return the recorded promotions of a model to production."""
    return database.fetch(
        "SELECT version, target_version, target_before, promoted_by, approved_by, reason, is_done"
        " FROM models.promotions WHERE model = $1 AND environment = 'production' ORDER BY promotion_id",
        name,
    )


def overwrite(config: Any, environment: Environment, copied: CopiedVersion, file: str, content: bytes) -> None:
    """Overwrite a file of a copy in the bucket, without MLflow."""
    with environment.use():
        folder = registry.get_version(copied.model, copied.target_version).source.removeprefix("mlflow-artifacts:/")
    store(config).put_object(Bucket=BUCKET, Key=f"{folder}/{file}", Body=content)
