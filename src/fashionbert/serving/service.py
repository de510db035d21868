"""What routes share: the worker, the settings, and how one waits for an answer that nobody may want any more."""

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import quote

from fastapi import Depends, Request

from fashionbert.serving.budget import CostEstimate
from fashionbert.serving.desk import Desk
from fashionbert.serving.metrics import Metrics
from fashionbert.serving.problems import ProblemError
from fashionbert.serving.settings import ServeSettings
from fashionbert.serving.worker import Worker

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Service:
    """What every route may need.

    Attributes:
        worker: owns the engine.
        desk: takes pictures in.
        settings: of the service.
        metrics: counts.
        costs: of searches so far.
        name: of the index.
    """

    worker: Worker
    desk: Desk
    settings: ServeSettings
    metrics: Metrics
    costs: CostEstimate
    name: str


def service_of(request: Request) -> Service:
    """The service of the app that a request came to."""
    return request.app.state.service


TheService = Annotated[Service, Depends(service_of)]


async def wait_for(request: Request, future: "Future[Result]") -> Result:
    """Wait for an answer, or until the caller has gone: then the work is not done, if its turn has not come.

    Args:
        request: whose body has been read.
        future: of the answer.

    Returns:
        The answer.

    Raises:
        ProblemError: the caller has gone.
    """
    answer = asyncio.wrap_future(future)
    gone = asyncio.create_task(_until_gone(request))
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise ProblemError(499, "gone", "the caller has gone")
    finally:
        future.cancel()
        gone.cancel()


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def thumbnail_url(product_id: str, view: int) -> str:
    """Where the small picture of a product is."""
    return f"/v1/thumbnails/{quote(product_id, safe='')}?view={view}"
