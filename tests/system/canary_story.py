"""Everything that somebody does with MindTwin in a day, on a record full of canaries.

Each step is noted with its status and with the audit rows that it left.
"""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

from tests.system.canary_record import ASKED, PATIENT, STRANGER

if TYPE_CHECKING:
    from tests.system.conftest import Installation
    from tests.system.web import TalkativeEhr

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "password-of-the-canary-test"
Row = tuple[str, str, str, int]  # action, outcome, actor, number of patients
ROWS = """
    SELECT seq, action, outcome, actor, (
        SELECT count(*) FROM audit_accessedpatient p WHERE p.event_id = e.seq
    ) FROM audit_accessevent e WHERE seq > ? ORDER BY seq
"""


@dataclass
class Story:
    """The installation, what was done, and what the processes printed."""

    installation: Installation
    ehr: TalkativeEhr
    folder: Path
    steps: dict[str, tuple[int, list[Row]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    printed: bytearray = field(default_factory=bytearray)
    seq: int = 0

    def rows(self) -> list[Row]:
        """The audit rows since this was last asked."""
        file = self.installation.var / "mindtwin.sqlite3"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            found = database.execute(ROWS, [self.seq]).fetchall()
        self.seq = found[-1][0] if found else self.seq
        assert all(row[3] for row in found), "every row has an actor"
        return [(row[1], row[2], self._who(row[3]), row[4]) for row in found]

    def note(self, name: str, status: int) -> None:
        """Keep what this step came to."""
        assert name not in self.steps
        self.steps[name] = status, sorted(self.rows())

    def command(self, *arguments: str, given: str = "") -> tuple[int, bytes]:
        """Run a program of ours; what it prints is kept. Status and stdout."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.installation.environment,
            input=given.encode(),
            capture_output=True,
            check=False,
        )
        self.printed += done.stderr + done.stdout
        return done.returncode, done.stdout

    def manage(self, name: str, *arguments: str) -> None:
        """A step made of one `manage.py` command; its status is the exit status."""
        self.note(name, self.command("manage.py", *arguments)[0])

    def enrol(self) -> None:
        """Accounts and patients; the names in the EHR go in by stdin."""
        given = {"ehr": self.ehr.url, "password": PASSWORD, "ids": [PATIENT, STRANGER]}
        status, out = self.command(
            "tests/system/canary_accounts.py", given=json.dumps(given)
        )
        self.ids = json.loads(out)
        self.names = {f"user:{self.ids['clinician']}": "clinician"}
        self.note("enrol two patients", status)

    def _who(self, actor: str) -> str:
        return self.names.get(actor, re.sub("@.*", "", actor))


class Caller:
    """Speaks to the API and notes each answer as a step of the story."""

    def __init__(self, story: Story, url: str, *, token: str = "") -> None:
        self.story = story
        self.http = httpx.Client(base_url=f"{url}/api/v1/", timeout=60)
        if token:
            self.use(token)
        self.forecast: dict[str, Any] = {}
        self.correlation: dict[str, Any] = {}
        self.advice: dict[str, Any] = {}
        self.alerts: list[dict[str, Any]] = []

    def __call__(self, name: str, method: str, path: str, **how: Any) -> Any:
        answer = self.http.request(method, path, **how)
        self.story.note(name, answer.status_code)
        return answer

    def sign_in(self, name: str = "right password") -> None:
        """Get a token and use it from now on."""
        account = {"username": "clinician", "password": PASSWORD}
        self.use(self(name, "POST", "tokens", json=account).json()["token"])

    def use(self, token: str) -> None:
        """Send this token from now on."""
        self.token = token
        self.http.headers["Authorization"] = f"Token {token}"

    def close(self) -> None:
        """Hang up."""
        self.http.close()


def wrong_doors(ask: Caller) -> None:
    """Whoever asks without right or reason, or does not even speak HTTP."""
    raw = f"GET /{ASKED['path']}?{ASKED['query']} HTTP/9.9\r\n{ASKED['body']}\r\n\r\n"
    for text in (raw, raw.replace("9.9", "1.1"), raw.replace("GET ", "")):
        address = ask.http.base_url.host, ask.http.base_url.port
        with socket.create_connection(address) as line:
            line.sendall(text.encode())
            assert b"400" in line.recv(1000)
    ask("another host", "GET", "patients", headers={"Host": ASKED["path"]})
    account = {"username": ASKED["login"], "password": ASKED["wrong password"]}
    ask("wrong password", "POST", "tokens", json=account)
    body = f'{{"username": "{ASKED["body"]}", '
    json_type = {"Content-Type": "application/json"}
    ask("credentials cut off", "POST", "tokens", content=body, headers=json_type)
    wrong = {"Authorization": f"Token {ASKED['token']}"}
    ask("no token", "GET", "patients")
    ask("bad token", "GET", "patients", headers=wrong)
    place = f"patients/{ask.story.ids['own']}/forecasts"
    ask("bad token, forecast", "POST", place, headers=wrong, json={})
    place = f"patients/{ask.story.ids['own']}/correlations"
    ask("bad token, correlation", "POST", place, headers=wrong, json={})
    place = f"patients/{ask.story.ids['own']}/pharmacogenomics"
    ask("bad token, advice", "POST", place, headers=wrong, json={})
    odd = {"Authorization": f"Token {ASKED['token']} {ASKED['query']}"}
    ask("token with a space", "GET", "alerts", headers=odd)
    ask("path nobody knows", "GET", f"patients/{ASKED['path']}?q={ASKED['query']}")
    ask("EHR's id in place of ours", "GET", f"patients/{PATIENT}/forecasts")


def odd_questions(ask: Caller) -> None:
    """A signed-in caller who asks for what is not there or makes no sense."""
    ids = ask.story.ids
    own = f"patients/{ids['own']}/forecasts"
    ask("unknown patient", "GET", f"patients/{uuid4()}")
    ask("foreign patient", "GET", f"patients/{ids['foreign']}")
    ask("foreign patient's forecasts", "GET", f"patients/{ids['foreign']}/forecasts")
    ask("foreign patient's forecast", "POST", f"patients/{ids['foreign']}/forecasts")
    ask("unknown forecast", "GET", f"forecasts/{uuid4()}")
    foreign = f"patients/{ids['foreign']}/correlations"
    ask("foreign patient's correlations", "GET", foreign)
    ask("foreign patient's correlation", "POST", foreign)
    ask("unknown correlation", "GET", f"correlations/{uuid4()}")
    foreign = f"patients/{ids['foreign']}/pharmacogenomics"
    ask("foreign patient's list of advice", "GET", foreign)
    ask("foreign patient's advice", "POST", foreign, json={})
    ask("unknown advice", "GET", f"pharmacogenomics/{uuid4()}")
    advice = f"patients/{ids['own']}/pharmacogenomics"
    used = {"prior_use": {ASKED["medicine"]: ASKED["body"]}}
    ask("nonsense fact", "POST", advice, json={"population": used})
    many = {"medications": [ASKED["medicine"]] * 61}
    ask("too many medicines", "POST", advice, json=many)
    links = f"patients/{ids['own']}/correlations"
    ask("nonsense length", "POST", links, json={"days": ASKED["day"]})
    ask("no days at all", "POST", links, json={"days": 0})
    ask("unknown alert", "POST", f"alerts/{uuid4()}/acknowledge")
    ask("nonsense query", "GET", f"alerts?acknowledged={ASKED['query']}")
    json_type = {"Content-Type": "application/json"}
    body = f'{{"as_of": "{ASKED["body"]}'
    ask("body cut off", "POST", own, content=body, headers=json_type)
    ask("body too deep", "POST", own, content="[" * 200_000, headers=json_type)
    ask("body no object", "POST", own, json=[ASKED["body"]])
    ask("nonsense day", "POST", own, json={"as_of": ASKED["day"]})
    ask("first day of the calendar", "POST", own, json={"as_of": "0001-01-01"})


def day_of_work(ask: Caller) -> None:
    """What the API is for."""
    own = ask.story.ids["own"]
    ask("list patients", "GET", "patients")
    ask("read patient", "GET", f"patients/{own}")
    made = ask("forecast", "POST", f"patients/{own}/forecasts", json={}).json()
    ask.forecast = made
    ask("forecast again", "POST", f"patients/{own}/forecasts", json={})
    ask("list forecasts", "GET", f"patients/{own}/forecasts")
    ask("read forecast", "GET", f"forecasts/{made['id']}")
    links = f"patients/{own}/correlations"
    ask.correlation = ask("correlation", "POST", links, json={"days": 90}).json()
    ask("correlation again", "POST", links, json={"days": 90})
    ask("list correlations", "GET", links)
    ask("read correlation", "GET", f"correlations/{ask.correlation['id']}")
    advice = f"patients/{own}/pharmacogenomics"
    asked = {"medications": ["citalopram", ASKED["medicine"]]}
    ask.advice = ask("advice", "POST", advice, json=asked).json()
    ask("advice again", "POST", advice, json=asked)
    ask("list advice", "GET", advice)
    ask("read advice", "GET", f"pharmacogenomics/{ask.advice['id']}")
    ask.alerts = ask("list alerts", "GET", "alerts").json()
    ask("acknowledge", "POST", f"alerts/{ask.alerts[0]['id']}/acknowledge")
    ask("seen alerts", "GET", "alerts?acknowledged=true")


def bad_days_of_the_ehr(ask: Caller) -> None:
    """The EHR answers, but not as it should; then it takes what waits."""
    own, ehr = f"patients/{ask.story.ids['own']}", ask.story.ehr
    for ehr.mode in ("refuses", "babbles", "elsewhere"):
        ask(f"EHR {ehr.mode}", "POST", f"{own}/forecasts", json={})
        ask(f"EHR {ehr.mode}, correlation", "POST", f"{own}/correlations", json={})
        ask(f"EHR {ehr.mode}, advice", "POST", f"{own}/pharmacogenomics", json={})
    ehr.mode = "refuses"
    ask.story.manage("delivery refused", "worker", "--once")
    ehr.mode = "plain"


def commands(story: Story) -> None:
    """What an operator runs."""
    out = str(story.folder / "out.csv")
    head = "patient_id,date,symptom_type,severity"
    line = f"{ASKED['csv label']},2026-01-0{{}},{ASKED['csv symptom']},7.13579"
    good, bad, odd = (story.folder / f"{name}.csv" for name in ("good", "bad", "odd"))
    good.write_text("\n".join([head, *map(line.format, "12345")]), encoding="utf-8")
    bad.write_text(f"{ASKED['csv label']},date\n{line}", encoding="utf-8")
    scales = f"{head},scale_min,scale_max\n{line.format(1)},9,1\n"
    odd.write_text(scales, encoding="utf-8")
    lists = [
        *(["forecast", "--series", str(f), "--output", out] for f in (good, bad, odd)),
        ["forecast", "--patient", story.ids["own"]],
        ["forecast", "--patient", str(uuid4())],
    ]
    program = "tests/system/canary_commands.py"
    failures, _ = story.command(program, given=json.dumps(lists))
    story.note("commands", failures)
    story.manage("delivery", "worker", "--once", "--retry-failed")


def admin_pages(story: Story, url: str) -> None:
    """A clinician in the admin, and people who should not be there."""
    with httpx.Client(base_url=f"{url}/admin/", timeout=60) as http:
        pages = _Pages(story, http)
        pages.get("admin, not signed in", "people/patient/")
        pages.sign_in("admin, wrong password", ASKED["login"], ASKED["wrong password"])
        pages.sign_in("admin, signed in", "clinician", PASSWORD)
        pages.get("admin, patients", "people/patient/")
        pages.get("admin, patient", f"people/patient/{story.ids['own']}/change/")
        pages.get("admin, foreign", f"people/patient/{story.ids['foreign']}/change/")
        pages.get("admin, history", f"people/patient/{story.ids['own']}/history/")
        pages.get("admin, no such id", f"people/patient/{ASKED['path']}/change/")
        pages.get("admin, delete", f"people/patient/{story.ids['own']}/delete/")
        pages.get("admin, alerts", "predictions/alert/")
        pages.get("admin, search", f"audit/accessevent/?q={ASKED['query']}")
        pages.get("admin, no such page", f"{ASKED['path']}/?q={ASKED['query']}")
        pages.get("admin, users", "people/user/")
        pages.post("admin, no such form", f"people/patient/{ASKED['path']}/change/")
        http.cookies.delete("csrftoken")
        pages.post("admin, forged", f"people/patient/{ASKED['path']}/change/")


@dataclass
class _Pages:
    story: Story
    http: httpx.Client

    def get(self, name: str, path: str) -> None:
        self.story.note(name, self.http.get(path).status_code)

    def post(self, name: str, path: str, **form: str) -> None:
        token = self.http.cookies.get("csrftoken", "")
        answer = self.http.post(path, data={"csrfmiddlewaretoken": token, **form})
        self.story.note(name, answer.status_code)

    def sign_in(self, name: str, username: str, password: str) -> None:
        self.http.get("login/")
        self.post(name, "login/", username=username, password=password)
