"""Laws of the predictions: against the differential equations, repeats, limits, derivatives."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from assayhouse.pk import STRUCTURES, EventTable, ModelSpec, predict
from assayhouse.pk.curves import compute_curves
from assayhouse.pk.jets import unpack
from assayhouse.pk.schedule import build_schedule

few = settings(max_examples=25, deadline=None)
TYPICAL = {"CL": 4.0, "V": 50.0, "V1": 50.0, "Q": 6.0, "V2": 80.0, "KA": 0.9, "TLAG": 0.4}
SPREAD = st.lists(st.floats(-0.7, 0.7), min_size=6, max_size=6)


def parameters(structure, spread):
    names = STRUCTURES[structure]
    return {name: TYPICAL[name] * np.exp(x) for name, x in zip(names, spread, strict=False)}


def table(doses, times, *, subject="a"):
    """One subject: dose rows (time, amount, more columns) and samples at times."""
    rows = [{"TIME": t, "EVID": 1, "AMT": amount, **more} for t, amount, more in doses]
    rows += [{"TIME": t, "EVID": 0, "AMT": 0.0, "DV": 1.0} for t in times]
    frame = pl.DataFrame(rows, infer_schema_length=None).sort("TIME", maintain_order=True)
    frame = frame.with_columns(pl.lit(subject).alias("ID"))
    return EventTable.from_frame(frame, amt_unit="mg", dv_unit="ng/mL")


def predicted(structure, params, events):
    spec = ModelSpec(structure, (), "additive")
    return predict(spec, params, events)["PRED"].to_numpy()


def by_equations(p, doses, times):
    """Amounts by numerical integration, one dose after the other."""
    v = p.get("V", p.get("V1"))
    k10 = p["CL"] / v
    k12, k21 = (p["Q"] / v, p["Q"] / p["V2"]) if "Q" in p else (0.0, 0.0)
    ka = p.get("KA", 0.0)

    def slope(_, a):
        return [
            -ka * a[0],
            ka * a[0] - (k10 + k12) * a[1] + k21 * a[2],
            k12 * a[1] - k21 * a[2],
        ]

    due = sorted((t + p.get("TLAG", 0.0), amount) for t, amount in doses)
    state, now, values = np.zeros(3), 0.0, {}
    stops = sorted([(t, 0, 0.0) for t in times] + [(t, 1, amount) for t, amount in due])
    for t, kind, amount in stops:
        if t > now:
            done = solve_ivp(slope, (now, t), state, method="LSODA", rtol=1e-11, atol=1e-13)
            state, now = done.y[:, -1], t
        if kind:
            state[0 if "KA" in p else 1] += amount
        else:
            values[t] = 1000 * state[1] / v
    return np.array([values[t] for t in times])


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_closed_form_is_the_solution_of_the_equations(structure):
    params = parameters(structure, [0.2, -0.3, 0.4, 0.1, -0.2, 0.3])
    times = [0.7, 1.9, 5.0, 11.3, 26.2, 50.1, 80.0]
    events = table([(0.0, 10.0, {}), (12.0, 5.0, {}), (24.0, 20.0, {})], times)
    ours = predicted(structure, params, events)
    theirs = by_equations(params, [(0.0, 10.0), (12.0, 5.0), (24.0, 20.0)], times)
    assert ours == pytest.approx(theirs, rel=1e-7, abs=1e-8)


@given(SPREAD, st.sampled_from(sorted(STRUCTURES)), st.integers(1, 30))
@few
def test_a_train_of_doses_is_its_doses_one_by_one(spread, structure, extra):
    params = parameters(structure, spread)
    times = [0.3, 7.9, 12.2, 12.0 * extra + 5.1, 12.0 * extra + 40.0]
    train = table([(0.0, 10.0, {"ADDL": extra, "II": 12.0})], times)
    single = table([(12.0 * k, 10.0, {}) for k in range(extra + 1)], times)
    assert predicted(structure, params, train) == pytest.approx(
        predicted(structure, params, single), rel=1e-9, abs=1e-12
    )


@given(SPREAD, st.sampled_from(sorted(STRUCTURES)))
@few
def test_steady_state_is_what_many_doses_come_to(spread, structure):
    params = parameters(structure, spread)
    times = [0.1, 3.0, 11.0, 23.9, 30.0]
    steady = table([(0.0, 10.0, {"SS": 1, "II": 24.0})], times)
    n = 400
    late = table([(0.0, 10.0, {"ADDL": n, "II": 24.0})], [24.0 * n + t for t in times])
    assert predicted(structure, params, steady) == pytest.approx(
        predicted(structure, params, late), rel=1e-9, abs=1e-10
    )


def test_steady_state_may_stand_on_earlier_doses_or_replace_them():
    params = parameters("oral1", [0.0] * 6)
    before, times = (0.0, 30.0, {}), [10.5, 12.0]
    alone = predicted("oral1", params, table([(10.0, 5.0, {"SS": 1, "II": 8.0})], times))
    first = predicted("oral1", params, table([before], times))
    replaced = table([before, (10.0, 5.0, {"SS": 1, "II": 8.0})], times)
    added = table([before, (10.0, 5.0, {"SS": 2, "II": 8.0})], times)
    assert predicted("oral1", params, replaced) == pytest.approx(alone)
    assert predicted("oral1", params, added) == pytest.approx(alone + first)


def test_a_train_goes_on_after_steady_state():
    params = parameters("oral1", [0.0] * 6)
    train = table([(0.0, 5.0, {"SS": 1, "II": 8.0, "ADDL": 3})], [8.5, 30.0, 40.0])
    start = table([(0.0, 5.0, {"SS": 1, "II": 8.0})], [0.5, 6.0, 16.0])
    assert predicted("oral1", params, train) == pytest.approx(predicted("oral1", params, start))


def test_after_a_reset_earlier_doses_do_not_count():
    params = parameters("oral2", [0.0] * 6)
    doses = [(0.0, 30.0, {"ADDL": 9, "II": 2.0}), (10.0, 5.0, {"EVID": 4})]
    rows = table(doses, [10.5, 12.0])
    alone = table([(10.0, 5.0, {})], [10.5, 12.0])
    assert predicted("oral2", params, rows) == pytest.approx(predicted("oral2", params, alone))


def test_a_dose_due_at_the_time_of_a_sample_has_been_given():
    params = parameters("bolus1", [0.0] * 6)
    after = table([(0.0, 10.0, {"ADDL": 3, "II": 0.1})], [0.3])
    assert predicted("bolus1", params, after)[0] > 1000 * 3 * 10.0 / params["V"]


def test_a_lag_longer_than_the_interval_holds_doses_back():
    params = parameters("oral1lag", [0.0] * 6) | {"TLAG": 15.0}
    train = table([(0.0, 10.0, {"ADDL": 2, "II": 6.0})], [14.0, 16.0, 22.0, 40.0])
    plain = parameters("oral1", [0.0] * 6)
    later = table([(t, 10.0, {}) for t in (15.0, 21.0, 27.0)], [16.0, 22.0, 40.0])
    ours = predicted("oral1lag", params, train)
    assert ours[0] == 0.0
    assert ours[1:] == pytest.approx(predicted("oral1", plain, later))


@given(st.floats(-9, -1), st.sampled_from([1.0, -1.0]), st.sampled_from(["V", "V1"]))
@few
def test_absorption_may_be_as_fast_as_elimination(exponent, sign, volume):
    structure = "oral1" if volume == "V" else "oral2"
    params = parameters(structure, [0.0] * 6)
    if structure == "oral2":
        params["Q"] = 1e-9
    k = params["CL"] / params[volume]
    times = np.array([0.5, 3.0, 20.0, 60.0])
    params["KA"] = k * (1 + sign * 10**exponent)
    ours = predicted(structure, params, table([(0.0, 10.0, {})], times))
    gap = params["KA"] - k
    middle = np.exp(-(k + gap / 2) * times) * times * np.sinh(gap * times / 2) / (gap * times / 2)
    assert ours == pytest.approx(1000 * 10.0 / params[volume] * params["KA"] * middle, rel=1e-7)


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
@pytest.mark.parametrize("near", [False, True])
def test_derivatives_are_those_of_differences(structure, near):
    spread = [0.2, -0.3, 0.4, 0.1, -0.2, 0.3]
    params = parameters(structure, spread)
    if near and "KA" in params:
        params["KA"] = 1.004 * params["CL"] / params.get("V", params.get("V1"))
    events = table(
        [(0.0, 10.0, {"ADDL": 4, "II": 12.0}), (70.0, 3.0, {"SS": 2, "II": 24.0})],
        [1.7, 40.0, 75.3],
    )
    frame = events.frame
    used = (frame["EVID"] == 0).to_numpy()
    schedule = build_schedule(frame, np.zeros(len(used), dtype=np.int64), used)
    phi = np.log([[params[name]] for name in STRUCTURES[structure]])
    active = np.arange(len(phi))
    at = compute_curves(structure, schedule, phi, active=active, scale=1.0)
    step = 1e-3
    for j in range(len(phi)):
        moved = []
        for times in (-2, -1, 1, 2):
            there = phi.copy()
            there[j] += times * step
            moved.append(compute_curves(structure, schedule, there, active=active, scale=1.0))
        first, second, third, fourth = (point.f for point in moved)
        slope = (first - 8 * second + 8 * third - fourth) / (12 * step)
        assert at.g[j] == pytest.approx(slope, rel=1e-6, abs=1e-9 * np.abs(at.f).max())
        for m in range(schedule.n_samples):
            one = np.zeros(schedule.n_samples)
            one[m] = 1.0
            hessian = unpack(at.weighted_hessian(one, schedule.starts), len(phi))[j, :, 0]
            a, b, c, d = (point.g[:, m] for point in moved)
            bend = (a - 8 * b + 8 * c - d) / (12 * step)
            assert hessian == pytest.approx(bend, rel=1e-5, abs=1e-8 * np.abs(at.f).max())
