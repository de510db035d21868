"""The tutorial, command by command, as a reader types it, on a smaller shop."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import SMALLER, read_blocks

SHRINK = " ".join(f"--set {word}" for word in SMALLER)
SUBSTITUTIONS = {
    "--groups 3000": "--groups 60",
    "--preset tiny": f"--preset tiny {SHRINK}",
    # fast needs the hub, which tests may not ask
    "--preset fast": f"--preset tiny {SHRINK}",
}
OWN_NAMES = {
    "product_id": "sku",
    "image": "photo",
    "group_id": "model_no",
    "category": "department",
    "subcategory": "kind",
    "title": "title",
    "description": "description",
}


def make_own_shop(shop: Path, own: Path) -> None:
    """The drawn shop as somebody else would have it: one table, other names, no splits."""
    own.mkdir()
    shutil.copytree(shop / "images", own / "images")
    with (own / "products.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, OWN_NAMES.values())
        table.writeheader()
        for split in ("train", "validation"):
            with (shop / f"{split}.csv").open(encoding="utf-8", newline="") as source:
                table.writerows(
                    {theirs: row[ours] for ours, theirs in OWN_NAMES.items()} for row in csv.DictReader(source)
                )


@pytest.mark.slow
def test_every_command_of_the_tutorial_works(tmp_path: Path) -> None:
    page = "docs/tutorial.md"
    (settings,) = [block.body for block in read_blocks("yaml") if block.page == page]
    (tmp_path / "my-shop.yaml").write_text(settings, "utf-8")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    commands = [line for block in read_blocks("bash") if block.page == page for line in block.lines]
    assert len(commands) == 8
    for command in commands:
        for found, smaller in SUBSTITUTIONS.items():
            command = command.replace(found, smaller)
        if "my-shop" in command and not (tmp_path / "my-shop").exists():
            make_own_shop(tmp_path / "shop", tmp_path / "my-shop")
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "runs/shop/training/curves.png").is_file()
    assert (tmp_path / "reports/shop/report.md").is_file()
    assert (tmp_path / "reports/my-shop/report.json").is_file()


def test_the_substitutions_are_those_that_the_page_recommends() -> None:
    (recommended,) = [
        block.body for block in read_blocks("text") if block.page == "docs/tutorial.md" and "--set" in block.body
    ]
    assert recommended.split() == SHRINK.split()
