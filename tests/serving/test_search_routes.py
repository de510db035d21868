import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fashionbert.search import Query, SearchEngine

from .conftest import encoded


@pytest.fixture(scope="module")
def engine(shop_index: Path) -> SearchEngine:
    return SearchEngine.open(shop_index)


def ids(answer: dict[str, Any]) -> list[str]:
    return [hit["product_id"] for hit in answer["hits"]]


def test_a_search_is_that_of_the_engine(client: TestClient, engine: SearchEngine) -> None:
    response = client.post("/v1/search", json={"text": "red dress", "not": ["shirt"], "filter": "price < 60", "top": 3})
    expected = engine.search(Query(text="red dress", unwanted=("shirt",), filter="price < 60", top=3))
    answer = response.json()
    assert response.status_code == 200
    assert ids(answer) == [hit.product_id for hit in expected.hits]
    assert [hit["probability"] for hit in answer["hits"]] == pytest.approx([hit.probability for hit in expected.hits])
    assert (answer["matches"], answer["reranked"], answer["calibrated"]) == (expected.matches, expected.reranked, False)
    assert answer["hits"][0]["attributes"]["price"] == expected.hits[0].attributes["price"]


def test_an_empty_search_shows_the_catalogue(client: TestClient) -> None:
    assert ids(client.post("/v1/search", json={}).json()) == ["d1", "d3", "s1", "s2", "s3"]


def test_a_picture_comes_as_base64_or_as_a_file(
    client: TestClient, pictures: list[bytes], engine: SearchEngine
) -> None:
    expected = [hit.product_id for hit in engine.search(Query(text="red", image=pictures[0])).hits]
    as_json = client.post("/v1/search", json={"text": "red", "image": encoded(pictures[0])})
    as_url = client.post("/v1/search", json={"text": "red", "image": f"data:image/png;base64,{encoded(pictures[0])}"})
    as_form = client.post("/v1/search", data={"query": '{"text": "red"}'}, files={"image": ("a.png", pictures[0])})
    assert ids(as_json.json()) == ids(as_url.json()) == ids(as_form.json()) == expected


def test_ticked_values_join_the_filter(client: TestClient) -> None:
    body = {
        "filter": "price < 60 or colour = red",
        "facets": {"colour": ["red", "dark blue"], "subcategory": ["Shirt"]},
    }
    assert ids(client.post("/v1/search", json=body).json()) == ["s2", "s3"]
    facets = client.post("/v1/facets", json=body).json()
    counts = {facet["name"]: {each["value"]: each["cards"] for each in facet["values"]} for facet in facets["facets"]}
    assert facets["matches"] == 2
    assert counts["colour"] == {"blue": 1, "dark blue": 1, "red": 1}  # shirts of any colour
    assert counts["subcategory"] == {"Dress": 1, "Shirt": 2}  # red or dark blue of any kind


def test_facets_by_a_filter_in_the_address(client: TestClient) -> None:
    facets = client.get("/v1/facets", params={"filter": "subcategory = dress"}).json()
    assert facets["matches"] == 2


def test_a_budget_decides_how_many_are_reranked(client: TestClient) -> None:
    assert client.post("/v1/search", json={"text": "red", "budget_ms": 1}).json()["reranked"] == 0
    assert client.post("/v1/search", json={"text": "red", "budget_ms": 60_000}).json()["reranked"] == 5
    assert client.post("/v1/search", json={"text": "red", "budget_ms": 60_000, "rerank": 2}).json()["reranked"] == 2


def test_reasons(client: TestClient, engine: SearchEngine) -> None:
    answer = client.post("/v1/explain", json={"text": "red dress", "product_id": "s2", "view": 1}).json()
    expected = engine.explain("red dress", "s2", 1)
    assert [word["text"] for word in answer["words"]] == ["red", "dress"]
    assert [word["gain"] for word in answer["words"]] == pytest.approx([word.gain for word in expected.words], abs=1e-4)
    assert answer["frame"] == [0, 0, 1, 1]
    assert answer["probability"] == pytest.approx(expected.probability, abs=1e-4)


