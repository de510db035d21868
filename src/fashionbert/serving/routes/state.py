"""How the service is: for people, load balancers and Prometheus."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from fashionbert.search import SearchEngine
from fashionbert.serving.bodies import HealthAnswer, IndexAnswer
from fashionbert.serving.problems import ProblemError
from fashionbert.serving.routes.search import PROBLEMS
from fashionbert.serving.service import TheService
from fashionbert.serving.waiting import wait_for

router = APIRouter(tags=["state"])


@router.get("/health")
async def health() -> HealthAnswer:
    """Answer as long as the process lives."""
    return HealthAnswer(status="alive")


@router.get("/ready", responses={503: PROBLEMS[503]})
async def ready(service: TheService) -> HealthAnswer:
    """Say whether searches can be answered."""
    fault = service.worker.fault if service.worker.is_alive else "the service is stopping"
    if fault is not None:
        problem = ProblemError(503, "not-ready", fault)
        problem.retry_after = 5
        raise problem
    return HealthAnswer(status="ready")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(service: TheService) -> Response:
    """Give figures for Prometheus."""
    shelf = service.worker.shelf
    service.metrics.version.set(shelf.version)
    service.metrics.pictures.set(len(shelf))
    return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/index", responses=PROBLEMS)
async def index(request: Request, service: TheService) -> IndexAnswer:
    """Say what is being searched."""

    def run(engine: SearchEngine) -> IndexAnswer:
        shelf = engine.shelf
        return IndexAnswer(
            name=service.name,
            products=len(shelf.product_ids),
            cards=len(shelf.group_ids),
            pictures=len(shelf),
            version=shelf.version,
            model=engine.manifest.model_fingerprint,
            recall=engine.manifest.recall,
            calibrated=engine.is_calibrated,
            writable=service.settings.key is not None,
            rerank=service.cards,
            attributes=list(shelf.columns),
        )

    return await wait_for(request, service.worker.call(run))
