"""What can be set: one frozen model for each section of ``config.toml``.

Here stand names, types, defaults and the rules of each value; where values come from is
``bot/settings/loading.py``'s business, what they mean is explained in ``config.example.toml``.

Long because every setting has its line here.
"""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from bot.settings import values

PREFIX = "KENTONGAN_"
TELEGRAM_HOST = "api.telegram.org"
TELEGRAM_PORTS = (80, 88, 443, 8443)
NO_SECRET = SecretStr("")


class Section(BaseModel):
    """A section of ``config.toml``: frozen, and it knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Server(Section):
    """Where the program listens, and under which name the world finds it."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8080, ge=1, le=65535)
    public_url: Annotated[str, AfterValidator(values.check_origin)] = ""
    metrics_token: Annotated[
        SecretStr,
        values.pattern(r"[!-~]{16,}", "must have at least 16 characters, no spaces"),
    ] = NO_SECRET
    connections: int = Field(default=0, ge=0, le=100_000)
    connections_per_address: int = Field(default=64, ge=1, le=100_000)
    header_seconds: int = Field(default=10, ge=1, le=600)
    body_seconds: int = Field(default=30, ge=1, le=600)
    idle_seconds: int = Field(default=5, ge=1, le=600)


class Database(Section):
    """Which store, and how many threads write to it (PostgreSQL only)."""

    url: Annotated[SecretStr, AfterValidator(values.check_database_url)] = SecretStr(
        "sqlite:///kentongan.db"
    )
    writers: int = Field(default=4, ge=1, le=8)


class Files(Section):
    """The folder of the blob store, or where files wait for the bucket; who scans them."""

    path: Path = Path("files")
    clamav: Annotated[
        str,
        values.pattern(
            r"/.+|[^/:]+:[0-9]{1,5}", "must be a socket's path, or host:port"
        ),
    ] = ""


