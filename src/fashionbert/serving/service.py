"""What routes share: the worker, the desk, the settings."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request

from fashionbert.serving.budget import CostEstimate
from fashionbert.serving.desk import Desk
from fashionbert.serving.metrics import Metrics
from fashionbert.serving.settings import ServeSettings
from fashionbert.serving.worker import Worker


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
        cards: re-ranked where a request does not say how many.
    """

    worker: Worker
    desk: Desk
    settings: ServeSettings
    metrics: Metrics
    costs: CostEstimate
    name: str
    cards: int


def service_of(request: Request) -> Service:
    """The service of the app that a request came to."""
    return request.app.state.service


TheService = Annotated[Service, Depends(service_of)]


def thumbnail_url(product_id: str, view: int) -> str:
    """Where the small picture of a product is."""
    return f"/v1/thumbnails/{quote(product_id, safe='')}?view={view}"
