"""Callers with real tokens in front of the API, fakes behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient

from backend import wiring
from backend.api import health
from backend.people.models import Site, SiteMember, User
from tests.predictions.conftest import *  # noqa: F403 - the same people and parts

Clock = Callable[[datetime], None]


def client_of(user: User, *, hours: float = 1) -> APIClient:
    """A client with the user's token; with negative hours an expired one."""
    _, token = AuthToken.objects.create(user, expiry=timedelta(hours=hours))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


@pytest.fixture
def clock(now: datetime) -> list[datetime]:
    """The time that the API sees; replace its only element to move it."""
    return [now]


@pytest.fixture(autouse=True)
def wired(ehr, models, clock, settings) -> Iterator[None]:
    settings.WHITENOISE_AUTOREFRESH = True  # there is no folder of collected files
    health.forget()
    with wiring.use(ehr_of=lambda _site: ehr, models=models, now=lambda: clock[0]):
        yield
    health.forget()


@pytest.fixture
def api(clinician: User) -> APIClient:
    """A clinician of the patient's care team."""
    return client_of(clinician)


@pytest.fixture
def other(stranger) -> APIClient:
    """A clinician of no care team."""
    return client_of(stranger.user)


@pytest.fixture
def expired(clinician: User) -> APIClient:
    return client_of(clinician, hours=-1)


@pytest.fixture
def service(site: Site) -> APIClient:
    """The machine client of the patient's site."""
    user = User.objects.create_user("ehr", is_service=True)
    SiteMember.objects.create(site=site, user=user)
    return client_of(user)


@pytest.fixture
def elsewhere(db: None) -> APIClient:
    """The machine client of another site."""
    user = User.objects.create_user("ehr-south", is_service=True)
    south = Site.objects.create(
        slug="south", name="South", ehr_url="http://127.0.0.1/s"
    )
    SiteMember.objects.create(site=south, user=user)
    return client_of(user)


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()
