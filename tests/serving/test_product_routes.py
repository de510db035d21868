from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from .conftest import KEY, encoded


def product(pictures: list[bytes], **changes: Any) -> dict[str, Any]:
    return {"text": "a green coat", "attributes": {"colour": "green"}, "images": [encoded(pictures[0])], **changes}


def test_a_product_with_all_its_pictures(client: TestClient) -> None:
    answer = client.get("/v1/products/s2").json()
    assert answer["text"] == "red cotton shirt"
    assert [view["picture"] for view in answer["views"]] == ["s2-0", "s2-1", "s2-2"]
    picture = client.get(answer["views"][2]["thumbnail"])
    assert picture.headers["content-type"] == "image/webp"
    assert picture.content[:4] == b"RIFF"


def test_an_unchanged_thumbnail_is_not_sent_again(client: TestClient) -> None:
    tag = client.get("/v1/thumbnails/d1").headers["etag"]
    again = client.get("/v1/thumbnails/d1", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("{tag}", 304),
        ("W/{tag}", 304),
        ('"a", W/"b" ,{tag}', 304),
        ("*", 304),
        ('"a", "b"', 200),
        ("", 200),
        ("a", 200),
    ],
)
def test_several_tags_may_be_known(client: TestClient, header: str, status: int) -> None:
    tag = client.get("/v1/thumbnails/d1").headers["etag"]
    again = client.get("/v1/thumbnails/d1", headers={"if-none-match": header.format(tag=tag)})
    assert (again.status_code, again.headers["etag"]) == (status, tag)


def test_a_tag_is_that_of_the_picture(writer: TestClient, pictures: list[bytes]) -> None:
    """Whatever the version of the index: another picture has another tag, and the same picture keeps its own."""
    old = writer.get("/v1/thumbnails/d1").headers["etag"]
    other = writer.get("/v1/thumbnails/d2").headers["etag"]
    assert old != other
    writer.put("/v1/products/d2", json=product(pictures))
    assert writer.get("/v1/thumbnails/d1").headers["etag"] == old
    assert writer.get("/v1/thumbnails/d2").headers["etag"] != other


@pytest.mark.parametrize("path", ["/v1/products/x", "/v1/thumbnails/x", "/v1/thumbnails/d1?view=2", "/v1/products/d1/"])
def test_what_is_not_there(client: TestClient, path: str) -> None:
    response = client.get(path, follow_redirects=False)
    assert response.status_code == 404
    assert "there is no product" in response.text or "has no picture 2" in response.text


@pytest.mark.parametrize("product_id", ["new", "a/b", "50 % off?", "ü'\"#", "../../etc/passwd", "a/1"])
def test_a_product_is_put_found_replaced_and_deleted(
    writer: TestClient, pictures: list[bytes], product_id: str
) -> None:
    path = f"/v1/products/{quote(product_id, safe='')}"
    written = writer.put(path, json=product(pictures, images=[encoded(each) for each in pictures[:2]])).json()
    assert (written["written"], written["faults"]) == ([product_id], [])
    found = writer.post("/v1/search", json={"filter": "colour = green"}).json()["hits"]
    assert [hit["product_id"] for hit in found] == [product_id]
    assert writer.get(found[0]["thumbnail"]).status_code == 200
    assert len(writer.get(path).json()["views"]) == 2
    writer.put(path, json=product(pictures, text="a violet coat"))
    assert writer.get(path).json()["text"] == "a violet coat"
    assert len(writer.get(path).json()["views"]) == 1
    assert writer.delete(path).status_code == 204
    assert writer.delete(path).status_code == 404
    assert writer.get(path).status_code == 404


@pytest.mark.parametrize("product_id", ["a\nb", "\n", "a\x00", "a\tb", "a\x7f", "a\x9f"])
def test_an_id_that_no_address_can_name_is_refused(writer: TestClient, pictures: list[bytes], product_id: str) -> None:
    one = writer.post("/v1/products", json={"products": [product(pictures, product_id=product_id)]})
    assert one.status_code == 422
    assert "control characters" in one.json()["error"]["details"][0]
    assert writer.put(f"/v1/products/{quote(product_id)}", json=product(pictures)).status_code in (404, 405, 422)
    assert writer.get("/v1/index").json()["products"] == 6


