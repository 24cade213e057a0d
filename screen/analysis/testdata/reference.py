"""Williams and Beer's decomposition by the package dit: reads joint distributions
[source 1][source 2][target] from stdin, prints [redundant, unique 1, unique 2, synergy]
of each."""

import json
import sys

import dit
from dit.pid import PID_WB

out = []
for table in json.load(sys.stdin):
    outcomes, weights = [], []
    for i, rows in enumerate(table):
        for j, row in enumerate(rows):
            for k, p in enumerate(row):
                if p > 0:
                    outcomes.append((str(i), str(j), str(k)))
                    weights.append(p)
    d = dit.Distribution(outcomes, weights)
    pid = PID_WB(d, [[0], [1]], [2])
    out.append([pid.get_pi(node) for node in (((0,), (1,)), ((0,),), ((1,),), ((0, 1),))])
json.dump(out, sys.stdout)
