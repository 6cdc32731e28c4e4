"""Pooled results against R (mice 3.15.0 pool.scalar; Rubin 1987 by hand)."""

from collections import defaultdict

import numpy as np

from assayhouse.stats.pooling import pool_rubin

from support.effects_reference import read_rows


def test_pooled_rows_equal_r_given_its_own_estimates(capsys):
    sets = defaultdict(list)
    for row in read_rows("fixed_mi/per_imputation_R.csv.gz"):
        key = (row["paramcd"], row["week"], row["response"], row["psi"], row["term"])
        sets[key].append((float(row["estimate"]), float(row["variance"])))
    worst = defaultdict(float)
    rows = [r for r in read_rows("fixed_mi/pooled_R.csv.gz") if r["strata_weights"] == "OM"]
    for row in rows:
        key = (row["paramcd"], row["week"], row["response"], row["psi"], row["term"])
        q, u = np.array(sets[key]).T
        ours = pool_rubin(q, u, df_complete=float(row["dfcom"]), lambda_floor=1e-4)
        old = pool_rubin(q, u, df_method="rubin1987")
        pairs = {
            "estimate": ours.estimate, "se": ours.std_error, "df_br": ours.df,
            "df_rubin1987": old.df, "riv": ours.riv, "fmi": ours.fmi, "lambda": ours.lambda_,
            "b": ours.between, "ubar": ours.within, "ci_lo": ours.ci_low, "ci_hi": ours.ci_high,
            "p_value": ours.p_value, "p_value_rubin1987": old.p_value,
        }  # fmt: skip
        for name, mine in pairs.items():
            theirs = float(row[name])
            worst[name] = max(worst[name], abs(mine - theirs) / max(abs(theirs), 1e-12))
    with capsys.disabled():
        print(f"\n{len(rows)} pooled rows: {max(worst.values()):.1e} ({dict(worst)})")
    assert len(rows) > 500
    assert max(gap for name, gap in worst.items() if not name.startswith("p_")) <= 1e-8
    assert max(gap for name, gap in worst.items() if name.startswith("p_")) <= 1e-6
