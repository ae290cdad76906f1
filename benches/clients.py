#!/usr/bin/env python3
"""`mqtt pub` and `mqtt sub` beside mosquitto's clients, in turns, in one run.

Prints wall seconds, CPU seconds and peak memory of both, and ours as a share of mosquitto's (medians); then the wall
seconds of a bare socket (bare.py) in the same rounds: the time that is the broker's, below which no client comes. All of
them talk to one `mqtt serve` on this machine, or with --mosquitto to one mosquitto. Needs mosquitto-clients and GNU time:

    cargo build --release && benches/clients.py [--rounds 5] [--bin target/release/mqtt] [--mosquitto] [WORD]
"""

import argparse
import os
import socket
import statistics
import subprocess
import tempfile
import time

import bare

LINES = 200_000
LINES_ACKNOWLEDGED = 60_000  # past 65,535 mosquitto_pub 2.0.11 stops early, with status 0
SIZE = 63  # of a line without its end
ONE_SHOTS = 100


def measured(command, stdin=None, stdout=subprocess.DEVNULL, before=None):
    """Runs a command under GNU time, which starts it from a small process: a child's peak memory includes its parent's
    at the moment of the fork. `before` is called once it runs. Returns (wall s, CPU s, peak MiB, status)."""
    with tempfile.NamedTemporaryFile("r") as report:
        begin = time.monotonic()
        process = subprocess.Popen(
            ["/usr/bin/time", "-q", "-o", report.name, "-f", "%U %S %M", *command], stdin=stdin, stdout=stdout
        )
        if before:
            begin = before()
        status = process.wait(timeout=300)
        wall = time.monotonic() - begin
        user, system, peak = report.read().split()
        return wall, float(user) + float(system), int(peak) / 1024, status


class Bench:
    def __init__(self, binary, port, rounds, word):
        self.binary, self.port, self.rounds, self.word = binary, str(port), rounds, word
        self.at = ["-h", "127.0.0.1", "-p", self.port]

    def compare(self, name, ours, theirs, least=lambda: None):
        if self.word not in name:
            return
        runs = [(ours(), theirs(), least()) for _ in range(self.rounds)]
        for mine, other, _ in runs:
            if mine[3] or other[3]:
                print(f"{name}: status {mine[3]} / {other[3]}")
        columns = []
        for index, unit in enumerate(("s", "s", "MiB")):
            mine = statistics.median(run[0][index] for run in runs)
            other = statistics.median(run[1][index] for run in runs)
            share = statistics.median(a[index] / b[index] if b[index] else float("nan") for a, b, _ in runs)
            columns.append(f"{mine:8.3f} / {other:7.3f} {unit:3} {share:5.2f}x")
        walls = [wall for _, _, wall in runs if wall]
        columns += [f"{statistics.median(walls):8.3f} s"] if walls else []
        print(f"{name:26}", *columns, flush=True)

    def publish_lines(self, program, qos, lines):
        with open(lines) as stdin:
            return measured([*program, *self.at, "-t", "lines", "-q", str(qos), "-l"], stdin=stdin)

    def bare_publish(self, qos, lines):
        with open(lines, "rb") as file:
            return bare.publish(self.port, qos, file.read().splitlines())

    def subscribe(self, program, qos, lines, count):
        topic = f"sub/{os.urandom(4).hex()}"

        def feed():
            # The subscription is there when a message on a second topic of the same subscriber comes through.
            self.wait_until_subscribed(topic, out)
            begin = time.monotonic()
            with open(lines) as stdin:
                subprocess.run([self.binary, "pub", *self.at, "-t", topic, "-q", str(qos), "-l"], stdin=stdin, check=True)
            return begin

        with tempfile.NamedTemporaryFile() as out:
            return measured(
                [*program, *self.at, "-t", topic, "-q", str(qos), "-C", str(count + 1)], stdout=out, before=feed
            )

    def bare_subscribe(self, qos, lines, count):
        topic = f"sub/{os.urandom(4).hex()}"
        with open(lines) as stdin:
            command = [self.binary, "pub", *self.at, "-t", topic, "-q", str(qos), "-l"]
            begin = []

            def feed():
                begin.append(time.monotonic())
                begin.append(subprocess.Popen(command, stdin=stdin))

            bare.subscribe(self.port, qos, topic, feed, SIZE, count)
            wall = time.monotonic() - begin[0]
            begin[1].wait()
            return wall

    def wait_until_subscribed(self, topic, out):
        publish = [self.binary, "pub", *self.at, "-t", topic, "-m", "subscribed", "-r"]
        subprocess.run(publish, check=True)
        while os.path.getsize(out.name) == 0:
            time.sleep(0.005)

    def one_shots(self, program):
        command = [*program, *self.at, "-t", "one", "-m", "x"]
        begin = time.monotonic()
        for _ in range(ONE_SHOTS - 1):
            subprocess.run(command, check=True)
        wall = (time.monotonic() - begin) / (ONE_SHOTS - 1)
        _, cpu, peak, status = measured(command)
        return wall, cpu, peak, status


