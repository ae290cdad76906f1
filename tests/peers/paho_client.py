"""What a user of paho-mqtt expects of a broker: python paho_client.py PORT VERSION, where VERSION is 3, 4 or 5 as paho counts.

Prints one line for each scenario that holds and ends with a traceback at the first that does not.
"""

import itertools
import queue
import socket
import sys
import threading

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PORT, VERSION = int(sys.argv[1]), int(sys.argv[2])
PATIENCE = 30
numbers = itertools.count()


class Client:
    """A connected client whose events are waited for, never slept for."""

    def __init__(self, client_id=None, clean=True, expiry=None, will=None, keepalive=60, connect=None):
        client_id = client_id or f"paho-{next(numbers)}"
        how = {} if VERSION == 5 else {"clean_session": clean}
        self.paho = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, protocol=VERSION, **how)
        self.messages, self.connected, self.gone, self.acknowledged = (queue.Queue() for _ in range(4))
        self.paho.on_message = lambda _c, _u, message: self.messages.put(message)
        self.paho.on_connect = lambda _c, _u, flags, reason, properties: self.connected.put((flags, reason, properties))
        self.paho.on_disconnect = lambda _c, _u, _flags, reason, _properties: self.gone.put(reason)
        self.paho.on_subscribe = lambda _c, _u, _mid, reasons, _properties: self.acknowledged.put(reasons)
        self.paho.on_unsubscribe = lambda _c, _u, _mid, reasons, _properties: self.acknowledged.put(reasons)
        self.paho.reconnect_on_failure = False
        self.paho._reconnect_on_failure = False
        if will:
            self.paho.will_set(*will)
        properties = None
        if VERSION == 5:
            properties = Properties(PacketTypes.CONNECT)
            if expiry is not None:
                properties.SessionExpiryInterval = expiry
            for name, value in (connect or {}).items():
                setattr(properties, name, value)
        start = {"clean_start": clean} if VERSION == 5 else {}
        self.paho.connect("127.0.0.1", PORT, keepalive, properties=properties, **start)
        self.paho.loop_start()
        self.flags, self.reason, self.properties = self.connected.get(timeout=PATIENCE)
        assert not self.reason.is_failure, self.reason

    def subscribe(self, topic, qos=0, **options):
        if VERSION == 5:
            identifier = options.pop("identifier", None)
            properties = None
            if identifier:
                properties = Properties(PacketTypes.SUBSCRIBE)
                properties.SubscriptionIdentifier = identifier
            self.paho.subscribe(topic, options=SubscribeOptions(qos=qos, **options), properties=properties)
        else:
            self.paho.subscribe(topic, qos)
        reasons = self.acknowledged.get(timeout=PATIENCE)
        assert [reason.value for reason in reasons] == [qos], reasons
        return self

    def publish(self, topic, payload=b"", qos=0, retain=False, **properties):
        words = None
        if properties:
            words = Properties(PacketTypes.PUBLISH)
            for name, value in properties.items():
                setattr(words, name, value)
        info = self.paho.publish(topic, payload, qos, retain, properties=words)
        info.wait_for_publish(PATIENCE)
        assert info.is_published()

    def message(self):
        return self.messages.get(timeout=PATIENCE)

    def payloads(self, count):
        return [self.message().payload for _ in range(count)]

    def nothing_else(self):
        """A message to oneself is the last in line: nothing may stand before it."""
        topic = f"marker/{next(numbers)}"
        self.subscribe(topic, 1)
        self.publish(topic, b"marker", 1)
        message = self.message()
        assert message.topic == topic, (message.topic, message.payload)

    def leave(self):
        self.paho.disconnect()
        self.gone.get(timeout=PATIENCE)
        self.paho.loop_stop()

    def cut(self):
        """Closes the socket without a farewell."""
        self.paho.socket().shutdown(socket.SHUT_RDWR)
        self.gone.get(timeout=PATIENCE)
        self.paho.loop_stop()


def every_quality_of_service():
    for published, subscribed in itertools.product(range(3), range(3)):
        topic = f"qos/{published}/{subscribed}"
        subscriber = Client().subscribe(topic, subscribed)
        publisher = Client()
        for number in range(100):
            publisher.publish(topic, str(number), published)
        for number in range(100):
            message = subscriber.message()
            assert message.payload == str(number).encode()
            assert message.qos == min(published, subscribed), (published, subscribed, message.qos)
            assert not message.retain
        subscriber.nothing_else()
        publisher.leave()
        subscriber.leave()


def many_in_flight_arrive_in_order_once():
    for qos in range(3):
        topic = f"flight/{qos}"
        subscriber, publisher = Client().subscribe(topic, qos), Client()
        infos = [publisher.paho.publish(topic, str(number), qos) for number in range(3000)]
        assert subscriber.payloads(3000) == [str(number).encode() for number in range(3000)]
        for info in infos:
            info.wait_for_publish(PATIENCE)
        subscriber.nothing_else()
        publisher.leave()
        subscriber.leave()


