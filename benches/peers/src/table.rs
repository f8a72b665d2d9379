//! Figures as tables, for the terminal and as Markdown.

use std::fmt::Write;
use std::iter;
use std::time::Duration;

use crate::measure::Measured;
use crate::peers::{Entry, REFERENCE};

/// What was measured of a peer, size by size.
#[derive(Debug)]
pub struct Row {
    /// The peer.
    pub entry: &'static Entry,
    /// The figures of as many sizes as it takes.
    pub measured: Vec<Measured>,
}

/// The tables, aligned by spaces.
pub fn text(rows: &[Row], sizes: &[usize]) -> String {
    let mut text = String::new();
    for work in works(rows) {
        let table = table(&of(rows, work), sizes);
        let widths: Vec<usize> = (0..table[0].len())
            .map(|column| table.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
            .collect();
        let _ = writeln!(text, "\n{work}: ns per decision by users");
        for line in table {
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let _ = match column {
                    0 => write!(text, "{cell:width$}"),
                    _ => write!(text, "  {cell:>width$}"),
                };
            }
            text.push('\n');
        }
    }
    text
}

/// The tables, and how each peer was modelled.
pub fn markdown(rows: &[Row], sizes: &[usize]) -> String {
    let mut text = String::from(HEAD);
    for work in works(rows) {
        let rows = of(rows, work);
        let _ = writeln!(
            text,
            "\n## {}{}, ns per decision by users\n",
            work[..1].to_uppercase(),
            &work[1..]
        );
        for (number, line) in table(&rows, sizes).iter().enumerate() {
            let _ = writeln!(text, "| {} |", line.join(" | "));
            if number == 0 {
                let _ = writeln!(text, "| --- |{}", " ---: |".repeat(line.len() - 1));
            }
        }
        text.push('\n');
        for row in rows {
            let Entry { name, model, .. } = row.entry;
            let version = version(name).map(|version| format!(" ({version})"));
            let _ = writeln!(text, "- {name}{}: {model}.", version.unwrap_or_default());
        }
    }
    text
}

const HEAD: &str = "\
# grantree and its peers

Written by `cargo run --release --manifest-path benches/peers/Cargo.toml`. Absolute
figures are one machine's and drift; the ratios are what counts.

Each figure is of a process of its own, of one thread, after 8,192 answers were
compared with those of a naive reference: the median of short batches of questions
about random users, whose answers are counted and compared too. What a host has
before a request comes (handles, parsed names, interned texts) is made before; what
belongs to a request, in the time. Memory is what is allocated once the peer is
built, to half a megabyte, as jemalloc counts it, which is everybody's allocator here.
";

/// A head, and a line for each row: what each size takes; and of the largest
/// size that all have, how that is to the reference, what it takes to build,
/// and the memory.
fn table(rows: &[&Row], sizes: &[usize]) -> Vec<Vec<String>> {
    let common = rows.iter().map(|row| row.measured.len()).min().unwrap_or(0).max(1) - 1;
    let at = thousands(sizes[common] as f64);
    let mut head = vec![String::new()];
    head.extend(sizes.iter().map(|&users| thousands(users as f64)));
    head.extend(["to grantree", "build", "memory"].map(|what| format!("{what} at {at}")));

    let nanoseconds = |row: &Row| row.measured[common].nanoseconds;
    let reference = rows.iter().find(|row| row.entry.name == REFERENCE).map(|row| nanoseconds(row));
    let line = |row: &&Row| {
        let Measured { nanoseconds, build, memory } = row.measured[common];
        let ratio = reference.map(|reference| format!("× {}", figure(nanoseconds / reference)));
        let taken = row.measured.iter().map(|it| figure(it.nanoseconds));
        let cells = iter::once(row.entry.name.to_owned())
            .chain(taken.chain(iter::repeat(String::new())).take(sizes.len()))
            .chain([ratio.unwrap_or_default(), duration(build), megabytes(memory)]);
        cells.collect()
    };
    iter::once(head).chain(rows.iter().map(line)).collect()
}

/// The version that was compiled of the package that a peer is named after.
fn version(peer: &str) -> Option<&'static str> {
    let package = peer.split(',').next()?;
    let (_, rest) = LOCK.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split('"').next()
}

const LOCK: &str = include_str!("../Cargo.lock");

fn works(rows: &[Row]) -> Vec<&'static str> {
    let mut works: Vec<_> = rows.iter().map(|row| row.entry.work).collect();
    works.dedup();
    works
}

fn of<'a>(rows: &'a [Row], work: &str) -> Vec<&'a Row> {
    rows.iter().filter(|row| row.entry.work == work).collect()
}

/// With decimals where they tell something.
fn figure(figure: f64) -> String {
    match figure {
        ..0.95 => format!("{figure:.2}"),
        ..9.95 => format!("{figure:.1}"),
        _ => thousands(figure),
    }
}

fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn duration(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{} ms", figure(seconds * 1e3)),
        seconds => format!("{} s", figure(seconds)),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", figure(bytes as f64 / 1e6))
}
