//! Output for people: colours on a terminal, and plain text in a pipe.

use std::io::{IsTerminal, Write, stderr, stdout};

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
