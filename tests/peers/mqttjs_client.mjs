// What a user of MQTT.js expects of a broker: node mqttjs_client.mjs MODULES PORT VERSION, where VERSION is 3, 4 or 5.
// Prints one line for each scenario that holds and ends with a stack at the first that does not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";

const [modules, port, version, only] = [process.argv[2], +process.argv[3], +process.argv[4], process.argv[5]];
const mqtt = createRequire(modules + "/")("mqtt");
const patience = setTimeout(() => { throw new Error("nothing happened for 50 s"); }, 50_000);
let number = 0;

/** A connected client; messages are waited for in the order they came. */
async function client(options = {}) {
  const it = mqtt.connect({
    host: "127.0.0.1", port, protocolVersion: version, reconnectPeriod: 0, clientId: `js-${number++}`,
    ...(version === 3 ? { protocolId: "MQIsdp" } : {}), ...options,
  });
  it.arrived = [];
  it.waiting = [];
  it.on("message", (topic, payload, packet) => {
    const message = { topic, payload, qos: packet.qos, retain: packet.retain, properties: packet.properties };
    it.waiting.length ? it.waiting.shift()(message) : it.arrived.push(message);
  });
  it.on("error", () => {});
  [it.connack] = await once(it, "connect");
  it.next = () => it.arrived.length ? it.arrived.shift() : new Promise((resolve) => it.waiting.push(resolve));
  return it;
}

async function subscribed(filter, options, session) {
  const it = await client(session);
  await it.subscribeAsync(filter, options);
  return it;
}

/** Nothing may stand before a message to oneself. */
async function nothingElse(it) {
  const topic = `marker/${number++}`;
  await it.subscribeAsync(topic, { qos: 1 });
  await it.publishAsync(topic, "marker", { qos: 1 });
  assert.equal((await it.next()).topic, topic);
}

async function cut(it) {
  it.stream.destroy();
  await once(it, "close");
}

const scenarios = {
  async "every quality of service"() {
    for (const published of [0, 1, 2]) {
      for (const granted of [0, 1, 2]) {
        const topic = `js/qos/${published}/${granted}`;
        const [subscriber, publisher] = [await subscribed(topic, { qos: granted }), await client()];
        await Promise.all(Array.from({ length: 200 }, (_, i) => publisher.publishAsync(topic, `${i}`, { qos: published })));
        for (let i = 0; i < 200; i++) {
          const message = await subscriber.next();
          assert.equal(message.payload.toString(), `${i}`);
          assert.equal(message.qos, Math.min(published, granted));
        }
        await nothingElse(subscriber);
        await Promise.all([subscriber.endAsync(), publisher.endAsync()]);
      }
    }
  },

  async "retained messages"() {
    const publisher = await client();
    await publisher.publishAsync("js/kept", "old", { qos: 1, retain: true });
    await publisher.publishAsync("js/kept", "new", { qos: 1, retain: true });
    const late = await subscribed("js/#", { qos: 1 });
    const message = await late.next();
    assert.deepEqual([message.payload.toString(), message.retain, message.qos], ["new", true, 1]);
    await publisher.publishAsync("js/kept", "", { qos: 1, retain: true });
    assert.equal((await late.next()).payload.length, 0);
    await nothingElse(await subscribed("js/#", { qos: 1 }));
  },

  async "a will is published when its client is cut off"() {
    const watcher = await subscribed("js/will", { qos: 2 });
    const doomed = await client({ will: { topic: "js/will", payload: Buffer.from([0, 255]), qos: 2, retain: false } });
    await cut(doomed);
    const message = await watcher.next();
    assert.deepEqual([...message.payload], [0, 255]);
    assert.equal(message.qos, 2);
    const polite = await client({ will: { topic: "js/will", payload: "never", qos: 1, retain: false } });
    await polite.endAsync();
    await nothingElse(watcher);
  },

  async "a session is kept with what came meanwhile"() {
    const session = { clientId: `js-archive-${version}`, clean: false };
    if (version === 5) session.properties = { sessionExpiryInterval: 1000 };
    const first = await subscribed("js/queue", { qos: 1 }, session);
    await cut(first);
    const publisher = await client();
    await Promise.all(Array.from({ length: 500 }, (_, i) => publisher.publishAsync("js/queue", `${i}`, { qos: 1 })));
    const again = await client(session);
    if (version > 3) assert.ok(again.connack.sessionPresent);
    for (let i = 0; i < 500; i++) assert.equal((await again.next()).payload.toString(), `${i}`);
    await nothingElse(again);
    await again.endAsync();
  },

  async "payloads and topics of every kind"() {
    const it = await subscribed("#", { qos: 2 });
    const big = Buffer.alloc(1 << 20, "x");
    for (const topic of ["温度/厨房", "🦀/🌡️", "дом/кухня", "a b/", "/"]) {
      for (const payload of [Buffer.alloc(0), Buffer.from([...Array(256).keys()]), Buffer.from("中文 🦀"), big]) {
        for (const qos of [0, 1, 2]) {
          await it.publishAsync(topic, payload, { qos });
          const message = await it.next();
          assert.equal(message.topic, topic);
          assert.ok(message.payload.equals(payload));
        }
      }
    }
    await it.endAsync();
  },

  async "a client that was taken over is told"() {
    const first = await client({ clientId: "js-twin" });
    const farewell = version === 5 ? once(first, "disconnect") : undefined;
    const gone = once(first, "close");
    const second = await client({ clientId: "js-twin" });
    if (farewell) assert.equal((await farewell)[0].reasonCode, 0x8e);
    await gone;
    await second.endAsync();
  },
};

