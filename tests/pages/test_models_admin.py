"""Moving channels and switching services in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from backend import wiring
from backend.inference import lifecycle
from backend.pages import moves
from backend.people.models import User
from backend.registry import services
from backend.registry.models import Channel, ServiceSwitch
from backend.registry.switches import require_on
from backend.twin.errors import ModelRefused, ModelUnavailable, ServiceOff
from tests.pages.conftest import Rows, Visit
from tests.registry.made import NET, TREES, FakeServer, pointers, registered, release

pytestmark = pytest.mark.django_db
RELEASES = reverse("admin:registry_modelrelease_changelist")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Both models in versions 1 (production) and 2, and a calibration for any."""
    monkeypatch.setattr(services, "_withheld", frozenset())
    monkeypatch.setattr("backend.registry.promotion.uncalibrated", lambda _: None)
    registered(1, 2)
    fake = FakeServer()
    with wiring.use(models=fake):
        yield fake


def page(step: str, *chosen: tuple[str, int]) -> str:
    ids = "&".join(f"id={release(*of).pk}" for of in chosen)
    return f"{reverse('admin:registry_modelrelease_move', args=[step])}?{ids}"


def said(rows: Rows) -> str:
    """The last message; earlier ones wait for a page that shows them."""
    *_, last = get_messages(rows.answer.wsgi_request)
    return str(last)


def confirm(visit: Visit, step: str, *chosen: tuple[str, int], **form: Any) -> Rows:
    form = {"standing": moves.standing(), "percent": 100, **form}
    return visit(page(step, *chosen), form)


def test_the_list_names_the_channels(server: FakeServer, visit: Visit) -> None:
    shown = visit(RELEASES).answer.content.decode()
    assert "production" in shown
    assert f"{1:064x}"[:12] in shown
    assert "Promote to production" in shown


def test_an_action_leads_to_a_page_that_asks(server: FakeServer, visit: Visit) -> None:
    chosen = release(NET, 2).pk
    done = visit(RELEASES, {"action": "promote", "_selected_action": [chosen]})
    assert done.answer.headers["Location"] == page("promote", (NET, 2))
    assert done.told == [("SUCCESS", "promote", 1)]
    asked = visit(page("promote", (NET, 2)))
    assert asked.told == [("SUCCESS", "promote", 1)]
    assert f"{NET} version 2" in asked.answer.content.decode()
    assert pointers()[NET, "production"] == 1


def test_both_models_are_promoted_by_who_confirms(
    server: FakeServer, visit: Visit, boss: User
) -> None:
    done = confirm(visit, "promote", (NET, 2), (TREES, 2))
    assert said(done) == f"In production: {NET} version 2, {TREES} version 2."
    assert pointers()[TREES, "production"] == 2
    row = Channel.objects.get(model=NET, name="production")
    assert row.approver == f"user:{boss.pk}"
    assert done.told[0] == ("SUCCESS", "promote", 2)
    assert len(done.told) == 3  # the page's, and one of each promotion


def test_a_refusal_is_one_line_and_stays_recorded(
    server: FakeServer, visit: Visit
) -> None:
    done = confirm(visit, "promote", (NET, 1))
    assert said(done) == f"Refused: {NET} version 1: it is in production already"
    assert [outcome for outcome, *_ in done.told] == ["SUCCESS", "DENIED"]
    done = confirm(visit, "promote", (NET, 1), (NET, 2))
    assert said(done) == "Refused: one version of a model can be production"
    server.broken[NET] = ModelUnavailable("dead")
    assert said(confirm(visit, "promote", (NET, 2))) == "Refused: dead"
    assert pointers()[NET, "production"] == 1


def test_a_page_of_before_another_move_is_asked_again(
    server: FakeServer, visit: Visit
) -> None:
    before = moves.standing()
    confirm(visit, "promote", (NET, 2))
    done = confirm(visit, "rollback", (NET, 1), standing=before)
    assert said(done) == "production changed meanwhile: look, and ask again"
    assert pointers()[NET, "production"] == 2


