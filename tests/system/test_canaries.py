"""No canary of a record, of a caller or of an answer is in a file or a log of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.jobs.sandbox_process import sandbox
from tests.system import canary_doors, canary_record, canary_story, web
from tests.system.canary_record import ASKED, CANARIES, HELD, hits, hits_of_score
from tests.system.canary_steps import STEPS
from tests.system.canary_story import Caller, Story
from tests.system.conftest import Installation

FILES = {"mindtwin.sqlite3", "mindtwin.sqlite3-wal", "mindtwin.sqlite3-shm"}
# They hold no patient data and ask nobody who they are.
PUBLIC = {"health", "schema", "docs"}


@dataclass
class Told:
    """What is left when the story has been told."""

    story: Story
    doors: list[canary_doors.Door]
    answers: dict
    secrets: dict[str, str]
    running: dict[str, bytes]  # files by name while the site ran and the EHR was down
    stopped: dict[str, bytes]
    log: bytes
    journal: bytes


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """One long day with a talkative EHR, told once for all tests."""
    folder = tmp_path_factory.mktemp("canaries")
    installation = Installation(folder / "var")
    for place in (installation.var, folder / "tmp"):
        place.mkdir()
    installation.environment |= dict.fromkeys(["TMPDIR", "HOME"], str(folder / "tmp"))
    today = datetime.now(UTC).date()
    with ExitStack() as stack:
        sandbox_url = stack.enter_context(sandbox(folder / "ehr.ndjson"))
        canary_record.fill(sandbox_url, today)
        ehr = web.TalkativeEhr(sandbox_url, canary_record.extra_entries(today))
        story = Story(installation, ehr, folder)
        with web.site(installation, folder / "web.log") as url:
            ask, doors = first_run(story, url)
            running = files_of(folder)
            ask.close()
        stopped = files_of(folder)
        with web.site(installation, folder / "web.log") as url:
            last_run(story, url, ask)
        yield Told(
            story=story,
            doors=doors,
            answers={
                "forecast": ask.forecast,
                "correlation": ask.correlation,
                "advice": ask.advice,
                "alerts": ask.alerts,
            },
            secrets={"token": ask.token, "password": canary_story.PASSWORD},
            running=running,
            stopped=stopped | files_of(folder),
            log=(folder / "web.log").read_bytes() + story.printed,
            journal=(folder / "ehr.ndjson").read_bytes(),
        )


def first_run(story: Story, url: str) -> tuple[Caller, list[canary_doors.Door]]:
    """A day's work while the EHR is there, and the end of it when the EHR is gone."""
    ask = Caller(story, url)
    with story.ehr.running():
        story.enrol()
        web.wait_for(url)
        ask("health", "GET", "health")
        canary_story.wrong_doors(ask)
        ask.sign_in()
        canary_story.day_of_work(ask)
        canary_story.odd_questions(ask)
        canary_story.bad_days_of_the_ehr(ask)
        canary_story.commands(story)
        canary_story.admin_pages(story, url)
        doors = canary_doors.every_door(ask)
        ask.sign_in("signed in again")
    own = f"patients/{story.ids['own']}/forecasts"
    ask("EHR down", "POST", own, json={})
    links = f"patients/{story.ids['own']}/correlations"
    ask("EHR down, correlation", "POST", links, json={})
    advice = f"patients/{story.ids['own']}/pharmacogenomics"
    ask("EHR down, advice", "POST", advice, json={})
    ask("list while the EHR is down", "GET", own)
    ask("read while the EHR is down", "GET", f"forecasts/{ask.forecast['id']}")
    return ask, doors


def last_run(story: Story, url: str, before: Caller) -> None:
    """After a restart the token still holds, and so does what was stored."""
    web.wait_for(url)
    ask = Caller(story, url, token=before.token)
    ask("read after the restart", "GET", f"forecasts/{before.forecast['id']}")
    place = f"correlations/{before.correlation['id']}"
    ask("read the correlation after it", "GET", place)
    place = f"pharmacogenomics/{before.advice['id']}"
    ask("read the advice after it", "GET", place)
    ask("sign out", "DELETE", "tokens/current")
    ask("signed out", "GET", "patients")
    ask.close()
    story.manage("verify", "verify_audit")


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of the installation and every temporary file, by its path."""
    found = [*(folder / "var").rglob("*"), *(folder / "tmp").rglob("*")]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if path.is_file()
    }


def test_the_record_was_full_of_canaries_and_was_read(told: Told) -> None:
    assert hits(told.journal, HELD) == HELD.keys()
    assert hits_of_score(told.journal) == {"text"}
    forecast = told.answers["forecast"]
    used = {one["scale"]["key"]: one["entries"] for one in forecast["instruments"]}
    dread = f"diary:{HELD['diary code']}"
    assert used.pop("anxiety-0-10") > 90
    assert used == {dread: 9, "mood-0-10": 24, "phq9": 1}
    assert {"malformed", "wrong-patient", "unknown-code"} <= forecast["refused"].keys()
    assert [one["biometric"] for one in told.answers["correlation"]["insights"]] == [
        "hrv-rmssd"
    ]
    advice = told.answers["advice"]
    assert advice["current_medications"] == ["bupropion", "citalopram"]
    assert advice["unknown_medications"] == [ASKED["medicine"]]
    kinds = {one["kind"] for one in told.answers["alerts"]}
    assert kinds == {"self-harm", "severe-band"}


def test_no_canary_is_in_a_file_while_the_site_runs(told: Told) -> None:
    sizes = {Path(name).name: len(data) for name, data in told.running.items()}
    assert all(sizes.get(name, 0) > 0 for name in FILES), "the WAL is there and full"
    found = {name: found_in(data, told) for name, data in told.running.items()}
    assert {name: hit for name, hit in found.items() if hit} == {}


def test_no_canary_is_in_a_file_after_the_site_stopped(told: Told) -> None:
    found = {name: found_in(data, told) for name, data in told.stopped.items()}
    assert {name: hit for name, hit in found.items() if hit} == {}


def test_no_canary_is_in_what_the_processes_printed(told: Told) -> None:
    assert b"a request was answered with 404" in told.log
    assert b"no such patient" in told.log
    assert b"answered with 500" not in told.log
    assert found_in(told.log, told) == set()


def found_in(data: bytes, told: Told) -> set[str]:
    """Canaries, scores and secrets."""
    return hits(data, CANARIES | told.secrets) | hits_of_score(data)


def test_the_story_has_no_other_steps(told: Told) -> None:
    assert told.story.steps.keys() == STEPS.keys()


@pytest.mark.parametrize("name", STEPS)
def test_each_step_leaves_exactly_its_audit_rows(name: str, told: Told) -> None:
    assert told.story.steps[name] == STEPS[name]


def test_each_door_of_the_api_leaves_a_row_when_it_opens(told: Told) -> None:
    opened = [one for one in told.doors if one.signed_in and one.audited]
    assert len(opened) >= 12
    for one in opened:
        assert one.status < 300, one
        assert {row[1:3] for row in one.rows} == {("SUCCESS", "clinician")}, one


def test_each_door_of_the_api_leaves_a_row_when_it_stays_shut(told: Told) -> None:
    guarded = [one for one in told.doors if one.name not in PUBLIC | {"tokens"}]
    for one in guarded:
        if not one.signed_in:
            assert one.status == 401, one
            [(_, *rest)] = one.rows
            assert rest == ["DENIED", "anonymous", 0], one
        elif not one.audited:  # no such method: nothing is done and nothing told
            assert one.status in (405, 200 if one.method == "OPTIONS" else 405), one
            assert one.rows == [], one