const scenarios5 = {
  async "properties travel with the message"() {
    const it = await subscribed("js/properties", { qos: 1, properties: { subscriptionIdentifier: 268435455 } });
    const properties = {
      contentType: "text/plain", responseTopic: "js/answer", correlationData: Buffer.from([0, 1, 255]),
      userProperties: { a: ["1", "2"], 字: "🦀" }, payloadFormatIndicator: true,
    };
    await it.publishAsync("js/properties", "x", { qos: 1, properties });
    const found = (await it.next()).properties;
    assert.equal(found.contentType, "text/plain");
    assert.equal(found.responseTopic, "js/answer");
    assert.deepEqual([...found.correlationData], [0, 1, 255]);
    assert.deepEqual({ ...found.userProperties }, { a: ["1", "2"], 字: "🦀" });
    assert.equal(found.payloadFormatIndicator, true);
    assert.equal(found.subscriptionIdentifier, 268435455);
  },

  async "a small receive maximum holds messages back and loses none"() {
    const it = await subscribed("js/window", { qos: 1 }, { properties: { receiveMaximum: 3 } });
    const publisher = await client();
    await Promise.all(Array.from({ length: 300 }, (_, i) => publisher.publishAsync("js/window", `${i}`, { qos: 1 })));
    for (let i = 0; i < 300; i++) assert.equal((await it.next()).payload.toString(), `${i}`);
  },

  async "a bad topic filter fails its own subscription"() {
    const it = await client();
    await assert.rejects(new Promise((_, reject) => {
      const packet = { cmd: "subscribe", messageId: 7, subscriptions: [{ topic: "js/#/bad", qos: 1 }] };
      it.on("packetreceive", (packet) => packet.cmd === "suback" && reject(new Error(`${packet.granted}`)));
      it._sendPacket(packet);
    }), /143/);
    await nothingElse(it);
  },
};

for (const [name, scenario] of Object.entries(version === 5 ? { ...scenarios, ...scenarios5 } : scenarios)) {
  if (only && only !== name) continue;
  await scenario();
  console.log(name);
}
clearTimeout(patience);
process.exit(0);
