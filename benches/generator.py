#!/usr/bin/env python3
"""Messages that the load tester handles in one second of one processor, against its own null broker.

    cargo build --release && benches/generator.py

One thread of load, ten publishers; `pubsub` counts each message twice, as sent and as delivered. The figure is the load
tester's processor time alone: the null broker has a thread of its own."""

import json
import subprocess
import sys
from pathlib import Path

mqtt = Path(__file__).resolve().parent.parent / "target/release/mqtt"
seconds = sys.argv[1] if len(sys.argv) > 1 else "3"
print(f"{'scenario':<10}{'QoS':>4}{'messages/s':>14}{'per CPU second':>16}")
for scenario in ["pub", "pubsub"]:
    for qos in [0, 1, 2]:
        command = [mqtt, "bench", "calibrate", scenario, "-q", str(qos), "--workers", "1", "--duration", f"{seconds}s", "--json"]
        if qos > 0:
            command += ["--window", "1000"]
        ceiling = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["ceiling"]
        rate = ceiling["rate_per_s"]["delivered"] or ceiling["rate_per_s"]["sent"]
        print(f"{scenario:<10}{qos:>4}{rate:>14,.0f}{ceiling['generator']['messages_per_cpu_s']:>16,.0f}")
