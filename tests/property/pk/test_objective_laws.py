"""Laws of the objective: its gradient, M3 by integration, units, order of the subjects."""

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from assayhouse.pk import EventTable, ModelSpec, Power, evaluate
from assayhouse.pk.focei import evaluate_objective
from assayhouse.pk.parameters import Scale
from assayhouse.pk.problem import build_problem
from assayhouse.pk.residual import compute_contributions, compute_variance
from assayhouse.pk.starts import complete_start

TIMES = [0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 23.0]
INIT = {"CL": 4.0, "V": 50.0, "KA": 0.9, "sigma_prop": 0.2, "sigma_add": 0.05}


def trial(n=12, *, seed=3, lloq=0.0):
    """Noisy concentrations of a one-compartment model, below a limit marked as such."""
    rng = np.random.default_rng(seed)
    rows = []
    for subject in range(n):
        cl, v, ka = np.exp(rng.normal(np.log([4.0, 50.0, 0.9]), [0.3, 0.2, 0.4]))
        weight = float(np.exp(rng.normal(np.log(70), 0.2)))
        common = {"ID": subject, "WT": weight, "LLOQ": lloq or None}
        rows.append({**common, "TIME": 0.0, "EVID": 1, "AMT": 100.0, "DV": None, "BLQ": 0})
        for t in TIMES:
            f = 100 * ka / (v * (ka - cl / v)) * (np.exp(-cl / v * t) - np.exp(-ka * t))
            y = f * (1 + 0.15 * rng.standard_normal()) + 0.03 * rng.standard_normal()
            rows.append({**common, "TIME": t, "EVID": 0, "AMT": 0.0, "DV": y, "BLQ": int(y < lloq)})
    return pl.DataFrame(rows, infer_schema_length=None)


def events_of(frame, **units):
    given = {"amt_unit": "mg", "dv_unit": "mg/L", "covariates": ["WT"]} | units
    return EventTable.from_frame(frame, subject_rule="observed", **given)


def spec_of(error, **more):
    init = {name: value for name, value in INIT.items() if name in more.pop("only", INIT)}
    sigmas = {"additive": "sigma_prop", "proportional": "sigma_add"}.get(error)
    init.pop(sigmas, None)
    extra = more.pop("init", {})
    return ModelSpec(
        more.pop("structure", "oral1"),
        more.pop("iiv", ("CL", "V", "KA")),
        error,
        init | extra,
        **more,
    )


MODELS = {
    "additive": spec_of("additive"),
    "proportional": spec_of("proportional"),
    "combined": spec_of("combined"),
    "M3, lag, block, covariate": spec_of(
        "combined",
        structure="oral1lag",
        init={"TLAG": 0.2, "omega(CL,KA)": 0.03},
        block=(("KA", "CL"),),
        covariates=(Power("CL", "WT", 70.0, 0.4),),
    ),
    "proportional M3": spec_of("proportional", iiv=("CL", "KA")),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_gradient_is_that_of_differences_of_the_objective(name):
    spec = MODELS[name]
    problem = build_problem(spec, events_of(trial(lloq=0.4 if "M3" in name else 0.0)))
    scale = Scale(spec)
    vector = scale.from_natural(complete_start(problem, spec.init))
    at = evaluate_objective(problem, scale, vector, tolerance=1e-15)
    step = 1e-3
    for j, exact in enumerate(at.gradient.sum(axis=1)):
        values = []
        for times in (-3, -2, -1, 1, 2, 3):
            moved = vector.copy()
            moved[j] += times * step
            values.append(evaluate_objective(problem, scale, moved, near=at, tolerance=1e-15).total)
        weights = np.array([-1, 9, -45, 45, -9, 1]) / 60
        assert exact == pytest.approx(weights @ values / step, rel=2e-8, abs=2e-7), scale.names[j]


def test_the_gradient_on_the_natural_scale_is_that_of_differences():
    spec = MODELS["M3, lag, block, covariate"]
    events = events_of(trial(lloq=0.4))
    found = evaluate(spec, events)
    params = complete_start(build_problem(spec, events), spec.init)
    assert set(found.gradient) == set(spec.parameter_names)
    for name, exact in found.gradient.items():
        step = 1e-4 * max(abs(params[name]), 0.05)
        up, down = (evaluate(spec, events, {name: params[name] + s}).ofv for s in (step, -step))
        assert exact == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-3), name


def test_a_fixed_parameter_has_no_gradient():
    spec = spec_of("combined", fixed=("V", "omega2(KA)"))
    found = evaluate(spec, events_of(trial()))
    assert set(spec.parameter_names) - set(found.gradient) == {"V", "omega2(KA)"}


def test_below_the_limit_counts_by_the_probability_of_being_there():
    spec = MODELS["combined"]
    frame = trial(lloq=0.4)
    problem = build_problem(spec, events_of(frame))
    sigma = np.array([0.05, 0.2])
    f = np.linspace(0.01, 3.0, len(problem.y))
    u = compute_contributions(problem, f, sigma).u
    r = compute_variance(f, "combined", sigma, 0.0).r
    for at in np.flatnonzero(problem.is_blq):
        density = lambda y, at=at: norm.pdf(y, f[at], np.sqrt(r[at]))  # noqa: E731
        chance, _ = quad(density, -np.inf, problem.y[at], epsabs=1e-14, epsrel=1e-12)
        assert np.exp(-u[at]) == pytest.approx(chance, rel=1e-7, abs=1e-12)


def test_the_value_of_a_sample_below_the_limit_is_ignored():
    frame = trial(lloq=0.4)
    other = frame.with_columns(DV=pl.when(pl.col("BLQ") == 1).then(-9.0).otherwise("DV"))
    spec = MODELS["combined"]
    assert evaluate(spec, events_of(frame)).ofv == evaluate(spec, events_of(other)).ofv


def test_the_objective_shifts_with_the_unit_by_a_known_amount():
    frame = trial()
    spec = MODELS["proportional"]
    micro = frame.with_columns(DV=1000 * pl.col("DV"))
    first = evaluate(spec, events_of(frame)).ofv
    second = evaluate(spec, events_of(micro, dv_unit="ng/mL")).ofv
    assert second - first == pytest.approx(2 * np.log(1000) * 12 * len(TIMES))


def test_the_order_of_the_subjects_does_not_matter():
    frame = trial()
    turned = pl.concat(frame.partition_by("ID", maintain_order=True)[::-1])
    spec = MODELS["combined"]
    first, second = (evaluate(spec, events_of(part)) for part in (frame, turned))
    assert first.ofv == pytest.approx(second.ofv, abs=1e-9)
    assert dict(first.ofv_by_subject) == pytest.approx(second.ofv_by_subject, abs=1e-9)


def test_modes_are_where_the_individual_objective_is_flat():
    spec = MODELS["combined"]
    events = events_of(trial())
    found = evaluate(spec, events)
    assert found.inner_converged
    assert found.etas.columns == ["ID", "ETA_CL", "ETA_V", "ETA_KA"]
    assert np.abs(found.etas.drop("ID").to_numpy()).max() < 1.5
