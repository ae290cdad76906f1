//! Topic names and topic filters: validity and matching (4.7 of both specifications). Pure text, no storage.

/// Whether `topic` may be published to (4.7.1, 4.7.3): 1 to 65,535 bytes, no `+`, `#` or NUL.
pub fn is_valid_topic_name(topic: &str) -> bool {
    !topic.is_empty()
        && topic.len() <= 65_535
        && !topic.bytes().any(|byte| matches!(byte, b'+' | b'#' | 0))
}
