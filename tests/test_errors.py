import inspect

import pytest

from fashionbert import errors
from fashionbert.errors import CatalogueError, FashionBertError, MissingExtraError, PictureError, SettingsError

CLASSES = [
    kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and not name.startswith("_") and name != "Sequence"
]


@pytest.mark.parametrize("kind", CLASSES)
def test_one_class_catches_all_and_the_tree_names_them(kind: type[Exception]) -> None:
    assert issubclass(kind, FashionBertError)
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("kind", [SettingsError, CatalogueError])
def test_all_faults_are_in_the_message_and_in_the_error(kind: type[SettingsError] | type[CatalogueError]) -> None:
    error = kind("two faults", ["a is wrong", "b is wrong"])
    assert str(error) == "two faults\n  - a is wrong\n  - b is wrong"
    assert error.faults == ("a is wrong", "b is wrong")
    assert str(kind("nothing there")) == "nothing there"


def test_pictures_are_counted_by_reason() -> None:
    error = PictureError("too-large", "10.jpg is too large")
    assert (error.reason, str(error)) == ("too-large", "10.jpg is too large")


def test_a_missing_package_comes_with_its_command() -> None:
    message = str(MissingExtraError("h5py", "fashiongen", "reading Fashion-Gen"))
    assert message == (
        "reading Fashion-Gen needs the package 'h5py', which is not installed. "
        "Install it with: pip install 'fashionbert[fashiongen]'"
    )