def retained_messages():
    publisher = Client()
    publisher.publish("kept/a", b"old", 1, True)
    publisher.publish("kept/a", b"new", 1, True)
    publisher.publish("kept/b", b"other", 0, True)
    publisher.publish("kept/none", b"gone", 1, True)
    publisher.publish("kept/none", b"", 1, True)
    late = Client().subscribe("kept/#", 1)
    found = sorted((message.topic, message.payload, message.qos, message.retain) for message in (late.message(), late.message()))
    assert found == [("kept/a", b"new", 1, True), ("kept/b", b"other", 0, True)], found
    late.nothing_else()
    publisher.publish("kept/a", b"live", 1, True)
    message = late.message()
    assert (message.payload, message.retain) == (b"live", False)
    publisher.publish("kept/a", b"", 1, True)
    assert late.message().payload == b""
    publisher.publish("kept/b", b"", 1, True)
    Client().subscribe("kept/#").nothing_else()


def a_will_is_published_when_its_client_is_cut_off():
    watcher = Client().subscribe("will/#", 2)
    Client(will=("will/a", b"farewell", 2, True)).cut()
    message = watcher.message()
    assert (message.topic, message.payload, message.qos) == ("will/a", b"farewell", 2)
    late = Client().subscribe("will/a")
    assert late.message().retain
    late.publish("will/a", b"", 1, True)
    watcher.message()
    Client(will=("will/b", b"never", 1, False)).leave()
    watcher.nothing_else()


def a_will_is_published_when_its_client_falls_silent():
    watcher = Client().subscribe("silent", 1)
    silent = Client(will=("silent", b"farewell", 1, False), keepalive=1)
    silent.paho.loop_stop()
    assert watcher.message().payload == b"farewell"


def a_session_is_kept_with_what_came_meanwhile():
    name = f"archive-{VERSION}"
    forever = 0xFFFFFFFF
    first = Client(name, clean=False, expiry=forever)
    assert not first.flags.session_present
    first.subscribe("queue/1", 1).subscribe("queue/2", 2)
    first.cut()
    publisher = Client()
    for number in range(200):
        publisher.publish(f"queue/{number % 2 + 1}", str(number), number % 2 + 1)
    again = Client(name, clean=False, expiry=forever)
    assert again.flags.session_present or VERSION == 3
    # Order is promised within a topic and a quality of service.
    found = [again.message() for _ in range(200)]
    for qos in (1, 2):
        payloads = [int(message.payload) for message in found if message.qos == qos]
        assert payloads == list(range(qos - 1, 200, 2)), payloads
    again.nothing_else()
    again.leave()
    fresh = Client(name, clean=True, expiry=0)
    assert not fresh.flags.session_present
    publisher.publish("queue/1", b"lost on purpose", 1)
    fresh.nothing_else()


def a_second_client_of_the_same_name_takes_over():
    name = f"twin-{VERSION}"
    first = Client(name, clean=False, expiry=100).subscribe("twin/in", 1)
    second = Client(name, clean=False, expiry=100)
    reason = first.gone.get(timeout=PATIENCE)
    if VERSION == 5:
        assert reason.value == 0x8E, reason
    assert second.flags.session_present or VERSION == 3
    Client().publish("twin/in", b"for the second", 1)
    assert second.message().payload == b"for the second"
    assert first.messages.empty()


def the_will_of_a_client_that_was_taken_over_is_published():
    name = f"heir-{VERSION}"
    watcher = Client().subscribe("heir", 1)
    first = Client(name, will=("heir", b"taken over", 1, False))
    Client(name)
    first.gone.get(timeout=PATIENCE)
    assert watcher.message().payload == b"taken over"


def payloads_of_every_kind():
    client = Client().subscribe("payload", 2)
    for payload in (b"", bytes(range(256)), b"\n\n", "žluťoučký 中文 🦀".encode(), bytes(1 << 20), b"x" * (1 << 20)):
        for qos in range(3):
            client.publish("payload", payload, qos)
            message = client.message()
            assert (message.payload, message.qos) == (payload, qos), len(message.payload)


def topics_of_every_script():
    topics = ["温度/厨房", "🦀/🌡️", "дом/кухня", "a/", "/a", "/", "spaces in topic", "a" * 1000, "$half/x"]
    client = Client().subscribe("#", 1)
    exact = Client()
    for topic in topics:
        exact.subscribe(topic, 1)
    for topic in topics:
        exact.publish(topic, topic.encode(), 1)
        assert exact.message().topic == topic
    for topic in topics[:-1]:
        message = client.message()
        assert (message.topic, message.payload.decode()) == (topic, topic)
    client.nothing_else()
    middle = Client().subscribe("温度/+", 1).subscribe("+/🌡️", 1)
    middle.publish("温度/客厅", b"1", 1)
    middle.publish("🧊/🌡️", b"2", 1)
    assert middle.payloads(2) == [b"1", b"2"]


def unsubscribing_ends_the_messages():
    client = Client().subscribe("leave/#", 1)
    client.publish("leave/a", b"1", 1)
    assert client.message().payload == b"1"
    client.paho.unsubscribe("leave/#")
    client.acknowledged.get(timeout=PATIENCE)
    client.publish("leave/a", b"2", 1)
    client.nothing_else()


