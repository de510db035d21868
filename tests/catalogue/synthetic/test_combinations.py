from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionbert.catalogue.synthetic.attributes import COLOURS, KINDS, NONE, PARTNERS, Article
from fashionbert.catalogue.synthetic.combinations import combinations, group_articles, largest_world, permuted
from fashionbert.errors import SettingsError


def truth(article: Article) -> tuple[object, ...]:
    return (article.kind.name, *sorted(article.attributes.items()))


@given(size=st.integers(1, 150), key=st.text(max_size=8))
def test_a_permutation_hits_every_number_once(size: int, key: str) -> None:
    assert sorted(permuted(number, size, key) for number in range(size)) == list(range(size))


def test_another_key_gives_another_order() -> None:
    orders = {tuple(permuted(number, 50, key) for number in range(50)) for key in "abc"}
    assert len(orders) == 3


@given(seed=st.integers(0, 2**32), start=st.integers(0, 20_000))
@settings(max_examples=20, deadline=None)
def test_no_two_groups_share_a_truth(seed: int, start: int) -> None:
    truths = [truth(article) for group in range(start, start + 300) for article in group_articles(seed, group)]
    assert len(set(truths)) == len(truths)


@given(seed=st.integers(0, 2**32), group=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_articles_of_a_group_differ_in_colour_alone(seed: int, group: int) -> None:
    articles = group_articles(seed, group)
    assert len({article["colour"] for article in articles}) == len(articles) <= 2
    assert (
        len(
            {
                truth(article)[:1] + tuple(article[a] for a in article.attributes if a != "colour")
                for article in articles
            }
        )
        == 1
    )


@given(seed=st.integers(0, 2**32), group=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_attributes_are_those_of_the_kind_and_agree(seed: int, group: int) -> None:
    for article in group_articles(seed, group):
        assert article["colour"] in COLOURS
        assert all(article[name] in values for name, values in article.kind.attributes.items())
        assert (article["pattern"] == "plain") == (article["second_colour"] == "")
        assert (article["pattern"] == "print") == (article["motif"] != "")
        if article["second_colour"]:
            assert article["second_colour"] in PARTNERS[article["colour"]]


def test_the_shop_is_mixed() -> None:
    groups = [group_articles(0, group) for group in range(2400)]
    kinds = Counter(articles[0].kind.name for articles in groups)
    assert len(kinds) >= 10
    assert set(kinds.values()) == {200}
    assert sum(len(articles) == 2 for articles in groups) / 2400 == pytest.approx(0.05, abs=0.02)
    plain = sum(articles[0]["pattern"] in ("plain", "contrast trim") for articles in groups)
    assert plain == 600


def test_every_kind_has_more_than_2000_combinations_and_the_needed_attributes() -> None:
    assert all(combinations(kind, plain) > 2000 for kind in KINDS for plain in (True, False))
    names = {name for kind in KINDS for name in kind.attributes}
    assert names >= {"sleeves", "neckline", "length", "closure", "pockets"}
    assert all(len(set(values)) == len(values) > 1 for kind in KINDS for values in kind.attributes.values())
    assert any(NONE in kind.attributes.get("pockets", ()) for kind in KINDS)


def test_the_world_ends_where_garments_would_repeat() -> None:
    assert largest_world() > 100_000
    assert group_articles(0, largest_world() - 1)
    with pytest.raises(SettingsError, match=f"only {largest_world()} different groups"):
        group_articles(0, largest_world())


def test_partners_stand_out_from_their_colour() -> None:
    for colour, partners in PARTNERS.items():
        assert len(set(partners)) == len(partners) >= 5
        for partner in partners:
            distance = sum((a - b) ** 2 for a, b in zip(COLOURS[colour], COLOURS[partner], strict=True)) ** 0.5
            assert distance > 75, (colour, partner, distance)
