import csv
import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fashionbert.catalogue.synthetic import write_world
from fashionbert.catalogue.synthetic.attributes import ATTRIBUTES
from fashionbert.catalogue.synthetic.combinations import group_articles
from fashionbert.errors import SettingsError


def rows(folder: Path, split: str) -> list[dict[str, str]]:
    with (folder / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("world"), groups=72, seed=4, validation_share=0.3)


def test_the_same_seed_gives_the_same_bytes(world: Path, tmp_path: Path) -> None:
    again = write_world(tmp_path / "again", groups=72, seed=4, validation_share=0.3)
    assert contents(again) == contents(world)


def test_another_seed_gives_another_world(world: Path, tmp_path: Path) -> None:
    other = write_world(tmp_path / "other", groups=24, seed=5)
    texts = {row["text"] for row in rows(world, "train")}
    assert not texts & {row["text"] for row in rows(other, "train")}


def test_a_larger_world_begins_with_the_smaller_one(world: Path, tmp_path: Path) -> None:
    small = write_world(tmp_path / "small", groups=30, seed=4, validation_share=0.3)
    for split in ("train", "validation"):
        short = rows(small, split)
        assert short
        assert rows(world, split)[: len(short)] == short
    whole = contents(world)
    pictures = {name: data for name, data in contents(small).items() if name.endswith(".jpg")}
    assert pictures == {name: whole[name] for name in pictures}


def test_groups_stay_in_one_split_and_ids_are_unique(world: Path) -> None:
    train, validation = rows(world, "train"), rows(world, "validation")
    assert not {row["group_id"] for row in train} & {row["group_id"] for row in validation}
    ids = [row["product_id"] for row in (*train, *validation)]
    assert len(set(ids)) == len(ids) > 72
    assert len({row["group_id"] for row in (*train, *validation)}) == 72
    assert 8 <= len({row["group_id"] for row in validation}) <= 36


def test_colour_variants_share_a_group(world: Path) -> None:
    sizes = Counter(row["group_id"] for split in ("train", "validation") for row in rows(world, split))
    assert set(sizes.values()) == {1, 2}


def test_every_picture_exists_and_nothing_else(world: Path) -> None:
    named = [
        name for split in ("train", "validation") for row in rows(world, split) for name in row["image"].split("|")
    ]
    assert sorted(named) == sorted(name for name in contents(world) if name.endswith(".jpg"))
    assert {len(row["image"].split("|")) for row in rows(world, "train")} == {1, 2, 3}
    for name in Random(0).sample(named, 20):
        with Image.open(world / name) as picture:
            picture.load()
            assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (168, 224))


def test_the_table_holds_the_truth(world: Path) -> None:
    for row in rows(world, "train"):
        articles = group_articles(4, int(row["group_id"]))
        truths = [{name: article[name] for name in ATTRIBUTES} for article in articles]
        assert {name: row[name] for name in ATTRIBUTES} in truths
        assert row["subcategory"] == articles[0].kind.name
        assert row["text"]


def test_the_facts_agree_with_the_tables(world: Path) -> None:
    facts = json.loads((world / "world.json").read_text("utf-8"))
    for split in ("train", "validation"):
        table = rows(world, split)
        assert facts["splits"][split] == {
            "groups": len({row["group_id"] for row in table}),
            "products": len(table),
            "pictures": sum(len(row["image"].split("|")) for row in table),
        }
    assert len(facts["kinds"]) >= 10
    assert facts["seed"] == 4


@given(seed=st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_any_seed_makes_a_world(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder = write_world(tmp_path_factory.mktemp("any"), groups=12, seed=seed, validation_share=0.5)
    both = rows(folder, "train") + rows(folder, "validation")
    assert len({row["subcategory"] for row in both}) == 12


def test_progress_is_told_after_each_group(tmp_path: Path) -> None:
    told = []
    write_world(tmp_path, groups=3, seed=0, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_interrupted_world_has_no_tables_and_no_facts(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    write_world(tmp_path / "done", groups=2, seed=0)
    with pytest.raises(KeyboardInterrupt):
        write_world(tmp_path / "half", groups=2, seed=0, progress=stop)
    assert not any(name.endswith((".csv", ".json", ".part")) for name in contents(tmp_path / "half"))
    with pytest.raises(KeyboardInterrupt):
        write_world(tmp_path / "done", groups=2, seed=1, progress=stop)
    assert "world.json" not in contents(tmp_path / "done")


def test_every_wrong_argument_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        write_world(tmp_path / "no", groups=0, seed=-1, validation_share=1.5)
    assert [fault.split(" = ")[0] for fault in caught.value.faults] == ["groups", "seed", "validation_share"]
    assert not (tmp_path / "no").exists()
