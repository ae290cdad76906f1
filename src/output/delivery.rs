//! What becomes of a message that is published, as a line of JSON: `mqtt pub --report-acks`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::message::rfc_3339;
use crate::mqtt::{QoS, ReasonCode};

/// A step of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It was taken from its source, and stands on disk if it is to survive there.
    Accepted,
    /// It was written to the network: under this packet identifier, 0 at QoS 0, whose delivery is complete with it.
    Sent {
        /// 0 at QoS 0.
        packet_id: u16,
        /// It had been sent before.
        again: bool,
    },
    /// The broker has answered.
    Acknowledged(ReasonCode),
    /// It was not sent, for this reason.
    Refused(String),
}

/// The message it is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct About<'a> {
    /// Counted from 1.
    pub number: u64,
    /// Its topic.
    pub topic: &'a str,
    /// Its quality of service.
    pub qos: QoS,
    /// Bytes of its payload.
    pub bytes: usize,
}

#[derive(Serialize, Default)]
struct Line<'a> {
    event: &'static str,
    time: String,
    number: u64,
    topic: &'a str,
    qos: u8,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    packet_id: Option<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dup: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_code: Option<u8>,
}

/// Appends the line. A broker's refusal is `refused` like our own, and told from it by its reason code.
pub fn write(step: &Step, about: About<'_>, now: Timestamp, out: &mut Vec<u8>) {
    let About {
        number,
        topic,
        qos,
        bytes,
    } = about;
    let mut line = Line {
        time: rfc_3339(now, &TimeZone::UTC),
        number,
        topic,
        qos: qos.number(),
        bytes,
        ..Line::default()
    };
    match step {
        Step::Accepted => line.event = "accepted",
        Step::Sent { packet_id, again } => {
            line.event = "sent";
            line.packet_id = (*packet_id != 0).then_some(*packet_id);
            line.dup = *again;
        }
        Step::Acknowledged(code) => {
            line.event = match code.is_failure() {
                true => "refused",
                false => "acknowledged",
            };
            line.reason = Some(code.name());
            line.reason_code = Some(code.0);
        }
        Step::Refused(words) => {
            line.event = "refused";
            line.reason = Some(words);
        }
    }
    // Strings and numbers always have a form in JSON, and a Vec takes everything.
    let _ = serde_json::to_writer(&mut *out, &line);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_a_line_with_what_applies() {
        let now = Timestamp::new(1_795_406_285, 0).unwrap();
        let about = About {
            number: 3,
            topic: "a/\"b\"",
            qos: QoS::AtLeastOnce,
            bytes: 5,
        };
        let head = |event| {
            format!(
                "{{\"event\":\"{event}\",\"time\":\"2026-11-23T03:58:05.000000+00:00\",\"number\":3,\"topic\":\"a/\\\"b\\\"\",\
                 \"qos\":1,\"bytes\":5"
            )
        };
        let sent = |packet_id, again| Step::Sent { packet_id, again };
        for (step, event, rest) in [
            (Step::Accepted, "accepted", ""),
            (sent(0, false), "sent", ""),
            (sent(7, true), "sent", ",\"packet_id\":7,\"dup\":true"),
            (
                Step::Acknowledged(ReasonCode::SUCCESS),
                "acknowledged",
                ",\"reason\":\"success\",\"reason_code\":0",
            ),
            (
                Step::Acknowledged(ReasonCode::NOT_AUTHORIZED),
                "refused",
                ",\"reason\":\"not authorized\",\"reason_code\":135",
            ),
            (
                Step::Refused("too large".to_owned()),
                "refused",
                ",\"reason\":\"too large\"",
            ),
        ] {
            let mut out = Vec::new();
            write(&step, about, now, &mut out);
            let expected = format!("{}{rest}}}\n", head(event));
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
