"""Pictures by URL, from hosts that the one who runs the service has named, and from nowhere else.

A service that fetches what strangers name can be led to its neighbours (server-side request forgery). So a URL must
name an allowed host; every address of it must be public; the connection goes to the very address that was looked at,
so that a second look-up cannot give another one; and a redirect is a new URL to which all of this applies again.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3

from fashionbert.serving.problems import ProblemError

_REDIRECTS = 3
_CHUNK = 1 << 16
_PORTS = {"http": 80, "https": 443}


def is_public(address: str) -> bool:
    """Whether an IP address belongs to nobody's own network."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return found.is_global and not found.is_multicast


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
            hosts: names, each with a port where it is not that of the scheme (``cdn.shop.com``, ``intern:8080``).
            most_bytes: largest file.
            seconds: for the whole of a file.
            allowed: says of an IP address whether it may be connected to.
        """
        self._hosts = {host.lower() for host in hosts}
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
        for _ in range(_REDIRECTS + 1):
            response = self._get(url, where, until)
            try:
                if response.status in (301, 302, 303, 307, 308):
                    url = urljoin(url, response.headers.get("location", ""))
                    continue
                if response.status != 200:
                    raise _problem(f"{where}: {url} answers with status {response.status}")
                return self._body(response, url, where, until)
            except urllib3.exceptions.HTTPError as error:
                raise _problem(f"{where}: {url} cannot be fetched ({error})") from error
            finally:
                response.close()
        raise _problem(f"{where}: {url} is redirected more than {_REDIRECTS} times")

    def _get(self, url: str, where: str, until: float) -> urllib3.BaseHTTPResponse:
        parts = self._checked(url, where)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        address = self._address(host, port, where)
        timeout = urllib3.Timeout(total=max(0.1, until - monotonic()))
        if parts.scheme == "https":  # the certificate must be the host's, though the address is what is called
            pool: Any = urllib3.HTTPSConnectionPool(
                address, port, timeout=timeout, server_hostname=host, assert_hostname=host
            )
        else:
            pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Host": parts.netloc, "Accept": "image/*", "User-Agent": "fashionbert"}
        try:
            return pool.urlopen("GET", path, headers=headers, redirect=False, retries=False, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise _problem(f"{where}: {url} cannot be fetched ({error})") from error

    def _checked(self, url: str, where: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            host = f"{(parts.hostname or '').lower()}{'' if parts.port is None else f':{parts.port}'}"
        except ValueError as error:
            raise _problem(f"{where}: {url!r} is no URL ({error})") from error
        if parts.scheme not in _PORTS or parts.username is not None or host not in self._hosts:
            known = ", ".join(sorted(self._hosts))
            raise _problem(f"{where}: {url!r} is not of an allowed host ({known}): send the file itself")
        return parts

    def _address(self, host: str, port: int, where: str) -> str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise _problem(f"{where}: there is no host {host!r} ({error})") from error
        addresses = [str(each[4][0]) for each in found]
        if not addresses or not all(map(self._allowed, addresses)):
            raise _problem(f"{where}: {host!r} is an address that is not public: send the file itself")
        return addresses[0]

    def _body(self, response: urllib3.BaseHTTPResponse, url: str, where: str, until: float) -> bytes:
        body = bytearray()
        for chunk in response.stream(_CHUNK):
            body += chunk
            if len(body) > self._most_bytes:
                raise _problem(f"{where}: {url} has more than {self._most_bytes / 1e6:g} MB")
            if monotonic() > until:
                raise _problem(f"{where}: {url} takes more than {self._seconds:g} seconds")
        return bytes(body)


def _problem(message: str) -> ProblemError:
    return ProblemError(422, "bad-image", message)
