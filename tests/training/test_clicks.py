"""Fine-tuning on clicks: it learns, resumes to the last bit, and measures by sessions."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from fashionbert.catalogue import Catalogue, open_catalogue
from fashionbert.catalogue.clicks import ClickLog
from fashionbert.config import Settings, load_settings
from fashionbert.data.clicks import ClickRows, build_click_rows
from fashionbert.errors import NonFiniteLossError, RunError, SettingsError
from fashionbert.model.clicks import ClickModel
from fashionbert.scoring.clicks import ClickReader, load_click_model, save_click_model
from fashionbert.training import Display
from fashionbert.training import clicks as fitting
from fashionbert.training.click_setup import ClickStart, start_clicks
from fashionbert.training.clicks import fit_clicks, measure_clicks, start_at_similarity
from fashionbert.training.record import read_metrics


@pytest.fixture(scope="module")
def shop(world: Path) -> Catalogue:
    return open_catalogue(world)


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("clicks") / "run", hidden_dropout_prob=0.1, split_layers=1)


def settings_of(**changes: object) -> Settings:
    values = {
        "training.batch_size": 8,
        "training.epochs": 2,
        "clicks.max_query_tokens": 8,
        "clicks.max_title_tokens": 12,
    }
    values |= {"training.learning_rate": 3e-3, "training.precision": "fp32", "evaluation.bootstrap": 100}
    values |= {name.replace("__", "."): value for name, value in changes.items()}
    return load_settings("clicks", None, [f"{name}={value}" for name, value in values.items()])


def quiet() -> Display:
    return Display(Console(file=io.StringIO()))


@pytest.fixture
def make_rows(shop: Catalogue, make_features: Callable[..., object]) -> Callable[[Settings, ClickStart], ClickRows]:
    """Forty products, each shown for two queries, and clicked on for the query "red"."""

    def make(settings: Settings, start: ClickStart) -> ClickRows:
        ids = shop.column("product_id")[:40]
        log = ClickLog(
            ["red", "blue shirt"] * 40, [each for each in ids for _ in range(2)], np.arange(80) % 2 == 0, np.arange(80)
        )
        features = None if start.extractor is None else make_features(shop.column("product_id"), size=12)
        return build_click_rows(log, shop, features, start.tokenizer, settings.clicks)  # pyright: ignore[reportArgumentType]

    return make


@pytest.mark.slow
@pytest.mark.parametrize("image", ["none", "beside", "inside"])
def test_it_learns_what_is_clicked_on(
    run: Path, make_rows: Callable[..., ClickRows], image: str, tmp_path: Path
) -> None:
    settings = settings_of(clicks__image=image, training__epochs=20)
    start = start_clicks(settings, run, "cpu")
    rows, reader = make_rows(settings, start), ClickReader(settings, start.tokenizer)
    before = measure_clicks(reader.predict(start.model, rows), rows, settings)
    fitted = fit_clicks(start.model, rows, reader, tmp_path / "training", quiet())
    after = measure_clicks(reader.predict(fitted, rows), rows, settings)
    assert before.accuracy is not None
    assert after.accuracy is not None
    assert before.accuracy < 0.8
    assert after.accuracy > 0.95
    assert after.auc > 0.95
    losses = [line["loss.clicks"] for line in read_metrics(tmp_path / "training" / "metrics.jsonl")]
    assert len(losses) == 200
    assert np.mean(losses[-10:]) < 0.2 < np.mean(losses[:10])


def test_it_begins_with_what_the_vectors_say_of_clicks(
    make_run: Callable[..., Path], make_rows: Callable[..., ClickRows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clicked on from a similarity of 3 upwards: between 2 and 4 the line crosses one half."""
    run = make_run(tmp_path / "run", side_agreement=True, hidden_dropout_prob=0.1)
    settings = settings_of()
    start = start_clicks(settings, run, "cpu")
    rows, reader = make_rows(settings, start), ClickReader(settings, start.tokenizer)
    rows = replace(rows, clicked=np.sort(rows.clicked))  # a log may be sorted, and not all of its rows are looked at
    monkeypatch.setattr(fitting, "_ROWS_OF_LINE", 40)
    similar = np.where(rows.clicked, 4.0, 2.0) + np.random.default_rng(0).normal(0, 1, len(rows))
    monkeypatch.setattr(reader, "similarities", lambda model, rows, places: similar[places])
    start_at_similarity(start.model, rows, reader)
    agreement = start.model.matching.side_agreement
    assert agreement is not None
    assert agreement.threshold.item() == pytest.approx(3, abs=0.4)
    assert agreement.gain.item() > 1
    assert agreement.started
    similar = -similar  # clicked on where they are unlike: nothing to begin with
    start_at_similarity(start.model, rows, reader)
    assert agreement.gain.item() > 1


