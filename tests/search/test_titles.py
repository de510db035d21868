"""Products found by title and picture in one vector."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fashionbert.catalogue import Catalogue
from fashionbert.config import Settings, settings_to_yaml
from fashionbert.errors import SearchIndexError, SettingsError
from fashionbert.scoring import Scorer
from fashionbert.search import IndexOptions, Query, SearchEngine, index_catalogue

TITLED = Settings.model_validate(
    {
        "model": {"contrastive_size": 8},
        "objectives": {"tasks": ["alignment", "contrastive"]},
        "contrastive": {"titled_share": 0.5, "title": "colour"},
    }
)


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learnt from titles, which are colours here."""
    run = make_run(tmp_path_factory.mktemp("titled") / "run")
    (run / "settings.yaml").write_text(settings_to_yaml(TITLED))
    return run


def vectors_of(engine: SearchEngine) -> dict[tuple[str, int], np.ndarray]:
    shelf = engine.shelf
    assert shelf.vectors is not None
    names = [shelf.product_ids[product] for product in shelf.products]
    return dict(zip(zip(names, shelf.views.tolist(), strict=True), shelf.vectors, strict=True))


def test_titles_stand_before_pictures_where_the_model_has_learnt_from_them(
    run: Path, shop: Catalogue, tmp_path: Path
) -> None:
    index_catalogue(shop, tmp_path / "index", model=run, options=IndexOptions(precision="fp32"))
    engine = SearchEngine.open(tmp_path / "index")
    scorer, found = Scorer.from_pretrained(run), vectors_of(engine)
    for product in shop:
        title = product.attributes.get("colour", "")
        for view, picture in enumerate(product.pictures):
            expected = scorer.encode_pictures([picture.read()], [title])[0]
            np.testing.assert_allclose(found[product.product_id, view], expected, atol=2e-3)
    first = next(iter(shop))
    asked = engine.search(Query(image=first.pictures[0].read(), top=9, rerank=0))  # a photo has no title
    alone = scorer.encode_pictures([first.pictures[0].read()])[0]
    hit = next(hit for hit in asked.hits if hit.product_id == first.product_id)
    assert hit.recall == pytest.approx(float(found[first.product_id, hit.view] @ alone), abs=2e-3)


def test_they_can_be_left_out_and_an_index_stays_with_what_it_was_made_with(
    run: Path, shop: Catalogue, tmp_path: Path
) -> None:
    options = IndexOptions(precision="fp32", titles=False)
    index_catalogue(shop, tmp_path / "index", model=run, options=options)
    first = next(iter(shop))
    expected = Scorer.from_pretrained(run).encode_pictures([first.pictures[0].read()])[0]
    found = vectors_of(SearchEngine.open(tmp_path / "index"))
    np.testing.assert_allclose(found[first.product_id, 0], expected, atol=1e-5)
    with pytest.raises(SearchIndexError, match="titles is False, now True"):
        index_catalogue(shop, tmp_path / "index", model=run, options=IndexOptions(precision="fp32"))


def test_a_model_that_has_learnt_from_no_titles_is_not_asked_for_them(
    make_run: Callable[..., Path], shop: Catalogue, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    with pytest.raises(SettingsError, match=r"has learnt from titles: train it with contrastive\.titled_share"):
        index_catalogue(shop, tmp_path / "index", model=run, options=IndexOptions(titles=True))
