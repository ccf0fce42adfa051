"""Settings of the service: environment variables `NARU_…`, documented in one table in this folder's README."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from dispatch.service.vapid import Vapid, read_private_key, read_subject
from routing.errors import InputError

KEY_BYTES = 32
Words = Annotated[tuple[str, ...], NoDecode]


def _targets(given: object) -> object:
    """`service_rate=0.72,wait_mean_s=960`."""
    if not isinstance(given, str):
        return given
    pairs = [part.partition("=") for part in given.split(",") if part.strip()]
    if any(not name.strip() or not value.strip() for name, _, value in pairs):
        raise ValueError("must be figures with their values: service_rate=0.72,wait_mean_s=960")
    return {name.strip(): value.strip() for name, _, value in pairs}


Targets = Annotated[dict[str, float], NoDecode, BeforeValidator(_targets)]


class Settings(BaseSettings):
    """What an installation decides. Read once, at the start; nothing else looks at the environment."""

    model_config = SettingsConfigDict(env_prefix="NARU_", frozen=True, extra="ignore")

    redis_url: str | None = None
    """Redis or Valkey that keeps the zone; none: the service starts its own in the data folder"""
    data_dir: Path = Path("naru-data")
    """the embedded store, and keys that the service had to make itself"""
    results_dir: Path = Path("naru-results")
    """output folders of simulated days and trials, shown to planners"""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    token_key: SecretStr | None = None
    """signs tokens, quotes and boarding codes; none: made at the first start, kept in the data folder"""
    old_token_keys: Words = ()
    """keys whose tokens still hold while they are being replaced"""
    vault_key: SecretStr | None = None
    """wraps the riders' own keys; none: as `token_key`"""
    development: bool = False
    """sign-in codes are told in the answer: never where there are real riders"""
    cors_origins: Words = ()
    """web origins other than our own that may call the API"""
    trust_proxy: bool = False
    """take the caller's address from the last X-Forwarded-For: only behind one's own proxy"""
    calls_per_minute: int = Field(default=240, ge=1)
    """of one person"""
    calls_per_minute_address: int = Field(default=2400, ge=1)
    """of one address: a town may come through one"""
    codes_per_hour: int = Field(default=5, ge=1)
    """sign-in codes sent to one phone"""
    coming_days: int = Field(default=7, ge=0, le=7)
    """days beside the open one that riders may book for"""
    token_hours: float = Field(default=12, gt=0, le=24 * 366)
    silent_after_s: int = Field(default=180, ge=10)
    """a driving shuttle not heard of for so long is an alert"""
    webhook_url: str | None = None
    """where messages to riders go (SMS gateway, e-mail); none: they are only in the outbox and the log"""
    webhook_secret: SecretStr | None = None
    """signs what is sent there, HMAC-SHA256"""
    targets: Targets = {}
    """figures that the operator or a trial has set itself: the console shows them beside the day's"""
    sms_url: str | None = None
    """a text message gateway's webhook: gets id, to and text"""
    sms_secret: SecretStr | None = None
    """signs what is sent there, HMAC-SHA256"""
    smtp_host: str | None = None
    """mail server for riders who gave an address"""
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str = "naru@localhost"
    """sender of the mails"""
    vapid_private_key: SecretStr | None = None
    """signs web pushes; a browser that subscribed with its public half takes no others"""
    vapid_subject: Annotated[str | None, Field(validate_default=True)] = None
    """where push services reach the operator"""
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")

    @field_validator("vapid_private_key")
    @classmethod
    def _readable(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            read_private_key(given.get_secret_value())
        return given

    @field_validator("vapid_subject")
    @classmethod
    def _with_its_key(cls, given: str | None, info: ValidationInfo) -> str | None:
        if "vapid_private_key" in info.data and (given is None) != (info.data["vapid_private_key"] is None):
            raise ValueError("goes with NARU_VAPID_PRIVATE_KEY: give both, or neither")
        return None if given is None else read_subject(given)

    @property
    def vapid(self) -> Vapid | None:
        """Who sends web pushes; none: nobody does."""
        if self.vapid_private_key is None or self.vapid_subject is None:
            return None
        return Vapid(read_private_key(self.vapid_private_key.get_secret_value()), self.vapid_subject)

    def __init__(self, **values: Any) -> None:
        for name in ("cors_origins", "old_token_keys"):
            given = values.get(name, os.environ.get(f"NARU_{name.upper()}"))
            if isinstance(given, str):
                values[name] = tuple(word.strip() for word in given.split(",") if word.strip())
        super().__init__(**values)


def read_settings(**given: Any) -> Settings:
    """Settings from the environment; `given` (options of a command) go before it where they are not None.

    Raises InputError naming the variable that can't be used.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "NARU_" + "_".join(str(part) for part in first["loc"]).upper()
        what = first["msg"].removeprefix("Value error, ")
        raise InputError(what, field=name, expected="as in dispatch/service/README.md") from None


class Keys:
    """The two secrets of an installation."""

    def __init__(self, token: bytes, vault: bytes, old_tokens: tuple[bytes, ...] = ()) -> None:
        self.token = token
        self.vault = vault
        self.old_tokens = old_tokens


def read_keys(settings: Settings) -> Keys:
    """Keys from the settings; those that are missing from files in the data folder, made there if need be.

    Raises InputError for a key that is too short, OSError where the folder cannot be used.
    """
    return Keys(
        _key(settings.token_key, settings.data_dir / "token.key", "NARU_TOKEN_KEY"),
        _key(settings.vault_key, settings.data_dir / "vault.key", "NARU_VAULT_KEY"),
        tuple(key.encode() for key in settings.old_token_keys),
    )


def _key(given: SecretStr | None, file: Path, name: str) -> bytes:
    if given is not None:
        key = given.get_secret_value().encode()
        if len(key) < KEY_BYTES:
            raise InputError(f"has {len(key)} characters", field=name, expected=f"{KEY_BYTES} or more, by chance")
        return key
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_hex(KEY_BYTES))
    except FileExistsError:
        pass
    key = file.read_text(encoding="ascii").strip().encode()
    if len(key) < KEY_BYTES:
        raise InputError("is not a whole key", file=file, expected=f"{KEY_BYTES} characters or more")
    return key
