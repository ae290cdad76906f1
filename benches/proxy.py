#!/usr/bin/env python3
"""What the proxy of --fault adds to a message: the same load with it and without it, in turn (ABBA), against one broker. Of the
five runs of each the quietest counts: what else the machine does can only make them slower.

    cargo build --release && benches/proxy.py [RATE]
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

mqtt = Path(__file__).resolve().parent.parent / "target/release/mqtt"
rate = sys.argv[1] if len(sys.argv) > 1 else "1000"
# A fault of a millisecond just before the end: the proxy is there all the time and does nothing but pass on.
FAULT = ["--fault", "at=4490ms stall for=1ms share=1"]


def run(port, more):
    line = f"bench -h 127.0.0.1 -p {port} --rate {rate} --duration 4s --warmup 500ms --json"
    found = json.loads(subprocess.run([mqtt, *line.split(), *more], stdout=subprocess.PIPE, check=True).stdout)
    return found["latency_us"]["service"], found["generator"], found["messages"]["sent"]


broker = subprocess.Popen([mqtt, "serve", "-p", "0"], stdout=subprocess.PIPE, text=True)
try:
    port = next(line for line in broker.stdout if "listening on" in line).rsplit(":", 1)[1].strip()
    without, through = [], []
    for turn in range(5):
        for more in ([], FAULT) if turn % 2 == 0 else (FAULT, []):
            (through if more else without).append(run(port, more))
    for name in ("p50", "p90", "p99"):
        a, b = (min(latency[name] for latency, _, _ in runs) for runs in (without, through))
        print(f"{name}: {a:.0f} us without, {b:.0f} us through the proxy, {b - a:+.0f} us")
    cost = statistics.median(work["proxy_cpu_s"] / sent * 1e6 for _, work, sent in through)
    print(f"processor time of the proxy: {cost:.1f} us a message and its acknowledgements")
finally:
    broker.terminate()
