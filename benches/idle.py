#!/usr/bin/env python3
"""Memory of an idle connection with a topic filter of its own: `mqtt serve` beside mosquitto.

    benches/idle.py [CONNECTIONS]      (default 10,000; needs as many open files: ulimit -n)

Prints KiB of resident memory per connection, the broker's own growth between the first connection and the last.
"""
import os, resource, socket, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000


def text(value):
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def packet(header, body):
    return bytes([header]) + (bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 127 | 128, len(body) >> 7])) + body


def resident(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def connect(port, number):
    # Spread over 127.0.0.0/8, where every address has source ports of its own.
    stream = socket.create_connection(("127.0.0.1", port), source_address=(f"127.0.0.{1 + number // 20_000}", 0))
    connect = packet(0x10, text("MQTT") + bytes([4, 2, 0, 0]) + text(f"idle-client-{number:08}"))
    subscribe = packet(0x82, b"\0\1" + text(f"devices/{number:08}/commands") + b"\0")
    stream.sendall(connect + subscribe)
    answer = b""
    while len(answer) < 9:
        answer += stream.recv(64)
    assert answer == b"\x20\2\0\0\x90\3\0\1\0", answer
    return stream


def measure(name, process, port):
    try:
        streams = [connect(port, number) for number in range(100)]
        before = resident(process)
        started = time.monotonic()
        streams += [connect(port, number) for number in range(100, COUNT)]
        seconds = time.monotonic() - started
        per_connection = (resident(process) - before) / (COUNT - 100)
        print(f"{name:<10} {per_connection:6.2f} KiB a connection, {(COUNT - 100) / seconds:7.0f} connections/s one after the other")
    finally:
        process.kill()
        process.wait()


def ours():
    subprocess.run(["cargo", "build", "--quiet", "--release"], cwd=ROOT, check=True)
    process = subprocess.Popen([f"{ROOT}/target/release/mqtt", "serve", "-p", "0"], stdout=subprocess.PIPE, text=True)
    measure("mqtt serve", process, int(process.stdout.readline().rsplit(":", 1)[1]))


def mosquitto():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        config.flush()
        process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", config.name], stderr=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.01)
        measure("mosquitto", process, port)


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, COUNT + 100)), hard))
    ours()
    mosquitto()
