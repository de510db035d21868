import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch

from fashionbert.errors import PairFileError, SettingsError
from fashionbert.interop import parse_schema, read_scores, score_files
from fashionbert.interop.pair_scores import ScoredRows
from fashionbert.model import FashionBertForMatching, FashionBertForPreTraining

WriteRows: TypeAlias = Callable[..., Path]
Score: TypeAlias = Callable[..., tuple[ScoredRows, list[int]]]
SCHEMA = parse_schema(
    "image_feature:float:54,image_mask:int:9,input_ids:int:12,input_mask:int:12,segment_ids:int:12,nx_sent_labels:int:1,"
    "text_prod_id:str:1,image_prod_id:str:1"
)


@pytest.fixture
def model(make_small: Callable[..., FashionBertForPreTraining]) -> FashionBertForMatching:
    return make_small(contrastive_size=0).eval()


def row(number: int, **changes: Any) -> dict[str, Any]:
    """Twelve words at most, nine patches of six features; three rows a picture."""
    chance, words = np.random.default_rng(number), 4 + number % 8
    values = {
        "image_feature": chance.normal(size=54).astype(np.float32),
        "image_mask": np.ones(9, np.int64),
        "input_ids": np.where(np.arange(12) < words, chance.integers(1, 50, 12), 0),
        "input_mask": (np.arange(12) < words).astype(np.int64),
        "segment_ids": np.zeros(12, np.int64),
        "nx_sent_labels": np.array([number % 3 == 0], np.int64),
        "text_prod_id": f"text {number}",
        "image_prod_id": f"picture {number // 3}",
    }
    return values | changes


@pytest.fixture
def write_rows(tmp_path: Path) -> WriteRows:
    def write(*rows: dict[str, Any], name: str = "rows.tsv") -> Path:
        lines = [
            "\t".join(
                value if isinstance(value, str) else ",".join(map(str, value.tolist())) for value in values.values()
            )
            for values in rows
        ]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return tmp_path / name

    return write


@pytest.fixture
def score(model: FashionBertForMatching, tmp_path: Path) -> Score:
    """Score files into ``tmp_path``; gives the scores, and how many rows were known after each batch."""

    def run(*paths: Path, batch_size: int = 2) -> tuple[ScoredRows, list[int]]:
        seen: list[int] = []
        options = {"key": "k", "batch_size": batch_size, "progress": lambda done, _: seen.append(done)}
        return score_files(model, paths, SCHEMA, "image_to_text", tmp_path, **options), seen

    return run


def test_scores_are_the_models_own(
    model: FashionBertForMatching, score: Score, write_rows: WriteRows, tmp_path: Path
) -> None:
    rows = [row(number) for number in range(7)]
    path = write_rows(*rows)
    scored, seen = score(path, batch_size=3)
    assert seen == [3, 6, 7]
    assert scored.queries == tuple(values["image_prod_id"] for values in rows)
    assert scored.candidates == tuple(values["text_prod_id"] for values in rows)
    assert scored.labels.tolist() == [True, False, False, True, False, False, True]
    for values, logits in zip(rows, scored.logits, strict=True):
        real = values["input_mask"].sum()  # without padding: it must not matter
        with torch.inference_mode():
            alone = model(
                input_ids=torch.from_numpy(values["input_ids"][None, :real]),
                patch_features=torch.from_numpy(values["image_feature"].reshape(1, 9, 6)),
            )
        np.testing.assert_allclose(logits, alone.alignment_logits[0].numpy(), atol=1e-5)
    first = json.loads((tmp_path / "scores.jsonl").read_text().splitlines()[0])
    assert first == {
        "query": "picture 0",
        "candidate": "text 0",
        "label": 1,
        "logits": pytest.approx(scored.logits[0].tolist()),
    }


def test_the_other_way_round(model: FashionBertForMatching, write_rows: WriteRows, tmp_path: Path) -> None:
    scored = score_files(model, [write_rows(row(4))], SCHEMA, "text_to_image", tmp_path, key="k")
    assert (scored.queries, scored.candidates) == (("text 4",), ("picture 1",))


def test_a_finished_file_is_not_scored_again(score: Score, write_rows: WriteRows, tmp_path: Path) -> None:
    paths = [write_rows(*map(row, range(4))), write_rows(*map(row, range(4, 7)), name="more.tsv")]
    whole, _ = score(*paths)
    text = (tmp_path / "scores.jsonl").read_text()
    (tmp_path / "scores.jsonl").write_text(text + text[:50])  # what a kill left: a line that nobody recorded
    again, seen = score(*paths)
    assert seen == []
    assert again.queries == whole.queries
    np.testing.assert_allclose(again.logits, whole.logits, atol=1e-5)


def test_rows_behind_those_that_were_scored_may_change(score: Score, write_rows: WriteRows, tmp_path: Path) -> None:
    """A bad row stops the run; mended, it goes on where it was, and files may be added."""
    bad = [row(0), row(1), row(2, nx_sent_labels=np.array([2]))]
    with pytest.raises(PairFileError, match="line 3"):
        score(write_rows(*bad))
    assert len(read_scores(tmp_path / "scores.jsonl").queries) == 2
    paths = [write_rows(*map(row, range(3))), write_rows(row(3), name="more.tsv")]
    scored, seen = score(*paths)
    assert seen == [4]
    assert scored.candidates == tuple(f"text {number}" for number in range(4))