class Bucket(Section):
    """The bucket that is the blob store; without a name the folder is."""

    name: Annotated[
        str,
        values.pattern(
            r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            "must be a bucket's name, as in evidence",
        ),
        AfterValidator(values.check_bucket),
    ] = ""
    endpoint: Annotated[str, AfterValidator(values.check_origin)] = ""
    region: str = Field(default="us-east-1", min_length=1)
    prefix: Annotated[
        str, values.pattern(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", "must be as in a/b")
    ] = ""
    access_key_id: str = ""
    secret_access_key: SecretStr = NO_SECRET


class Retention(Section):
    """How long backups are kept, and where it is written what they must not bring back."""

    backup_days: int = Field(default=30, ge=1, le=3650)
    tombstones_file: Path = Path("tombstones.log")


class Keys(Section):
    """The server key: a file, or the text itself from the environment."""

    server_key: SecretStr = NO_SECRET
    server_key_file: Path = Path("server.key")


class Agency(Section):
    """Who receives the reports, by which rules, in which languages."""

    name: str = Field(default="Inspektorat", min_length=1, max_length=60)
    jurisdiction: Annotated[
        str, values.pattern("[a-z0-9-]+", "must be a folder of rules, as in id")
    ] = Field(default="id", min_length=1)
    province: Annotated[
        str, values.pattern("[0-9]{2}", "must be two digits of regions.toml, as in 15")
    ] = ""
    timezone: Annotated[str, AfterValidator(values.check_timezone)] = "Asia/Jakarta"
    languages: Annotated[values.Words, AfterValidator(values.check_languages)] = (
        "id",
        "en",
    )
    rules: str = ""
    info_url: Annotated[str, AfterValidator(values.check_web_page)] = ""
    address: str = Field(default="", max_length=200)
    hours: str = Field(default="", max_length=80)
    letter: str = Field(default="", max_length=200)
    emergency_numbers: values.Words = ("112", "110")
    elsewhere: str = Field(
        default="lapor.go.id / Ombudsman 137", min_length=1, max_length=60
    )
    reports_an_hour: int = Field(default=3, ge=1, le=1000)


class Telegram(Section):
    """The bot account; without a token there is no Telegram."""

    token: Annotated[
        SecretStr,
        values.pattern(
            "[0-9]+:[A-Za-z0-9_-]+", "is no bot token; copy it whole from @BotFather"
        ),
    ] = NO_SECRET
    mode: Literal["polling", "webhook"] = "polling"
    webhook_secret: Annotated[
        SecretStr,
        values.pattern("[A-Za-z0-9_-]{16,256}", "must be 16 to 256 of A-Z a-z 0-9 _ -"),
    ] = NO_SECRET
    api_base_url: values.SafeUrl = f"https://{TELEGRAM_HOST}/bot"
    file_base_url: values.SafeUrl = f"https://{TELEGRAM_HOST}/file/bot"
    local_files: str = ""


class Templates(Section):
    """Approved WhatsApp templates of one language, by their content SIDs."""

    news: Annotated[
        str, values.pattern("HX[0-9A-Za-z]+", "must be a content SID, as in HX…")
    ] = ""


class Twilio(Section):
    """The account for SMS and WhatsApp; without an account SID there is neither."""

    account_sid: Annotated[
        str, values.pattern("AC[0-9A-Za-z]+", "must be an account SID, as in AC…")
    ] = ""
    auth_token: SecretStr = NO_SECRET
    previous_auth_token: SecretStr = NO_SECRET
    api_base_url: values.SafeUrl = "https://api.twilio.com"
    sms_number: values.Number = ""
    whatsapp_number: values.Number = ""
    sms_per_second: int = Field(default=1, ge=1, le=100)
    erase_copies: bool = True
    templates: dict[str, Templates] = Field(default_factory=dict)


class Logs(Section):
    """How our own log lines look, and from which level on they are written."""

    form: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Watch(Section):
    """How the server tests itself, and whom it calls when it is well."""

    canary_minutes: int = Field(default=10, ge=0, le=1440)
    heartbeat_url: Annotated[str, AfterValidator(values.check_heartbeat)] = ""
    backup_days: int = Field(default=2, ge=0, le=365)


class Settings(BaseSettings):
    """All of ``config.toml``; made by ``bot.settings.loading.load``, which says where values come from."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        enable_decoding=False,
    )

    server: Server = Server()
    database: Database = Database()
    files: Files = Files()
    bucket: Bucket = Bucket()
    retention: Retention = Retention()
    keys: Keys = Keys()
    logs: Logs = Logs()
    agency: Agency = Agency()
    telegram: Telegram = Telegram()
    twilio: Twilio = Twilio()
    watch: Watch = Watch()

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what ``load`` hands over: never the process's own environment."""
        return (init_settings,)

    @property
    def link(self) -> str:
        """Return where reporters read more: the agency's page, else ours; "" for nowhere."""
        return self.agency.info_url or self.server.public_url

    @property
    def takes_reports(self) -> bool:
        """Tell whether a provider's channel is set up."""
        return bool(self.telegram.token or self.twilio.account_sid)

    @model_validator(mode="after")
    def _telegram_can_reach_us(self) -> Self:
        telegram = self.telegram
        if not telegram.token or telegram.mode == "polling":
            return self
        if not telegram.webhook_secret:
            raise ValueError(
                'telegram.webhook_secret is needed when telegram.mode is "webhook"; '
                "set it, or poll"
            )
        if not self.server.public_url:
            raise ValueError(
                'server.public_url is needed when telegram.mode is "webhook"; set it, or poll'
            )
        port = urlsplit(self.server.public_url).port or 443
        official = urlsplit(telegram.api_base_url).hostname == TELEGRAM_HOST
        if official and port not in TELEGRAM_PORTS:
            raise ValueError(
                f"server.public_url has port {port}, but Telegram calls only 443, 80, 88 "
                "and 8443; put a proxy on one of them, or poll"
            )
        return self

    @model_validator(mode="after")
    def _bucket_has_keys(self) -> Self:
        bucket = self.bucket
        if bucket.name and not (bucket.access_key_id and bucket.secret_access_key):
            raise ValueError(
                "bucket.access_key_id and bucket.secret_access_key are needed when "
                "bucket.name is set"
            )
        return self

    @model_validator(mode="after")
    def _twilio_is_whole(self) -> Self:
        twilio = self.twilio
        if not twilio.account_sid:
            return self
        needs = {
            "twilio.auth_token": bool(twilio.auth_token),
            "twilio.sms_number or twilio.whatsapp_number": bool(
                twilio.sms_number or twilio.whatsapp_number
            ),
            "server.public_url (Twilio calls it and signs it)": bool(
                self.server.public_url
            ),
        }
        for name, present in needs.items():
            if not present:
                raise ValueError(f"{name} is needed when twilio.account_sid is set")
        return self

    @model_validator(mode="after")
    def _templates_speak_our_languages(self) -> Self:
        for language in self.twilio.templates:
            if language not in self.agency.languages:
                raise ValueError(
                    f"twilio.templates.{language} is for a language that agency.languages "
                    "does not list; add it there or remove the template"
                )
        return self
