"""The app: routes, limits and error answers around one worker."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fashionbert.search import SearchEngine
from fashionbert.serving.bodies import MOST_TOP
from fashionbert.serving.budget import CostEstimate
from fashionbert.serving.desk import Desk
from fashionbert.serving.door import LimitBodies
from fashionbert.serving.links import Links
from fashionbert.serving.metrics import Metrics
from fashionbert.serving.problems import ProblemError, describe_faults, problem_of, problem_response
from fashionbert.serving.routes import page, products, scoring, search, state
from fashionbert.serving.service import Service
from fashionbert.serving.settings import ServeSettings
from fashionbert.serving.worker import Load, Worker

_LOG = logging.getLogger("fashionbert.serving")
_SMALL_BYTES = 1_000_000
"""Of bodies that hold no pictures."""
_OPEN_FOR_EACH_WAITING = 4
"""Requests whose bodies may be in memory, read or half read, for each place of the queue."""
_HEADERS = {
    "content-security-policy": "; ".join(
        [
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "object-src 'none'",
            "base-uri 'none'",
        ]
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def create_app(engine: SearchEngine, settings: ServeSettings, *, name: str = "") -> FastAPI:
    """Build the app of one index.

    Args:
        engine: of the index; the app's worker owns it from now on.
        settings: of the service.
        name: what the page calls the index; without one the name of its folder.

    Returns:
        An ASGI app. Its worker runs between startup and shutdown; what was accepted is answered before it stops.
    """
    metrics, costs = Metrics(), CostEstimate()

    def searched(answers: list, waits: list) -> None:
        metrics.searched(answers, waits)
        costs.learn(answers)

    worker = Worker(
        engine,
        queue_size=settings.queue,
        batch_size=settings.batch,
        deadline=settings.deadline_ms / 1000,
        refresh=settings.refresh_seconds,
        load=Load(searched, metrics.waiting.set),  # pyright: ignore[reportArgumentType]
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        desk.start()
        worker.start()
        yield
        worker.close()
        desk.close()

    app = _routed(lifespan)
    most_bytes = int(settings.upload_mb * 1e6)
    links = Links(settings.picture_hosts, most_bytes=most_bytes) if settings.picture_hosts else None
    desk = Desk(engine, most_bytes=most_bytes, deadline=settings.deadline_ms / 1000, links=links)
    title = name or Path(engine.folder).resolve().name
    cards = min(engine.cards, MOST_TOP) if settings.rerank is None else settings.rerank
    app.state.service = Service(worker, desk, settings, metrics, costs, title, cards)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(ProblemError, _answer_problem)
    app.add_middleware(
        LimitBodies,
        most_bytes=most_bytes,
        most_open=_OPEN_FOR_EACH_WAITING * settings.queue,
        smaller=dict.fromkeys(("/v1/facets", "/v1/explain"), _SMALL_BYTES),
    )
    app.add_middleware(_Watch, metrics=metrics)
    app.add_middleware(_AnswerHead)
    return app


def openapi_schema() -> dict[str, Any]:
    """Describe the service as OpenAPI, as ``/openapi.json`` does; no index is needed for it."""
    return _routed(None).openapi()


def _routed(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None) -> FastAPI:
    app = FastAPI(
        title="fashionbert",
        version=version("fashionbert"),
        description="Search a catalogue by words or pictures.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for router in (
        search.forms,
        search.router,
        scoring.router,
        products.router,
        products.writes,
        state.router,
        page.router,
    ):
        app.include_router(router)
    return app


async def _answer_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = describe_faults(error.errors())
    return problem_response(ProblemError(422, "bad-request", "the request cannot be read", faults))


async def _answer_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "no-such-page", 405: "bad-method", 408: "too-slow", 413: "too-large", 503: "busy"}.get(
        error.status_code, "bad-request"
    )
    response = problem_response(ProblemError(error.status_code, code, str(error.detail)))
    response.headers.update(error.headers or {})
    return response


async def _answer_problem(_: Request, error: Exception) -> Response:
    return problem_response(problem_of(error))


class _AnswerHead:
    """Answers HEAD as GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, without_body)


class _Watch:
    """Counts and times answers, adds security headers, and turns faults of ours into a plain 500 with a log entry."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                known = {name for name, _ in message["headers"]}
                extra = [
                    (name.encode(), value.encode()) for name, value in _HEADERS.items() if name.encode() not in known
                ]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if status:
                raise
            problem = problem_of(error)
            if problem.status == 500:
                _LOG.exception("%s %s", scope["method"], scope["path"])
            await problem_response(problem)(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(perf_counter() - started)
