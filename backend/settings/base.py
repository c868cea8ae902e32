"""What holds everywhere. Secrets and addresses come from the file that imports this."""

import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

INSTALLED_APPS = [
    "backend.pages.apps.AuditedAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "auditlog",
    "backend.audit",
    "backend.people",
    "backend.registry",
    "backend.predictions",
    "backend.api",
    "backend.pages.apps.PagesConfig",
    "backend.jobs",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

ROOT_URLCONF = "backend.urls"
WSGI_APPLICATION = "backend.wsgi.application"
AUTH_USER_MODEL = "people.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": (
            "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
        )
    },
]
SESSION_COOKIE_AGE = 12 * 3600  # seconds; absolute limit of a clinician's session
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "backend.api.authentication.TokenAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["backend.api.parsing.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "backend.api.errors.problem",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "MindTwin",
    "DESCRIPTION": (
        "Symptom forecasts, links of wearables with symptoms, and advice on medicines "
        "by genes, from FHIR R4 records. Research and decision support; not a medical "
        "device."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",  # served by us: the page loads nothing from outside
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {  # sets of words that several fields share
        "TreatmentActionEnum": "backend.api.medication_answer.ACTIONS",
        "OverallActionEnum": "backend.api.medication_answer.OVERALL",
        "GradeEnum": "backend.api.medication_answer.GRADES",
    },
}

# Change diffs only; who read what is in backend.audit. Encrypted columns are excluded
# where each model is registered, and identifiers are never in a model's text.
AUDITLOG_DISABLE_REMOTE_ADDR = True  # the first X-Forwarded-For value can be forged

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "backend.settings.logs.DiscreetFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "mindtwin": {"level": "INFO"},
        # These print URLs, and an EHR's URLs name patients.
        "httpx": {"level": "CRITICAL"},
        "httpcore": {"level": "CRITICAL"},
        "django.server": {"level": "CRITICAL"},  # `manage.py runserver`
        # The server quotes what it cannot read. Naming it here takes its own handlers
        # away from its workers, so that ours prints what is left.
        "gunicorn": {"level": "ERROR"},
        # Django would mail errors with the whole request to ADMINS.
        "django": {"level": "WARNING", "handlers": []},
    },
}

# --- read by backend/wiring.py only ---
MINDTWIN: dict[str, Any] = {
    "MODEL_REPOSITORY": Path(
        os.environ.get("MINDTWIN_MODEL_REPOSITORY", ROOT / "model_repository")
    ).absolute(),
    "TRITON": None,  # or {"url", "admin_key", "tls"}; None: models run in process
    "SIGNING_KEY": None,  # path of the private key of whoever publishes models
    "METRICS_TOKEN": None,  # opens /metrics; None: there is none
    "LOOKBACK_DAYS": 400,  # questionnaires are asked every few weeks
    "FRESH_HOURS": 24,
    "CORRELATION_DAYS": 30,  # looked at unless somebody asks for others
    "CORRELATION_MAX_DAYS": 120,
    "CORRELATION_MAX_SAMPLES": 400_000,  # values of wearables: two a minute, 120 days
    "CORRELATION_FRESH_HOURS": 24,
    "PHARMACOGENOMICS": {
        "lookback_days": 400,  # of medicines that ended, and of laboratory values
        "max_medications": 60,  # asked about at once
        "least_confidence": 0.7,  # of the response model; below it is withheld
        "fresh_hours": 24,
    },
    "WEIGHTS": None,  # {model: share of the blend}; None: the twin's own
    "MODEL_TIMEOUT_S": 5.0,
    "EHR_SCHEMES": ("https",),  # of a site's address
    "EHR_TOKENS": {},  # site slug -> {"origin": "https://host:port", "token": "..."}
    "CONCEPT_MAPS": {},  # site slug -> path of a FHIR ConceptMap for the site's codes
    "EHR_TIMEOUT_S": 10.0,  # one HTTP exchange
    "EHR_DEADLINE_S": 120.0,  # a whole call, all pages and retries
    "EHR_INTERACTIVE_DEADLINE_S": 8.0,  # the same where somebody waits for the answer
    "EHR_CONCURRENT": 2,  # calls at once in a web process, of its 4 threads
    # A delivery's lease, longer than any call; a killed worker's work is free again
    # after it.
    "LEASE_S": 180.0,
}
