"""The API's paths; each one has a row in the access matrix of the tests."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from backend.api import alerts, forecast, health, patients, tokens

app_name = "api"

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
    path("alerts", alerts.Alerts.as_view(), name="alerts"),
    path(
        "alerts/<uuid:alert_id>/acknowledge",
        alerts.Acknowledgement.as_view(),
        name="acknowledge",
    ),
    path("health", health.Health.as_view(), name="health"),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path(
        "docs",
        SpectacularSwaggerView.as_view(url_name="api:schema"),
        name="docs",
    ),
]