class Unplugged(Display):
    """Stops after some steps, as Ctrl-C does."""

    def step(self, step: int, figures: object) -> None:
        if step == 7:
            raise KeyboardInterrupt


def test_it_goes_on_to_the_same_weights(run: Path, make_rows: Callable[..., ClickRows], tmp_path: Path) -> None:
    settings = settings_of(training__checkpoint_minutes=1e-9)

    def fit(folder: Path, display: Display) -> ClickModel:
        start = start_clicks(settings, run, "cpu")
        reader = ClickReader(settings, start.tokenizer)
        return fit_clicks(start.model, make_rows(settings, start), reader, folder, display)

    whole = fit(tmp_path / "whole", quiet())
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "stopped", Unplugged(Console(file=io.StringIO())))
    assert (tmp_path / "stopped" / "checkpoint-00000006").is_dir()
    resumed = fit(tmp_path / "stopped", quiet())
    expected = whole.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in resumed.state_dict().items())


def test_the_folder_gives_the_same_scores(run: Path, make_rows: Callable[..., ClickRows], tmp_path: Path) -> None:
    for image in ("none", "inside"):
        settings = settings_of(clicks__image=image, model__layers=1)
        start = start_clicks(settings, run, "cpu")
        rows = make_rows(settings, start)
        save_click_model(start.model, start.tokenizer, start.extractor, settings, tmp_path / image)
        model, tokenizer, extractor, found = load_click_model(tmp_path / image)
        assert found == settings
        assert (extractor is None) == (image == "none")
        np.testing.assert_array_equal(
            ClickReader(found, tokenizer).predict(model, rows),
            ClickReader(settings, start.tokenizer).predict(start.model, rows),
        )


def test_company_and_width_change_no_score(run: Path, make_rows: Callable[..., ClickRows]) -> None:
    scores = []
    for changes in ({}, {"clicks__variable_length": "false"}, {"evaluation__batch_size": 1}):
        settings = settings_of(**changes)
        start = start_clicks(settings, run, "cpu")
        scores.append(ClickReader(settings, start.tokenizer).predict(start.model, make_rows(settings, start)))
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-5)
    np.testing.assert_allclose(scores[2], scores[0], atol=1e-5)


def test_a_loss_that_is_no_number_stops_before_the_weights_change(
    run: Path, make_rows: Callable[..., ClickRows], tmp_path: Path
) -> None:
    settings = settings_of()
    start = start_clicks(settings, run, "cpu")
    with torch.no_grad():
        start.model.matching.alignment_head.bias.fill_(float("inf"))
    before = {name: value.clone() for name, value in start.model.state_dict().items()}
    rows = make_rows(settings, start)
    with pytest.raises(NonFiniteLossError, match="step 0: loss = nan"):
        fit_clicks(start.model, rows, ClickReader(settings, start.tokenizer), tmp_path / "training", quiet())
    assert all(torch.equal(value, before[name]) for name, value in start.model.state_dict().items())


def test_what_cannot_be_started_from(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="starts from something that has learnt words"):
        start_clicks(settings_of(), None, "cpu")
    with pytest.raises(SettingsError, match="does not fit the settings") as raised:
        start_clicks(settings_of(model__layers=9, clicks__max_title_tokens=100), run, "cpu")
    assert raised.value.faults == (
        "model.layers = 9: there are 2 to start from",
        "clicks.max_query_tokens = 8, clicks.max_title_tokens = 100: there are 24 positions",
    )
    with pytest.raises(RunError, match="is missing or damaged"):
        load_click_model(tmp_path)
    with pytest.raises(RunError, match="holds no click model"):
        load_click_model(run)
