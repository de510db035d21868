"""``fashionbert serve``: an index over HTTP, with a page."""

import socket
from contextlib import suppress
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
    batch: Annotated[int | None, typer.Option(help="Searches computed together.  [default: 16]")] = None,
    upload_mb: Annotated[float | None, typer.Option(help="Largest body of a request.  [default: 20]")] = None,
    refresh_seconds: Annotated[
        float | None, typer.Option(help="Seconds between looks for what others write.  [default: 5]")
    ] = None,
    rerank: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=200,
            help="Cards that the pair model puts in order where a request does not say how many.  [default: what "
            "bench frontier advised, or 50]",
        ),
    ] = None,
    picture_host: Annotated[
        list[str] | None, typer.Option(help="Host from which pictures may be fetched by URL; may be repeated.")
    ] = None,
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

    flags = {"host": host, "port": port, "key": key, "queue": queue, "deadline_ms": deadline_ms, "model": model}
    flags |= {"device": device, "batch": batch, "upload_mb": upload_mb, "refresh_seconds": refresh_seconds}
    flags |= {"picture_hosts": picture_host or None, "rerank": rerank}
    settings = load_serve_settings(config, flags)
    with _listening(settings.host, settings.port) as listener:  # before the model is loaded, which takes its time
        engine = SearchEngine.open(index, model=settings.model, device=torch_device(settings.device))
        listener.listen()  # from here on callers are kept waiting, for the moment that it takes
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        typer.echo(f"http://{host}:{listener.getsockname()[1]} serves {index}; Ctrl-C ends it")
        server = uvicorn.Server(uvicorn.Config(create_app(engine, settings), log_level="warning"))
        with suppress(KeyboardInterrupt):  # it has ended as it was asked to
            server.run([listener])
    if not server.started:
        raise typer.Exit(3)


def _listening(host: str, port: int) -> socket.socket:
    from fashionbert.errors import SettingsError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named since asyncio looks at it before it sends small answers at once; 40 ms late otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))  # who calls before the model is there is turned away, not kept waiting
        return listener
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"the service cannot listen on {host}, port {port}",
            [f"{error.strerror or error}: name another with --host or --port; --port 0 takes any that is free"],
        ) from error
