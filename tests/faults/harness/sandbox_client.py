"""The Omnitron sandbox as a trial sees it: its controls, and its books over its own API."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from tests.faults.harness.cluster import CHANNEL

_API = f"/api/v1/channel/{CHANNEL}"
_PAGE = 100


class SandboxFailed(Exception):
    """The sandbox did not answer, or not with a success."""


class SandboxClient:
    """A client of one sandbox. Not for several threads."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._token = ""

    def control(self, name: str, body: Any) -> Any:
        """POST a control."""
        return self._call("POST", f"/sandbox/{name}/", body)

    def show(self, name: str, **query: Any) -> Any:
        """GET a control."""
        return self._call("GET", f"/sandbox/{name}/?{urlencode(query)}")

    def delete(self, name: str, **query: Any) -> Any:
        """DELETE by a control."""
        return self._call("DELETE", f"/sandbox/{name}/?{urlencode(query)}")

    def list_all(self, name: str) -> Iterator[dict[str, Any]]:
        """Read one of the API's lists, all of its pages."""
        if not self._token:
            body = {"username": "aftercart", "password": "sandbox"}
            self._token = self._call("POST", "/api/v1/auth/login/", body)["key"]
        page = 1
        while True:
            query = urlencode({"limit": _PAGE, "page": page, "sort": "pk"})
            answer = self._call("GET", f"{_API}/{name}/?{query}")
            yield from answer["results"]
            if answer["next"] is None:
                return
            page += 1

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Token {self._token}"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise SandboxFailed(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise SandboxFailed(f"{method} {path}: {response.status} {text[:200]!r}")
        return json.loads(text)