def properties_travel_with_the_message():
    client = Client().subscribe("properties", 1, identifier=7)
    client.publish(
        "properties", b"x", 1, ContentType="text/plain", ResponseTopic="answers/1", CorrelationData=bytes(range(256)),
        UserProperty=[("k", "1"), ("k", "2"), ("字", "🦀")], PayloadFormatIndicator=1, MessageExpiryInterval=100,
    )
    found = client.message().properties
    assert found.ContentType == "text/plain"
    assert found.ResponseTopic == "answers/1"
    assert found.CorrelationData == bytes(range(256))
    assert found.UserProperty == [("k", "1"), ("k", "2"), ("字", "🦀")]
    assert found.PayloadFormatIndicator == 1
    assert 98 <= found.MessageExpiryInterval <= 100
    assert found.SubscriptionIdentifier == [7]


def subscription_options():
    client = Client().subscribe("options/own", 1, noLocal=True).subscribe("options/flag", 1, retainAsPublished=True)
    other = Client()
    client.publish("options/own", b"mine", 1)
    other.publish("options/own", b"other's", 1)
    assert client.message().payload == b"other's"
    other.publish("options/flag", b"kept", 1, True)
    assert client.message().retain
    late = Client().subscribe("options/flag", 1, retainHandling=2)
    late.nothing_else()
    late = Client().subscribe("options/flag", 1, retainHandling=1)
    assert late.message().payload == b"kept"
    late.subscribe("options/flag", 1, retainHandling=1)
    late.nothing_else()
    other.publish("options/flag", b"", 1, True)


def a_topic_alias_stands_for_its_topic():
    client = Client().subscribe("alias/#", 1)
    client.publish("alias/long/name", b"1", 1, TopicAlias=1)
    client.publish("", b"2", 1, TopicAlias=1)
    for payload in (b"1", b"2"):
        message = client.message()
        assert (message.topic, message.payload) == ("alias/long/name", payload)


def a_session_without_expiry_ends_with_its_connection():
    Client("brief", clean=True).subscribe("brief", 1).leave()
    assert not Client("brief", clean=False).flags.session_present


def an_expired_message_is_not_delivered():
    name = "late-reader"
    Client(name, clean=True, expiry=1000).subscribe("expiry", 1).cut()
    publisher = Client()
    publisher.publish("expiry", b"short", 1, MessageExpiryInterval=1)
    publisher.publish("expiry", b"long", 1, MessageExpiryInterval=1000)
    # The fact waited for is the clock's.
    threading.Event().wait(2.1)
    assert Client(name, clean=False, expiry=1000).message().payload == b"long"


def a_shared_subscription_gives_each_message_to_one():
    members = [Client().subscribe("$share/group/shared/#", 1) for _ in range(3)]
    everyone = Client().subscribe("shared/#", 1)
    publisher = Client()
    for number in range(300):
        publisher.publish("shared/x", str(number), 1)
    assert len(everyone.payloads(300)) == 300
    found = []
    for member in members:
        topic = f"marker/{next(numbers)}"
        member.subscribe(topic, 1)
        member.publish(topic, b"marker", 1)
        while (message := member.message()).topic != topic:
            found.append(int(message.payload))
    assert sorted(found) == list(range(300)), len(found)


def a_server_assigns_an_id_to_the_nameless():
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "", protocol=VERSION)
    answers = queue.Queue()
    client.on_connect = lambda _c, _u, _flags, reason, properties: answers.put((reason, properties))
    client.connect("127.0.0.1", PORT)
    client.loop_start()
    reason, properties = answers.get(timeout=PATIENCE)
    assert not reason.is_failure
    if VERSION == 5:
        assert properties.AssignedClientIdentifier
    client.disconnect()
    client.loop_stop()


COMMON = [
    every_quality_of_service,
    many_in_flight_arrive_in_order_once,
    retained_messages,
    a_will_is_published_when_its_client_is_cut_off,
    a_will_is_published_when_its_client_falls_silent,
    a_session_is_kept_with_what_came_meanwhile,
    a_second_client_of_the_same_name_takes_over,
    the_will_of_a_client_that_was_taken_over_is_published,
    payloads_of_every_kind,
    topics_of_every_script,
    unsubscribing_ends_the_messages,
]
SINCE_311 = [a_server_assigns_an_id_to_the_nameless]
ONLY_5 = [
    properties_travel_with_the_message,
    subscription_options,
    a_topic_alias_stands_for_its_topic,
    a_session_without_expiry_ends_with_its_connection,
    an_expired_message_is_not_delivered,
    a_shared_subscription_gives_each_message_to_one,
]

for scenario in COMMON + (SINCE_311 if VERSION > 3 else []) + (ONLY_5 if VERSION == 5 else []):
    if len(sys.argv) > 3 and sys.argv[3] != scenario.__name__:
        continue
    scenario()
    print(scenario.__name__, flush=True)
