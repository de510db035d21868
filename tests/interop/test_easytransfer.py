"""Against the authors' own code, and what is no checkpoint of theirs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch

from fashionbert.errors import CheckpointError, RunError
from fashionbert.interop import differences, export_checkpoint, import_checkpoint, read_case
from fashionbert.interop.tensor_bundle import TensorBundle, find_bundle, write_bundle
from fashionbert.model import FashionBertForMatching, FashionBertForPreTraining
from fashionbert.text import learn_tokenizer, load_tokenizer

Case: TypeAlias = dict[str, torch.Tensor]
Change: TypeAlias = Callable[..., Path]


@pytest.fixture(scope="module")
def theirs(shared: Path) -> Path:
    return shared / "parity" / "easytransfer_tiny"


@pytest.fixture(scope="module")
def case(theirs: Path) -> Case:
    return read_case(theirs / "case.npz")


@pytest.fixture(scope="module")
def model(theirs: Path, tmp_path_factory: pytest.TempPathFactory) -> FashionBertForPreTraining:
    folder = tmp_path_factory.mktemp("imported")
    imported = import_checkpoint(theirs, folder)
    assert imported.scope == "image_bert_pre_trained_model/"
    assert (len(imported.taken), len(imported.optimizer)) == (68, 136)
    assert imported.others == ("beta1_power", "beta2_power", "global_step")
    return FashionBertForPreTraining.from_pretrained(folder).eval()


@pytest.mark.shared
def test_every_output_is_theirs(model: FashionBertForPreTraining, case: Case) -> None:
    found = differences(model, case)
    compared = case.keys() & found.keys()
    assert compared == found.keys()
    assert len(compared) == 11
    assert max(found.values()) < 1e-4, found


@pytest.mark.shared
def test_a_difference_is_found_in_the_output_that_has_it(model: FashionBertForPreTraining, case: Case) -> None:
    other = {**case, "image_loss": case["image_loss"] + 0.5, "predict_nsp_logits": case["predict_nsp_logits"] - 2}
    found = differences(model, other)
    assert found["image_loss"] == pytest.approx(0.5, abs=1e-4)
    assert found["predict_nsp_logits"] == pytest.approx(2, abs=1e-4)
    assert found["masked_lm_loss"] < 1e-4
    with pytest.raises(CheckpointError, match="no outputs to compare"):
        differences(model, {name: value for name, value in case.items() if name not in found})
    with pytest.raises(CheckpointError, match="mlm_logits"):
        differences(model, {**case, "mlm_logits": case["mlm_logits"][..., :5]})


@pytest.mark.shared
def test_transformers_own_bert_reads_the_words_alike(model: FashionBertForPreTraining, case: Case) -> None:
    """The text alone, through ``BertModel`` of transformers with the imported weights."""
    words = (case["input_ids"], case["input_mask"], case["segment_ids"])
    with torch.inference_mode():
        ours = model(input_ids=words[0], attention_mask=words[1], token_type_ids=words[2])
        bert = model.fashionbert.bert(input_ids=words[0], attention_mask=words[1], token_type_ids=words[2])
    real = words[1].bool()
    torch.testing.assert_close(ours.last_hidden_state[real], bert.last_hidden_state[real], atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.pooled_output, bert.pooler_output, atol=1e-5, rtol=0)


@pytest.mark.shared
def test_there_and_back_to_the_bit(theirs: Path, tmp_path: Path) -> None:
    import_checkpoint(theirs, tmp_path / "ours")
    export_checkpoint(tmp_path / "ours", tmp_path / "back")
    first, last = TensorBundle(find_bundle(theirs)), TensorBundle(find_bundle(tmp_path / "back"))
    assert len(last.shapes) == 68
    for name in last.shapes:
        assert last[name].tobytes() == first[name].tobytes(), name
    before, after = (json.loads((folder / "config.json").read_text()) for folder in (theirs, tmp_path / "back"))
    assert before == after


@pytest.fixture
def exported(make_small: Callable[..., FashionBertForPreTraining], tmp_path: Path) -> Path:
    """A checkpoint of our own writing, without any data of others."""
    make_small(contrastive_size=0, hidden_act="gelu_new").save_pretrained(tmp_path / "ours")
    export_checkpoint(tmp_path / "ours", tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.fixture
def change(exported: Path) -> Change:
    """Write the checkpoint anew with some variables changed, added, or left out (None)."""

    def write(scope: str | None = None, **changes: np.ndarray | None) -> Path:
        bundle = TensorBundle(find_bundle(exported))
        old = "image_bert_pre_trained_model/"
        values = {name.removeprefix(old): bundle[name] for name in bundle.shapes} | changes
        kept = {(old if scope is None else scope) + name: each for name, each in values.items() if each is not None}
        write_bundle(find_bundle(exported), kept)
        return exported

    return write


@pytest.mark.parametrize("scope", ["", "a/b/"])
def test_any_scope(change: Change, tmp_path: Path, scope: str) -> None:
    imported = import_checkpoint(change(scope), tmp_path / "out")
    assert imported.scope == scope
    before, after = (
        FashionBertForPreTraining.from_pretrained(tmp_path / name).state_dict() for name in ("ours", "out")
    )
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_every_fault_of_the_variables_at_once(change: Change, tmp_path: Path) -> None:
    checkpoint = change(
        **{
            "bert/pooler/dense/bias": None,
            "bert/encoder/layer_9/output/dense/bias": np.zeros(3, np.float32),
            "cls/seq_relationship/output_weights": np.zeros((3, 16), np.float32),
            "bert/pooler/dense/kernel/AdamWeightDecayOptimizer_1": np.zeros(5, np.float32),
        }
    )
    with pytest.raises(CheckpointError, match="is not the model that") as caught:
        import_checkpoint(checkpoint, tmp_path / "out")
    missing, extra, shape = sorted(caught.value.faults, key=lambda fault: "missing" not in fault)
    assert missing == "bert/pooler/dense/bias is missing"
    assert "layer_9/output/dense/bias (3,) is not part of this architecture" in extra
    assert "cls/seq_relationship/output_weights has the shape (3, 16), config.json asks for (2, 16)" in shape
    assert not (tmp_path / "out").exists()


def test_every_fault_of_the_values_at_once(change: Change, exported: Path, tmp_path: Path) -> None:
    checkpoint = change(
        **{
            "bert/pooler/dense/bias": np.full(16, np.nan, np.float32),
            "cls/seq_relationship/output_bias": np.zeros(2, np.int64),
        }
    )
    data = next(exported.glob("*.data-*"))
    raw = bytearray(data.read_bytes())
    raw[0] ^= 1  # of the first variable in the file
    data.write_bytes(raw)
    with pytest.raises(CheckpointError) as caught:
        import_checkpoint(checkpoint, tmp_path / "out")
    text = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 3
    assert "bert/pooler/dense/bias holds NaN or infinity" in text
    assert "cls/seq_relationship/output_bias holds int64, should be floating point" in text
    assert "bert/embeddings/LayerNorm/beta" in text
    assert "is damaged: its check sum differs" in text
    assert not (tmp_path / "out").exists()


def test_optimizers_of_any_name_and_a_part_too_many(change: Change, tmp_path: Path) -> None:
    """With a scope, all that stands under it counts as the model's but the slots of its weights."""
    slots = {
        f"bert/pooler/dense/bias/{name}": np.zeros(16, np.float32) for name in ("AdamWeightDecayOptimizer", "Adagrad")
    }
    imported = import_checkpoint(change(**slots), tmp_path / "out")
    assert len(imported.optimizer) == 2
    with pytest.raises(CheckpointError) as caught:
        import_checkpoint(change(**{"roi_head/kernel": np.zeros(3, np.float32)}), tmp_path / "other")
    assert caught.value.faults == ("roi_head/kernel (3,) is not part of this architecture",)


