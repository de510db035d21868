"""Random requests made from the OpenAPI file: whatever comes in, no answer is a 5xx but a 503.

``FASHIONBERT_RANDOM_REQUESTS=10000`` asks for more of them.
"""

import os
from collections import Counter
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

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
