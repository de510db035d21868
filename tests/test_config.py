from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionbert.config import (
    PRESETS,
    ImageSettings,
    Settings,
    changed,
    load_settings,
    read_preset,
    settings_from_yaml,
    settings_to_yaml,
)
from fashionbert.errors import SettingsError

PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=9)


def faults_of(*assignments: str, preset: str | None = None, file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(preset, file, assignments)
    return caught.value.faults


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads(name: str) -> None:
    loaded = load_settings(name)
    for part, values in read_preset(name).items():
        dumped = getattr(loaded, part).model_dump(mode="json")
        assert {key: dumped[key] for key in values} == values


def test_the_presets_keep_to_the_paper_and_the_released_code() -> None:
    """Paper sections 1.2 to 1.7; EasyTransfer scripts/fashion_bert."""
    paper, released = load_settings("paper"), load_settings("released")
    for preset in (paper, released):
        assert preset.objectives.tasks == ("masked_words", "masked_patches", "alignment")
        assert (preset.images.patches, preset.images.mode, preset.training.batch_size) == (64, "crop", 64)
        assert preset.objectives.word_mask_share == 0.15
    assert (paper.objectives.patch_mask_share, paper.objectives.weights) == (0.10, "paper")
    assert (paper.training.learning_rate, paper.training.beta1, paper.training.beta2) == (2e-5, 0.95, 0.999)
    assert (paper.training.weight_decay, paper.training.warmup_steps) == (1e-4, 5000)
    assert round(released.objectives.patch_mask_share * 64) == 5
    assert (released.objectives.max_masked_words, released.model.max_text_tokens) == (10, 64)
    assert (released.objectives.weights, released.objectives.masked_losses_on) == ("released", "all")
    assert released.negatives.source == "subcategory"


def test_later_places_win(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("training: {epochs: 9, batch_size: 5}\nmodel: {width: 64}")
    loaded = load_settings("tiny", file, ["training.batch_size=6", "training.batch_size=9"])
    assert (loaded.training.epochs, loaded.training.batch_size, loaded.model.width) == (9, 9, 64)
    assert loaded.training.cluster_size == load_settings("tiny").training.cluster_size


def test_values_are_read_as_yaml() -> None:
    loaded = load_settings(
        None,
        None,
        [
            "objectives.tasks=[alignment]",
            "training.learning_rate=1e-4",
            "model.backbone=null",
            "catalogue.columns={image: photo}",
            "catalogue.columns.product_id=sku",
            "catalogue.text={title}: {colour}",
            "images.network_options.pad_type=same",
        ],
    )
    assert loaded.objectives.tasks == ("alignment",)
    assert loaded.training.learning_rate == 1e-4
    assert loaded.catalogue.columns == {"image": "photo", "product_id": "sku"}
    assert loaded.catalogue.text == "{title}: {colour}"
    assert loaded.images.network_options == {"pad_type": "same"}


def test_every_fault_at_once_with_name_value_and_remedy() -> None:
    faults = faults_of(
        "training.epoch=3",
        "training.batch_size=many",
        "model.dropout=1.5",
        "epochs=3",
        "colour.red=1",
        "images.mode=cell",
    )
    assert len(faults) == 6
    text = "\n".join(faults)
    assert "'epochs=3' is not of the form part.name=value" in text
    assert "training.epoch = 3: there is no such setting; did you mean 'epochs'?" in text
    assert "training.batch_size = 'many': " in text
    assert "valid integer" in text
    assert "model.dropout = 1.5: Input should be less than 1" in text
    assert "images.mode = 'cell': Input should be 'crop' or 'grid'" in text
    assert "colour = {'red': 1}: there is no such setting; known names: catalogue, images, model" in text


def test_the_title_counts_the_faults() -> None:
    with pytest.raises(SettingsError, match="2 faults in the settings") as caught:
        load_settings(None, None, ["training.x=1", "model.y=2"])
    assert str(caught.value).count("\n  - ") == 2


def test_an_unknown_preset() -> None:
    with pytest.raises(SettingsError, match="unknown preset 'fats'") as caught:
        load_settings("fats")
    assert caught.value.faults == ("known presets: paper, released, fast, tiny, clicks",)


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"objectives.tasks": []}, "objectives.tasks lacks both 'alignment' and 'contrastive'"),
    ({"objectives.tasks": ["masked_words"]}, "objectives.tasks lacks both 'alignment' and 'contrastive'"),
    ({"objectives.tasks": ["alignment", "alignment"]}, "objectives.tasks names a task twice"),
    ({"objectives.tasks": ["contrastive"]}, "model.contrastive_size is 0: set it to 256"),
    ({"model.side_agreement": True}, "model.side_agreement needs the vector head: set model.contrastive_size"),
    ({"model.late_interaction_size": 8}, "model.late_interaction_size needs the vector head: set model.contrastive"),
    ({"model.bank_size": 8}, "model.bank_size corrects the side agreement: set model.side_agreement to true"),
    ({"negatives.source": "mined"}, "negatives.source is 'mined' but objectives.tasks lacks 'contrastive'"),
    ({"training.contrastive_epochs": 2}, "training.contrastive_epochs is set but objectives.tasks lacks 'contrastive'"),
    ({"training.contrastive_epochs": 20}, "training.contrastive_epochs 20.0 is above training.epochs 10"),
    ({"objectives.weights": "fixed"}, "objectives.weights='fixed' and objectives.fixed_weights need each other"),
    ({"objectives.fixed_weights": {"alignment": 1}}, "need each other"),
    (
        {"objectives.weights": "fixed", "objectives.fixed_weights": {"alignment": 1}},
        "objectives.fixed_weights must name exactly the tasks ['masked_words', 'masked_patches', 'alignment']",
    ),
    (
        {"model.side_agreement": True, "model.contrastive_size": 8},
        "model.side_agreement stands on vectors that nothing teaches: add 'contrastive' to objectives.tasks",
    ),
    ({"model.late_interaction_size": 8, "model.contrastive_size": 8}, "or set model.late_interaction_size to 0"),
    (
        {"contrastive.queue": 9, "objectives.tasks": ["contrastive"], "model.contrastive_size": 8},
        "contrastive.queue 9 keeps vectors that nothing reads: set negatives.source to mined",
    ),
    ({"contrastive.queue": 9, "contrastive.queue_negatives": True}, "with 'contrastive' in objectives.tasks"),
    ({"contrastive.queue_negatives": True}, "contrastive.queue_negatives has no vectors to read"),
    ({"model.backbone": "bert", "model.width": 256}, "model.width 256 is not that of model.backbone"),
    ({"model.width": 100, "model.heads": 3}, "model.width 100 is not a multiple of model.heads 3"),
    (
        {"model.fast_split_layers": 4, "model.layers": 4},
        "model.fast_split_layers 4 is to be above",
    ),
    ({"model.fast_split_layers": 1, "model.split_layers": 2}, "above model.split_layers 2 and leave a layer to join"),
    ({"images.height": 4}, "height 4 x width 256 is less than grid 8"),
    ({"images.network": "pixels"}, "network 'pixels' needs mode 'crop' and no weights, not 'grid'"),
]


