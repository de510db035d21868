"""Where pictures from outside are fetched and decoded: once, by threads of their own, before their request waits.

So a broken picture is refused without a turn of the model, and no picture is decoded while others wait for one. What
is held at a time has a limit, for a request may bring two hundred of them; so have the bytes and the time of its links.
"""

import base64
import binascii
import io
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from fastapi import Request
from PIL import Image

from fashionbert.images.decode import FORMATS, PictureLimits
from fashionbert.search import SearchEngine
from fashionbert.search.pictures import SeenPicture
from fashionbert.serving.links import Links
from fashionbert.serving.problems import ProblemError
from fashionbert.serving.waiting import wait_for
from fashionbert.serving.worker import BusyError

_THREADS = 2
_MOST_HELD = 512_000_000
"""Bytes of decoded pictures, as the networks take them: of all requests that wait, and so of each."""
_MOST_PIXELS = 32_000_000
"""Of one picture: what phones take, and not what one bomb would need of memory."""
_MOST_PIXELS_TOGETHER = 128_000_000
"""Of all pictures of a request: some seconds of decoding."""

Image.init()
_FORMATS = [name for name in FORMATS if name in Image.OPEN]  # a build of Pillow may lack one


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture as a request holds it.

    Attributes:
        where: what messages call it.
        content: bytes of a file; or base64, with or without the ``data:`` of a data URL; or a URL.
    """

    where: str
    content: str | bytes

    @property
    def is_link(self) -> bool:
        """Whether it is a URL."""
        return isinstance(self.content, str) and self.content[:8].lower().startswith(("http://", "https://"))


class Desk:
    """Takes pictures in; for one event loop."""

    def __init__(
        self, engine: SearchEngine, *, most_bytes: int, deadline: float = 60.0, links: Links | None = None
    ) -> None:
        """Take what decodes.

        Args:
            engine: of the index.
            most_bytes: largest picture file.
            deadline: seconds after which a request whose pictures still wait is refused.
            links: fetches pictures by URL; None: that is refused.
        """
        self._engine, self._links, self._deadline = engine, links, deadline
        self.limits = PictureLimits(max_bytes=most_bytes, max_pixels=_MOST_PIXELS)
        self._decoders: ThreadPoolExecutor
        self._fetchers: ThreadPoolExecutor
        self._lock = threading.Lock()
        self._held = 0

    def start(self) -> None:
        """Begin to take pictures in, for the first time or after :meth:`close`."""
        self._decoders = ThreadPoolExecutor(_THREADS, "pictures")
        self._fetchers = ThreadPoolExecutor(_THREADS, "links")  # of their own: a slow host must not keep others waiting

    def close(self) -> None:
        """Drop what still waits."""
        for threads in (self._decoders, self._fetchers):
            threads.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def seen(self, request: Request, pictures: Sequence[Sent]) -> AsyncIterator[list[SeenPicture]]:
        """Decode the pictures of a request, which are held until the block ends.

        Args:
            request: that they came with; who has gone is not decoded for.
            pictures: as they came.

        Yields:
            The pictures, for ``SearchEngine.search`` or ``score``.

        Raises:
            BusyError: many pictures are held already, or these have waited beyond the deadline.
            ProblemError: one is no base64, or a URL that cannot be fetched, or all are too many together.
            PictureError: one cannot be used.
        """
        if not pictures:
            yield []
            return
        files = await self._files(request, pictures)
        names = [picture.where for picture in pictures]
        work = _Decoding(self._engine, self.limits, monotonic() + self._deadline, self._hold)
        decoded = self._decoders.submit(work.run, list(zip(names, files, strict=True)))
        try:
            yield await wait_for(request, decoded)
        finally:
            work.stop.set()
            decoded.add_done_callback(lambda _: self._hold(-work.held))  # not before its thread has ended

    async def files(self, request: Request, pictures: Sequence[Sent]) -> list[bytes]:
        """Give the files of pictures that are decoded later.

        Args:
            request: that they came with.
            pictures: as they came.

        Returns:
            The files; those that are no pictures among them.

        Raises:
            ProblemError: as of :meth:`seen`; pixels are counted by what the headers say.
        """
        files = await self._files(request, pictures)
        pixels = await wait_for(request, self._decoders.submit(lambda: sum(map(self._pixels_of, files))))
        _refuse_pixels(pixels)
        return files

    def _pixels_of(self, file: bytes) -> int:
        """What will be decoded of a file: nothing, where it is refused for its size, or is no picture."""
        try:
            with Image.open(io.BytesIO(file), formats=_FORMATS) as picture:
                pixels = picture.width * picture.height
        except Exception:  # a plugin may raise anything on hostile bytes; what it is will be told when it is decoded
            return 0
        return pixels if pixels <= self.limits.max_pixels else 0

    async def _files(self, request: Request, pictures: Sequence[Sent]) -> list[bytes]:
        if not any(picture.is_link for picture in pictures):
            return [_file(picture) for picture in pictures]
        work = _Fetching(self._links, self.limits.max_bytes, self._deadline)
        try:
            return await wait_for(request, self._fetchers.submit(work.run, pictures))
        finally:
            work.stop.set()

    def _hold(self, count: int, own: int = 0) -> None:
        """Count bytes of decoded pictures, ``own`` by this request before; refuse what is too much."""
        with self._lock:
            if own + count > _MOST_HELD:
                raise _bad(f"the pictures take more than {_MOST_HELD / 1e6:g} MB as the model reads them: send fewer")
            if count > 0 and self._held + count > _MOST_HELD:
                raise BusyError("pictures of other requests are waiting already", 1)
            self._held += count


class _Fetching:
    """Fetches the links of one request, until nobody waits for them any more."""

    def __init__(self, links: Links | None, most_bytes: int, deadline: float) -> None:
        self._links, self._most_bytes, self._deadline = links, most_bytes, deadline
        self._until, self._is_begun = monotonic() + deadline, False
        self.stop = threading.Event()

    def run(self, pictures: Sequence[Sent]) -> list[bytes]:
        files: list[bytes] = []
        for picture in pictures:
            files.append(self._fetched(picture) if picture.is_link else _file(picture))
            if sum(map(len, files)) > self._most_bytes:
                message = f"the pictures have more than {self._most_bytes / 1e6:g} MB together: send fewer"
                raise ProblemError(413, "too-large", message)
        return files

    def _fetched(self, picture: Sent) -> bytes:
        if self._links is None:
            raise _bad(f"{picture.where} is a URL; nothing is fetched from here: send the file itself")
        if self.stop.is_set():
            raise BusyError("nobody waits for the links any more", 1)
        if monotonic() > self._until:
            if self._is_begun:
                raise _bad(f"the links take more than {self._deadline:g} s together: send fewer, or the files")
            raise BusyError("the links of the request have waited beyond its deadline", 1)
        self._is_begun = True
        return self._links.fetch(str(picture.content), picture.where)


class _Decoding:
    """Decodes the pictures of one request, until nobody waits for them any more."""

    def __init__(
        self, engine: SearchEngine, limits: PictureLimits, until: float, hold: Callable[[int, int], None]
    ) -> None:
        self._engine, self._limits, self._until, self._hold = engine, limits, until, hold
        self.stop = threading.Event()
        self.held = 0

    def run(self, files: Sequence[tuple[str, bytes]]) -> list[SeenPicture]:
        seen: list[SeenPicture] = []
        for name, file in files:
            # It waits for the first one alone: what takes longer to decode would be refused however often it came.
            if self.stop.is_set() or (not seen and monotonic() > self._until):
                raise BusyError("the pictures of the request have waited beyond its deadline", 1)
            seen.append(self._engine.look(file, self._limits, name=name))
            count = seen[-1].nbytes
            self._hold(count, self.held)
            self.held += count
            _refuse_pixels(sum(each.pixels for each in seen))
        return seen


def _file(picture: Sent) -> bytes:
    if isinstance(picture.content, bytes):
        return picture.content
    encoded = picture.content
    if encoded.startswith("data:"):
        encoded = encoded.partition(",")[2]
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad(f"{picture.where} is no base64 ({error}): send a picture file so encoded") from error


def _refuse_pixels(count: int) -> None:
    if count > _MOST_PIXELS_TOGETHER:
        raise _bad(f"the pictures have more than {_MOST_PIXELS_TOGETHER:,} pixels together: send fewer")


def _bad(message: str) -> ProblemError:
    return ProblemError(422, "bad-image", message)