def test_a_rollback_leaves_what_its_page_showed(
    server: FakeServer, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm(visit, "promote", (NET, 2))
    shown = moves.standing()
    monkeypatch.setattr("backend.pages.models_admin.standing", lambda: shown)
    confirm(visit, "rollback", (NET, 2), standing=shown)
    done = confirm(visit, "rollback", (NET, 2), standing=shown)
    assert said(done).startswith(f"Refused: {NET}: production changed meanwhile")
    assert pointers()[NET, "production"] == 1
    monkeypatch.undo()
    done = confirm(visit, "rollback", (NET, 2))
    assert "was rolled back from: `promote` brings it back" in said(done)
    assert pointers()[NET, "production"] == 1


def test_back_shadow_and_its_end(server: FakeServer, visit: Visit) -> None:
    confirm(visit, "promote", (NET, 2))
    done = confirm(visit, "rollback", (NET, 2))
    assert said(done) == f"In production again: {NET} version 1."
    done = confirm(visit, "shadow", (NET, 2), percent=20)
    assert said(done) == f"Shadow for 20 % of the patients: {NET} version 2."
    assert Channel.objects.get(name="shadow").percent == 20
    done = confirm(visit, "end_shadow", (NET, 2))
    assert said(done) == f"No shadow any more: {NET}."


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (None, ""),
        (OSError("read-only"), " Still with files, run `manage.py models retire`: "),
        (ModelRefused("none"), " Without files in the repository: "),
    ],
)
def test_what_is_retired_is_said_to_be_whatever_became_of_its_files(
    *,
    server: FakeServer,
    visit: Visit,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
    also: str,
) -> None:
    def files(_repository: Any, model: str, version: int) -> None:
        if error:
            raise error

    monkeypatch.setattr(lifecycle, "retire", files)
    text = said(confirm(visit, "retire", (NET, 2)))
    named = f"{NET} version 2."
    assert text == f"Retired: {named}" + (also and also + named)
    assert release(NET, 2).retired_at is not None


@pytest.mark.parametrize(
    ("path", "status"),
    [("promote/?id=99", 404), ("promote/?id=x", 404), ("fly/?id=1", 404)],
)
def test_what_is_not_there_is_a_denial(
    server: FakeServer, visit: Visit, path: str, status: int
) -> None:
    done = visit(f"{RELEASES}move/{path}")
    assert done.answer.status_code == status
    assert [outcome for outcome, *_ in done.told] == ["DENIED"]


def test_who_may_only_look_moves_nothing(server: FakeServer, visit: Visit) -> None:
    looker = User.objects.create_user("looker", password="correct-horse-battery")
    looker.is_staff = True
    looker.save()
    looker.user_permissions.set(
        Permission.objects.filter(
            content_type__app_label="registry", codename__startswith="view_"
        )
    )
    client = Client()
    client.force_login(looker)
    shown = visit(RELEASES, client=client).answer.content.decode()
    assert "Promote to production" not in shown
    for form in (None, {"standing": moves.standing()}):
        done = visit(page("promote", (NET, 2)), form, client)
        assert done.answer.status_code == 403
        assert done.told == [("DENIED", "promote", 1)]
    add = reverse("admin:registry_serviceswitch_add")
    assert visit(add, None, client).answer.status_code == 403
    assert pointers()[NET, "production"] == 1


def test_a_form_that_is_not_whole_is_asked_again(
    server: FakeServer, visit: Visit
) -> None:
    done = visit(page("shadow", (NET, 2)), {"standing": "", "percent": 101})
    assert done.answer.status_code == 200
    assert (NET, "shadow") not in pointers()


def test_a_service_is_switched_off_and_on(visit: Visit, boss: User) -> None:
    add = reverse("admin:registry_serviceswitch_add")
    form = {"service": "forecast", "off": "on", "reason": ""}
    assert "say why" in visit(add, form).answer.content.decode()
    assert not ServiceSwitch.objects.exists()
    visit(add, {**form, "reason": "wrong since noon"})
    with pytest.raises(ServiceOff):
        require_on("forecast")
    assert ServiceSwitch.objects.get().by == f"user:{boss.pk}"
    change = reverse("admin:registry_serviceswitch_change", args=["forecast"])
    assert 'name="service"' not in visit(change).answer.content.decode()
    done = visit(change, {"reason": "all is well"})
    require_on("forecast")
    assert [outcome for outcome, *_ in done.told] == ["SUCCESS", "SUCCESS"]
    gone = reverse("admin:registry_serviceswitch_delete", args=["forecast"])
    assert visit(gone, {"post": "yes"}).answer.status_code == 403


def test_channels_are_shown(server: FakeServer, visit: Visit) -> None:
    channels = reverse("admin:registry_channel_changelist")
    assert NET in visit(channels).answer.content.decode()
