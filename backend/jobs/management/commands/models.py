"""`manage.py models ...`: the life of a model version, each step recorded."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from backend import wiring
from backend.audit import ledger
from backend.audit.ledger import Action, Outcome
from backend.inference import lifecycle
from backend.inference.catalogue import ModelVersion, read_catalogue
from backend.inference.keys import load_or_make_key, publish_key
from backend.inference.validation import validate
from backend.jobs.model_checks import check_models
from backend.jobs.model_table import model_lines
from backend.people.access import Actor
from backend.registry import assignment, promotion
from backend.registry.services import digests, needed, register
from backend.twin.errors import AuditUnavailable, ModelError, ModelRefused


class Command(BaseCommand):
    help = "List, check, publish, promote, shadow, roll back and retire models."

    def add_arguments(self, parser: ArgumentParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        steps.add_parser("list", help="what there is, and where it is used")
        steps.add_parser("load", help="have the server hold what channels point at")
        steps.add_parser("verify", help="files, channels and known answers; 1 if not")
        check = steps.add_parser("validate", help="check a candidate's folder")
        check.add_argument("folder", type=Path)
        publish = steps.add_parser("publish", help="sign, number and keep a candidate")
        publish.add_argument("folder", type=Path)
        publish.add_argument("--key", type=Path, help="default: the installation's")
        publish.add_argument("--number", type=int, help="default: the next one")
        promote = steps.add_parser("promote", help="have versions answer for patients")
        promote.add_argument("releases", nargs="+", metavar="MODEL=VERSION", type=_pair)
        promote.add_argument("--approver", required=True, help="who answers for it")
        promote.add_argument("--uncalibrated", action="store_true")
        shadow = steps.add_parser("shadow", help="ask a version beside production")
        shadow.add_argument("model")
        shadow.add_argument("number", nargs="?", type=int)
        share = shadow.add_mutually_exclusive_group(required=True)
        share.add_argument("--percent", type=int, help="of the patients")
        share.add_argument("--off", action="store_true")
        back = steps.add_parser("rollback", help="go back to the previous version")
        back.add_argument("models", nargs="+")
        retire = steps.add_parser("retire", help="take a version out of use for good")
        retire.add_argument("model")
        retire.add_argument("number", type=int)

    def handle(self, *_args: Any, step: str, **options: Any) -> None:
        self.actor = Actor.of_command("models").name
        try:
            getattr(self, f"_{step}")(**options)
        except (AuditUnavailable, DatabaseError) as error:
            word = type(error).__name__  # its text may quote what it was given
            raise CommandError(f"{word}: look at `models list`") from error
        except (ModelError, ValueError, OSError, ImproperlyConfigured) as error:
            raise CommandError(" ".join(str(error).split())) from error

    def _list(self, **_: Any) -> None:
        lines = model_lines()
        self._record(Action.LIST, what="models", rows=len(lines))
        for line in lines:
            self.stdout.write(line)

    def _load(self, **_: Any) -> None:
        server = wiring.models_control()
        for model, versions in needed().items():
            numbers = sorted(versions)
            self._progress(f"loading {model} {', '.join(map(str, numbers))}")
            server.load(model, versions)
            self._record(Action.ADMIN, what="load", model=model, rows=len(numbers))
        self.stdout.write("everything that a channel points at is loaded")

    def _verify(self, **_: Any) -> None:
        found = check_models(actor=self.actor, thorough=True, say=self._progress)
        for problem in found:
            self.stdout.write(f"PROBLEM  {problem}")
        if found:
            raise CommandError(f"{len(found)} problems with the models")
        self.stdout.write("files, channels and known answers agree")

    def _validate(self, *, folder: Path, **_: Any) -> None:
        self._progress("checking graph, card and known answers in a limited process")
        try:
            report = validate(folder)
        except ModelError:
            self._record(Action.VERIFY, failed=True, what="candidate")
            raise
        self._record(Action.VERIFY, what="candidate")
        self.stdout.write(
            f"sound: parity {report.max_abs:.1e}, {report.p95_ms:.1f} ms at batch 1 "
            "(95th percentile)"
        )

    def _publish(
        self, *, folder: Path, key: Path | None, number: int | None, **_: Any
    ) -> None:
        try:
            signing = _signing_key(key)  # a new one is trusted by who reads keys later
            server = wiring.models_control()  # registers what lies there already
            found = self._put(folder, signing, number)
        except (ModelError, OSError, ImproperlyConfigured) as error:
            self._record(Action.PUBLISH, failed=True, problem=type(error).__name__)
            raise
        model, version = of = found.model, found.version
        everything = read_catalogue(wiring.model_repository(), trusted=wiring.trusted())
        if of in register(actor=self.actor, versions=everything, fill=False).refused:
            raise CommandError(
                f"{model} version {version} lies in the repository and serves nobody: "
                "the database does not take its card; publish it with another one"
            )
        self.stdout.write(f"published {model} version {version} ({found.sha256[:12]})")
        try:
            assignment.assign(
                actor=self.actor, channel="candidate", of=of, models=server
            )
        except ModelError as error:
            raise CommandError(
                f"it is there and no candidate yet: {error}; shadow or promote it when "
                "the server answers"
            ) from error
        self.stdout.write(
            "it is the candidate; `models list` shows the gates that would keep it back"
        )

    def _put(
        self, folder: Path, key: Ed25519PrivateKey, number: int | None
    ) -> ModelVersion:
        self._progress("checking graph, card and known answers in a limited process")
        return lifecycle.publish(
            folder,
            repository=wiring.model_repository(),
            key=key,
            trusted=wiring.trusted(),
            version=number,
            announce=self._announce,
        )

    def _announce(self, found: ModelVersion) -> None:
        """The row, before the version is there to be seen. Raises ModelRefused where
        the number was given before, though no files of it are left, and
        AuditUnavailable; then it never is.
        """
        model, version = found.model, found.version
        if (model, version) in digests():
            raise ModelRefused(f"{model}: version {version} was given: say --number")
        self._record(Action.PUBLISH, model=model, version=version)

    def _promote(
        self,
        *,
        releases: list[tuple[str, int]],
        approver: str,
        uncalibrated: bool,
        **_: Any,
    ) -> None:
        chosen = dict(releases)
        if len(chosen) < len(releases):
            raise CommandError("name each model once")
        server = wiring.models_control()
        self._progress("asking the gates, loading, and asking for the known answers")
        promotion.promote(
            actor=self.actor,
            releases=chosen,
            approver=approver,
            models=server,
            calibrated=not uncalibrated,
        )
        for model, version in releases:
            self.stdout.write(f"{model} version {version} is production")

    def _shadow(
        self, *, model: str, number: int | None, percent: int | None, **_: Any
    ) -> None:
        if (number is None) != (percent is None):
            raise CommandError(
                "shadow MODEL VERSION --percent P, or shadow MODEL --off"
            )
        server, actor, channel = wiring.models_control(), self.actor, "shadow"
        if number is None or percent is None:
            assignment.clear(actor=actor, channel=channel, model=model, models=server)
            self.stdout.write(f"{model} has no shadow any more")
            return
        assignment.assign(
            actor=actor,
            channel=channel,
            of=(model, number),
            models=server,
            percent=percent,
        )
        self.stdout.write(f"{model} version {number} shadows {percent} % of patients")

    def _rollback(self, *, models: list[str], **_: Any) -> None:
        chosen, seen = list(dict.fromkeys(models)), promotion.standing()
        for model in seen.keys() & set(chosen):
            self._progress(f"leaving {model} version {seen[model]}")
        now = promotion.rollback(actor=self.actor, models=chosen, seen=seen)
        for model, version in now.items():
            self.stdout.write(f"{model} version {version} is production again")

    def _retire(self, *, model: str, number: int, **_: Any) -> None:
        server = wiring.models_control()
        assignment.retire(actor=self.actor, of=(model, number), models=server)
        self.stdout.write(f"{model} version {number} is retired")
        try:
            place = lifecycle.retire(wiring.model_repository(), model, number)
        except ModelRefused:
            self.stdout.write("no files of it are in the repository")
        except OSError as error:
            why = f"its files could not be moved ({type(error).__name__}): try again"
            raise CommandError(why) from error
        else:
            self.stdout.write(f"its files: {place.parent.name}/{place.name}")

    def _progress(self, text: str) -> None:
        self.stderr.write(f"... {text}")

    def _record(
        self, action: Action, *, failed: bool = False, **detail: str | int
    ) -> None:
        ledger.record(
            action=action,
            actor=self.actor,
            outcome=Outcome.FAILED if failed else Outcome.SUCCESS,
            purpose="HOPERAT",
            detail=detail,
        )


def _pair(text: str) -> tuple[str, int]:
    """A model and its version. Raises ArgumentTypeError."""
    model, _, number = text.rpartition("=")
    if not (model and number.isdecimal()):
        raise ArgumentTypeError(f"'{text}' is not MODEL=VERSION")
    return model, int(number)


def _signing_key(path: Path | None) -> Ed25519PrivateKey:
    """The key to sign with. Where demos are allowed, one is made here, and trusted.

    Raises ImproperlyConfigured without one.
    """
    own, trust = wiring.signing_key()
    chosen = path or own
    if chosen is None:
        raise ImproperlyConfigured("no signing key: set MINDTWIN_SIGNING_KEY or --key")
    if not chosen.is_file():
        if path is not None or trust is None:
            raise ImproperlyConfigured(f"there is no signing key {chosen.name}")
        publish_key(load_or_make_key(chosen), trust)
    return load_or_make_key(chosen)
