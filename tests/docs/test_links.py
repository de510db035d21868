"""Links lead somewhere, the navigation has every page, and the reference has every public name."""

import re

import pytest
import yaml

import fashionbert

from .conftest import DOCS, ROOT, read_pages

_LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")
_WRITTEN_ELSEWHERE = {"log.md"}
_LINKS = [
    pytest.param(page, match["target"], id=f"{page} -> {match['target']}")
    for page, text in read_pages().items()
    for match in _LINK.finditer(re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    if "://" not in match["target"]
]


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower())).strip("-") for heading in headings}


@pytest.mark.parametrize(("page", "target"), _LINKS)
def test_internal_links_lead_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    file = (ROOT / page).parent / path if path else ROOT / page
    if file.name in _WRITTEN_ELSEWHERE and not file.exists():
        pytest.skip(f"{file.name} is written with the first experiment")
    assert file.is_file()
    if anchor:
        assert anchor in anchors(file.read_text("utf-8"))


def test_the_navigation_has_every_page() -> None:
    def leaves(entry: object) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        parts = entry.values() if isinstance(entry, dict) else entry
        return [leaf for part in parts for leaf in leaves(part)]  # pyright: ignore[reportGeneralTypeIssues]

    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    pages = {file.relative_to(DOCS).as_posix() for file in DOCS.rglob("*.md")}
    assert set(leaves(navigation)) - _WRITTEN_ELSEWHERE == pages - _WRITTEN_ELSEWHERE


def test_the_reference_has_every_public_name() -> None:
    shown = re.findall(r"^::: fashionbert\.(\w+)$", (DOCS / "reference/api.md").read_text("utf-8"), re.MULTILINE)
    assert set(shown) == set(fashionbert.__all__)
