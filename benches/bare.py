"""The least that a client can do: packets made beforehand over a bare socket, answers counted and not looked at.

What `mqtt pub -l` and `mqtt sub` need beyond this is theirs; what this needs is the broker's, and nobody can be faster.
Knows MQTT 3.1.1 and no more than benches/clients.py asks of it; a broker that closes or is silent is an error.
"""

import select
import socket
import struct
import time

PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE = 0x30, 0x40, 0x50, 0x62, 0x70, 0x82
DISCONNECT = b"\xe0\x00"
SILENCE = 60  # seconds
UNFINISHED = 20  # at QoS 2; a mosquitto ends the connection of a client of 3.1.1 that begins more


def packet(first, body):
    """One packet; the remaining length in as many bytes as it takes (section 2.2.3)."""
    length, rest = b"", len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length += bytes([digit | (0x80 if rest else 0)])
        if not rest:
            return bytes([first]) + length + body


def text(value):
    return struct.pack("!H", len(value)) + value.encode()


def connect(port, name):
    stream = socket.create_connection(("127.0.0.1", int(port)), timeout=SILENCE)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.sendall(packet(0x10, text("MQTT") + b"\x04\x02\x00\x00" + text(name)))
    if stream.recv(4) != b"\x20\x02\x00\x00":
        raise RuntimeError("the broker refused the bare client")
    return stream


class Exchange:
    """Writes and reads at the same time, without waiting for the one while the other is possible."""

    def __init__(self, stream, outgoing=b""):
        stream.setblocking(False)
        self.stream, self.outgoing, self.received = stream, memoryview(outgoing), b""

    def say(self, packets):
        self.outgoing = memoryview(bytes(self.outgoing) + packets) if self.outgoing else memoryview(packets)
        self.write()

    def write(self):
        try:
            while self.outgoing:
                self.outgoing = self.outgoing[self.stream.send(self.outgoing) :]
        except BlockingIOError:
            pass

    def turn(self):
        """Waits until something can be done and does it."""
        readable, writable, _ = select.select([self.stream], [self.stream] if self.outgoing else [], [], SILENCE)
        if not readable and not writable:
            raise RuntimeError(f"the broker was silent to the bare client for {SILENCE} s")
        if writable:
            self.write()
        if readable:
            data = self.stream.recv(1 << 18)
            if not data:
                raise RuntimeError("the broker closed the connection of the bare client")
            self.received += data


def publish(port, qos, lines):
    """Publishes each line under `lines`, and is done when the last is written or, at QoS 1 and 2, acknowledged. Returns the
    seconds from connecting on."""
    head = text("lines")
    identifier = (lambda number: struct.pack("!H", number)) if qos else (lambda number: b"")
    packets = [packet(PUBLISH | qos << 1, head + identifier(number) + line) for number, line in enumerate(lines, 1)]
    first = UNFINISHED if qos == 2 else len(packets)
    begun, later = b"".join(packets[:first]), iter(packets[first:])
    begin = time.monotonic()
    with connect(port, "bare-publisher") as stream:
        exchange = Exchange(stream, begun)
        # Every answer is four bytes: PUBACK at QoS 1, PUBREC and PUBCOMP at QoS 2.
        awaited = len(lines) * 4 * qos
        while awaited or exchange.outgoing:
            exchange.turn()
            answers = exchange.received
            whole = len(answers) - len(answers) % 4
            awaited -= whole
            exchange.received = answers[whole:]
            if qos == 2:
                exchange.say(
                    b"".join(
                        bytes([PUBREL]) + answers[at + 1 : at + 4] if answers[at] == PUBREC else next(later, b"")
                        for at in range(0, whole, 4)
                    )
                )
        exchange.say(DISCONNECT)
    return time.monotonic() - begin


def subscribe(port, qos, topic, ready, size, count):
    """Subscribes, calls `ready`, and is done when `count` payloads of `size` bytes have come and, at QoS 2, were released."""
    message = len(packet(PUBLISH, text(topic) + (b"\0\0" if qos else b"") + b"\0" * size))
    identifier = message - size - 2
    with connect(port, "bare-subscriber") as stream:
        stream.sendall(packet(SUBSCRIBE, b"\x00\x01" + text(topic) + bytes([qos])))
        if len(stream.recv(5)) != 5:
            raise RuntimeError("the broker did not acknowledge the subscription of the bare client")
        ready()
        exchange = Exchange(stream)
        while count > 0:
            exchange.turn()
            data, at, answers = exchange.received, 0, []
            while at < len(data):
                is_message = data[at] & 0xF0 == PUBLISH
                end = at + (message if is_message else 4)
                if end > len(data):
                    break
                count -= is_message == (qos < 2)
                if qos:
                    first = (PUBREC if qos == 2 else PUBACK) if is_message else PUBCOMP
                    number = data[at + identifier : at + identifier + 2] if is_message else data[at + 2 : end]
                    answers.append(bytes([first, 2]) + number)
                at = end
            exchange.received = data[at:]
            if answers:
                exchange.say(b"".join(answers))
        exchange.say(DISCONNECT)
