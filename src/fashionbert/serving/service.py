"""What routes share: the worker, the settings, and how one waits for an answer that nobody may want any more."""

import asyncio
import hmac
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import quote

from fastapi import Depends, Request

from fashionbert.serving.budget import CostEstimate
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
        settings: of the service.
        metrics: counts.
        costs: of searches so far.
        name: of the index.
    """

    worker: Worker
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


def refuse_strangers(request: Request, service: Service) -> None:
    """Let through who has the key.

    Args:
        request: with its ``Authorization`` header.
        service: with its key.

    Raises:
        ProblemError: the service takes no writes, or the key is missing or another one.
    """
    key = service.settings.key
    if key is None:
        raise ProblemError(403, "read-only", "this service takes no writes: start it with a key (--key)")
    sent = request.headers.get("authorization", "").encode()
    if not hmac.compare_digest(sent, f"Bearer {key.get_secret_value()}".encode()):
        raise ProblemError(401, "bad-key", "writes need the header Authorization: Bearer KEY")


def thumbnail_url(product_id: str, view: int) -> str:
    """Where the small picture of a product is."""
    return f"/v1/thumbnails/{quote(product_id, safe='')}?view={view}"
