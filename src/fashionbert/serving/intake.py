"""What comes in from outside: bodies up to a size, pictures as base64 or as files. Nothing is ever fetched by URL."""

import base64
import binascii
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fashionbert.serving.problems import ProblemError, describe_faults, problem_response

Body = TypeVar("Body", bound=BaseModel)


def picture_of(text: str, where: str) -> bytes:
    """Read a picture from base64, with or without the ``data:`` of a data URL.

    Args:
        text: base64.
        where: what messages call it.

    Returns:
        The file's bytes, not yet decoded.

    Raises:
        ProblemError: it is no base64, or a URL.
    """
    if text.startswith(("http://", "https://")):
        raise ProblemError(422, "bad-image", f"{where} is a URL; nothing is fetched from here: send the file itself")
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProblemError(
            422, "bad-image", f"{where} is no base64 ({error}): send a picture file so encoded"
        ) from error


async def read_body(request: Request, kind: type[Body], field: str, files: str) -> tuple[Body, list[bytes]]:
    """Read a body that is JSON, or a form of JSON and picture files.

    Args:
        request: the request.
        kind: of the JSON.
        field: name of the JSON in a form.
        files: name of the pictures in a form.

    Returns:
        The body, and the pictures of the form.

    Raises:
        ProblemError: it is of neither type, or cannot be read.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return _parsed(await request.body() or b"{}", kind), []
    if media_type != "multipart/form-data":
        raise ProblemError(
            415, "bad-content-type", f"content type {media_type!r}: send application/json or multipart/form-data"
        )
    try:
        async with request.form(max_files=20, max_fields=20) as form:
            unknown = sorted(set(form) - {field, files})
            if unknown:
                raise ProblemError(422, "bad-form", f"unknown fields {unknown}: send {field} and {files}")
            if not form:
                raise ProblemError(422, "bad-form", f"the form is empty or cut off: send {field} or {files}")
            if any(not isinstance(each, UploadFile) for each in form.getlist(files)):
                raise ProblemError(422, "bad-form", f"{files} is text: send it as a file (curl: -F {files}=@photo.jpg)")
            words = form.get(field, "{}")
            text = await words.read() if isinstance(words, UploadFile) else words.encode()
            pictures = [each for each in form.getlist(files) if isinstance(each, UploadFile)]
            return _parsed(text, kind), [await picture.read() for picture in pictures]
    except MultiPartException as error:
        raise ProblemError(422, "bad-form", f"the form cannot be read: {error.message}") from error


def _parsed(text: bytes, kind: type[Body]) -> Body:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        faults = describe_faults(error.errors())
        raise ProblemError(422, "bad-request", "the request cannot be read", faults) from error


class LimitBodies:
    """Refuses bodies above a size when they say so, or as soon as they exceed it."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app, self._most = app, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is small enough."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = ProblemError(
            413, "too-large", f"the body has more than {self._most / 1e6:g} MB: send a smaller picture or fewer"
        )
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._most:
            await problem_response(problem)(scope, receive, send)
            return
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise problem
            return message

        await self._app(scope, limited, send)
