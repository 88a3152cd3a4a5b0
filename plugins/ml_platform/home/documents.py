"""Documents of HTML that pages show in a frame: without scripts, and without access to the page around them.

Their texts come from files and from MLflow, so nothing in them is trusted. The header makes the browser treat each as
of an origin of its own, also when it is opened alone.
"""

from functools import lru_cache

from mlflow.exceptions import MlflowException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from ml_platform.exceptions import PlatformError, RegistryError
from ml_platform.records import version_details
from ml_platform.training import tracking
from ml_platform.training.model_card import CARD_PAGE

FOLDER = "/documents"
KEPT = 20  # cards in memory: each has some 200 kB, and never changes
POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


def routes() -> list[Route]:
    """Return the routes of all documents."""
    return [Route(f"{FOLDER}/model_card/{{dataset}}/{{version:int}}", model_card)]


def model_card_path(dataset: str, version: int) -> str:
    """Return the path of the model card of a version."""
    return f"{FOLDER}/model_card/{dataset}/{version}"


def sandboxed(html: str) -> Response:
    """Return a document that is not trusted."""
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "private, no-cache"}
    return HTMLResponse(html, headers=headers)


async def model_card(request: Request) -> Response:
    """Answer with the model card of a version."""
    name, version = request.path_params["dataset"], request.path_params["version"]
    try:
        return sandboxed(await run_in_threadpool(_model_card, name, version))
    except RegistryError as error:
        return PlainTextResponse(f"{error}\n", 404)
    except (PlatformError, MlflowException) as error:
        return PlainTextResponse(f"The model card cannot be shown now: {error}\n", 503)


def _model_card(name: str, version: int) -> str:
    text = _card_of_run(version_details.details(name, version).run_id)
    if text is None:
        raise RegistryError(f"{name}: version {version} has no model card")
    return text


@lru_cache(maxsize=KEPT)
def _card_of_run(run_id: str) -> str | None:
    return tracking.read_model_card(run_id).get(CARD_PAGE)
