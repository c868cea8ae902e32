"""The main job from end to end: pull, answer, store, deliver, read back, verify."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError

from backend import wiring
from backend.audit.verify import verify
from backend.jobs import advice_report, demo, link_report, report
from backend.jobs.advice_report import Sent
from backend.jobs.diary import DiaryUnreadable, read_diary, remarks
from backend.jobs.sandbox_process import SandboxFailed, sandbox
from backend.people.access import Actor
from backend.people.models import Site
from backend.twin.errors import EhrError, ModelError, ServiceOff
from backend.twin.record import PatientRecord
from backend.twin.simulation.demo import demo_records
from backend.twin.simulation.treatment_demo import treatment_records
from backend.twin.simulation.wearable_demo import wearable_records


class People(NamedTuple):
    """Whom the demo runs on; `as_of` None stands for each one's last entry."""

    records: Mapping[str, PatientRecord]
    as_of: date | None
    source: str
    remarks: tuple[str, ...]


class Command(BaseCommand):
    help = "Pull, forecast, correlate, advise, deliver, read back, verify, on an EHR."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--ehr", help="base URL of an R4 server; default: sandbox")
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--diary", type=Path, help="tidy diary CSV to run on")
        source.add_argument(
            "--bundles", type=Path, help="folder or file of FHIR to run on (sandbox)"
        )
        parser.add_argument(
            "--today", type=date.fromisoformat, help="pretend today is this day"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not wiring.demo_allowed():
            raise CommandError("the demo is refused under these settings")
        if options["ehr"] and options["bundles"]:
            raise CommandError("--bundles goes into the sandbox only, not with --ehr")
        try:
            with ExitStack() as stack:
                if options["today"]:
                    at = datetime.combine(options["today"], time(9), tzinfo=UTC)
                    stack.enter_context(wiring.use(now=lambda: at))
                today = wiring.now().date()
                bundles = options["bundles"]
                found = None if bundles else _people(options["diary"], today)
                url = options["ehr"] or stack.enter_context(
                    sandbox(wiring.var() / "sandbox.ndjson")
                )
                slug = "ehr" if options["ehr"] else "sandbox"
                site = demo.site_at(url, slug=slug)
                actor = Actor.of_command("demo")
                if found is None:
                    people = self._files(site, bundles, actor=actor)
                else:
                    people = self._records(site, found, actor=actor)
                self._run(site, people, actor=actor)
        except (EhrError, ModelError, ServiceOff, SandboxFailed, ValueError) as error:
            raise CommandError(str(error)) from error

    def _files(self, site: Site, files: Path, *, actor: Actor) -> list[demo.Person]:
        say = self.stdout.write
        say(f"1  EHR: {site.slug}, filled from FHIR files")
        today = wiring.now().date()
        return demo.put_in_files(site, files, actor=actor, today=today, say=say)

    def _records(self, site: Site, found: People, *, actor: Actor) -> list[demo.Person]:
        say = self.stdout.write
        records = found.records
        entries = sum(len(s.entries) for r in records.values() for s in r.series)
        values = sum(len(s) for r in records.values() for s in r.streams)
        say(f"1  EHR: {site.slug}, {len(records)} patients, {entries} entries as FHIR")
        if values:
            say(f"   and {values} values of wearables")
        if results := sum(len(record.genotypes) for record in records.values()):
            say(f"   and {results} results of genes")
        for remark in found.remarks:
            say(f"   {remark}")
        people = []
        for person in demo.put_in(
            site, records, actor=actor, as_of=found.as_of, source=found.source
        ):
            people.append(person)
            if len(records) > report.SHOWN and len(people) % 10 == 0:
                say(f"   {len(people)} of {len(records)} patients in the EHR")
        return people

    def _run(self, site: Site, people: list[demo.Person], *, actor: Actor) -> None:
        say = self.stdout.write
        say("2  Pull and forecast")
        answers = list(demo.forecast_each(people, actor=actor))
        for line in report.answers(answers):
            say(line)
        say("3  Pull and correlate")
        found = list(demo.correlate_each(people, actor=actor))
        for line in link_report.answers(found, days=demo.LINK_DAYS):
            say(line)
        say("4  Pull and advise on medicines")
        advised = list(demo.advise_each(people, actor=actor))
        for line in advice_report.answers(advised):
            say(line)
        kinds = (
            Sent("Observation", "forecasts", report.sent(answers)),
            Sent("Observation", "links", link_report.sent(found)),
            *advice_report.sent(advised),
        )
        failed = self._deliver(site, kinds)
        audit = verify()
        say(f"6  Audit: {audit.rows} entries verified, {len(audit.problems)} problems")
        for line in report.NEXT_STEPS:
            say(line)
        if failed or audit.problems:
            raise CommandError("the demo did not end well; see above")

    def _deliver(self, site: Site, sent: Sequence[Sent]) -> int:
        """Deliver and read back; how many failed or are not there exactly once."""
        say = self.stdout.write
        counts = demo.deliver_all()
        say(f"5  Deliver: {counts['delivered']} written now, {counts['failed']} failed")
        lost = 0
        for kind, words, titles in sent:
            held = demo.held_by_ehr(site, list(titles), kind=kind)
            for line in report.deliveries(titles, held, kind=words) if titles else ():
                say(line)
            lost += sum(len(references) != 1 for references in held.values())
        return counts["failed"] + lost


def _people(diary: Path | None, today: date) -> People:
    """Simulated people as of today, or a diary's people as of their last entries."""
    if diary is None:
        simulated = {
            **demo_records(today),
            **wearable_records(today),
            **treatment_records(),
        }
        return People(simulated, today, "simulated", ())
    try:
        read = read_diary(diary, today=today)
    except (DiaryUnreadable, OSError) as error:
        raise CommandError(f"cannot read the diary: {error}") from error
    return People(read.patients, None, read.sha256, tuple(remarks(read)))
