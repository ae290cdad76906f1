//! The lines of a configuration file: an option, and what follows the first space, spaces included, as its value.

use std::ffi::OsString;

/// The longest line, in bytes; a longer one is read as several.
const LONGEST: usize = 1023;

/// The words of each line that has any. A `#` in the first column makes a comment.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = Vec<OsString>> {
    text.split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| line.chunks(LONGEST))
        .filter(|line| !line.starts_with(b"#"))
        .map(words)
        .filter(|words| !words.is_empty())
}

fn words(line: &[u8]) -> Vec<OsString> {
    // A string of C ends at its first NUL.
    let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
    let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'));
    let line = end.map_or(&line[..0], |end| &line[..=end]);
    let start = line.iter().position(|byte| *byte != b' ');
    let line = start.map_or(&line[..0], |start| &line[start..]);
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let option = words.next().unwrap_or_default();
    let value = words.next().unwrap_or_default();
    [option, value]
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(word)
        .collect()
}

#[cfg(unix)]
fn word(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn word(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<Vec<OsString>> {
        lines(text.as_bytes()).collect()
    }

    #[test]
    fn the_first_space_ends_the_option_and_nothing_ends_the_value() {
        assert_eq!(
            read("-h  host \n# -p 1\n\n --pw my pass \"word\r\n-d\n-t "),
            [
                vec!["-h", " host "],
                vec!["--pw", "my pass \"word"],
                vec!["-d"],
                vec!["-t"],
            ]
        );
    }

    #[test]
    fn a_line_is_read_in_pieces_of_1023_bytes() {
        let value = "x".repeat(1023);
        let all = read(&format!("-m {value}\n"));
        assert_eq!(all, [vec!["-m", &value[3..]], vec!["xxx"]]);
    }

    proptest! {
        #[test]
        fn a_line_is_one_or_two_words_and_never_a_panic(text: Vec<u8>) {
            for words in lines(&text) {
                prop_assert!(matches!(words.len(), 1 | 2));
            }
        }
    }
}
