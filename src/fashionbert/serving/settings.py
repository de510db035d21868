"""What may be chosen of the service: by flag, by environment variable or in a YAML file, the first one first."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)
from yaml import YAMLError

from fashionbert.errors import SettingsError
from fashionbert.serving.bodies import MOST_TOP
from fashionbert.serving.links import spelt_host

PREFIX = "FASHIONBERT_SERVE_"


class ServeSettings(BaseSettings):
    """Settings of ``fashionbert serve``.

    Attributes:
        host: address to listen on; only this machine can reach the default.
        port: to listen on.
        key: what writers send as ``Authorization: Bearer KEY``; without one nothing can be written.
        model: the index's run folder, where it is no longer where it was.
        device: where the model runs.
        rerank: cards that the pair model puts in order where a request does not say how many; None: as many as
            ``fashionbert bench frontier`` has advised for the model, or 50.
        queue: requests that may wait; more are turned away at once.
        batch: searches that are computed together.
        deadline_ms: a request that has waited longer is not computed any more.
        upload_mb: largest body of a request.
        picture_hosts: hosts from which pictures are fetched by URL; without any, none is. In the environment with
            commas between them.
        refresh_seconds: how often the service looks for products that were written by others.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    key: SecretStr | None = Field(default=None, min_length=8)
    model: Path | None = None
    device: str = "auto"
    rerank: int | None = Field(default=None, ge=0, le=MOST_TOP)
    queue: int = Field(default=64, ge=1)
    batch: int = Field(default=16, ge=1)
    deadline_ms: int = Field(default=5000, ge=1)
    upload_mb: float = Field(default=20.0, gt=0, le=10_000, allow_inf_nan=False)
    picture_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    refresh_seconds: float = Field(default=5.0, gt=0, le=86_400, allow_inf_nan=False)

    @field_validator("picture_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, hosts: Any) -> Any:
        return [host for host in hosts.replace(" ", "").split(",") if host] if isinstance(hosts, str) else hosts

    @field_validator("picture_hosts")
    @classmethod
    def _refuse_urls(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [host for host in hosts if "/" in host or "*" in host or not host]
        if wrong:
            raise ValueError(f"{', '.join(map(repr, wrong))}: name hosts alone, such as cdn.shop.com")
        if unknown := [host for host in hosts if not _is_name(host)]:
            raise ValueError(f"{', '.join(map(repr, unknown))}: no host can be called so")
        return hosts


def _is_name(host: str) -> bool:
    try:
        spelt_host(host)
    except ValueError:
        return False
    return True


def load_serve_settings(config: Path | None, flags: Mapping[str, Any]) -> ServeSettings:
    """Read the settings.

    Args:
        config: a YAML file; None: there is none.
        flags: what the command line says; None values are left out.

    Returns:
        The settings.

    Raises:
        SettingsError: with every fault.
    """
    if config is not None and not config.is_file():
        raise SettingsError("the settings of the service cannot be read", [f"there is no file {config}"])

    class WithFile(ServeSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            if config is None:
                return init_settings, env_settings
            return init_settings, env_settings, YamlConfigSettingsSource(settings_cls, yaml_file=config)

    try:
        return WithFile(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise SettingsError("the settings of the service cannot be used", faults) from error
    except (YAMLError, ValueError, TypeError) as error:
        raise SettingsError(f"{config} cannot be read", [f"{error}".splitlines()[0]]) from error
