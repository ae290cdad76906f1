#!/usr/bin/env python3
"""Does the load tester send what it was asked to send, and connect as fast as it was asked to?

    cargo build --release && benches/rates.py [SECONDS]

Each rate against this program's own broker, for 5 seconds unless said. Prints what was asked, what was measured, the error in per cent and
the run's verdict; ends with status 1 when a run that calls itself valid is off by more than one per cent."""

import json
import subprocess
import sys
from pathlib import Path

mqtt = Path(__file__).resolve().parent.parent / "target/release/mqtt"
seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 5


def run(*options):
    finished = subprocess.run([mqtt, "bench", *options, "--serve", "--json"], capture_output=True, text=True)
    if not finished.stdout:
        sys.exit(finished.stderr)
    return json.loads(finished.stdout)


def main():
    failed = False
    print(f"{'what':<14}{'asked/s':>10}{'measured/s':>12}{'error %':>9}  verdict")
    asked = [("pub QoS 0", (1_000, 10_000, 50_000, 100_000)), ("pub QoS 1", (1_000, 10_000, 100_000)), ("conn", (100, 1_000, 4_000))]
    for what, rates in asked:
        for rate in rates:
            if what == "conn":
                # Both ends of a connection are open files of this one process.
                count = min(rate * seconds, 8_000)
                report = run("conn", "--rate", str(rate), "-c", str(count))
                measured = report["connections"]["made_per_s"]
            else:
                report = run("pub", "-q", what[-1], "--rate", str(rate), "--duration", f"{seconds}s")
                measured = report["rate_per_s"]["sent"]
            error = 100 * (measured / rate - 1)
            valid = report["verdict"]["valid"]
            failed |= valid and abs(error) > 1
            print(f"{what:<14}{rate:>10,}{measured:>12,.1f}{error:>9.2f}  {'VALID' if valid else report['verdict']['reasons'][0]}", flush=True)
    sys.exit(failed)


main()
