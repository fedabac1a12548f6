"""Networks against each other: accuracy, cost and depth, as a table and as charts (Vega-Lite)."""