def test_another_model_altogether(exported: Path, tmp_path: Path) -> None:
    write_bundle(find_bundle(exported), {"resnet/conv1/kernel": np.zeros(3, np.float32)})
    with pytest.raises(CheckpointError, match=r"it has 0; its first variables are resnet/conv1/kernel"):
        import_checkpoint(exported, tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"vocab_size": None, "patch_feature_size": "96"}, ["vocab_size is missing", "patch_feature_size = '96'"]),
        ({"hidden_act": "relu", "hidden_dropout_prob": 1}, ["hidden_dropout_prob = 1 should", "hidden_act = 'relu'"]),
        ({"patch_type_vocab_size": 1}, ["patch_type_vocab_size = 1 should be a whole number above 1"]),
        ({"num_attention_heads": 3}, ["hidden_size = 16 is not a multiple of num_attention_heads = 3"]),
    ],
)
def test_a_config_of_nothing_they_have(
    exported: Path, tmp_path: Path, changes: dict[str, Any], faults: list[str]
) -> None:
    path = exported / "config.json"
    values = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))
    with pytest.raises(CheckpointError) as caught:
        import_checkpoint(exported, tmp_path / "out")
    assert len(caught.value.faults) == len(faults)
    assert all(part in fault for part, fault in zip(faults, caught.value.faults, strict=True))


def test_a_config_that_contradicts_its_weights(exported: Path, tmp_path: Path) -> None:
    path = exported / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_hidden_layers": 3, "vocab_size": 60}))
    with pytest.raises(CheckpointError) as caught:
        import_checkpoint(exported, tmp_path / "out")
    assert sum("layer_2/" in fault and "missing" in fault for fault in caught.value.faults) == 16
    assert any("word_embeddings has the shape" in fault for fault in caught.value.faults)


