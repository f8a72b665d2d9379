//! Bytes as hexadecimal digits.

use std::fmt::{self, Write};

/// Displays bytes, two digits each.
pub(super) fn display(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = String::new();
    bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}"))?;
    f.pad(&text)
}

/// Reads exactly that many bytes, in lower case.
pub(super) fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut digits = text.chars();
    let mut digit = || {
        let digit = digits.next().filter(|it| !it.is_ascii_uppercase())?.to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let mut bytes = [0; N];
    for byte in &mut bytes {
        *byte = digit()? << 4 | digit()?;
    }
    digit().is_none().then_some(bytes).filter(|_| text.len() == N * 2)
}
