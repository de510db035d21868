import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from fashionbert.config import CatalogueSettings, ImageSettings, Settings, settings_to_yaml
from fashionbert.errors import RunError
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network
from fashionbert.model import FashionBertForMatching, FashionBertForPreTraining
from fashionbert.scoring import FashionBertProcessor, Scorer, load_model, read_figures, read_settings, save_weights
from fashionbert.text import learn_tokenizer


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_run_folder_is_self_contained(folder: Path, scorer: Scorer, pictures: list[bytes], tmp_path: Path) -> None:
    """Moved elsewhere, it gives the scores to the last bit."""
    moved = shutil.move(folder, tmp_path / "elsewhere")
    loaded = Scorer.from_pretrained(moved)
    pairs = [("red linen dress", picture) for picture in pictures]
    assert loaded.score(pairs).tolist() == scorer.score(pairs).tolist()
    assert loaded.processor.max_text_tokens == 24
    assert read_figures(Path(moved)) == {"recall_at_1": 0.5}


def test_the_folder_is_one_of_transformers_too(folder: Path) -> None:
    theirs, ours = FashionBertForMatching.from_pretrained(folder).state_dict(), load_model(folder).state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], ours[name]) for name in ours)


def test_a_model_that_transformers_saved(folder: Path) -> None:
    FashionBertForPreTraining.from_pretrained(folder).save_pretrained(folder)
    assert (
        load_model(folder).state_dict().keys() == FashionBertForMatching(load_model(folder).config).state_dict().keys()
    )


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(
        RunError, match=r"there is no folder .*nowhere: name a run folder that `fashionbert train` wrote"
    ):
        Scorer.from_pretrained(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", r"config\.json is missing or broken .* is no run folder"),
        (
            "model.safetensors",
            r"holds no model\.safetensors: its training has not validated a model yet; go on with it",
        ),
        ("tokenizer.json", r"no tokenizer at .* tokenizer\.json"),
        ("processor_config.json", r"processor_config\.json is missing or edited .* take a whole copy"),
        ("patch_extractor.json", r"patch_extractor\.json is missing or edited .* take a whole copy"),
    ],
)
def test_a_missing_file(folder: Path, name: str, message: str) -> None:
    (folder / name).unlink()
    with pytest.raises(RunError, match=message):
        Scorer.from_pretrained(folder)


def test_a_flipped_bit_in_the_weights(folder: Path) -> None:
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-3] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(RunError, match=r"model\.safetensors was damaged or edited: .* take a whole copy"):
        load_model(folder)


@pytest.mark.parametrize(
    "name", ["tokenizer.json", "tokenizer_config.json", "patch_extractor.json", "processor_config.json"]
)
def test_a_changed_companion(folder: Path, name: str) -> None:
    (folder / name).write_text((folder / name).read_text() + "\n")
    with pytest.raises(RunError, match=rf"{name} changed since the model was saved; take a whole copy"):
        Scorer.from_pretrained(folder)


