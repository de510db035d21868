import json
from pathlib import Path

import pytest
import torch

from fashionbert.config import CatalogueSettings
from fashionbert.errors import RunError
from fashionbert.scoring import FashionBertProcessor


def test_texts_and_pictures(processor: FashionBertProcessor, pictures: list[bytes]) -> None:
    inputs = processor(["red linen dress", "shirt"], pictures[:2])
    assert inputs["input_ids"].shape == (2, 5)
    assert inputs["attention_mask"].sum(dim=1).tolist() == [5, 3]
    assert inputs["patch_features"].shape == (2, 9, 12)


def test_one_of_each(processor: FashionBertProcessor, pictures: list[bytes]) -> None:
    inputs = processor("red dress", pictures[0])
    assert inputs["input_ids"].shape == (1, 4)
    assert inputs["patch_features"].shape == (1, 9, 12)


def test_texts_alone_and_pictures_alone(processor: FashionBertProcessor, pictures: list[bytes]) -> None:
    assert "patch_features" not in processor("red dress")
    alone = processor(images=pictures[:3])
    tokenizer = processor.tokenizer
    assert alone["input_ids"].tolist() == [[tokenizer.cls_token_id, tokenizer.sep_token_id]] * 3


def test_long_texts_are_cut_as_in_training(processor: FashionBertProcessor) -> None:
    assert processor("red " * 100)["input_ids"].shape == (1, 24)


def test_arguments_that_do_not_fit(processor: FashionBertProcessor, pictures: list[bytes]) -> None:
    with pytest.raises(ValueError, match="give text, images or both"):
        processor()
    with pytest.raises(ValueError, match="1 texts and 2 images"):
        processor("dress", pictures[:2])


def test_round_trip(processor: FashionBertProcessor, pictures: list[bytes], tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path, CatalogueSettings(text="{title}. {colour}"))
    loaded = FashionBertProcessor.from_pretrained(tmp_path)
    before, after = processor("red dress", pictures[0]), loaded("red dress", pictures[0])
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert json.loads((tmp_path / "processor_config.json").read_text())["catalogue"]["text"] == "{title}. {colour}"


def test_an_edited_record(processor: FashionBertProcessor, tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path)
    (tmp_path / "processor_config.json").write_text('{"max_text_tokens": "many"}')
    with pytest.raises(RunError, match=r"processor_config\.json is missing or edited"):
        FashionBertProcessor.from_pretrained(tmp_path)
