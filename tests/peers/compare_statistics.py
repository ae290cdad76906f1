"""Holds a comparison of `mqtt bench compare --json` against SciPy, on the data it contains: the p-value, the interval (by
turning SciPy's own test around), the shift and the smallest detectable effect. Prints what disagrees, then `checked N`."""

import json
import sys

import numpy as np
from scipy import stats

comparison = json.load(sys.stdin)
checked = 0


def agree(name, what, ours, theirs):
    if not np.isclose(ours, theirs, rtol=1e-6, atol=1e-12):
        print(f"{name}: {what} is {ours} here and {theirs} in SciPy")


for figure in comparison["figures"]:
    found = figure["difference"]
    if found is None:
        continue
    name, a, b = figure["name"], np.array(figure["first"]), np.array(figure["second"])
    method = "exact" if found["exact"] else "asymptotic"

    def p_of(shift):
        return stats.mannwhitneyu(a + shift, b, alternative="two-sided", method=method).pvalue

    agree(name, "p", found["p"], p_of(0))
    agree(name, "the shift", found["shift"], np.median(np.subtract.outer(b, a)))
    if found["interval"] is not None:
        low, high = found["interval"]
        # Whoever is shifted by what lies in the interval differs no more; by what lies outside, still.
        step = 1e-7 * max(abs(low), abs(high), 1e-9)
        if found["exact"]:
            for inside, outside in [(low + step, low - step), (high - step, high + step)]:
                if not p_of(inside) >= 0.05 > p_of(outside):
                    print(f"{name}: at an end of {low} to {high} p goes from {p_of(inside)} to {p_of(outside)}")
    welch = stats.ttest_ind(b, a, equal_var=False)
    error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    reach = stats.t.ppf(0.975, welch.df) + stats.t.ppf(0.8, welch.df) if error > 0 else 0
    agree(name, "the smallest detectable effect", found["detectable"], reach * error)
    checked += 1

# Holm's correction, as in statsmodels and R, from SciPy's p-values.
known = [figure for figure in comparison["figures"] if figure["difference"]]
order = sorted(known, key=lambda figure: figure["difference"]["p"])
least = 0.0
for place, figure in enumerate(order):
    least = min(1.0, max(least, figure["difference"]["p"] * (len(order) - place)))
    agree(figure["name"], "p, corrected", figure["p_adjusted"], least)
print("checked", checked)
