"""Every path of the API with every method, over HTTP: what each leaves in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import resolve

from backend.api.urls import urlpatterns
from tests.system.canary_record import ASKED

if TYPE_CHECKING:
    from tests.system.canary_story import Caller, Row

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS", "DELETE")
LAST = "current-token"  # its DELETE ends what the others need


@dataclass(frozen=True)
class Door:
    """One path, one method, one caller; `audited` when the view names an action."""

    name: str
    method: str
    signed_in: bool
    audited: bool
    status: int
    rows: list[Row]


def every_door(ask: Caller) -> list[Door]:
    """Try them all, with a wrong token and then with the right one."""
    wrong = {"Authorization": f"Token {ASKED['token']}"}
    own = ask.story.ids["own"]
    linked = ask.http.post(f"patients/{own}/correlations", json={}).json()
    advised = ask.http.post(f"patients/{own}/pharmacogenomics", json={}).json()
    ask.story.rows()  # those of the questions themselves
    ids = {
        "<uuid:patient_id>": own,
        "forecasts/<uuid:prediction_id>": f"forecasts/{ask.forecast['id']}",
        "correlations/<uuid:prediction_id>": f"correlations/{linked['id']}",
        "pharmacogenomics/<uuid:prediction_id>": f"pharmacogenomics/{advised['id']}",
        "<uuid:alert_id>": ask.alerts[0]["id"],
    }
    tried = []
    for one in sorted(urlpatterns, key=lambda one: one.name == LAST):
        path = str(one.pattern)
        for pattern, value in ids.items():
            path = path.replace(pattern, value)
        view = getattr(resolve(f"/api/v1/{path}").func, "view_class", None)
        audited = {name.upper() for name in getattr(view, "audits", ())}
        audited |= {"HEAD"} if "GET" in audited else set()
        for signed_in in (False, True):
            for method in METHODS:
                headers = {} if signed_in else wrong
                answer = ask.http.request(method, path, headers=headers)
                tried.append(
                    Door(
                        one.name,
                        method,
                        signed_in,
                        method in audited,
                        answer.status_code,
                        ask.story.rows(),
                    )
                )
    return tried
