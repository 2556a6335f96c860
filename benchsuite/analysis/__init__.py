"""Statistics: pure functions on scores and ground truth that read and write no files.

One estimator: `evaluate` (all criteria), of `correlation`, `top_k`; `groups` and `bias` (by complexity), `operations`;
`variance` over runs; `search_value`; `transfer` to other data sets; `cost`; `standing` of a chosen architecture.
Several estimators: `comparison` in pairs and what it decides, `significance`; `critical_difference` over benchmarks;
`complementarity`, `best_subsets` and `combination`. The ground truth itself: `reliability`.
Below all of these: `align` (joins by architecture), `ranking`, `concordance` (pair counts), `precision` and `extremes`
(exact under ties, many samples at once), `ranked_runs`, `uncertainty` (jackknife) and `resampling`.
"""
