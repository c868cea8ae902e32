"""Health by doing: each production model answers its known case, or says why not."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend import wiring
from backend.audit import chain, ledger
from backend.audit.anchor import AnchorError
from backend.inference.agreement import schema_of
from backend.registry.channels import Assigned
from backend.registry.services import production, withheld
from backend.twin.correlation.model_inputs import MODEL as NETWORK
from backend.twin.errors import AuditUnavailable, ModelError
from backend.twin.features import schema_hash
from backend.twin.pharmacogenomics.response_inputs import MODEL as RESPONSE
from backend.twin.ports import ModelServer
from backend.twin.trajectory import ModelUse

KEPT_S = 5.0  # one answer serves everybody this long, so asking often costs nothing
SHOWN = 12  # hexadecimal digits of a digest
OTHER = "OtherFeatures"
ALL = "all"  # in the place of a name, where the repository is refused as a whole
HERE = "in process"
NO_TRITON = "Triton is not set up"

_lock = threading.Lock()
_kept: tuple[float, dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """One production model; `problem` is a class of error or empty.

    `served` is where it is answered, and `why` why not by Triton; `checked` is when its
    known case was asked last.
    """

    model: str
    version: int
    state: str
    problem: str
    sha256: str = ""
    served: str = ""
    why: str = ""
    checked: datetime | None = None


class Health(APIView):
    """Whether everything answers. Nothing about patients or people is in it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema_serializer(component_name="Health")
    class Output(serializers.Serializer[Any]):
        """`degraded` still serves; what answers in a model's place stands last."""

        @extend_schema_serializer(component_name="ModelHealth")
        class Model(serializers.Serializer[Any]):
            """One production model's known case."""

            model = serializers.CharField()
            version = serializers.IntegerField()
            state = serializers.CharField(help_text="ok or failed")
            problem = serializers.CharField(allow_blank=True)
            sha256 = serializers.CharField(
                allow_blank=True, help_text="of the weights, its beginning"
            )
            served = serializers.CharField(
                allow_blank=True, help_text="triton or in process"
            )
            why = serializers.CharField(allow_blank=True, help_text="why not by Triton")
            checked = serializers.DateTimeField(
                allow_null=True, help_text="when its known case was asked last"
            )

        status = serializers.ChoiceField(choices=["ok", "degraded", "failed"])
        database = serializers.CharField(help_text="ok or failed")
        audit = serializers.CharField(help_text="ok or failed")
        models = Model(many=True)
        features = serializers.CharField(
            help_text="what is computed for forecasts: its digest's beginning"
        )
        fallback = serializers.CharField(
            allow_null=True,
            help_text="what answers instead: in process (the same weights), other "
            "models, stored forecasts, climatology",
        )
        correlation = serializers.CharField(
            allow_null=True,
            help_text="what judges links: network, or engine (the classical statistics "
            "alone, no network being approved or answering); null: nothing does",
        )
        pharmacogenomics = serializers.CharField(
            allow_null=True,
            help_text="what speaks of medicines: sources and model, or sources (and "
            "stops, no response model being approved or answering); null: nothing does",
        )

    @extend_schema(operation_id="health", responses={200: Output, 503: Output}, auth=[])
    def get(self, request: Request) -> Response:  # noqa: ARG002 - nothing is asked
        """Canary inference per production model, database, audit log; 503 unless ok."""
        found = _examined()
        status = 200 if found["status"] == "ok" else 503
        return Response(self.Output(found).data, status=status)


def forget() -> None:
    """Examine anew at the next request."""
    global _kept  # noqa: PLW0603 - one answer per process
    _kept = None


def _examined() -> dict[str, Any]:
    """The answer, at most `KEPT_S` old; callers meanwhile wait for the one at work."""
    global _kept  # noqa: PLW0603 - one answer per process
    with _lock:
        if _kept is None or time.monotonic() - _kept[0] > KEPT_S:
            _kept = time.monotonic(), _examine()
        return _kept[1]


def _examine() -> dict[str, Any]:
    audit = _audit()
    try:
        models = _models()
        database = "ok"
    except DatabaseError:
        models, database = [], "failed"
    forecasting = [one for one in models if one.model not in (NETWORK, RESPONSE)]
    served = bool(forecasting) and all(one.state == "ok" for one in models)
    if "failed" in (audit, database):
        status = "failed"
    else:
        status = "ok" if served else "degraded"
    works = status != "failed"
    return {
        "status": status,
        "database": database,
        "audit": audit,
        "models": [asdict(one) for one in models],
        "features": schema_hash()[:SHOWN],
        "fallback": _fallback(forecasting) or _away(models),
        "correlation": _judge(models) if works else None,
        "pharmacogenomics": _adviser(models) if works else None,
    }


def _fallback(models: Sequence[ModelHealth]) -> str | None:
    """What a forecast is made of where a model does not answer as it should."""
    failed = [one for one in models if one.state != "ok"]
    if all(one.problem == OTHER for one in models):
        return "climatology"  # no model may answer
    if failed:
        return "stored forecasts" if len(failed) == len(models) else "other models"
    return None


def _away(models: Sequence[ModelHealth]) -> str | None:
    """That this process answers where Triton should."""
    away = any(one.served == HERE and one.why != NO_TRITON for one in models)
    return HERE if away else None


def _judge(models: Sequence[ModelHealth]) -> str | None:
    """Who says how probable a link is: the engine can without the network."""
    if any(one.model == ALL for one in models):
        return None
    return "network" if _is_well(models, NETWORK) else "engine"


def _adviser(models: Sequence[ModelHealth]) -> str:
    """Whose word on medicines there is: that of the sources needs no model."""
    return "sources and model" if _is_well(models, RESPONSE) else "sources"


def _is_well(models: Sequence[ModelHealth], name: str) -> bool:
    return any((one.model, one.state) == (name, "ok") for one in models)


def _models() -> list[ModelHealth]:
    try:
        server = wiring.models()
    except ModelError as error:
        return [ModelHealth(ALL, 0, "failed", type(error).__name__)]
    return [_model(server, release) for release in production().values()]


def _model(server: ModelServer, release: Assigned) -> ModelHealth:
    use = release.use
    problem = ""
    try:
        server.canary(use.model, use.version)
    except ModelError as error:
        problem = type(error).__name__
    if release.card.get("feature_schema_hash") != schema_of(use.model).digest:
        problem = OTHER
    if (use.model, use.version) in withheld():
        problem = "Exchanged"  # its weights are not those that were registered
    served, why = _place(server, use)
    return ModelHealth(
        model=use.model,
        version=use.version,
        state="failed" if problem else "ok",
        problem=problem,
        sha256=use.sha256[:SHOWN],
        served=served,
        why=why,
        checked=wiring.now(),
    )


def _place(server: ModelServer, use: ModelUse) -> tuple[str, str]:
    """Where it is answered, and why not by Triton."""
    if not hasattr(server, "state"):
        return HERE, NO_TRITON
    for model, version, _, word in server.state():
        if (model, version) == (use.model, use.version) and word != "ok":
            return HERE, word
    return "triton", ""


def _audit() -> str:
    """Whether the log has its anchor and reaches as far as that says.

    The anchor is read first: it may only fall behind while the log grows meanwhile.
    """
    try:
        anchor = ledger.current().anchor
        if not anchor.path.exists():  # made with the first row
            return "ok" if chain.head().seq == 0 else "failed"
        anchored, _ = anchor.read()
        end = chain.head()
    except (AuditUnavailable, AnchorError, DatabaseError, OSError):
        return "failed"
    return "ok" if anchored and anchored.seq <= end.seq else "failed"
