from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fashionbert.catalogue import Catalogue
from fashionbert.scoring import Scorer

from .conftest import encoded


@pytest.fixture(scope="module")
def scorer(shop_index: Path) -> Scorer:
    return Scorer.from_pretrained(shop_index.parent / "run")


def test_scores_are_those_of_the_scorer(
    client: TestClient, scorer: Scorer, shop: Catalogue, pictures: list[bytes]
) -> None:
    pairs = [
        {"text": "red dress", "image": encoded(pictures[0])},
        {"text": "red dress", "product_id": "s2", "view": 1},
        {"text": "", "product_id": "d3"},
    ]
    held = {product.product_id: product for product in shop}
    expected = scorer.score(
        [("red dress", pictures[0]), ("red dress", held["s2"].pictures[1].read()), ("", held["d3"].pictures[0].read())]
    )
    assert client.post("/v1/score", json={"pairs": pairs}).json()["scores"] == pytest.approx(
        expected.tolist(), abs=2e-3
    )
    assert client.post("/v1/score", json={"pairs": []}).json() == {"scores": []}


def test_pictures_are_ranked_for_words(client: TestClient, scorer: Scorer, pictures: list[bytes]) -> None:
    body = {"query": "red dress", "documents": [{"image": encoded(each)} for each in pictures], "top_n": 4}
    answer = client.post("/v1/rerank", json=body).json()
    scores = scorer.score([("red dress", picture) for picture in pictures])
    assert [result["index"] for result in answer["results"]] == (-scores).argsort()[:4].tolist()
    assert [result["relevance_score"] for result in answer["results"]] == pytest.approx(
        sorted(scores)[::-1][:4], abs=2e-3
    )
    assert answer["results"][0]["document"] is None


def test_words_are_ranked_for_a_picture(client: TestClient, scorer: Scorer, pictures: list[bytes]) -> None:
    words = ["red dress", "blue shirt", "linen"]
    documents = ["red dress", {"text": "blue shirt"}, "linen"]
    body = {"query": {"image": encoded(pictures[0])}, "documents": documents, "return_documents": True}
    results = client.post("/v1/rerank", json=body).json()["results"]
    scores = scorer.score([(text, pictures[0]) for text in words])
    assert [result["document"] for result in results] == [{"text": words[place]} for place in (-scores).argsort()]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/v1/score", {"pairs": [{"text": "a"}]}, "pairs.0 needs a picture"),
        ("/v1/score", {"pairs": [{"text": "a", "image": "", "product_id": "d1"}]}, "pairs.0 needs a picture"),
        ("/v1/score", {"pairs": [{"text": "a", "product_id": "x"}]}, "there is no product 'x'"),
        ("/v1/score", {"pairs": [{"text": "a", "image": ""}]}, "pairs.0: the file has 0 bytes"),
        ("/v1/rerank", {"query": "a", "documents": ["text against text"]}, "documents.0 needs a picture"),
        ("/v1/rerank", {"query": {"product_id": "d1"}, "documents": [{"product_id": "d1"}]}, "documents.0 has no text"),
        ("/v1/rerank", {"query": {}, "documents": ["a"]}, "a query is words, or a picture"),
        (
            "/v1/rerank",
            {"query": {"text": "a", "product_id": "d1"}, "documents": ["a"]},
            "a query is words, or a picture",
        ),
        ("/v1/rerank", {"query": "a", "documents": []}, "at least 1 item"),
    ],
)
def test_bad_requests(client: TestClient, path: str, body: dict[str, Any], says: str) -> None:
    response = client.post(path, json=body)
    assert response.status_code == 422
    assert says in response.text
