from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.twin.scales import scale, scales
from backend.twin.trajectory import HORIZON, LEVELS, Grade
from fhir_integration import codes
from fhir_integration.errors import KeptOtherwise, NotConformant
from fhir_integration.invariants import days
from fhir_integration.site import FhirEhr
from tests.fhir_integration.made import SINCE, UNTIL, document

Json = dict[str, Any]


def test_writing_twice_leaves_one_of_each(ehr: FhirEhr) -> None:
    first, second = (ehr.write_forecast(document()) for _ in range(2))
    assert (first.created, second.created) == (True, False)
    assert first.observation == second.observation
    for kind in ("Device", "Observation", "Provenance"):
        assert len(list(ehr.client.search(kind, {}))) == 1


def test_the_provenance_joins_what_was_written(ehr: FhirEhr) -> None:
    receipt = ehr.write_forecast(document())
    provenance = ehr.client.read(receipt.provenance)
    assert provenance["target"] == [{"reference": receipt.observation}]
    assert provenance["agent"][0]["who"] == {"reference": receipt.device}
    written = ehr.client.read(receipt.observation)
    assert written["device"] == {"reference": receipt.device}


def test_a_written_forecast_is_not_read_as_data(ehr: FhirEhr) -> None:
    ehr.write_forecast(document())
    record = ehr.read_symptoms("p1", since=SINCE, until=UNTIL)
    assert (record.series, record.refused) == ((), ())


ROWS = st.lists(
    st.lists(st.floats(0, 1), min_size=len(LEVELS), max_size=len(LEVELS)).map(sorted),
    min_size=HORIZON,
    max_size=HORIZON,
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ROWS, st.sampled_from(sorted(scales())), st.sampled_from(Grade))
def test_what_is_read_back_is_what_was_forecast(
    ehr: FhirEhr, rows: list[list[float]], key: str, grade: Grade
) -> None:
    of = scale(key)
    quantiles = tuple(tuple(of.low + of.width * q for q in row) for row in rows)
    whole = replace(
        document(of=of, quantiles=quantiles, grade=grade), identifier=uuid4()
    )
    kept = ehr.client.read(ehr.write_forecast(whole).observation)
    for day, row in enumerate(quantiles, start=1):
        assert days(kept)[day]["predicted-value"] == pytest.approx((row[5],), abs=1e-4)
        assert days(kept)[day]["pi95"] == pytest.approx((row[0], row[10]), abs=1e-4)


def test_nothing_is_written_that_breaks_a_rule(ehr: FhirEhr) -> None:
    crossed = tuple(tuple(reversed(row)) for row in document().forecast.quantiles)
    with pytest.raises(NotConformant, match="interval"):
        ehr.write_forecast(document(quantiles=crossed))
    assert list(ehr.client.search("Observation", {})) == []


def test_a_forecast_taken_back_in_the_ehr_is_not_called_delivered(
    ehr: FhirEhr,
) -> None:
    receipt = ehr.write_forecast(document())
    kept = ehr.client.read(receipt.observation)
    taken_back = {**kept, "status": "entered-in-error"}
    [own_id] = receipt.observation.split("/")[1:]
    url = ehr.client._connection.url(f"Observation/{own_id}")
    ehr.client._connection._http.put(url, json=taken_back).raise_for_status()
    with pytest.raises(KeptOtherwise, match="status"):
        ehr.write_forecast(document())
    assert codes.PREDICTION in str(taken_back)
