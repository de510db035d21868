"""Where pictures from outside are fetched and decoded: once, by threads of their own, before their request waits.

So a broken picture is refused without a turn of the model, and no picture is decoded while others wait for one. What
is held at a time has a limit, for a request may bring two hundred of them.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from fashionbert.images.decode import PictureLimits
from fashionbert.search import SearchEngine
from fashionbert.search.pictures import SeenPicture
from fashionbert.serving.links import Links
from fashionbert.serving.problems import ProblemError
from fashionbert.serving.worker import BusyError

Result = TypeVar("Result")
_THREADS = 2
_MOST_HELD = 256
_MOST_PIXELS = 32_000_000
"""Of one picture: what phones take, and not what one bomb would need of memory."""
_MOST_PIXELS_TOGETHER = 128_000_000
"""Of all pictures of a request: some seconds of decoding."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture as a request holds it.

    Attributes:
        where: what messages call it.
        content: bytes of a file; or base64, with or without the ``data:`` of a data URL; or a URL.
    """

    where: str
    content: str | bytes


class Desk:
    """Takes pictures in; for one event loop."""

    def __init__(self, engine: SearchEngine, *, most_bytes: int, links: Links | None = None) -> None:
        """Take what decodes.

        Args:
            engine: of the index.
            most_bytes: largest picture file.
            links: fetches pictures by URL; None: that is refused.
        """
        self._engine, self._links = engine, links
        self._limits = PictureLimits(max_bytes=most_bytes, max_pixels=_MOST_PIXELS)
        self._threads = ThreadPoolExecutor(_THREADS, "pictures")
        self._held = 0

    @asynccontextmanager
    async def seen(self, pictures: Sequence[Sent]) -> AsyncIterator[list[SeenPicture]]:
        """Decode the pictures of a request, which are held until the block ends.

        Args:
            pictures: as they came.

        Yields:
            The pictures, for ``SearchEngine.search`` or ``score``.

        Raises:
            BusyError: many pictures are held already.
            ProblemError: one is no base64, or a URL that cannot be fetched, or all have too many pixels together.
            PictureError: one cannot be used.
        """
        if not pictures:
            yield []
            return
        if self._held and self._held + len(pictures) > _MOST_HELD:
            raise BusyError(f"{self._held} pictures of other requests are waiting already", 1)
        self._held += len(pictures)
        try:
            yield await self._beside(lambda: self._look_at(pictures))
        finally:
            self._held -= len(pictures)

    async def files(self, pictures: Sequence[Sent]) -> list[bytes]:
        """Give the files of pictures, not yet decoded; errors as of :meth:`seen`."""
        return await self._beside(lambda: [self._file(picture) for picture in pictures])

    async def _beside(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _look_at(self, pictures: Sequence[Sent]) -> list[SeenPicture]:
        seen: list[SeenPicture] = []
        for picture in pictures:
            seen.append(self._engine.look(self._file(picture), self._limits, name=picture.where))
            if sum(each.pixels for each in seen) > _MOST_PIXELS_TOGETHER:
                raise ProblemError(
                    422,
                    "bad-image",
                    f"the pictures have more than {_MOST_PIXELS_TOGETHER:,} pixels together: send fewer",
                )
        return seen

    def _file(self, picture: Sent) -> bytes:
        if isinstance(picture.content, bytes):
            return picture.content
        if picture.content.startswith(("http://", "https://")):
            if self._links is None:
                raise ProblemError(
                    422, "bad-image", f"{picture.where} is a URL; nothing is fetched from here: send the file itself"
                )
            return self._links.fetch(picture.content, picture.where)
        encoded = picture.content
        if encoded.startswith("data:"):
            encoded = encoded.partition(",")[2]
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ProblemError(
                422, "bad-image", f"{picture.where} is no base64 ({error}): send a picture file so encoded"
            ) from error
