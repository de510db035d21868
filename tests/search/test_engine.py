"""Searches on the shop of six products, against the same thing computed from the scorer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fashionbert.catalogue import Catalogue, HeldPicture
from fashionbert.errors import FolderInUseError, QueryError, SearchIndexError
from fashionbert.scoring import Scorer
from fashionbert.search import Answer, IndexedPicture, Query, SearchEngine
from fashionbert.search import table as tables
from fashionbert.search.calibration import Calibration
from fashionbert.search.manifest import Manifest
from fashionbert.types import Product


def probabilities(answer: Answer) -> dict[str, float]:
    return {hit.product_id: hit.probability for hit in answer.hits if hit.probability is not None}


def test_the_vectors_alone_order_cards_by_their_best_picture(
    engine: SearchEngine, shop: Catalogue, shop_index: Path
) -> None:
    scorer = Scorer.from_pretrained(shop_index.parent / "run")
    [text_E] = scorer.encode_texts(["red dress"])
    best = {
        product.product_id: max(scorer.encode_pictures([picture.read() for picture in product.pictures]) @ text_E)
        for product in shop
    }
    group_of = {product.product_id: product.group_id or product.product_id for product in shop}
    expected: dict[str, float] = {}
    for product_id in sorted(best, key=lambda product_id: -best[product_id]):
        expected.setdefault(group_of[product_id], best[product_id])
    answer = engine.search(Query(text="red dress", rerank=0, words=False))
    assert [group_of[hit.product_id] for hit in answer.hits] == list(expected)
    np.testing.assert_allclose([hit.recall for hit in answer.hits], list(expected.values()), atol=2e-3)
    assert answer.matches == 5
    assert all(hit.probability is None for hit in answer.hits)


def test_the_pair_model_orders_what_was_recalled(engine: SearchEngine, shop: Catalogue, shop_index: Path) -> None:
    scorer = Scorer.from_pretrained(shop_index.parent / "run")
    answer = engine.search(Query(text="red dress", words=False))
    by_id = {product.product_id: product for product in shop}
    scores = [scorer.score([("red dress", by_id[hit.product_id].pictures[hit.view].read())])[0] for hit in answer.hits]
    np.testing.assert_allclose([*probabilities(answer).values()], scores, atol=2e-3)
    assert scores == sorted(scores, reverse=True)
    assert (answer.reranked, answer.pairs) == (5, 5)
    first = engine.search(Query(text="red dress", words=False, top=1))
    assert (first.reranked, first.pairs) == (1, 5)


def test_words_of_a_product_lift_it_among_what_was_reranked(engine: SearchEngine) -> None:
    """The order is by 1 / (60 + place by the model) + 1 / (60 + place by the words), the latter where there is one."""
    by_model = [hit.product_id for hit in engine.search(Query(text="cotton", words=False)).hits]
    found = engine.search(Query(text="cotton")).hits
    assert "cotton" in found[0].text
    rest = [product_id for product_id in by_model if product_id != found[0].product_id]
    assert [hit.product_id for hit in found[1:]] == rest
    plain = {hit.product_id: hit.probability for hit in engine.search(Query(text="cotton", words=False)).hits}
    assert found[0].probability == pytest.approx(plain[found[0].product_id], abs=1e-6)  # which says what it said


def test_only_the_first_cards_are_reranked(engine: SearchEngine) -> None:
    recalled = engine.search(Query(text="red dress", rerank=0)).hits
    answer = engine.search(Query(text="red dress", rerank=2))
    assert answer.reranked == 2
    assert {hit.product_id for hit in answer.hits[:2]} == {hit.product_id for hit in recalled[:2]}
    assert [hit.product_id for hit in answer.hits[2:]] == [hit.product_id for hit in recalled[2:]]
    assert [hit.probability is None for hit in answer.hits] == [False, False, True, True, True]


def test_several_queries_at_once_are_answered_as_one_by_one(engine: SearchEngine, pictures: list[bytes]) -> None:
    queries = [
        Query(text="red dress"),
        Query(image=pictures[0]),
        Query(text="shirt", image=pictures[1], unwanted=("sleeves",), filter="price < 50"),
        Query(more_like=("d1",), less_like=("s1",)),
        Query(),
    ]
    for query, together in zip(queries, engine.search_many(queries), strict=True):
        alone = engine.search(query)
        assert [hit.product_id for hit in together.hits] == [hit.product_id for hit in alone.hits]
        for one, other in zip(together.hits, alone.hits, strict=True):
            assert one.recall == pytest.approx(other.recall, abs=1e-5)
            assert one.probability == pytest.approx(other.probability, abs=1e-5)


def test_a_query_that_asks_nothing_shows_the_catalogue_in_its_order(engine: SearchEngine) -> None:
    answer = engine.search(Query(filter="subcategory = shirt", top=2))
    assert [hit.product_id for hit in answer.hits] == ["s1", "s2"]
    assert answer.matches == 3


def test_filters_hold_for_the_product_that_is_shown(engine: SearchEngine) -> None:
    for text in ("", "red dress", "blue"):
        answer = engine.search(Query(text=text, filter="colour contains blue"))
        assert {hit.product_id for hit in answer.hits} == {"d2", "s1", "s3"}


def test_products_asked_with_are_not_shown_themselves(engine: SearchEngine) -> None:
    answer = engine.search(Query(more_like=("d1",)))
    assert {hit.product_id for hit in answer.hits} == {"d3", "s1", "s2", "s3"}  # d2 is of the group of d1
    assert engine.search(Query(more_like=("d1",), hidden=("d3", "s1"))).matches == 2


def test_unlike_is_the_other_way_round(engine: SearchEngine) -> None:
    like = [hit.product_id for hit in engine.search(Query(more_like=("d3",))).hits]
    unlike = [hit.product_id for hit in engine.search(Query(less_like=("d3",))).hits]
    assert {*like} == {*unlike}
    assert like[0] == unlike[-1]


def test_words_that_must_not_match_count_against(engine: SearchEngine) -> None:
    plain = probabilities(engine.search(Query(text="red dress")))
    edited = probabilities(engine.search(Query(text="red dress", unwanted=("shirt",))))
    not_wanted = probabilities(engine.search(Query(text="shirt")))
    for product_id in ("d3", "s1", "s3"):  # of one picture, so that all three are about the same one
        assert edited[product_id] == pytest.approx(plain[product_id] * (1 - not_wanted[product_id]), abs=1e-4)


def test_facets_count_cards(engine: SearchEngine) -> None:
    facets = {facet.name: facet for facet in engine.facets(Query())}
    assert dict(facets["subcategory"].values) == {"Dress": 2, "Shirt": 3}
    assert dict(facets["colour"].values) == {"red": 2, "blue": 2, "black": 1, "dark blue": 1}
    assert dict(facets["price"].values) == {"49.90": 1, "80": 1, "19": 1, "25": 1}
    left = {facet.name: dict(facet.values) for facet in engine.facets(Query(filter="price < 40"))}
    assert left["subcategory"] == {"Shirt": 2}


def test_what_is_ticked_holds_beside_the_filter(engine: SearchEngine) -> None:
    query = Query(
        filter="price < 60 or colour = red", ticked={"Colour": ("red", "dark blue"), "subcategory": ["shirt"]}
    )
    assert [hit.product_id for hit in engine.search(query).hits] == ["s2", "s3"]
    counts = {facet.name: dict(facet.values) for facet in engine.facets(query)}
    assert counts["colour"] == {"blue": 1, "dark blue": 1, "red": 1}  # shirts of any colour
    assert counts["subcategory"] == {"Dress": 1, "Shirt": 2}  # red or dark blue of any kind
    with pytest.raises(QueryError, match="there is no attribute 'size'"):
        engine.search(Query(ticked={"size": ["4"]}))


def test_ticks_are_many_and_long_where_a_filter_would_be_too_long(engine: SearchEngine) -> None:
    ticks = ["red", *(f"{number:03d} \"'(" + "x" * 490 for number in range(199))]
    found = engine.search(Query(ticked={"colour": ticks})).hits
    assert [hit.product_id for hit in found] == ["d1", "s2"]


def test_values_too_long_to_be_ticked_are_not_offered(own_engine: SearchEngine, shop: Catalogue) -> None:
    first, second, *_ = shop
    changed = [replace(first, attributes={"care": "a" * 501}), replace(second, attributes={"care": "b"})]
    own_engine.put(changed)
    assert "care" in own_engine.shelf.columns
    assert "care" not in {facet.name for facet in own_engine.facets(Query())}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (Query(text="a", filter="size = 4"), "there is no attribute 'size'"),
        (Query(text="a", filter="price <"), "a value was expected"),
        (Query(text="a", filter="price < 4 ; DROP TABLE views"), "the end was expected"),
        (Query(more_like=("nobody",)), "there is no product 'nobody'"),
        (Query(less_like=("nobody",)), "there is no product 'nobody'"),
    ],
)
def test_what_cannot_be_asked(engine: SearchEngine, query: Query, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        engine.search(query)


def test_what_cannot_be_answered_is_said_before_anything_is_read(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.encoder, "encode_texts", None)
    with pytest.raises(QueryError, match="no attribute"):
        engine.search_many([Query(text="a"), Query(text="a", filter="size = 4")])


def test_a_product_that_is_gone_is_hidden(engine: SearchEngine) -> None:
    assert engine.search(Query(hidden=("nobody", "d3"))).matches == engine.search(Query(hidden=("d3",))).matches == 4


def test_every_fault_of_a_query_is_said() -> None:
    ticked = {"a": ["v"] * 201, "b": ["v" * 501], **{str(number): ["v"] for number in range(49)}}
    with pytest.raises(QueryError) as raised:
        Query(text="a" * 10_001, unwanted=(" ",), ticked=ticked, top=0, rerank=-1)
    parts = ("10,001 characters", "not is empty", "51 attributes", "201 values of 'a'", "'b' has 501 characters")
    for part in (*parts, "top = 0", "rerank = -1"):
        assert part in str(raised.value)


def test_products_are_put_replaced_and_deleted(own_engine: SearchEngine, shop: Catalogue) -> None:
    [d1] = [product for product in shop if product.product_id == "d1"]
    written, faults = own_engine.put(
        [replace(d1, product_id="new", group_id="", text="a green coat", attributes={"colour": "green"})]
    )
    assert (written, faults) == (["new"], [])
    assert own_engine.search(Query(filter="colour = green")).hits[0].text == "a green coat"
    own_engine.put([replace(d1, pictures=d1.pictures[:1], text="violet")])
    assert len(own_engine.shelf.rows_of("d1")) == 1
    assert own_engine.search(Query(hidden=("d3",), filter="subcategory = dress and price > 1")).matches == 1
    assert own_engine.delete(["new", "nobody"]) == ["new"]
    assert not own_engine.has("new")
    assert own_engine.search(Query()).matches == 5


def test_no_name_of_a_group_is_that_of_a_product_without_one(own_engine: SearchEngine, shop: Catalogue) -> None:
    [alone, *_] = [product for product in shop if not product.group_id]
    own_engine.put([replace(alone, product_id="new", group_id=f"alone:{alone.product_id}")])
    assert not own_engine.is_same_group("new", alone.product_id)


def test_an_open_engine_reads_on_while_another_writes(own_index: Path, own_engine: SearchEngine) -> None:
    other = SearchEngine.open(own_index)
    other.delete(["d3"])
    other.table.tidy(0)
    assert own_engine.search(Query(text="black dress")).matches == 5
    assert own_engine.refresh()
    assert own_engine.search(Query(text="black dress")).matches == 4
    assert not own_engine.refresh()


def test_searches_do_not_wait_for_another_writer(
    own_engine: SearchEngine, shop: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who brings an index up to date holds it for minutes, and a service searches by the thread that writes."""
    waits: list[float] = []

    @contextmanager
    def busy(folder: Path, *, wait: float) -> Iterator[None]:
        waits.append(wait)
        raise FolderInUseError(str(folder))
        yield

    monkeypatch.setattr(tables, "only_writer", busy)
    with pytest.raises(FolderInUseError):
        own_engine.put([next(iter(shop))])
    with pytest.raises(FolderInUseError):
        own_engine.delete(["d1"])
    assert len(waits) == 2
    assert max(waits) <= 0.5


