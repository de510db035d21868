"""What is looked at before a body is read: who asks, of what type it is, how large it may be, whether there is room."""

import asyncio
import hmac
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fashionbert.serving.problems import ProblemError, problem_of, problem_response
from fashionbert.serving.service import Service, service_of
from fashionbert.serving.worker import BusyError

_SECONDS_WITHOUT_DATA = 30.0
_BODIES_HELD = 16
"""Bodies of the largest size that may be in memory at a time."""


class QueuedRoute(APIRoute):
    """A route whose requests take a turn of the model."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the door."""
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            service = service_of(request)
            self.look_at(request, service)
            service.worker.refuse_if_full()
            return await answer(request)

        return guarded

    def look_at(self, request: Request, service: Service) -> None:
        """Refuse bodies of another type.

        Args:
            request: whose body is not read yet.
            service: that it came to.

        Raises:
            ProblemError: the body is no JSON.
        """
        if request.method in ("POST", "PUT"):
            refuse_types(request, "application/json")


class FormRoute(QueuedRoute):
    """A queued route that takes forms, too."""

    def look_at(self, request: Request, service: Service) -> None:
        """Refuse bodies of another type; arguments and errors as of :class:`QueuedRoute`."""
        refuse_types(request, "application/json", "multipart/form-data")


class WritingRoute(QueuedRoute):
    """A queued route that only those with the key may take."""

    def look_at(self, request: Request, service: Service) -> None:
        """Let through who has the key; arguments and errors as of :class:`QueuedRoute`, and where there is no key."""
        key = service.settings.key
        if key is None:
            raise ProblemError(403, "read-only", "this service takes no writes: start it with a key (--key)")
        sent = request.headers.get("authorization", "").encode("latin-1")  # the bytes as they came
        if not hmac.compare_digest(sent, f"Bearer {key.get_secret_value()}".encode()):
            raise ProblemError(401, "bad-key", "writes need the header Authorization: Bearer KEY")
        super().look_at(request, service)


def refuse_types(request: Request, *types: str) -> None:
    """Refuse a body whose content type is none of some.

    Args:
        request: the request.
        *types: that are taken.

    Raises:
        ProblemError: with status 415.
    """
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in types:
        raise ProblemError(415, "bad-content-type", f"content type {found!r}: send {' or '.join(types)}")


class LimitBodies:
    """Refuses bodies above a size, as soon as they say so or exceed it, and more requests than can be held."""

    def __init__(self, app: ASGIApp, most_bytes: int, most_open: int, smaller: Mapping[str, int]) -> None:
        """Take the limits.

        Args:
            app: gets what is small enough.
            most_bytes: of a body.
            most_open: requests with a body at a time.
            smaller: limits of single paths, whose bodies hold no pictures.
        """
        self._app, self._most, self._most_open, self._smaller = app, most_bytes, most_open, smaller
        self._open = self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is small enough."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        if self._open >= self._most_open:
            busy = BusyError(f"{self._open} requests are being answered already", 1)
            await problem_response(problem_of(busy))(scope, receive, send)
            return
        self._open += 1
        try:
            await self._limited(scope, receive, send)
        finally:
            self._open -= 1

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = self._smaller.get(scope["path"], self._most)
        message = f"the body has more than {most / 1e6:g} MB: send less"
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > most:
            await problem_response(ProblemError(413, "too-large", message))(scope, receive, send)
            return
        taken, is_whole = 0, False

        async def limited() -> Message:
            nonlocal taken, is_whole
            if is_whole:  # what comes now is that the caller goes, whenever that is
                return await receive()
            try:
                part = await asyncio.wait_for(receive(), _SECONDS_WITHOUT_DATA)
            except TimeoutError:
                raise HTTPException(408, f"nothing of the body has come for {_SECONDS_WITHOUT_DATA:g} s") from None
            is_whole = not part.get("more_body", False)
            taken += len(part.get("body", b""))
            self._bytes += len(part.get("body", b""))
            if taken > most:
                raise HTTPException(413, message)  # of a kind that readers of bodies let through
            if self._bytes > _BODIES_HELD * self._most:
                raise HTTPException(503, "many large bodies are being read already", {"Retry-After": "1"})
            return part

        try:
            await self._app(scope, limited, send)
        finally:
            self._bytes -= taken
