import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fashionbert.cli.catalogue import app
from fashionbert.errors import CatalogueError, SettingsError

HEADER = "sku,image,title,colour,split\n"


def write_shop(folder: Path, count: int = 12) -> Path:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(count):
        pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append(f"{number},{number}.png,Skirt {number},red,{'validation' if number % 3 == 0 else 'train'}\n")
    (folder / "products.csv").write_text(HEADER + "".join(rows), "utf-8")
    return folder


def check(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", *words], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_a_sound_catalogue_ends_with_0_and_a_table(tmp_path: Path) -> None:
    code, out, _ = check(str(write_shop(tmp_path)))
    assert code == 0
    assert "12 products (train 8, validation 4)" in out
    assert "small-subcategory" in out


def test_broken_pictures_end_with_1_and_are_named(tmp_path: Path) -> None:
    write_shop(tmp_path)
    whole = (tmp_path / "3.png").read_bytes()
    (tmp_path / "3.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "4.png").write_bytes(b"")
    (tmp_path / "5.png").write_bytes(b"<html>")
    Image.new("RGB", (31, 31)).save(tmp_path / "6.png")
    (tmp_path / "8.png").write_bytes((tmp_path / "9.png").read_bytes())
    report = tmp_path / "out" / "report.json"
    code, out, _ = check(str(tmp_path), "--json", str(report))
    assert code == 1
    found = {finding["name"]: finding for finding in json.loads(report.read_text("utf-8"))["findings"]}
    assert found["picture-truncated"]["examples"] == ["3 (3.png)"]
    assert found["picture-empty"]["examples"] == ["4 (4.png)"]
    assert found["picture-not-a-picture"]["examples"] == ["5 (5.png)"]
    assert found["picture-tiny"]["examples"] == ["6 (31 x 31)"]
    assert found["same-picture-across-splits"]["examples"] == ["8", "9"]
    assert all(name in out for name in found)
    code, _, _ = check(str(tmp_path), "--no-pictures")
    assert code == 0


def test_json_on_the_screen_is_json_alone(tmp_path: Path) -> None:
    code, out, error = check(str(write_shop(tmp_path)), "--json", "-")
    report = json.loads(out)
    assert code == 0
    assert report["splits"] == {"train": 8, "validation": 4}
    assert (report["products"], report["groups"], report["set_aside"]) == (12, 12, 0)
    assert "12 products" in error


def test_options_reach_the_reader(tmp_path: Path) -> None:
    shop = write_shop(tmp_path)
    (tmp_path / "tables").mkdir()
    table = (shop / "products.csv").rename(tmp_path / "tables" / "products.txt")
    words = ["--format", "csv", "--columns", "product_id=sku", "--columns", "category=title", "--image-root", str(shop)]
    code, out, _ = check(str(table), *words, "--text", "{category} in {colour}", "--json", "-")
    assert (code, json.loads(out)["products"]) == (0, 12)
    code, out, _ = check(str(table), *words, "--text", "{colour}", "--json", "-")
    names = {finding["name"] for finding in json.loads(out)["findings"]}
    assert code == 1
    assert names >= {"same-text-across-groups", "same-text-across-splits"}


def test_unusable_input_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no file or folder"):
        check(str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="'sku' is not of the form ours=theirs"):
        check(str(tmp_path), "--columns", "sku")
    with pytest.raises(SettingsError, match=r"catalogue.format = 'xlsx'"):
        check(str(tmp_path), "--format", "xlsx")


def test_a_synthetic_catalogue_is_drawn_and_sound(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["synthetic", str(tmp_path / "world"), "--groups", "30", "--seed", "1"])
    assert result.exit_code == 0, result.output
    code, out, _ = check(str(tmp_path / "world"), "--json", "-")
    report = json.loads(out)
    assert report["groups"] == 30
    assert code == 0, report["findings"]
