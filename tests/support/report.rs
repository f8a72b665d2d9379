//! For benches that do their own timing: which parts to run, and tables of figures.

#![allow(dead_code, reason = "each bench takes what it needs")]

/// Whether a part of a bench is to run: all of them, or those that an argument
/// names in part. Only `cargo bench` runs any; tests merely build them.
pub fn is_wanted(part: &str) -> bool {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let mut parts = args.iter().filter(|arg| !arg.starts_with('-')).peekable();
    let named = parts.peek().is_none() || parts.any(|name| part.contains(&**name));
    has("--bench") && !has("--test") && !has("--list") && named
}

/// Prints rows beneath their heads, aligned to the right.
pub fn print_table(title: &str, heads: &[&str], rows: &[Vec<String>]) {
    let heads: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
    let lines: Vec<&Vec<String>> = [&heads].into_iter().chain(rows).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..heads.len()).filter_map(width).collect();
    println!("\n{title}");
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
        println!("  {}", cells.collect::<Vec<_>>().join("  "));
    }
}

/// A number with its thousands separated.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let apart = |(at, digit): (usize, char)| {
        let comma = at > 0 && (digits.len() - at).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(apart).collect()
}

/// Millions of bytes.
pub fn megabytes(bytes: usize) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}