@pytest.mark.parametrize(("values", "fault"), CONTRADICTIONS)
def test_contradictions(values: dict[str, Any], fault: str) -> None:
    assert fault in "\n".join(faults_of(*(f"{name}={value}" for name, value in values.items())))


def test_contradictions_come_with_faults_of_other_settings() -> None:
    faults = faults_of("training.epochs=many", "negatives.source=mined", "training.contrastive_epochs=3")
    assert [fault.split(" ")[0] for fault in faults] == [
        "training.epochs",
        "negatives.source",
        "training.contrastive_epochs",
    ]


@pytest.mark.parametrize(
    ("preset", "assignments"),
    [
        (None, ["objectives.tasks=[contrast]", "negatives.source=mined"]),
        ("tiny", ["images.mode=cropp"]),
        (None, ["training.epochs=3O", "objectives.tasks=[contrastive]", "model.contrastive_size=9"]),
        ("fast", ["model.backbone=5"]),
        (None, ["objectives.weights=fixed", "objectives.fixed_weights={alignment: 1}", "objectives.tasks=[a]"]),
    ],
)
def test_no_contradiction_is_made_of_a_faulty_setting(preset: str | None, assignments: list[str]) -> None:
    (fault,) = faults_of(*assignments, preset=preset)
    assert any(fault.startswith(word.split("=")[0]) for word in assignments)


