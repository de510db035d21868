"""CLIP and SigLIP in the first stage: tiny ones, saved as the hub serves them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
    SiglipProcessor,
)

from fashionbert.catalogue import Catalogue
from fashionbert.errors import SearchIndexError, SettingsError
from fashionbert.images.decode import decode_picture
from fashionbert.search import IndexOptions, Query, SearchEngine, index_catalogue
from fashionbert.search.encoders import HubEncoder

from .conftest import encode

WORDS = ["<pad>", "<start>", "<end>", "<unk>", "red", "blue", "dress", "shirt", "linen", "sleeves"]
TEXT = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 12,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
PICTURE = {
    "image_size": 16,
    "patch_size": 8,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
NO_RECORDS = np.zeros(0, np.void)


def tokenizer() -> PreTrainedTokenizerFast:
    core = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 1), ("<end>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        unk_token="<unk>",
        pad_token="<pad>",
        bos_token="<start>",
        eos_token="<end>",
        model_max_length=12,
    )


def save_clip(folder: Path) -> Path:
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(text_config=TEXT, vision_config=PICTURE, projection_dim=6)).save_pretrained(folder)
    images = CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    CLIPProcessor(images, tokenizer()).save_pretrained(folder)
    return folder


def save_siglip(folder: Path) -> Path:
    torch.manual_seed(0)
    SiglipModel(SiglipConfig(text_config={**TEXT, "projection_size": 16}, vision_config=PICTURE)).save_pretrained(
        folder
    )
    images = SiglipImageProcessor(size={"height": 16, "width": 16})
    SiglipProcessor(images, tokenizer()).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session", params=[save_clip, save_siglip], ids=["CLIP", "SigLIP"])
def hub_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    save: Callable[[Path], Path] = request.param
    return save(tmp_path_factory.mktemp("hub") / "model")


@pytest.fixture
def decoded(pictures: list[bytes]) -> list[Image.Image]:
    return [decode_picture(picture) for picture in pictures]


def test_vectors_have_length_one_and_differ(hub_model: Path, decoded: list[Image.Image]) -> None:
    encoder = HubEncoder(str(hub_model))
    texts = encoder.encode_texts(["red dress", "blue shirt"])
    pictures = encode(encoder, decoded, NO_RECORDS)
    assert texts.shape == (2, encoder.size)
    assert pictures.shape == (6, encoder.size)
    for vectors in (texts, pictures):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert np.abs(vectors[0] - vectors[1]).max() > 1e-3
    assert encode(encoder, [], NO_RECORDS).shape == (0, encoder.size)


def test_they_are_the_models_own(hub_model: Path, decoded: list[Image.Image]) -> None:
    """The logits of the model's own forward pass are these vectors' products, times its scale, plus its bias."""
    encoder = HubEncoder(str(hub_model))
    from transformers import AutoModel, AutoProcessor

    model, processor = AutoModel.from_pretrained(hub_model).eval(), AutoProcessor.from_pretrained(hub_model)
    inputs = processor(
        text=["red dress", "blue shirt"], images=decoded, return_tensors="pt", padding="max_length", max_length=12
    )
    with torch.inference_mode():
        expected = model(**inputs).logits_per_text
    cosines = encoder.encode_texts(["red dress", "blue shirt"]) @ encode(encoder, decoded, NO_RECORDS).T
    found = cosines * model.logit_scale.exp().item() + getattr(model, "logit_bias", torch.zeros(1)).item()
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)


def test_pictures_are_prepared_alone_as_together(hub_model: Path, decoded: list[Image.Image]) -> None:
    encoder = HubEncoder(str(hub_model))
    from transformers import AutoProcessor

    sizes = [(30, 40), (31, 17), (200, 300)] * 2
    pictures = [picture.resize(size) for picture, size in zip(decoded, sizes, strict=True)]
    together = AutoProcessor.from_pretrained(hub_model)(images=pictures, return_tensors="pt")["pixel_values"]
    alone = [encoder.prepare(picture)["pixel_values"] for picture in pictures]
    assert torch.cat(alone).numpy().tobytes() == together.numpy().tobytes()


def test_a_tokenizer_that_knows_of_no_limit(hub_model: Path, tmp_path: Path) -> None:
    """As SigLIP's do; the model has twelve places."""
    folder = shutil.copytree(hub_model, tmp_path / "model")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 10**30}))
    found = HubEncoder(str(folder)).encode_texts(["red dress", "red " * 1000])
    np.testing.assert_allclose(found, HubEncoder(str(hub_model)).encode_texts(["red dress", "red " * 1000]), atol=1e-6)


def test_company_and_length_change_nothing(hub_model: Path) -> None:
    encoder = HubEncoder(str(hub_model))
    texts = ["red", "red dress linen shirt sleeves", *["blue"] * 40]
    together = encoder.encode_texts(texts)
    np.testing.assert_allclose(together[:2], [encoder.encode_texts([text])[0] for text in texts[:2]], atol=1e-5)
    long = encoder.encode_texts(["red " * 1000])
    assert np.isfinite(long).all()


def test_an_index_with_it_is_searched_and_reranked_by_ours(
    hub_model: Path, shop: Catalogue, shop_index: Path, pictures: list[bytes], tmp_path: Path
) -> None:
    options = IndexOptions(recall=str(hub_model), precision="fp32")
    index_catalogue(shop, tmp_path / "index", model=shop_index.parent / "run", options=options)
    engine, ours = SearchEngine.open(tmp_path / "index"), SearchEngine.open(shop_index)
    for query in (Query(text="red dress"), Query(image=pictures[0])):
        found = {hit.product_id: hit.probability for hit in engine.search(query).hits if hit.product_id == "d3"}
        expected = {hit.product_id: hit.probability for hit in ours.search(query).hits if hit.product_id == "d3"}
        assert found == pytest.approx(expected, abs=1e-5)
    encoder = HubEncoder(str(hub_model))
    [text] = encoder.encode_texts(["red dress"])
    recalled = engine.search(Query(text="red dress", rerank=0, words=False)).hits
    by_id = {product.product_id: product for product in shop}
    views = [decode_picture(by_id[hit.product_id].pictures[hit.view].read()) for hit in recalled]
    np.testing.assert_allclose([hit.recall for hit in recalled], encode(encoder, views, NO_RECORDS) @ text, atol=1e-5)
    with pytest.raises(SearchIndexError, match="recall is"):
        index_catalogue(shop, tmp_path / "index", model=shop_index.parent / "run", options=IndexOptions())


def test_other_weights_are_noticed(shop: Catalogue, shop_index: Path, tmp_path: Path) -> None:
    model = save_clip(tmp_path / "clip")
    options = IndexOptions(recall=str(model), precision="fp32")
    index_catalogue(shop, tmp_path / "index", model=shop_index.parent / "run", options=options)
    torch.manual_seed(1)
    CLIPModel(CLIPConfig(text_config=TEXT, vision_config=PICTURE, projection_dim=6)).save_pretrained(model)
    with pytest.raises(SearchIndexError, match="recall_fingerprint"):
        SearchEngine.open(tmp_path / "index")


def test_what_is_no_dual_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be loaded"):
        HubEncoder(str(tmp_path))
    config = BertConfig(vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
    BertModel(config).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(SettingsError, match="a bert model does not encode texts and pictures apart"):
        HubEncoder(str(tmp_path))
