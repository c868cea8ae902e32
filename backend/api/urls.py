"""The API's paths; each one has a row in the access matrix of the tests."""

from django.urls import path
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny

from backend.api import (
    alerts,
    correlation,
    forecast,
    health,
    patients,
    pharmacogenomics,
    tokens,
)

app_name = "api"

# For everybody, whatever token they bring. `require_safe` because an error would be
# rendered by the page's own renderer, which knows only the page.
PUBLIC = {"authentication_classes": (), "permission_classes": (AllowAny,)}
SCHEMA = require_safe(SpectacularAPIView.as_view(**PUBLIC))
DOCS = require_safe(SpectacularSwaggerView.as_view(url_name="api:schema", **PUBLIC))

urlpatterns = [
    path("tokens", tokens.Tokens.as_view(), name="tokens"),
    path("tokens/current", tokens.CurrentToken.as_view(), name="current-token"),
    path("patients", patients.Patients.as_view(), name="patients"),
    path("patients/<uuid:patient_id>", patients.OnePatient.as_view(), name="patient"),
    path(
        "patients/<uuid:patient_id>/forecasts",
        forecast.PatientForecasts.as_view(),
        name="forecasts",
    ),
    path(
        "forecasts/<uuid:prediction_id>",
        forecast.OneForecast.as_view(),
        name="forecast",
    ),
    path(
        "patients/<uuid:patient_id>/correlations",
        correlation.PatientCorrelations.as_view(),
        name="correlations",
    ),
    path(
        "correlations/<uuid:prediction_id>",
        correlation.OneCorrelation.as_view(),
        name="correlation",
    ),
    path(
        "patients/<uuid:patient_id>/pharmacogenomics",
        pharmacogenomics.PatientAdvice.as_view(),
        name="patient-advice",
    ),
    path(
        "pharmacogenomics/<uuid:prediction_id>",
        pharmacogenomics.OneAdvice.as_view(),
        name="advice",
    ),
    path("alerts", alerts.Alerts.as_view(), name="alerts"),
    path(
        "alerts/<uuid:alert_id>/acknowledge",
        alerts.Acknowledgement.as_view(),
        name="acknowledge",
    ),
    path("health", health.Health.as_view(), name="health"),
    path("schema", SCHEMA, name="schema"),
    path("docs", DOCS, name="docs"),
]