def test_several_products_in_one_commit(writer: TestClient, pictures: list[bytes]) -> None:
    before = writer.get("/v1/index").json()
    bad = product(pictures, product_id="n2", images=[encoded(b"none"), encoded(pictures[1])])
    written = writer.post("/v1/products", json={"products": [product(pictures, product_id="n1"), bad]}).json()
    assert written["written"] == ["n1", "n2"]
    assert len(written["faults"]) == 1
    assert "n2, image 0" in written["faults"][0]
    after = writer.get("/v1/index").json()
    assert (after["products"], after["pictures"]) == (before["products"] + 2, before["pictures"] + 2)
    assert after["version"] == written["version"]


def test_the_picture_of_a_product_is_the_first_that_there_is(writer: TestClient, pictures: list[bytes]) -> None:
    images = [encoded(b"none"), encoded(pictures[1]), encoded(pictures[2])]
    writer.put("/v1/products/n1", json=product(pictures, images=images))
    thumbnail = "/v1/thumbnails/n1"
    assert writer.get(thumbnail).content == writer.get(f"{thumbnail}?view=1").content
    assert writer.get(f"{thumbnail}?view=0").json()["error"]["message"] == "product 'n1' has no picture 0"
    asked = {"text": "red", "product_id": "n1"}
    reasons = [writer.post("/v1/explain", json=asked | view).json() for view in ({}, {"view": None}, {"view": 1})]
    assert reasons[0] == reasons[1] == reasons[2]
    assert writer.post("/v1/explain", json=asked | {"view": 0}).status_code == 422
    pairs = [asked, {"text": "red", "image": images[1]}]
    first, same = writer.post("/v1/score", json={"pairs": pairs}).json()["scores"]
    assert first == pytest.approx(same, abs=1e-5)
    for body in (
        {"query": "red", "documents": [{"product_id": "n1"}]},
        {"query": {"product_id": "n1"}, "documents": ["red"]},
    ):
        [ranked] = writer.post("/v1/rerank", json=body).json()["results"]
        assert ranked["relevance_score"] == pytest.approx(first, abs=1e-5)


def test_an_id_twice_and_products_without_a_picture_change_nothing(writer: TestClient, pictures: list[bytes]) -> None:
    version = writer.get("/v1/index").json()["version"]
    twice = writer.post("/v1/products", json={"products": [product(pictures, product_id="n1")] * 2})
    assert (twice.status_code, twice.json()["error"]["details"]) == (422, ["n1"])
    none = writer.put("/v1/products/n1", json=product(pictures, images=[encoded(b"none")]))
    assert none.status_code == 422
    assert "nothing was written" in none.json()["error"]["message"]
    assert writer.put("/v1/products/n1", json=product(pictures, images=[])).status_code == 422
    assert writer.put("/v1/products/n1", json=product(pictures, text="")).status_code == 422
    assert writer.get("/v1/index").json()["version"] == version


def test_writes_need_the_key(client: TestClient, writer: TestClient, pictures: list[bytes]) -> None:
    assert client.put("/v1/products/n1", json=product(pictures)).status_code == 403
    assert client.delete("/v1/products/d1").status_code == 403
    for header in ("", "Bearer another", KEY, f"bearer {KEY}"):
        response = writer.delete("/v1/products/d1", headers={"Authorization": header})
        assert response.status_code == 401
    assert writer.get("/v1/products/d1").status_code == 200


def test_the_index_says_what_it_is(client: TestClient, writer: TestClient) -> None:
    index = client.get("/v1/index").json()
    assert (index["name"], index["products"], index["cards"], index["pictures"]) == ("shop", 6, 5, 9)
    assert index["attributes"] == ["category", "subcategory", "colour", "price"]
    assert not index["writable"]
    assert writer.get("/v1/index").json()["writable"]
