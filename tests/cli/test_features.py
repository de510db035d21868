from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from fashionbert.cli.features import features
from fashionbert.errors import FashionBertError, SettingsError, StoreError
from fashionbert.images.store import FeatureStore

PIXELS = ["network=pixels", "mode=crop", "grid=2", "height=8", "width=8", "cell_size=3"]
SETTINGS = [word for setting in PIXELS for word in ("--set", f"images.{setting}")]

app = typer.Typer()
app.command()(features)


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """Six shirts in a CSV table; the picture of one is a text."""
    folder = tmp_path / "shop"
    folder.mkdir()
    rows = ["product_id,text,image"]
    for number in range(6):
        rows.append(f"s{number},shirt number {number},{number}.png")
        Image.fromarray(np.full((8, 8, 3), 40 * number, np.uint8)).save(folder / f"{number}.png")
    (folder / "4.png").write_text("404")
    (folder / "shop.csv").write_text("\n".join(rows))
    return folder / "shop.csv"


def run(*words: str | Path) -> str:
    result = CliRunner().invoke(app, [*SETTINGS, "--device", "cpu", *map(str, words)])
    if isinstance(result.exception, FashionBertError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def cells(output: str) -> dict[str, str]:
    rows = [[cell.strip() for cell in line.strip(" │|").split("│")] for line in output.splitlines() if "│" in line]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def test_a_store_and_its_summary(catalogue: Path, tmp_path: Path) -> None:
    found = cells(run(catalogue, "--out", tmp_path / "store"))
    store = FeatureStore.open(tmp_path / "store")
    assert store.product_ids == ["s0", "s1", "s2", "s3", "s5"]
    np.testing.assert_allclose(store.read(["s3"]), np.full((1, 4, 27), 120 / 127.5 - 1), atol=1e-3)
    assert found["pictures"] == "5"
    assert found["pictures set aside"] == "1"
    assert found["not-a-picture"] == "1"
    assert found["patches P x feature size F"] == "4 x 27"
    assert found["extractor"] == store.fingerprint


def test_rows_set_aside_are_told_once(catalogue: Path, tmp_path: Path) -> None:
    with catalogue.open("a") as table:
        table.write("\ns0,shirt again,1.png\ns7,,2.png\ns8,,3.png")
    told = run(catalogue, "--out", tmp_path / "store")
    assert "shop.csv: rows set aside or short of a picture: 3 " in told
    assert told.count("2 x empty-text, for example shop.csv row 8: its text is empty") == 1
    assert told.count("1 x duplicate-id, for example shop.csv row 7") == 1


def test_a_second_run_says_that_there_is_nothing_to_do(catalogue: Path, tmp_path: Path) -> None:
    run(catalogue, "--out", tmp_path / "store")
    assert "is complete already; nothing to do" in " ".join(run(catalogue, "--out", tmp_path / "store").split())


def test_other_settings_are_refused(catalogue: Path, tmp_path: Path) -> None:
    run(catalogue, "--out", tmp_path / "store")
    with pytest.raises(StoreError, match="fit is 'stretch', now 'pad'"):
        run(catalogue, "--out", tmp_path / "store", "--set", "images.fit=pad")


def test_settings_from_a_file(catalogue: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("images: {variants: mirrored}")
    run(catalogue, "--out", tmp_path / "store", "--config", tmp_path / "a.yaml")
    assert FeatureStore.open(tmp_path / "store").variants == 2


def test_a_device_that_is_not_there(catalogue: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--device 'abacus' cannot be used") as caught:
        run(catalogue, "--out", tmp_path / "store", "--device", "abacus")
    assert "try --device auto" in caught.value.faults
