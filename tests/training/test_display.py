import io

import pytest
from rich.console import Console

from fashionbert.training import Display

FIGURES = {"loss.alignment": 0.6931, "weight.alignment": 0.25, "loss.contrastive": 2.0, "weight.contrastive": 0.75}


def shown(*, terminal: bool) -> str:
    file = io.StringIO()
    display = Display(Console(file=file, force_terminal=terminal, width=160))
    with display.training(10, 4):
        display.step(5, {**FIGURES, "seconds": 0.5}, products=64)
        with display.validating() as advance:
            advance(200)
        display.validated({"pair.text_to_image": 0.412}, improved=True)
        display.step(5, {"validation.recall_at_1": 0.4}, products=64)
    return file.getvalue()


def test_lines_where_there_is_no_terminal() -> None:
    lines = shown(terminal=False).splitlines()
    assert lines == [
        "going on after step 4 of 10",
        "step 5/10  align 0.693 (w 0.25)  contrast 2.000 (w 0.75)  128 pairs/s",
        "validation: pair.text_to_image 41.2%  (kept)",
    ]


def test_cut_texts_are_told_beyond_a_hundredth() -> None:
    file = io.StringIO()
    display = Display(Console(file=file, width=160))
    display.cut_texts(2, 200, 64)
    assert file.getvalue() == ""
    display.cut_texts(3, 200, 64)
    assert file.getvalue().startswith("1.5% of the training texts (3 of 200) are cut at model.max_text_tokens = 64")


def test_a_bar_on_a_terminal() -> None:
    text = shown(terminal=True)
    assert "5/10" in text
    assert "align 0.693" in text


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    display = Display(quiet=True)
    with display.training(2, 0):
        display.step(1, {**FIGURES, "seconds": 1.0}, products=1)
    assert capsys.readouterr() == ("", "")