def installed(binary, folder):
    """The program as users have it. The linker writes it in small pieces, and so it then lies in memory: mapping those took a
    fifth longer from start to exit than mapping the copy that an installation makes."""
    copy = os.path.join(folder, "mqtt")
    subprocess.run(["install", "-m", "755", binary, copy], check=True)
    return copy


def mqtt_serve(binary):
    serve = subprocess.Popen([binary, "serve", "-p", "0"], stdout=subprocess.PIPE, text=True)
    return serve, serve.stdout.readline().strip().rsplit(":", 1)[1]


def mosquitto():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tempfile.NamedTemporaryFile("w", delete=False)
    # It drops what it would have to queue beyond a thousand messages.
    config.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    config.close()
    broker = subprocess.Popen(["mosquitto", "-c", config.name], stderr=subprocess.DEVNULL)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            os.unlink(config.name)
            return broker, str(port)
        except ConnectionRefusedError:
            time.sleep(0.01)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bin", default="target/release/mqtt")
    parser.add_argument("--mosquitto", action="store_true")
    parser.add_argument("word", nargs="?", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        binary = installed(arguments.bin, folder)
        serve, port = mosquitto() if arguments.mosquitto else mqtt_serve(binary)
        try:
            bench = Bench(binary, port, arguments.rounds, arguments.word)
            many, fewer = os.path.join(folder, "many"), os.path.join(folder, "fewer")
            for path, count in ((many, LINES), (fewer, LINES_ACKNOWLEDGED)):
                with open(path, "w") as file:
                    file.writelines(f"{number:0{SIZE}}\n" for number in range(count))
            print(f"{'ours / mosquitto':26} {'wall':>28} {'CPU':>28} {'peak':>28} {'bare wall':>10}")
            pub, sub = [binary, "pub"], [binary, "sub"]
            for qos, lines in ((0, many), (1, fewer), (2, fewer)):
                bench.compare(
                    f"pub -l {LINES if qos == 0 else LINES_ACKNOWLEDGED} QoS {qos}",
                    lambda: bench.publish_lines(pub, qos, lines),
                    lambda: bench.publish_lines(["mosquitto_pub"], qos, lines),
                    lambda: bench.bare_publish(qos, lines),
                )
            for qos in (0, 1, 2):
                bench.compare(
                    f"sub -C {LINES} QoS {qos}",
                    lambda: bench.subscribe(sub, qos, many, LINES),
                    lambda: bench.subscribe(["mosquitto_sub"], qos, many, LINES),
                    lambda: bench.bare_subscribe(qos, many, LINES),
                )
            bench.compare(
                "pub -m x, start to exit", lambda: bench.one_shots(pub), lambda: bench.one_shots(["mosquitto_pub"])
            )
        finally:
            serve.kill()


if __name__ == "__main__":
    main()
