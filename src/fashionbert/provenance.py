"""What a figure was made with: versions and commit, so that it can be made again."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("fashionbert", "numpy", "torch", "transformers", "timm", "pillow")


def versions() -> dict[str, str]:
    """Version of each package that figures depend on."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def commit() -> str | None:
    """Commit of the source tree that runs, with ``+`` when it was changed; None outside of a checkout."""
    package = Path(__file__).resolve().parent
    try:
        top = Path(_git(package, "rev-parse", "--show-toplevel"))
        if package != (top / "src" / package.name).resolve():
            return None  # installed into an environment that lies in somebody else's repository
        return _git(package, "describe", "--always", "--dirty=+", "--exclude=*")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