def test_thumbnails(engine: SearchEngine) -> None:
    assert engine.thumbnail("s2", 2)[:4] == b"RIFF"
    with pytest.raises(QueryError, match="no picture 3"):
        engine.thumbnail("s2", 3)


def test_products_that_are_wanted_weigh_as_much_as_words(engine: SearchEngine) -> None:
    query = Query(text="red dress", more_like=("d1",), words=False)
    recalled = engine.search(replace(query, rerank=0)).hits
    answer = engine.search(query)
    margins = np.asarray([np.log(p / (1 - p)) for p in probabilities(answer).values()])
    recalls = {hit.product_id: hit.recall for hit in recalled}
    wishes = np.asarray([recalls[hit.product_id] for hit in answer.hits])
    total = (margins - margins.mean()) / margins.std() + (wishes - wishes.mean()) / wishes.std()
    assert total.tolist() == sorted(total, reverse=True)


def test_an_index_of_another_model_that_takes_its_place_is_refused(own_engine: SearchEngine, own_index: Path) -> None:
    manifest = Manifest.read(own_index)
    replace(manifest, model_fingerprint="another").write(own_index)
    with pytest.raises(SearchIndexError, match="model_fingerprint is 'another'"):
        own_engine.refresh()


def test_another_calibration_is_seen(own_engine: SearchEngine, own_index: Path) -> None:
    assert not own_engine.is_calibrated
    Calibration(
        slope=1.0, offset=0.0, threshold=None, precision=0.8, reached=0.5, answered=0.0, queries=4, source="shop"
    ).write(own_index)
    own_engine.refresh()
    assert own_engine.search(Query(text="red dress")).calibrated


