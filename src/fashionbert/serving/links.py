"""Pictures by URL, from hosts that the one who runs the service has named, and from nowhere else.

A service that fetches what strangers name can be led to its neighbours (server-side request forgery). So a URL must
name an allowed host; every address of it must be public; the connection goes to the very address that was looked at,
so that a second look-up cannot give another one; and a redirect is a new URL to which all of this applies again. The
time is for the whole of a file: a watchdog cuts the connection of a server that drips.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from time import monotonic
from urllib.parse import urljoin, urlsplit

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from fashionbert.serving.problems import ProblemError, shown

_REDIRECTS = 3
_CHUNK = 1 << 16
_PORTS = {"http": 80, "https": 443}
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_EMBEDDING = [
    ipaddress.ip_network(each)
    for each in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10")
]
"""IPv6 addresses behind which another address may stand, or which are a site's own."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to nobody's own network."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found in _TRANSLATED:  # what a network without IPv4 makes of every IPv4 address
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        if any(found in network for network in _EMBEDDING):
            return False
    return found.is_global and not found.is_multicast


def spelt_host(named: str) -> str:
    """Spell a host as connections do, in small ASCII letters; :class:`ValueError` where DNS has no such name."""
    if named.startswith("[") or named.count(":") > 1:  # IPv6
        return named.lower()
    name, colon, port = named.partition(":")
    return name.encode("idna").decode().lower() + colon + port


class Links:
    """Fetches pictures from allowed hosts."""

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        most_bytes: int,
        seconds: float = 10.0,
        allowed: Callable[[str], bool] = is_public,
    ) -> None:
        """Take what is allowed.

        Args:
            hosts: names, each with a port where it is not that of the scheme (``cdn.shop.com``, ``intern:8080``); with
                umlauts or as DNS spells those.
            most_bytes: largest file.
            seconds: for the whole of a file.
            allowed: says of an IP address whether it may be connected to.
        """
        self._hosts = sorted(set(map(spelt_host, hosts)))
        self._most_bytes, self._seconds, self._allowed = most_bytes, seconds, allowed

    def fetch(self, url: str, where: str) -> bytes:
        """Fetch a picture file; the calling thread waits.

        Args:
            url: of the picture.
            where: what messages call it.

        Returns:
            The file's bytes.

        Raises:
            ProblemError: the URL is not allowed, or does not give a file of a bearable size in time.
        """
        until = monotonic() + self._seconds
        try:
            for _ in range(_REDIRECTS + 1):
                with self._answer(url, until) as response:
                    if response.status not in (301, 302, 303, 307, 308):
                        body = self._body(response)
                        if monotonic() >= until:  # where it was cut, a body of no stated length looks whole
                            raise TimeoutError
                        return body
                    url = urljoin(url, response.headers.get("location", ""))
            raise _RefusedError(f"is redirected more than {_REDIRECTS} times")
        except _RefusedError as error:
            raise ProblemError(422, "bad-image", f"{where}: {shown(url)} {error}") from error
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            is_late = monotonic() >= until
            reason = f"takes more than {self._seconds:g} seconds" if is_late else f"cannot be had ({error!s:.200})"
            raise ProblemError(422, "bad-image", f"{where}: {shown(url)} {reason}") from error

    @contextmanager
    def _answer(self, url: str, until: float) -> Iterator[BaseHTTPResponse]:
        """Ask a URL for its file; headers are read, the body is not."""
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port or _PORTS.get(parts.scheme, 0)
        is_known = parts.scheme in _PORTS and parts.username is None
        if not is_known or not self._is_allowed(host, port, parts.scheme):
            raise _RefusedError(f"is not of an allowed host ({', '.join(self._hosts)}): send the file itself")
        address, seconds = self._address(host, port), max(0.1, until - monotonic())
        if parts.scheme == "https":  # the certificate must be the host's, though the address is what is called
            connection: HTTPConnection = HTTPSConnection(
                address, port, timeout=seconds, server_hostname=host, assert_hostname=host
            )
        else:
            connection = HTTPConnection(address, port, timeout=seconds)
        connection.connect()
        assert connection.sock is not None, "it is connected"
        watchdog = threading.Timer(max(0.0, until - monotonic()), _cut, [connection.sock])
        watchdog.daemon = True
        watchdog.start()
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            shown = f"[{host}]" if ":" in host else host
            headers = {"Host": shown if port == _PORTS[parts.scheme] else f"{shown}:{port}", "Accept": "image/*"}
            connection.request("GET", path, headers=headers, preload_content=False, decode_content=False)
            yield connection.getresponse()
        finally:
            watchdog.cancel()
            connection.close()

    def _is_allowed(self, host: str, port: int, scheme: str) -> bool:
        shown = f"[{host}]" if ":" in host else host
        is_usual = port == _PORTS[scheme]
        return f"{shown}:{port}" in self._hosts or (is_usual and bool({host, shown} & set(self._hosts)))

    def _address(self, host: str, port: int) -> str:
        addresses = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if not addresses or not all(map(self._allowed, addresses)):
            raise _RefusedError(
                f"is not public, {host!r} is an address of somebody's own network: send the file itself"
            )
        return addresses[0]

    def _body(self, response: BaseHTTPResponse) -> bytes:
        if response.status != 200:
            raise _RefusedError(f"answers with status {response.status}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _RefusedError("is a compressed answer, and what it unpacks to nobody knows: send the file itself")
        body = bytearray()
        while chunk := response.read(_CHUNK):
            body += chunk
            if len(body) > self._most_bytes:
                raise _RefusedError(f"has more than {self._most_bytes / 1e6:g} MB")
        return bytes(body)


class _RefusedError(Exception):
    """A URL is not allowed, or its answer is none that is taken; what is said of it."""


def _cut(connected: socket.socket) -> None:
    """End whatever waits for the other side."""
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
