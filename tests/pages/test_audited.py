"""Each page of the admin tells the log what it showed or did, or it shows nothing."""

from __future__ import annotations

import pytest
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from backend.audit import ledger
from backend.pages.audited import AuditedAdmin
from backend.people.access import Actor, enrol
from backend.people.models import CareTeamMember, Patient, Site, User

pytestmark = pytest.mark.django_db
TEAMS = "admin:people_careteammember_changelist"


def team(patient: Patient, number: int) -> list[CareTeamMember]:
    """Memberships of as many users."""
    return [
        CareTeamMember.objects.create(
            patient=patient, user=User.objects.create_user(f"u{i}", password="x" * 14)
        )
        for i in range(number)
    ]


def staff(*may: str) -> Client:
    user = User.objects.create_user("staff", password="z" * 14, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=may))
    client = Client()
    client.force_login(user)
    return client


def test_only_pages_that_leave_rows_are_there() -> None:
    pages = admin.site._registry
    assert [m for m, page in pages.items() if not isinstance(page, AuditedAdmin)] == []
    assert {User, Group, Patient} <= set(pages)
    assert not {AuthToken, LogEntry} & set(pages)


@pytest.mark.parametrize("path", ["knox/authtoken/add/", "auditlog/logentry/"])
def test_pages_of_packages_are_not_found(visit, path) -> None:
    seen = visit(f"/admin/{path}", {"user": 1} if "add" in path else None)
    assert seen.answer.status_code == 404
    assert not AuthToken.objects.exists()


# --- lists


def test_a_lists_row_names_the_page_that_is_shown_and_no_more(
    visit, site, boss, monkeypatch
) -> None:
    patients = [
        enrol(actor=Actor.of_command("test"), site=site, ehr_id=f"{i}")
        for i in range(5)
    ]
    for one in patients[:4]:
        CareTeamMember.objects.create(patient=one, user=boss)
    monkeypatch.setattr(admin.site._registry[Patient], "list_per_page", 3)
    path = reverse("admin:people_patient_changelist")
    pages = [visit(path), visit(f"{path}?p=2")]
    for page, shown in zip(pages, (3, 1), strict=True):
        assert page.told == [("SUCCESS", "list", shown)]
        text = page.answer.content.decode()
        assert [one.pk for one in patients if str(one.pk) in text]
        assert {one.pk for one in patients if str(one.pk) in text} == {*page.patients}
    assert {*pages[0].patients, *pages[1].patients} == {p.pk for p in patients[:4]}


@pytest.mark.parametrize(
    ("query", "status", "outcome"),
    [
        ("nonsense=1", 302, "SUCCESS"),
        ("team__user__password__startswith=a", 400, "DENIED"),
    ],
)
def test_a_list_that_is_not_shown_names_nobody(
    *, visit, boss, patient, query, status, outcome
) -> None:
    CareTeamMember.objects.create(patient=patient, user=boss)
    path = reverse("admin:people_patient_changelist")
    seen = visit(f"{path}?{query}")
    assert seen.answer.status_code == status
    assert (seen.told, seen.patients) == ([(outcome, "list", 0)], [])


# --- actions on several rows


def chosen(members: list[CareTeamMember], **more: str) -> dict:
    picked = [member.pk for member in members]
    return {"action": "delete_selected", "_selected_action": picked, **more}


def test_deleting_several_is_recorded_as_what_it_is(visit, patient) -> None:
    members = team(patient, 3)
    asked = visit(reverse(TEAMS), chosen(members[:2]))
    assert asked.told == [("SUCCESS", "delete_selected", 2)]
    assert asked.patients == [patient.pk]
    assert CareTeamMember.objects.count() == 3
    done = visit(reverse(TEAMS), chosen(members[:2], post="yes"))
    assert done.told == [("SUCCESS", "delete_selected", 2)]
    assert done.patients == [patient.pk]
    assert CareTeamMember.objects.count() == 1


def test_an_action_somebody_may_not_do_is_a_denial(visit, patient) -> None:
    members = team(patient, 1)
    client = staff("view_careteammember")
    seen = visit(reverse(TEAMS), chosen(members, post="yes"), client)
    assert seen.told[0] == ("DENIED", "action", 0)
    assert CareTeamMember.objects.count() == 1


# --- one object


@pytest.mark.parametrize("view", ["change", "delete", "history"])
def test_a_page_of_what_is_not_there_is_a_denial(visit, view) -> None:
    seen = visit(reverse(f"admin:people_careteammember_{view}", args=[4711]))
    assert [row[0] for row in seen.told] == ["DENIED"]


def test_deleting_one_names_its_patient(visit, patient) -> None:
    (member,) = team(patient, 1)
    path = reverse("admin:people_careteammember_delete", args=[member.pk])
    seen = visit(path, {"post": "yes"})
    assert (seen.told, seen.patients) == ([("SUCCESS", "delete", 1)], [patient.pk])
    assert not CareTeamMember.objects.exists()