def test_quotes_are_no_syntax(engine: SearchEngine) -> None:
    assert engine.search(Query(text='"red dress"')).hits


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"unwanted": "blue"}, "unwanted = 'blue' should be several texts"),
        ({"hidden": "d1"}, "hidden = 'd1' should be several texts"),
        ({"ticked": {"colour": "red"}}, r"ticked\['colour'\] = 'red' should be several texts"),
        ({"ticked": {"price": [19]}}, r"ticked\['price'\] = \[19\] should be several texts"),
        ({"ticked": None}, "ticked = None should give values by attribute"),
    ],
)
def test_one_text_is_not_taken_letter_by_letter(changes: dict[str, object], says: str) -> None:
    with pytest.raises(QueryError, match=says):
        Query(**changes)  # pyright: ignore[reportArgumentType]
    assert hash(Query(text="red")) == hash(Query(text="red"))


def test_pairs_may_come_one_by_one(engine: SearchEngine, pictures: list[bytes]) -> None:
    pairs = [("red", pictures[0]), ("blue", IndexedPicture("d1")), ("red", pictures[0])]
    assert engine.score(iter(pairs)).tolist() == pytest.approx(engine.score(pairs).tolist())
    assert engine.score(iter([])).tolist() == []


def test_ticks_and_counts_agree_on_what_is_equal(own_engine: SearchEngine, pictures: list[bytes]) -> None:
    for name, colour, price in (("n1", "RED", "19.0"), ("n2", "Red", "19")):
        held = (HeldPicture(name, pictures[0]),)
        attributes = {"colour": colour, "price": price}
        own_engine.put([Product(product_id=name, group_id="", text="a", pictures=held, attributes=attributes)])
    facets = {facet.name: dict(facet.values) for facet in own_engine.facets(Query())}
    for name, value in (("colour", "red"), ("price", "19")):
        matches = own_engine.search(Query(ticked={name: (value,)})).matches
        assert facets[name][value] == matches == (4 if name == "colour" else 3)
