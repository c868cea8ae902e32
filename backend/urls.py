"""Where requests go."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from backend.api.errors import not_found
from backend.api.metrics import metrics

handler404 = not_found  # Django looks for this name

urlpatterns = [
    path("", RedirectView.as_view(url="/api/v1/docs", permanent=False)),
    path("admin/", admin.site.urls),
    path("api/v1/", include("backend.api.urls")),
    path("metrics", metrics, name="metrics"),
]
