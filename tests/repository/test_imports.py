"""What importing costs, and that everything that is promised is there."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import fashionbert

HEAVY = ("torch", "transformers", "timm", "accelerate", "matplotlib", "pyarrow", "PIL")
PACKAGES = [name for _, name, package in pkgutil.walk_packages(fashionbert.__path__, "fashionbert.") if package]


def loaded_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*sorted(name for name in sys.modules if '.' not in name))"
    return set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )


def test_the_package_costs_nothing_to_import() -> None:
    assert not loaded_after("import fashionbert").intersection([*HEAVY, "numpy", "pydantic"])


def test_help_does_not_wait_for_torch() -> None:
    code = """
from fashionbert.cli.main import app
from typer.testing import CliRunner
result = CliRunner().invoke(app, ["--help"])
assert result.exit_code == 0 and "train" in result.output, result.output
"""
    assert not loaded_after(code).intersection(HEAVY)


@pytest.mark.parametrize("name", ["fashionbert", *PACKAGES])
def test_exported_names_exist_once_and_in_order(name: str) -> None:
    module = importlib.import_module(name)
    exported = list(getattr(module, "__all__", []))
    assert len(exported) == len(set(exported))
    for each in exported:
        assert getattr(module, each) is not None
    constants = [each for each in exported if each.isupper()]
    classes = [each for each in exported if not each.isupper() and each[0].isupper()]
    functions = [each for each in exported if each[0].islower()]
    assert exported == [*sorted(constants), *sorted(classes), *sorted(functions)]


def test_the_top_exports_what_it_says_and_nothing_else() -> None:
    assert dir(fashionbert) == sorted(fashionbert.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Scorrer'"):
        fashionbert.Scorrer  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_says_what_it_is_for(name: str) -> None:
    assert (importlib.import_module(name).__doc__ or "").strip()
