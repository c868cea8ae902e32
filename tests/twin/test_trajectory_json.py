from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.twin.control_chart import ControlChart
from backend.twin.scales import local_scale, scale, scales
from backend.twin.trajectory import HORIZON, LEVELS, Grade
from backend.twin.trajectory_json import from_dict, to_dict
from tests.twin.made import LAST, WARNING, forecast

PLAIN = (dict, list, str, int, float, bool, type(None))


@pytest.mark.parametrize("key", sorted(scales()))
def test_every_scale_comes_back(key: str) -> None:
    made = forecast(scale(key), 3)
    assert from_dict(json.loads(json.dumps(to_dict(made)))) == made


@pytest.mark.parametrize("since", [None, LAST])
def test_a_warning_comes_back_with_its_chart(since: date | None) -> None:
    chart = ControlChart(
        state="inside" if since is None else "above",
        since=since,
        average=5.1,
        lower=4.2,
        upper=5.8,
        centre=5.0,
        sd=0.8,
        baseline_days=28,
        days=40,
    )
    warning = replace(WARNING, chart=chart, no_chart="")
    made = forecast(scale("mood-0-10"), 5.0, warning=warning)
    assert from_dict(json.loads(json.dumps(to_dict(made)))) == made


def test_what_was_stored_before_there_were_warnings_is_read_as_without() -> None:
    made = forecast(scale("phq9"), 12)
    data = to_dict(made)
    del data["fortnight"], data["warning"]
    assert from_dict(data) == replace(made, fortnight=(), warning=None)
    without = replace(made, fortnight=(), warning=None)
    assert from_dict(json.loads(json.dumps(to_dict(without)))) == without


@given(
    st.lists(
        st.lists(
            st.floats(allow_nan=False, allow_infinity=False),
            min_size=len(LEVELS),
            max_size=len(LEVELS),
        ).map(tuple),
        min_size=HORIZON,
        max_size=HORIZON,
    ).map(tuple),
    st.sampled_from(Grade),
    st.booleans(),
    st.lists(st.text()).map(tuple),
)
def test_the_round_trip_loses_not_a_bit(
    quantiles: tuple[tuple[float, ...], ...],
    grade: Grade,
    historical: bool,
    texts: tuple[str, ...],
) -> None:
    local = local_scale("restless", system="urn:diary", low=1.1, high=7.3)
    made = replace(
        forecast(local, 4),
        quantiles=quantiles,
        grade=grade,
        historical=historical,
        reasons=texts,
        sources=texts,
        models=(),
    )
    again = from_dict(json.loads(json.dumps(to_dict(made))))
    assert again == made
    assert repr(again) == repr(made)  # -0.0 too, and every type


def test_only_plain_json_values_leave() -> None:
    def plain(value: object) -> bool:
        inside = value.values() if isinstance(value, dict) else value
        nested = isinstance(value, (dict, list))
        return type(value) in PLAIN and (not nested or all(map(plain, inside)))

    assert plain(to_dict(forecast(scale("phq9"), 12)))


@pytest.mark.parametrize("wrong", [{}, {"format": 2}])
def test_another_format_is_refused(wrong: dict[str, object]) -> None:
    data = {**to_dict(forecast(scale("phq9"), 12)), "format": None, **wrong}
    with pytest.raises(ValueError, match="format 1"):
        from_dict(data)