def test_contradictions_of_the_pictures_come_together() -> None:
    assert len(faults_of("images.grid=300", "images.levels=all", "images.mode=crop")) == 2


def test_a_run_whose_pair_stage_never_comes() -> None:
    (fault,) = faults_of("training.epochs=3", "training.contrastive_epochs=3", preset="fast")
    assert "leaves no epoch for the other objectives.tasks" in fault


def test_contradictions_come_together() -> None:
    faults = faults_of("model.width=100", "model.heads=3", "negatives.source=mined", "objectives.weights=fixed")
    assert len(faults) == 3


@pytest.mark.parametrize("value", ["nan", ".nan", ".inf", "-1", "0"])
def test_a_learning_rate_that_is_none(value: str) -> None:
    assert "training.learning_rate" in faults_of(f"training.learning_rate={value}")[0]


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_fixed_weight_of_nothing_is_refused(weight: float) -> None:
    """A task of weight 0 is left out of the tasks; alone in the first stage it would divide by zero."""
    fixed = f"{{masked_words: 1, masked_patches: 1, alignment: {weight}}}"
    (fault,) = faults_of("objectives.weights=fixed", f"objectives.fixed_weights={fixed}")
    assert "greater than 0" in fault


@pytest.mark.parametrize("name", ["training.batch_size", "training.epochs", "training.patience", "model.dropout"])
def test_yes_is_no_number(name: str) -> None:
    (fault,) = faults_of(f"{name}=yes")
    assert fault.startswith(f"{name} = True: a number is needed")


def test_a_seed_of_more_than_64_bits() -> None:
    assert load_settings(None, None, [f"training.seed={2**64 - 1}"]).training.seed == 2**64 - 1
    assert faults_of(f"training.seed={2**64}")[0].startswith(f"training.seed = {2**64}: ")


def test_settings_are_frozen_and_keyword_only() -> None:
    with pytest.raises(ValueError, match="frozen"):
        ImageSettings().grid = 4  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError):
        ImageSettings("mobilenetv2_100")  # pyright: ignore[reportCallIssue]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(PRESETS),
    st.floats(0.5, 50),
    st.dictionaries(PRINTABLE, PRINTABLE),
)
def test_round_trip_through_yaml(preset: str, epochs: float, columns: dict[str, str]) -> None:
    loaded = load_settings(preset)
    values = loaded.model_dump()
    values["catalogue"]["columns"] = columns
    values["training"] |= {"epochs": epochs, "contrastive_epochs": 0}
    before = Settings.model_validate(values)
    assert Settings.model_validate(yaml.safe_load(settings_to_yaml(before))) == before


def test_every_setting_is_written_down(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(settings_to_yaml(Settings()))
    assert settings_from_yaml(file) == Settings()
    assert yaml.safe_load(file.read_text()).keys() == Settings.model_fields.keys()


def test_changed() -> None:
    before = load_settings("tiny")
    after = changed(before, ["evaluation.protocols=[full]"])
    assert after.evaluation.protocols == ("full",)
    assert after.model_copy(update={"evaluation": before.evaluation}) == before
    with pytest.raises(SettingsError, match=r"evaluation\.protocols"):
        changed(before, ["evaluation.protocols=[best]"])


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"a: [", "while parsing"), (b"- 1", "its top level is a list"), (b"\xff\xfe", "decode"), (b"7", "is a int")],
)
def test_files_that_are_no_settings(tmp_path: Path, content: bytes, fault: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_bytes(content)
    assert fault in faults_of(file=file)[0]


def test_a_file_that_is_not_there_and_an_empty_one(tmp_path: Path) -> None:
    assert "No such file" in faults_of(file=tmp_path / "none.yaml")[0]
    (tmp_path / "empty.yaml").write_text("# nothing")
    assert load_settings(None, tmp_path / "empty.yaml") == Settings()


def test_a_mapping_is_replaced_not_merged() -> None:
    words = ["catalogue.columns={image: photo}", "catalogue.columns={}"]
    assert load_settings(None, None, words).catalogue.columns == {}


def test_an_unknown_tracker() -> None:
    with pytest.raises(SettingsError, match=r"training\.trackers\.0 = 'tensorbord'"):
        load_settings(None, None, ["training.trackers=[tensorbord]"])