HUGE = {"text": "word " * 100_000}


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/v1/search", {"text": "a", "filter": "size = 4"}, 422, "there is no attribute 'size'"),
        ("/v1/search", {"filter": "price <"}, 422, "a value was expected"),
        ("/v1/search", {"filter": "1 = 1 ; DROP TABLE views"}, 422, "there is no attribute '1'"),
        ("/v1/search", {"filter": ") or (price > 0"}, 422, "the name of an attribute was expected"),
        ("/v1/search", HUGE, 422, "text: String should have at most 10000 characters"),
        ("/v1/search", {"top": 0, "rerank": -1, "colour": "red"}, 422, "rerank: Input should be greater"),
        ("/v1/search", {"more_like": ["nobody"]}, 422, "there is no product 'nobody'"),
        ("/v1/search", {"facets": {"nothing": ["a"]}}, 422, "there is no attribute 'nothing'"),
        ("/v1/facets", {"facets": {"nothing": ["a"]}}, 422, "there is no attribute 'nothing'"),
        ("/v1/search", {"facets": {"colour": ["a"] * 201}}, 422, "at most 200 items"),
        ("/v1/search", {"facets": {"colour": ["a" * 501]}}, 422, "at most 500 characters"),
        ("/v1/search", {"facets": {"a" * 501: ["a"]}}, 422, "at most 500 characters"),
        ("/v1/facets", {"facets": {str(each): ["a"] for each in range(51)}}, 422, "at most 50 items"),
        ("/v1/search", {"image": "§"}, 422, "image is no base64"),
        ("/v1/search", {"image": encoded(b"no picture")}, 422, ""),
        ("/v1/search", {"image": "https://example.org/a.jpg"}, 422, "nothing is fetched from here"),
        ("/v1/search", {"not": [" "]}, 422, "not is empty"),
        ("/v1/facets", {"filter": "size = 4"}, 422, "there is no attribute 'size'"),
        ("/v1/explain", {"text": "a", "product_id": "nobody"}, 422, "there is no product 'nobody'"),
        ("/v1/explain", {"text": "a", "product_id": "d1", "view": 7}, 422, "has no picture 7"),
        ("/v1/explain", {"text": "a", "product_id": "x" * 501}, 422, "at most 500 characters"),
        ("/v1/score", {"pairs": [{"text": "a", "product_id": "x" * 501}]}, 422, "at most 500 characters"),
        ("/v1/explain", {"text": "a"}, 422, "product_id: Field required"),
    ],
)
def test_bad_requests(client: TestClient, path: str, body: dict[str, Any], status: int, says: str) -> None:
    response = client.post(path, json=body)
    assert response.status_code == status
    assert says in json.dumps(response.json()["error"], ensure_ascii=False)
    assert response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 422),
        (b'{"text": "\xff"}', "application/json", 422),
        (b'{"text": "\\ud800"}', "application/json", 422),
        (b'{"top": NaN}', "application/json", 422),
        (b"[]", "application/json", 422),
        (b"text=a", "application/x-www-form-urlencoded", 415),
        (b"<a/>", "text/xml", 415),
        (b"--x", "multipart/form-data; boundary=x", 422),
        (b"--x", "multipart/form-data", 400),
        (b"", "application/json", 200),
        (b'{"text": "\\u0000 \\u202e \xf0\x9f\x91\x97"}', "application/json; charset=utf-8", 200),
    ],
)
def test_bodies_that_are_none(client: TestClient, content: bytes, media_type: str, status: int) -> None:
    response = client.post("/v1/search", content=content, headers={"content-type": media_type})
    assert response.status_code == status, response.text


def test_forms_with_other_fields_or_many_pictures(client: TestClient, pictures: list[bytes]) -> None:
    assert client.post("/v1/search", files={"photo": pictures[0]}).status_code == 422
    two = [("image", ("a.png", pictures[0])), ("image", ("b.png", pictures[1]))]
    assert client.post("/v1/search", files=two).json()["error"]["message"] == "a search takes one picture"


def test_a_body_above_the_limit_is_cut_off(client: TestClient) -> None:
    def chunks() -> Any:
        for _ in range(30):
            yield b"a" * 1_000_000

    for content in (b"a" * 21_000_000, chunks()):
        response = client.post("/v1/search", content=content, headers={"content-type": "application/json"})
        assert response.status_code == 413
        assert "20 MB" in response.json()["error"]["message"]
