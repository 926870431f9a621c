"""Settings: defaults here, then one TOML file, then the environment. Unknown keys are refused with the nearest name.

The seeds' names are kept: `[signal] entryMomentumPct`, `[risk] maxPositionUsdc`, `AVANTIS_MAX_LEVERAGE` ... in
camelCase or snake_case, and `PERPDESK_SIGNAL__ENTRY_MOMENTUM_PCT` in the environment.
"""

import difflib
import os
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from engine.sections import (
    Alerts,
    Avantis,
    Buybacks,
    Chain,
    Desks,
    ExchangeSettings,
    Index,
    MetricsPort,
    Pyth,
    Risk,
    Signal,
    Venice,
    WalletSettings,
)
from venue.pyth import FEEDS

CONFIG_FILE = platformdirs.user_config_path("perpdesk") / "config.toml"


class ConfigError(Exception):
    """One line that names the key, the value and what was expected."""


class Settings(BaseSettings):
    """Everything the engine can be told."""

    model_config = SettingsConfigDict(
        env_prefix="PERPDESK_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    pyth: Pyth = Pyth()
    exchange: ExchangeSettings = ExchangeSettings()
    signal: Signal = Signal()
    risk: Risk = Risk()
    desks: Desks = Desks()
    venice: Venice = Venice()
    buybacks: Buybacks = Buybacks()
    alerts: Alerts = Alerts()
    metrics: MetricsPort = MetricsPort()
    index: Index = Index()
    venue: Literal["paper", "avantis"] = "paper"
    """Where `run` trades: `avantis` is real money."""
    avantis: Avantis = Avantis()
    chain: Chain = Chain()
    wallet: WalletSettings = WalletSettings()
    base_rpc_url: Annotated[SecretStr | None, Field(validation_alias="BASE_RPC_URL")] = None
    """One or more, separated by commas; with three, two must agree."""
    base_ws_url: Annotated[SecretStr | None, Field(validation_alias="BASE_WS_URL")] = None
    """Where new blocks are announced; without it they are asked for."""
    venice_agent_enabled: Annotated[bool, Field(validation_alias="VENICE_AGENT_ENABLED")] = True
    venice_api_key: Annotated[SecretStr | None, Field(validation_alias="VENICE_API_KEY")] = None
    venice_auto_mint_key: Annotated[SecretStr | None, Field(validation_alias="VENICE_AUTO_MINT_KEY")] = None
    """Private key of a wallet with staked VVV; it signs for an inference key when there is none."""
    avantis_max_leverage: Annotated[int, Field(ge=1, le=500, validation_alias="AVANTIS_MAX_LEVERAGE")] = 75
    ui: dict[str, str | int | bool | dict[str, str]] = Field(default_factory=dict)
    """Belongs to the terminal, which validates it; the engine only carries it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment outranks the file, which comes in as init values."""
        return env_settings, init_settings


def load(path: Path | None = None) -> Settings:
    """Settings from `path`, or from the user's config file when there is one, under the environment.

    Raises ConfigError with one line for the first thing that is wrong.
    """
    file = path or CONFIG_FILE
    values: dict[str, Any] = {}
    if path or file.exists():
        try:
            values = tomllib.loads(_read(file))
        except OSError as error:
            raise ConfigError(f"{file}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: not valid TOML: {error}") from error
    if secret := next((name for name in values if name.lower() in _SECRETS), None):
        raise ConfigError(f"{file}: {secret}: a key does not belong into the file; expected it in the environment")
    _refuse_unknown_environment()
    try:
        settings = Settings(**values)
    except SettingsError as error:
        raise ConfigError(f"environment: {error}: expected JSON for a list or a table") from error
    except ValidationError as error:
        raise ConfigError(f"{file if values else 'environment'}: {explain(error, Settings)}") from error
    unknown = [symbol for symbol in settings.exchange.markets if symbol not in FEEDS]
    if unknown:
        raise ConfigError(f"exchange.markets: unknown market {unknown[0]!r}; expected any of {', '.join(FEEDS)}")
    if not settings.exchange.markets:
        raise ConfigError("exchange.markets: empty; expected at least one market")
    return settings


def _read(file: Path) -> str:
    """Raises ConfigError for a file that is not its owner's alone to change: it decides where keys and orders go."""
    with file.open(encoding="utf-8") as opened:
        mode = os.fstat(opened.fileno()).st_mode
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigError(f"{file}: mode {stat.S_IMODE(mode):04o}: others can write to it; chmod 600 it")
        return opened.read()


_SEED_NAMES = ("VENICE_API_KEY", "VENICE_AUTO_MINT_KEY", "VENICE_AGENT_ENABLED")
_SECRETS = frozenset(("venice_api_key", "venice_auto_mint_key"))


def _refuse_unknown_environment() -> None:
    prefix, known = "PERPDESK_", list(Settings.model_fields)
    for name in os.environ:
        section = name.removeprefix(prefix).partition("__")[0].lower()
        if name.startswith(prefix) and section not in known:
            close = difflib.get_close_matches(section, known, n=1, cutoff=0.5)
            hint = f"; did you mean {prefix}{close[0].upper()}?" if close else ""
            raise ConfigError(f"environment: unknown setting {name}{hint}")
        # Other programs may have names of their own there; one that is nearly ours is a slip.
        slip = name.startswith("VENICE_") and name not in _SEED_NAMES
        if slip and (close := difflib.get_close_matches(name, _SEED_NAMES, n=1, cutoff=0.85)):
            raise ConfigError(f"environment: unknown setting {name}; did you mean {close[0]}?")


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """One line for the first thing wrong: the key, the value, what was expected, and the nearest known key."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        known = _names_at(model, path[:-1])
        close = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(sorted(known))}"
        return f"unknown key {key!r}; {hint}"
    shown = "***" if _secret_at(model, path) or _with_login(first["input"]) else repr(first["input"])
    return f"{key}: {shown}: {first['msg'].lower()}"


def _with_login(value: object) -> bool:
    """Whether it is a URL in which a key may stand beside the host."""
    return isinstance(value, str) and "://" in value and any(mark in value for mark in "@?#")


def _secret_at(model: type[BaseModel], path: list[str]) -> bool:
    """Whether what stands there is a secret, may hold one, or is nothing that we know."""
    for number, part in enumerate(path):
        known = {
            part: each
            for name, each in model.model_fields.items()
            for part in (name, each.alias, to_camel(name), each.validation_alias)
        }
        if part not in known:
            return "key" in path[-1].lower()
        kind = known[part].annotation
        if "SecretStr" in repr(known[part]):
            return True
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return False
        model = kind
        if number == len(path) - 1:
            return any("SecretStr" in repr(each) for each in kind.model_fields.values())
    return False


def _names_at(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        inner = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)
