"""Bodies that are JSON, or a form of JSON and picture files."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.requests import Request

from fashionbert.serving.problems import ProblemError, describe_faults, shown

Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, kind: type[Body], field: str, files: str) -> tuple[Body, list[bytes]]:
    """Read a body of one of the two types.

    Args:
        request: the request.
        kind: of the JSON.
        field: name of the JSON in a form.
        files: name of the pictures in a form.

    Returns:
        The body, and the pictures of the form.

    Raises:
        ProblemError: it cannot be read.
        HTTPException: the form is broken.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/"):
        return _parsed(await request.body() or b"{}", kind), []
    _refuse_charsets(request)
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


def _refuse_charsets(request: Request) -> None:
    """Refuse a form that names another charset; Python has some that are no charsets, and decode to what is no text."""
    _, options = parse_options_header(request.headers["content-type"])  # what the reader of the form goes by, too
    charset = options.get(b"charset", b"utf-8")
    if charset.lower() not in (b"utf-8", b"utf8"):
        raise ProblemError(422, "bad-form", f"the form is in {shown(charset.decode('latin-1'))}: send it in utf-8")


def _parsed(text: bytes, kind: type[Body]) -> Body:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        faults = describe_faults(error.errors())
        raise ProblemError(422, "bad-request", "the request cannot be read", faults) from error