def test_what_their_config_has_defaults_for(
    make_small: Callable[..., FashionBertForPreTraining], tmp_path: Path
) -> None:
    published = {"patches": 64, "patch_feature_size": 2048}
    make_small(contrastive_size=0, hidden_act="gelu_new", **published).save_pretrained(tmp_path / "ours")
    path = export_checkpoint(tmp_path / "ours", tmp_path / "theirs").with_name("config.json")
    values = json.loads(path.read_text())
    assert (values["masked_image_token_num"], values["masked_text_token_num"]) == (5, 10)
    for name in ("hidden_dropout_prob", "initializer_range", "patch_feature_size", "max_patch_position_embeddings"):
        del values[name]
    values["attention_probs_dropout_prob"] = 0
    path.write_text(json.dumps(values))
    import_checkpoint(path.parent, tmp_path / "back")
    config = FashionBertForPreTraining.from_pretrained(tmp_path / "back").config
    assert (config.patches, config.patch_feature_size, config.hidden_dropout_prob) == (64, 2048, 0.1)
    path.write_text("[]")
    with pytest.raises(CheckpointError, match="is missing or broken"):
        import_checkpoint(path.parent, tmp_path / "back")


def test_patches_have_segment_1_in_a_table_of_any_size(
    make_small: Callable[..., FashionBertForPreTraining], tmp_path: Path
) -> None:
    model = make_small(contrastive_size=0, hidden_act="gelu_new", patch_type_vocab_size=4)
    assert model.fashionbert.patch_embeddings.segment == 1
    model.save_pretrained(tmp_path / "ours")
    export_checkpoint(tmp_path / "ours", tmp_path / "theirs")
    import_checkpoint(tmp_path / "theirs", tmp_path / "back")
    table = FashionBertForPreTraining.from_pretrained(tmp_path / "back").fashionbert.patch_embeddings.segment_embeddings
    torch.testing.assert_close(table.weight, model.fashionbert.patch_embeddings.segment_embeddings.weight)


def test_words_go_along(exported: Path, tmp_path: Path) -> None:
    (exported / "vocab.txt").write_text("[PAD]\nred\n")
    import_checkpoint(exported / "model.ckpt", tmp_path / "out")
    export_checkpoint(tmp_path / "out", tmp_path / "back")
    assert (tmp_path / "back" / "vocab.txt").read_text() == "[PAD]\nred\n"
    learn_tokenizer(["red dress"] * 3, 40).save_pretrained(tmp_path / "out")
    (tmp_path / "out" / "vocab.txt").unlink()
    export_checkpoint(tmp_path / "out", tmp_path / "back")
    words = (tmp_path / "back" / "vocab.txt").read_text().splitlines()
    numbers = load_tokenizer(tmp_path / "out").get_vocab()
    assert [numbers[word] for word in words] == list(range(len(numbers)))


def test_folders_that_a_conversion_would_spoil(exported: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    with pytest.raises(CheckpointError, match="is where the model comes from"):
        import_checkpoint(exported, exported)
    with pytest.raises(CheckpointError, match="is where the model comes from"):
        export_checkpoint(ours, ours)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tokenizer.json").write_text("{}")
    for convert, source in ((import_checkpoint, exported), (export_checkpoint, ours)):
        with pytest.raises(CheckpointError, match=r"holds other files \(tokenizer\.json\)"):
            convert(source, tmp_path / "run")
    import_checkpoint(exported, tmp_path / "again")
    import_checkpoint(exported, tmp_path / "again")


def test_a_model_without_all_heads_is_not_exported(exported: Path, tmp_path: Path) -> None:
    FashionBertForMatching.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "matching")
    with pytest.raises(RunError, match=r"patch_head\.weight is missing"):
        export_checkpoint(tmp_path / "matching", tmp_path / "out")


def test_no_config(exported: Path, tmp_path: Path) -> None:
    (exported / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"copy the config\.json that lies beside"):
        import_checkpoint(exported, tmp_path / "out")


def test_what_their_code_could_not_compute(
    make_small: Callable[..., FashionBertForPreTraining], tmp_path: Path
) -> None:
    make_small(contrastive_size=8, split_layers=1, hidden_act="gelu").save_pretrained(tmp_path / "ours")
    with pytest.raises(CheckpointError, match="cannot run in the authors' code") as caught:
        export_checkpoint(tmp_path / "ours", tmp_path / "out")
    assert [fault.split(" ")[0] for fault in caught.value.faults] == ["contrastive_size", "split_layers", "hidden_act"]
    with pytest.raises(RunError, match="there is no folder"):
        export_checkpoint(tmp_path / "nothing", tmp_path / "out")