@pytest.mark.parametrize("broken", ["lines", "record", "nothing recorded"])
def test_kept_scores_that_are_broken_are_made_anew(
    score: Score, write_rows: WriteRows, tmp_path: Path, broken: str
) -> None:
    path = write_rows(*map(row, range(4)))
    whole, _ = score(path)
    scores, record = tmp_path / "scores.jsonl", tmp_path / "scores.record.json"
    if broken == "lines":
        scores.write_bytes(scores.read_bytes()[:40])
    elif broken == "record":
        record.write_text("{")
    else:
        record.unlink()
        scores.write_bytes(bytes(90) + b"\n")
    again, _ = score(path)
    assert again.queries == whole.queries
    np.testing.assert_array_equal(again.logits, whole.logits)


@pytest.mark.parametrize("change", ["key", "direction", "file"])
def test_scores_of_something_else_are_not_taken(
    model: FashionBertForMatching, write_rows: WriteRows, tmp_path: Path, change: str
) -> None:
    path = write_rows(row(0), row(1))
    score_files(model, [path], SCHEMA, "image_to_text", tmp_path, key="k")
    if change == "file":
        path = write_rows(row(2), row(3), row(4))
    direction = "text_to_image" if change == "direction" else "image_to_text"
    scored = score_files(model, [path], SCHEMA, direction, tmp_path, key="other" if change == "key" else "k")
    fresh = score_files(model, [path], SCHEMA, direction, tmp_path / "fresh", key="k")
    assert scored.queries == fresh.queries
    np.testing.assert_array_equal(scored.logits, fresh.logits)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"nx_sent_labels": np.array([2])}, "nx_sent_labels holds 2, should be from 0 to 1"),
        ({"input_ids": np.full(12, 50)}, "input_ids holds 50, should be from 0 to 49"),
        ({"segment_ids": np.full(12, -1)}, "segment_ids holds -1"),
        ({"image_mask": np.full(9, 3)}, "image_mask holds 3"),
        ({"input_mask": np.zeros(12, np.int64)}, "input_mask leaves no word"),
        ({"image_prod_id": " "}, "image_prod_id is empty"),
    ],
)
def test_rows_that_the_model_cannot_read(
    score: Score, write_rows: WriteRows, changes: dict[str, Any], fault: str
) -> None:
    path = write_rows(row(0), row(1, **changes))
    with pytest.raises(PairFileError) as caught:
        score(path)
    assert f"{path}, line 2: {fault}" in str(caught.value)


def test_a_model_of_other_sizes(
    make_small: Callable[..., FashionBertForPreTraining], write_rows: WriteRows, tmp_path: Path
) -> None:
    small = make_small(contrastive_size=0, patches=4, patch_feature_size=5, max_position_embeddings=8).eval()
    with pytest.raises(PairFileError) as caught:
        score_files(small, [write_rows(row(0))], SCHEMA, "image_to_text", tmp_path, key="k")
    for fault in ("12 words, the model knows 8", "9 patches, the model knows 4", "54 values for 9 patches"):
        assert fault in str(caught.value)


def test_every_fault_of_the_columns(model: FashionBertForMatching, tmp_path: Path) -> None:
    schema = parse_schema("image_feature:int:54,image_mask:int:9,input_ids:int:12,input_mask:int:12,text_prod_id:str:1")
    with pytest.raises(SettingsError) as caught:
        score_files(model, [], schema, "image_to_text", tmp_path, key="k")
    assert caught.value.faults == (
        "image_feature is int, should be float",
        "segment_ids is missing",
        "nx_sent_labels is missing",
        "image_prod_id is missing",
    )
    uneven = [*SCHEMA[:3], *parse_schema("input_mask:int:11"), *SCHEMA[4:]]
    uneven[0] = parse_schema("image_feature:float:55")[0]
    with pytest.raises(SettingsError) as caught:
        score_files(model, [], uneven, "image_to_text", tmp_path, key="k")
    assert [fault.split(" ")[0] for fault in caught.value.faults] == ["input_mask", "image_feature"]
    several = [*SCHEMA[:5], *parse_schema("nx_sent_labels:int:2,text_prod_id:str:7"), SCHEMA[7]]
    with pytest.raises(SettingsError) as caught:
        score_files(model, [], several, "image_to_text", tmp_path, key="k")
    assert [fault.split(" ")[0] for fault in caught.value.faults] == ["nx_sent_labels", "text_prod_id"]


def test_no_rows(score: Score, tmp_path: Path) -> None:
    (tmp_path / "rows.tsv").write_text("\n\n")
    with pytest.raises(PairFileError, match="there is not one row"):
        score(tmp_path / "rows.tsv")


def test_a_model_that_gives_no_numbers(model: FashionBertForMatching, write_rows: WriteRows, tmp_path: Path) -> None:
    model.alignment_head.bias.data.fill_(torch.inf)
    with pytest.raises(PairFileError, match="line 1: the model gives NaN or infinity"):
        score_files(model, [write_rows(row(0))], SCHEMA, "image_to_text", tmp_path, key="k")
    assert read_scores(tmp_path / "scores.jsonl").queries == ()
