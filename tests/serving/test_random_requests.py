"""Random requests made from the OpenAPI file: whatever comes in, no answer is a 5xx but a 503.

``FASHIONBERT_RANDOM_REQUESTS=10000`` asks for more of them.
"""

import os
from collections import Counter
from pathlib import Path

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fashionbert.search import SearchEngine
from fashionbert.serving import ServeSettings, create_app

from .conftest import KEY

REQUESTS = int(os.environ.get("FASHIONBERT_RANDOM_REQUESTS", "450"))
LIMITS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.slow
def test_no_request_makes_the_service_fail(own_index: Path) -> None:
    app = create_app(SearchEngine.open(own_index), ServeSettings.model_validate({"key": KEY}))
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]  # pyright: ignore[reportAttributeAccessIssue]
    statuses: Counter[int] = Counter()
    for operation in operations:

        @settings(LIMITS, max_examples=max(1, REQUESTS // len(operations)))
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            response = case.call(headers={"Authorization": f"Bearer {KEY}"})
            statuses[response.status_code] += 1
            assert response.status_code < 500 or response.status_code == 503, response.text
            if response.status_code >= 400:
                assert response.json()["error"]["message"]

        ask()
    assert len(operations) == 15
    assert statuses[200] >= 15


CHARSETS = ["utf-8", "UTF8", "utf-16", "latin-1", "undefined", "punycode", "idna", "unicode_escape", "base64", "rot13"]
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
PARTS = [b"--x", b"--x--", b"\r\n", b"Content-Disposition: form-data; name=", b'"query"', b'"image"; filename="a"']
PARTS += [
    b"Content-Type: text/plain; charset=punycode",
    b"{",
    b"}",
    b'"text": ',
    b'"\\ud800"',
    b'"red"',
    b"\xff",
    b"\0",
]


@pytest.mark.slow
@settings(LIMITS, max_examples=REQUESTS)
@given(
    boundary=st.sampled_from(["x", '"x"']) | PLAIN,
    charset=st.sampled_from(CHARSETS) | PLAIN,
    parts=st.lists(st.sampled_from(PARTS) | st.binary(max_size=8), max_size=8),
)
def test_no_parameter_of_a_content_type_makes_the_service_fail(
    client: TestClient, boundary: str, charset: str, parts: list[bytes]
) -> None:
    """The body is a form whose boundary is x."""
    begin, end = b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n', b"\r\n--x--\r\n"
    headers = {"content-type": f"multipart/form-data; boundary={boundary}; charset={charset}"}
    response = client.post("/v1/search", content=begin + b"".join(parts) + end, headers=headers)
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.json()["error"]["message"]
