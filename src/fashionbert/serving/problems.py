"""Faults as answers: a status, a short stable code, a sentence that says what to do, and every fault at once."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from fashionbert.errors import FashionBertError, FolderInUseError, PictureError, QueryError, SearchIndexError
from fashionbert.serving.worker import BusyError

_LONGEST_QUOTE = 200


class ProblemError(Exception):
    """A request that cannot be answered."""

    def __init__(self, status: int, code: str, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, list(details)
        self.retry_after: int | None = None


def problem_of(error: Exception) -> ProblemError:
    """Translate an error of the engine; what is nobody's fault but ours is a 500 without its insides.

    Args:
        error: the error.

    Returns:
        The problem to answer with.
    """
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, QueryError):
        title, *details = str(error).split("\n  - ")
        return ProblemError(422, "bad-query", title, details)
    if isinstance(error, PictureError):
        return ProblemError(422, "bad-image", str(error))
    if isinstance(error, BusyError):
        return _later("busy", str(error), error.retry_after)
    if isinstance(error, FolderInUseError):
        return _later("being-written", str(error), 5)
    if isinstance(error, SearchIndexError):
        return _later("index-unreadable", str(error), 30)
    if isinstance(error, FashionBertError):
        return ProblemError(422, "bad-request", str(error))
    if isinstance(error, ClientDisconnect):
        return ProblemError(499, "gone", "the caller has gone")
    return ProblemError(500, "fault", "the service has a fault; its log says which")


def problem_response(problem: ProblemError) -> JSONResponse:
    """Make the answer of a problem."""
    message, *details = map(_encodable, (problem.message, *problem.details))
    body = {"error": {"code": problem.code, "message": message, "details": details}}
    headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, problem.status, headers)


def shown(text: str) -> str:
    """Quote what somebody sent, in ASCII and cut to 200 characters."""
    quoted = ascii(text[:_LONGEST_QUOTE])
    return quoted if len(quoted) <= _LONGEST_QUOTE else f"{quoted[: _LONGEST_QUOTE - 3]}..."


def describe_faults(faults: Sequence[Any]) -> list[str]:
    """Say what pydantic found, one line a fault."""
    return [f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}" for fault in faults][:50]


def _encodable(text: str) -> str:
    """A text as it is, but for what no encoding has: messages repeat what was sent, and must be sent themselves."""
    return text.encode(errors="backslashreplace").decode()


def _later(code: str, message: str, seconds: int) -> ProblemError:
    problem = ProblemError(503, code, message)
    problem.retry_after = seconds
    return problem