@pytest.mark.parametrize("name", ["patch_network.safetensors", "special_tokens_map.json"])
def test_a_companion_that_was_not_there(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x")
    with pytest.raises(RunError, match=f"{name} changed"):
        load_model(folder)


def test_folders_that_name_fewer_companions(folder: Path) -> None:
    """As the first versions wrote them: of four files those that were there."""
    with safe_open(folder / "model.safetensors", "pt") as file:
        metadata = file.metadata()
    known = json.loads(metadata["fashionbert_companions"])
    for name in ("patch_network.safetensors", "tokenizer_config.json", "special_tokens_map.json"):
        del known[name]
    tensors = load_file(folder / "model.safetensors")
    save_file(tensors, folder / "model.safetensors", {**metadata, "fashionbert_companions": json.dumps(known)})
    Scorer.from_pretrained(folder)
    (folder / "patch_network.safetensors").write_bytes(b"x")
    with pytest.raises(RunError, match=r"patch_network\.safetensors changed"):
        load_model(folder)


def test_parts_of_another_model(folder: Path) -> None:
    """Its tokenizer knows more words, its pictures are cut into 16, its texts may be longer."""
    learn_tokenizer([f"word{number} " * 2 for number in range(99)], 300).save_pretrained(folder)
    settings = ImageSettings(network="pixels", mode="crop", grid=4, height=12, width=12, cell_size=2)
    PatchExtractor(settings, build_patch_network(settings)).save(folder)
    edit(folder / "processor_config.json", max_text_tokens=99)
    tensors = load_file(folder / "model.safetensors")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})  # as a tool would that knows no mark of ours
    with pytest.raises(RunError, match="put together from several models") as caught:
        Scorer.from_pretrained(folder)
    for fault in (
        "WordPieces, its model",
        "texts of 99 tokens, a model of 24",
        "gives 16 x 12 features, its model reads 9 x 12",
    ):
        assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"num_attention_heads": 4},
            r"config\.json was edited: it no longer fits model\.safetensors; take a whole copy",
        ),
        ({"hidden_act": "relu"}, "was edited"),
        ({"hidden_size": "wide"}, r"config\.json was edited .*hidden_size"),
        ({"is_decoder": True}, r"config\.json was edited .*is_decoder = True is not supported"),
        ({"add_cross_attention": True}, r"config\.json was edited .*add_cross_attention = True is not supported"),
        ({"pad_token_id": 10_000}, r"no model can be built from .*config\.json .*[Pp]adding_idx.* take a whole copy"),
        ({"model_type": "bert"}, "describes a 'bert' model, not a 'fashionbert' one"),
    ],
)
def test_an_edited_configuration(folder: Path, changes: dict[str, object], message: str) -> None:
    edit(folder / "config.json", **changes)
    with pytest.raises(RunError, match=message):
        load_model(folder)


@pytest.mark.parametrize("text", ["[1, 2]", "{", "null", ""])
def test_a_configuration_that_is_none(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(RunError, match="is missing or broken"):
        load_model(folder)


@pytest.mark.parametrize("size", [0, 5, 400, -1])
def test_cut_weights(folder: Path, size: int) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:size])
    with pytest.raises(RunError, match=r"model\.safetensors is broken .* take a whole copy of the run folder"):
        load_model(folder)


def test_weights_of_another_model(folder: Path, make_model: Callable[..., FashionBertForPreTraining]) -> None:
    save_weights(make_model(num_hidden_layers=1), folder, {})
    with pytest.raises(RunError, match="it no longer fits"):
        load_model(folder)


def test_weights_without_our_mark_are_compared_one_by_one(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["alignment_head.weight"] = torch.zeros(2, 17)
    del tensors["alignment_head.bias"]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(RunError) as caught:
        load_model(folder)
    assert "alignment_head.bias is missing" in str(caught.value)
    assert "alignment_head.weight has the shape [2, 17], not [2, 16]" in str(caught.value)


def test_a_full_disk_leaves_the_old_model(
    folder: Path, make_model: Callable[..., FashionBertForPreTraining], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}

    def half_written(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fashionbert.scoring.run_folder.save_file", half_written)
    with pytest.raises(OSError, match="No space left"):
        save_weights(make_model(), folder, {})
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_settings(folder: Path) -> None:
    assert read_settings(folder).training.batch_size == 64
    (folder / "settings.yaml").write_text("training: {batch_size: many}")
    with pytest.raises(RunError, match=r"is no run folder, or an edited one: (?s:.*)training\.batch_size = 'many'"):
        read_settings(folder)


def test_settings_that_build_other_texts(folder: Path, processor: FashionBertProcessor) -> None:
    learnt = CatalogueSettings(text="{title}. {colour}", columns={"title": "name"})
    processor.save_pretrained(folder, learnt)
    harmless = Settings(catalogue=learnt.model_copy(update={"image_root": "/elsewhere"}))
    (folder / "settings.yaml").write_text(settings_to_yaml(harmless))
    assert read_settings(folder) == harmless
    (folder / "settings.yaml").write_text(settings_to_yaml(Settings(catalogue=CatalogueSettings(text="{title}"))))
    with pytest.raises(
        RunError, match=r"catalogue\.text is '\{title\}', but .* '\{title\}\. \{colour\}'; .*columns is"
    ):
        read_settings(folder)
