"""The page and its files."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from fashionbert.serving.problems import ProblemError

router = APIRouter(include_in_schema=False)
PAGE = Path(__file__).parents[1] / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@router.get("/")
async def page() -> FileResponse:
    """Give the page."""
    return FileResponse(PAGE / "index.html", media_type="text/html")


@router.get("/static/{name}")
async def static(name: str) -> FileResponse:
    """Give a file of the page."""
    path = PAGE / name
    if path.parent != PAGE or path.suffix not in _TYPES or not path.is_file():
        raise ProblemError(404, "no-such-file", f"there is no file {name!r}")
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": "no-cache"})
