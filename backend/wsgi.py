"""The web process."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings.embedded")
application = get_wsgi_application()

from backend import wiring  # noqa: E402 - needs the apps, which are ready only now

wiring.configure(grouped_audit=True, web=True)

# What is loaded stays: a collection amid a request need not walk it again.
gc.collect()
gc.freeze()
