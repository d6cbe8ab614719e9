"""Django's settings, all from the environment (lib/configuration.py lists it); starts with nothing set."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aftercart.backoffice.appearance import UNFOLD  # noqa: F401 - django-unfold's setting
from aftercart.lib import postgres
from aftercart.lib.configuration import Configuration, get_var_folder, read_or_make_secret
from aftercart.lib.database import Limits, make_options
from aftercart.lib.logs import configure_logs
from aftercart.lib.photo_storage import describe_photo_storage

config = Configuration()
config.check()

IS_LOCAL = not config.is_production
VAR = get_var_folder()
DEBUG = False
ROOT_URLCONF = "aftercart.urls"
WSGI_APPLICATION = "aftercart.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- secrets and hosts -------------------------------------------------------------------------------------

SECRET_KEY = config.text("SECRET_KEY") or read_or_make_secret(VAR)
SECRET_KEY_FALLBACKS = config.read("SECRET_KEY_FALLBACKS")
FIELD_ENCRYPTION_KEYS = config.read("FIELD_ENCRYPTION_KEYS")

HOST = config.text("AFTERCART_HOST")
PORT = config.number("PORT")
SANDBOX_PORT = config.number("SANDBOX_PORT")
WEB_PROCESSES = config.number("WEB_PROCESSES")
WEB_THREADS = config.number("WEB_THREADS")
WEB_NICENESS = config.number("WEB_NICENESS")
WORKER_NICENESS = config.number("WORKER_NICENESS")
WEB_HTTP = config.text("WEB_HTTP")
WEB_HEADER_SECONDS = config.seconds("WEB_HEADER_SECONDS")
WEB_BODY_SECONDS = config.seconds("WEB_BODY_SECONDS")
WEB_BODIES_MEMORY = config.number("WEB_BODIES_MIB") * 1024 * 1024
WEB_UPLOAD_SECONDS = config.seconds("WEB_UPLOAD_SECONDS")
WEB_UPLOADS_MEMORY = config.number("WEB_UPLOADS_MIB") * 1024 * 1024
_HOSTNAME = "127.0.0.1" if HOST == "0.0.0.0" else HOST  # noqa: S104 - what to open, not what to bind
PUBLIC_URL = (config.text("PUBLIC_URL") or f"http://{_HOSTNAME}:{PORT}").rstrip("/")
_LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]", ".localhost", HOST]
ALLOWED_HOSTS = config.read("ALLOWED_HOSTS") or _LOCAL_HOSTS
CSRF_TRUSTED_ORIGINS = config.read("CSRF_TRUSTED_ORIGINS")
TRUSTED_PROXY = config.flag("TRUSTED_PROXY")
TRUSTED_PROXY_HOPS = config.number("TRUSTED_PROXY_HOPS")
if TRUSTED_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True

# --- applications ------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin.apps.SimpleAdminConfig",  # `urls.py` reads its modules: only what serves pages wants them
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
    "phonenumber_field",
    "aftercart.accounts",
    "aftercart.orders",
    "aftercart.cancellations",
    "aftercart.loyalty",
    "aftercart.mail",
    "aftercart.pages",
    "aftercart.backoffice",
    "aftercart.worker",
]

MIDDLEWARE = [
    "aftercart.front.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "aftercart.backoffice.csp.BackofficePolicyMiddleware",
    "aftercart.backoffice.reader.ReaderMiddleware",
    "aftercart.accounts.middleware.PrivateByDefaultMiddleware",
    "aftercart.accounts.middleware.TwinSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "aftercart.accounts.middleware.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "aftercart.accounts.middleware.UserMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "aftercart.pages.errors.ErrorMiddleware",
]

# --- the shop's own look (docs/branding.md) ----------------------------------------------------------------

SHOP_NAME = config.text("SHOP_NAME")
SHOP_ADDRESS = config.text("SHOP_ADDRESS")
CONTACT_EMAIL = config.text("CONTACT_EMAIL")
CONTACT_PHONE = config.text("CONTACT_PHONE")
CONTACT_CHAT_URL = config.text("CONTACT_CHAT_URL")
TERMS_URL = config.text("TERMS_URL")
PRIVACY_URL = config.text("PRIVACY_URL")
BRAND = config.read("BRAND_FOLDER")

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # backoffice/instead/templates goes before the folders of applications: what it holds replaces django-unfold's.
        "DIRS": [
            *([BRAND / "templates"] if BRAND else []),
            Path(__file__).parent / "backoffice" / "instead" / "templates",
        ],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "aftercart.pages.brand.name_shop",
                "aftercart.pages.views.points.offer_points",
            ],
        },
    },
]

# --- database ----------------------------------------------------------------------------------------------

EMBEDDED_DATABASE = VAR / "postgres"
_database: dict[str, Any] = config.read("DATABASE_URL") or {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": postgres.DATABASE,
    "USER": postgres.ROLE,
    "HOST": str(postgres.get_socket_folder(EMBEDDED_DATABASE)),
    "OPTIONS": {},
}
IS_DATABASE_EMBEDDED = not config.text("DATABASE_URL")
_database["CONN_MAX_AGE"] = 0
_database["CONN_HEALTH_CHECKS"] = True
_limits = Limits(
    lock=config.seconds("DATABASE_LOCK_SECONDS"),
    statement=config.seconds("DATABASE_STATEMENT_SECONDS"),
    idle=config.seconds("DATABASE_IDLE_SECONDS"),
    silence=config.seconds("DATABASE_SILENCE_SECONDS"),
)
_database["OPTIONS"] = make_options(_limits, _database["OPTIONS"]) | {
    # Checked on the way out: a restart of PostgreSQL costs a reconnect, not an error.
    "pool": {"min_size": 1, "max_size": config.number("DATABASE_POOL_SIZE"), "timeout": 5},
    "server_side_binding": True,
    # What is run again and again is planned once a connection; Django's default is never.
    "prepare_threshold": 3,
}
DATABASES = {"default": _database}

# --- people and sessions -----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
# The second one reads sessions and permissions; of passwords the first has the last word.
AUTHENTICATION_BACKENDS = [
    "aftercart.accounts.backends.GuardedBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 24 * 3600
SESSION_ENGINE = "aftercart.accounts.sessions"
SESSION_COOKIE_NAME = "sessionid"
SESSION_COOKIE_TWIN_NAME = "osessionid"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = not IS_LOCAL
CSRF_COOKIE_SECURE = not IS_LOCAL
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "aftercart.pages.errors.csrf_failure"
LOGIN_URL = "/users/login/"
LOGIN_REDIRECT_URL = "/users/orders/"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 0 if IS_LOCAL else 31_536_000
X_FRAME_OPTIONS = "DENY"

AFTERCART_IDENTITY = config.text("AFTERCART_IDENTITY")
COMMERCE_SANDBOX_PORT = config.number("COMMERCE_SANDBOX_PORT")
COMMERCE_URL = config.text("COMMERCE_URL") or (
    f"http://127.0.0.1:{COMMERCE_SANDBOX_PORT}" if IS_LOCAL else ""
)
if AFTERCART_IDENTITY == "commerce":
    _shop = f"http://127.0.0.1:{COMMERCE_SANDBOX_PORT}" if not config.text("COMMERCE_URL") else PUBLIC_URL
    LOGIN_URL = config.text("COMMERCE_LOGIN_URL") or f"{_shop}/users/login/"
_login = urlsplit(LOGIN_URL)
_login_origins = [f"{_login.scheme}://{_login.netloc}"] if _login.netloc else []
COMMERCE_SECONDS = config.seconds("COMMERCE_SECONDS")
COMMERCE_SESSION_SECONDS = config.seconds("COMMERCE_SESSION_SECONDS")
COMMERCE_TOKEN = config.text("COMMERCE_TOKEN")
COMMERCE_ORDERS_PATH = config.text("COMMERCE_ORDERS_PATH")
COMMERCE_MAX_CALLS = config.number("COMMERCE_MAX_CALLS")
COMMERCE_UNKNOWN_PER_MINUTE = config.number("COMMERCE_UNKNOWN_PER_MINUTE")
SHOP_SESSION_SOURCE = "aftercart.actions.account.enter_from_shop.enter_from_shop"
AXES_FAILURE_LIMIT = config.number("LOGIN_ATTEMPTS")
AXES_COOLOFF_TIME = timedelta(minutes=config.number("LOGIN_LOCK_MINUTES"))
# What authenticate() is called with; the default is the user model's field, which nobody passes.
AXES_USERNAME_FORM_FIELD = "username"
AXES_CLIENT_IP_CALLABLE = "aftercart.accounts.networks.get_client_network"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HTTP_RESPONSE_CODE = 429
AXES_LOCKOUT_CALLABLE = "aftercart.pages.lockout.answer_lockout"
AXES_RESET_ON_SUCCESS = True
# A lock-out ends, however often somebody tries meanwhile.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False

LOGIN_ATTEMPTS_PER_CLIENT = config.number("LOGIN_ATTEMPTS_PER_CLIENT")
LOGIN_HASHES = config.number("LOGIN_HASHES")
GUEST_LOOKUPS = config.number("GUEST_LOOKUPS")
GUEST_LOOKUPS_PER_CLIENT = config.number("GUEST_LOOKUPS_PER_CLIENT")
GUEST_MISSES_PER_NUMBER = config.number("GUEST_MISSES_PER_NUMBER")
SHOP_NETWORKS = config.read("SHOP_NETWORKS")

IMAGE_ORIGINS = config.read("IMAGE_ORIGINS")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", *IMAGE_ORIGINS],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        # A form sent after the session has ended, and a log-out, lead to the log-in, which may be the shop's own.
        "form-action": ["'self'", *_login_origins],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    },
}

# --- language, time, files ---------------------------------------------------------------------------------

LANGUAGE_CODE = config.text("AFTERCART_LANGUAGE")
LANGUAGES = [("en", "English"), ("tr", "Türkçe")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
SHOP_TIME_ZONE = config.text("TIME_ZONE")

# The customer's own choice, made in the foot of a page; it goes before what the browser says.
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not IS_LOCAL

STATIC_URL = "/static/"
STATICFILES_DIRS = [BRAND / "static"] if BRAND and (BRAND / "static").is_dir() else []
# Served from where they are installed: no collecting step between installing and running.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 60 if IS_LOCAL else 3600

PHOTO_LIFE = config.days("PHOTO_DAYS")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is kept there
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "photos": describe_photo_storage(
        VAR / "photos", config.text("PHOTO_BUCKET"), config.text("PHOTO_S3_URL")
    ),
}

# --- e-mails -----------------------------------------------------------------------------------------------

SHOP_COLOUR = config.text("SHOP_COLOUR")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = config.text("DEFAULT_FROM_EMAIL")
EMAIL_FILE_PATH = VAR / "mail"
EMAIL_TIMEOUT = config.seconds("EMAIL_TIMEOUT_SECONDS")
EMAIL_LIFE = config.days("LETTER_DAYS")
REQUEST_ANSWER = config.days("REQUEST_ANSWER_DAYS")
AUDIT_LIFE = config.days("AUDIT_DAYS")
STORED_DOCUMENT_LIFE = config.days("STORED_DOCUMENT_DAYS")
_mail_server = config.read("EMAIL_URL")
ARE_EMAILS_KEPT_HERE = _mail_server is None
EMAIL_BACKEND = (
    "aftercart.mail.folder.FolderBackend"
    if ARE_EMAILS_KEPT_HERE
    else "django.core.mail.backends.smtp.EmailBackend"
)
globals().update(_mail_server or {})

# --- withdrawal (Directive (EU) 2023/2673; rows in the back office go before these) -------------------------

WITHDRAWAL_COUNTRIES = config.read("WITHDRAWAL_COUNTRIES")
WITHDRAWAL_DAYS = config.number("WITHDRAWAL_DAYS")

# --- the API -----------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["aftercart.api.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "aftercart.api.parsers.JSONParser",
        "aftercart.api.parsers.PlainJSONParser",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "aftercart.api.negotiation.JSONByDefault",
    "DEFAULT_PAGINATION_CLASS": "aftercart.api.pagination.PagePagination",
    "DEFAULT_SCHEMA_CLASS": "aftercart.api.inspector.AutoSchema",
    "EXCEPTION_HANDLER": "aftercart.api.errors.answer_exception",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Aftercart",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DEFAULT_GENERATOR_CLASS": "aftercart.api.schema.generator.SchemaGenerator",
    "POSTPROCESSING_HOOKS": [],
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # The page is for reading: nobody cancels an order there by a wrong click.
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "displayOperationId": True,
        "supportedSubmitMethods": ["get"],
    },
}
REPEAT_WAIT_SECONDS = config.seconds("REPEAT_WAIT_SECONDS")
INTAKE_REQUESTS_PER_MINUTE = config.number("INTAKE_REQUESTS_PER_MINUTE")
METRICS_TOKEN = config.text("METRICS_TOKEN")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- the OMS ----------------------------------------------------------------------------------------------

OMS_ADAPTER = config.text("OMS_ADAPTER")
OMNITRON_URL = config.text("OMNITRON_URL") or f"http://127.0.0.1:{SANDBOX_PORT}"
OMNITRON_API_PREFIX = config.text("OMNITRON_API_PREFIX")
OMNITRON_USERNAME = config.text("OMNITRON_USERNAME")
OMNITRON_PASSWORD = config.text("OMNITRON_PASSWORD")
OMNITRON_TOKEN = config.text("OMNITRON_TOKEN")
OMNITRON_CHANNEL_ID = config.number("OMNITRON_CHANNEL_ID")
OMNITRON_CONNECT_SECONDS = config.seconds("OMNITRON_CONNECT_SECONDS")
OMNITRON_DIALOGUE_SECONDS = config.seconds("OMNITRON_DIALOGUE_SECONDS")
OMNITRON_MAX_DIALOGUES = config.number("OMNITRON_MAX_DIALOGUES")
OMNITRON_BREAKER_FAILURES = config.number("OMNITRON_BREAKER_FAILURES")
OMNITRON_BREAKER_SECONDS = config.seconds("OMNITRON_BREAKER_SECONDS")
OMNITRON_WEBHOOK_SECRETS = config.read("OMNITRON_WEBHOOK_SECRETS")
OMNITRON_POLL = timedelta(seconds=config.seconds("OMNITRON_POLL_SECONDS"))
OMNITRON_PULL_ORDERS = config.flag("OMNITRON_PULL_ORDERS")
OMNITRON_READS_PER_MINUTE = config.number("OMNITRON_READS_PER_MINUTE")
OMNITRON_ADDRESS_METHOD = config.text("OMNITRON_ADDRESS_METHOD")
OMNITRON_ADDRESS_PATH = config.text("OMNITRON_ADDRESS_PATH")
VERIFY_GRACE = timedelta(seconds=config.seconds("VERIFY_GRACE_SECONDS"))
VERIFY_GIVE_UP = timedelta(hours=config.seconds("VERIFY_GIVE_UP_HOURS"))

# --- the default policy, until staff publish one (docs/policies.md) -----------------------------------------

LINK_LIFE = config.days("LINK_DAYS")
REFUND_LIFE = config.days("REFUND_DAYS")
QUOTE_LIFE = timedelta(minutes=config.number("QUOTE_MINUTES"))
CANCEL_STATUSES = config.read("CANCEL_STATUSES")
REFUND_STATUSES = config.read("REFUND_STATUSES")
ADDRESS_STATUSES = config.read("ADDRESS_STATUSES")
ADDRESS_SAME_COUNTRY = config.flag("ADDRESS_SAME_COUNTRY")
INVOICE_NEEDS_REVIEW = config.flag("INVOICE_NEEDS_REVIEW")
DIRECT_CANCEL_WINDOW = timedelta(hours=config.seconds("DIRECT_CANCEL_HOURS")) or None
RETURN_WINDOW = config.days("RETURN_DAYS") or None
REVIEW_ABOVE_AMOUNT = config.read("REVIEW_ABOVE_AMOUNT")
REVIEW_TYPES = config.read("REVIEW_TYPES")
EASY_RETURN = config.flag("EASY_RETURN")
RETURN_DEFAULTS = config.flag("RETURN_DEFAULTS")
UNKNOWN_REASONS = config.text("UNKNOWN_REASONS")
LOYALTY_CURRENCY = config.read("LOYALTY_CURRENCY")
IBAN_RETENTION = config.days("IBAN_RETENTION_DAYS")
HOLIDAYS = config.read("HOLIDAYS")

# --- logs --------------------------------------------------------------------------------------------------

LOGGING = configure_logs(
    is_json=(config.text("LOG_FORMAT") or ("text" if IS_LOCAL else "json")) == "json",
    level=config.text("LOG_LEVEL"),
)
LOGGING_CONFIG = "logging.config.dictConfig"
