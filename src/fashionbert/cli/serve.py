"""``fashionbert serve``: an index over HTTP, with a page."""

from pathlib import Path
from typing import Annotated

import typer

from fashionbert.cli.options import Model


def serve(
    index: Annotated[Path, typer.Argument(help="Folder of the index.")],
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.  [default: 8000]")] = None,
    key: Annotated[str | None, typer.Option(help="What writers must send; without it nothing can be written.")] = None,
    queue: Annotated[int | None, typer.Option(help="Requests that may wait.  [default: 64]")] = None,
    deadline_ms: Annotated[int | None, typer.Option(help="Longest wait of a request.  [default: 5000]")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of settings.")] = None,
    model: Model = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps or auto.  [default: auto]")] = None,
) -> None:
    """Serve an index over HTTP, with a page to search it.

    Flags come before environment variables (FASHIONBERT_SERVE_PORT and so on), these before the file of --config.
    """
    from fashionbert.errors import MissingExtraError

    try:
        import uvicorn

        from fashionbert.serving import create_app, load_serve_settings
    except ImportError as error:
        raise MissingExtraError("fastapi", "serve", "the service") from error
    from fashionbert.cli.stores import torch_device
    from fashionbert.search import SearchEngine

    flags = {"host": host, "port": port, "key": key, "queue": queue, "deadline_ms": deadline_ms, "device": device}
    settings = load_serve_settings(config, flags)
    engine = SearchEngine.open(index, model=model, device=torch_device(settings.device))
    typer.echo(f"http://{settings.host}:{settings.port} serves {index}; Ctrl-C ends it")
    uvicorn.run(create_app(engine, settings), host=settings.host, port=settings.port, log_level="warning")
