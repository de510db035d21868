"""Waiting for an answer that nobody may want any more."""

import asyncio
from concurrent.futures import Future
from typing import TypeVar

from fastapi import Request

from fashionbert.serving.problems import ProblemError

Result = TypeVar("Result")


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
        answer.cancel()  # and with it the future; what it brings later nobody need be told
        gone.cancel()


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
