import runpy

from .conftest import DOCS

HOOKS = runpy.run_path(str(DOCS / "hooks.py"))


def test_sphinx_roles_become_code() -> None:
    page = "<p>A :class:<code>~fashionbert.types.Pair</code>, see :func:<code>load_settings</code>.</p>"
    assert HOOKS["on_page_content"](page) == "<p>A <code>Pair</code>, see <code>load_settings</code>.</p>"


def test_other_code_stays() -> None:
    page = "<p>ratio 1:<code>a.b</code>, <code>x</code></p>"
    assert HOOKS["on_page_content"](page) == page
