//! Output for people: colours on a terminal, and plain text in a pipe.

use std::fmt;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};

/// Prints as the standard library's does, but ends the command where nobody reads on.
macro_rules! print {
    ($($text:tt)*) => { $crate::output::write(format_args!($($text)*)) };
}

/// The same with the end of a line.
macro_rules! println {
    ($($text:tt)*) => { $crate::output::write(format_args!("{}\n", format_args!($($text)*))) };
}

/// Writes text for people or programs. Where it can't be written, the command ends as one that
/// could not read: a pipe like `| head` closes early, and must not pass for "all is well".
pub(crate) fn write(text: fmt::Arguments<'_>) {
    if let Err(error) = stdout().write_fmt(text) {
        if error.kind() != ErrorKind::BrokenPipe {
            eprintln!("{error}");
        }
        std::process::exit(2);
    }
}

pub(crate) struct Output {
    coloured: bool,
    progress: bool,
}

impl Output {
    pub(crate) fn new() -> Output {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
        Output { coloured: stdout().is_terminal() && !plain, progress: stderr().is_terminal() }
    }

    pub(crate) fn good(&self, text: &str) -> String {
        self.painted("32", text)
    }

    pub(crate) fn bad(&self, text: &str) -> String {
        self.painted("31", text)
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Shows how much is done of a long work, on a terminal.
    pub(crate) fn progress(&self, done: usize, all: usize) {
        if self.progress {
            eprint!("\r{done} of {all} ");
            let _ = stderr().flush();
        }
    }

    /// Takes the progress away.
    pub(crate) fn done(&self) {
        if self.progress {
            eprint!("\r\x1b[K");
        }
    }
}