def test_a_form_that_may_only_be_read_denies_what_is_sent(visit, site) -> None:
    client = staff("view_site")
    path = reverse("admin:people_site_change", args=[site.pk])
    assert visit(path, None, client).told == [("SUCCESS", "object", 1)]
    seen = visit(path, {"name": "other"}, client)
    assert (seen.answer.status_code, seen.told) == (403, [("DENIED", "object", 1)])


def test_what_would_go_along_is_counted_not_listed(visit, patient, site) -> None:
    (member,) = team(patient, 1)
    for page in (
        reverse("admin:people_site_delete", args=[site.pk]),
        reverse("admin:people_user_delete", args=[member.user_id]),
        reverse("admin:people_careteammember_add"),
    ):
        seen = visit(page)
        assert seen.answer.status_code == 200
        assert str(patient.pk) not in seen.answer.content.decode()
    with pytest.raises(ProtectedError):
        site.delete()


@pytest.mark.parametrize("scheme", ["https", "ftp"])
def test_a_sites_address_is_checked(visit, site, scheme) -> None:
    url = f"{scheme}://ehr.example/fhir"
    form = {"name": "S", "ehr_url": url, "write_mode": "full"}
    visit(reverse("admin:people_site_change", args=[site.pk]), form)
    site.refresh_from_db()
    assert (site.ehr_url == url) is (scheme == "https")


# --- passwords, groups and pages that belong to no model


NEW = "a-new-and-longer-password"


def test_an_operators_new_password_for_somebody_ends_their_tokens(visit) -> None:
    user = User.objects.create_user("u", password="x" * 14)
    AuthToken.objects.create(user)
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    path = reverse("admin:auth_user_password_change", args=[user.pk])
    seen = visit(path, form)
    assert seen.told == [("SUCCESS", "new_password", 0), ("SUCCESS", "password", 1)]
    assert User.objects.get(pk=user.pk).check_password(NEW)
    assert not AuthToken.objects.exists()


def test_ones_own_new_password_ends_ones_tokens(visit, boss) -> None:
    AuthToken.objects.create(boss)
    form = {
        "old_password": "correct-horse-battery",
        "new_password1": NEW,
        "new_password2": NEW,
    }
    seen = visit(reverse("admin:password_change"), form)
    assert seen.told == [
        ("SUCCESS", "password_change", 0),
        ("SUCCESS", "new_password", 0),
    ]
    assert not AuthToken.objects.exists()
    assert User.objects.get(pk=boss.pk).check_password(NEW)


def test_a_group_of_permissions_leaves_a_row(visit) -> None:
    may = Permission.objects.get(codename="add_careteammember")
    seen = visit(reverse("admin:auth_group_add"), {"name": "g", "permissions": may.pk})
    assert seen.told == [("SUCCESS", "add", 1)]
    assert Group.objects.get().permissions.get() == may


@pytest.mark.parametrize(
    ("page", "view"),
    [("index", "index"), ("password_change", "password_change")],
)
def test_a_page_of_no_model_leaves_a_row(visit, page, view) -> None:
    assert visit(reverse(f"admin:{page}")).told == [("SUCCESS", view, 0)]


# --- the log is down


def pages(site: Site, patient: Patient, boss: User) -> list[tuple[str, dict | None]]:
    """Every kind of page, and every way to change something."""
    (member,) = team(patient, 1)
    yes = {"post": "yes"}
    password = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    named = [
        ("index", [], None),
        ("password_change", [], None),
        ("app_list", ["people"], None),
        ("people_site_add", [], {"slug": "t", "name": "T", "ehr_url": "http://e.de/"}),
        ("auth_group_add", [], {"name": "g"}),
        ("people_user_password_change", [boss.pk], password),
        ("people_careteammember_delete", [member.pk], yes),
        ("people_careteammember_history", [member.pk], None),
        ("people_careteammember_changelist", [], chosen([member], post="yes")),
    ]
    lists = [
        f"{model._meta.app_label}_{model._meta.model_name}_changelist"
        for model in admin.site._registry
    ]
    named += [(name, [], None) for name in lists]
    return [
        (
            reverse(f"admin:{name}".replace("people_user_p", "auth_user_p"), args=ids),
            form,
        )
        for name, ids, form in named
    ]


def test_no_page_answers_and_nothing_changes_when_the_log_is_down(
    site, patient, boss
) -> None:
    asked = pages(site, patient, boss)
    client = Client(raise_request_exception=False)
    client.force_login(boss)
    ledger.current().anchor.path.unlink()
    for path, form in asked:
        answer = client.get(path) if form is None else client.post(path, form)
        assert answer.status_code == 500, path
        assert str(patient.pk) not in answer.content.decode(), path
    assert (Site.objects.count(), Group.objects.count()) == (1, 0)
    assert CareTeamMember.objects.count() == 1
    assert User.objects.get(pk=boss.pk).check_password("correct-horse-battery")
