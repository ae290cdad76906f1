//! Where a password comes from when it is not typed: a file, another command, or the terminal.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow};
use bytes::Bytes;

use crate::cli::connection::ConnectionArgs;
use crate::exit::Exit;

const TOO_LONG: &str = "a password is at most 65535 bytes long";
/// The same number, of bytes.
const LONGEST: u64 = 65_535;
/// The most that a command may print, in bytes; `pass` and the like print some lines more than the password.
const MOST_PRINTED: u64 = 1 << 20;

/// The password the options give, one way or another.
///
/// # Errors
/// When the file cannot be read, the command does not give one, or there is no terminal to ask on.
pub(super) fn given(args: &ConnectionArgs) -> anyhow::Result<Option<Bytes>> {
    if let Some(password) = &args.password {
        let password = Bytes::from(password.clone().into_encoded_bytes());
        return match password.len() {
            65_536.. => Err(Exit::Usage.because(TOO_LONG)),
            _ => Ok(Some(password)),
        };
    }
    if let Some(path) = &args.password_file {
        return first_line(path, "--password-file").map(Some);
    }
    if let Some(command) = &args.password_command {
        return printed(command).map(Some);
    }
    args.ask_password.then(|| asked(args)).transpose()
}

/// The bytes before the first line break; a password file written by an editor ends in one.
pub(super) fn first_line(path: &Path, option: &str) -> anyhow::Result<Bytes> {
    let file = std::fs::File::open(path).and_then(line);
    let line = file.with_context(|| format!("cannot read {option} {path:?}"))?;
    checked(line, &format!("{option} {path:?}: the first line"))
}

/// The first line of a source, which may go on for ever: of a longer one than a password can be just enough to see that.
fn line(source: impl Read) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(source.take(LONGEST + 3)).read_until(b'\n', &mut line)?;
    while let Some(b'\n' | b'\r') = line.last() {
        line.pop();
    }
    Ok(line)
}

fn checked(password: Vec<u8>, what: &str) -> anyhow::Result<Bytes> {
    match password.len() {
        0 => Err(Exit::Usage.because(format!("{what} is empty"))),
        65_536.. => Err(Exit::Usage.because(TOO_LONG)),
        _ => Ok(password.into()),
    }
}

/// The first line another program prints. It reads nothing of ours: stdin may be what is to be published. What it has to say
/// goes to our stderr.
fn printed(command: &str) -> anyhow::Result<Bytes> {
    let option = format!("--password-command {command:?}");
    let words = shell_words::split(command)
        .map_err(|_| Exit::Usage.because(format!("{option}: a quote is not closed")))?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(Exit::Usage.because(format!("{option} names no program")));
    };
    let mut running = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{option}: cannot run {program}"))?;
    let mut printed = Vec::new();
    if let Some(stdout) = running.stdout.take() {
        stdout.take(MOST_PRINTED).read_to_end(&mut printed)?;
    }
    if printed.len() as u64 == MOST_PRINTED {
        running.kill()?;
        running.wait()?;
        return Err(Exit::Usage.because(format!(
            "{option} prints more than a megabyte; it shall print a password"
        )));
    }
    let status = running.wait()?;
    if !status.success() {
        return Err(anyhow!("{option} failed: {status}"));
    }
    checked(
        line(&printed[..])?,
        &format!("{option}: the first line it printed"),
    )
}

/// Asks on the terminal itself, so that stdin and stdout may be a pipe's. Without one, as in a script nobody watches, there
/// is nobody to wait for.
fn asked(args: &ConnectionArgs) -> anyhow::Result<Bytes> {
    let prompt = match &args.username {
        Some(name) => format!("password of {name}: "),
        None => "password: ".to_owned(),
    };
    let password = rpassword::prompt_password(prompt).map_err(|error| {
        Exit::Usage.because(match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "--ask-password: no password was typed".to_owned(),
            _ => format!(
                "--ask-password: no terminal to ask on ({error}); give it with --password-file or --password-command"
            ),
        })
    })?;
    checked(password.into_bytes(), "--ask-password: the password")
}

/// Asks for the password of a key, if there is somebody to ask: who sees our stderr on a terminal, and answers.
pub(super) fn of_key(path: &Path) -> Option<Bytes> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let prompt = format!("password of {}: ", path.display());
    rpassword::prompt_password(prompt).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gives_the_first_line_it_prints_and_no_shell_is_asked() {
        for (command, password) in [
            ("echo secret", "secret"),
            (r#"printf 'two words\r\nmore\n'"#, "two words"),
            (r#"echo '$HOME' "a  b" c\ d"#, "$HOME a  b c d"),
            ("printf %s no-line-break", "no-line-break"),
        ] {
            assert_eq!(printed(command).unwrap(), password, "{command}");
        }
    }

    #[test]
    fn a_command_that_gives_no_password_is_told_with_the_reason() {
        for (command, words) in [
            ("", "--password-command \"\" names no program"),
            (
                "echo 'a",
                "--password-command \"echo 'a\": a quote is not closed",
            ),
            (
                "true",
                "--password-command \"true\": the first line it printed is empty",
            ),
            (
                "false",
                "--password-command \"false\" failed: exit status: 1",
            ),
            (
                "yes",
                "--password-command \"yes\" prints more than a megabyte; it shall print a password",
            ),
            (
                "no-such-program-here",
                "--password-command \"no-such-program-here\": cannot run no-such-program-here: No such file or directory (os error 2)",
            ),
        ] {
            let error = printed(command).unwrap_err();
            assert_eq!(format!("{error:#}"), words);
        }
    }
}
