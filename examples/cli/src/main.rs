//! `grantree`: a command for people who write policies.
//!
//! It reads documents as JSON, YAML or TOML, by the ending of their names, and exits with 0
//! if all is well, with 1 if it found something (a problem, a step that fails, a mutant that
//! survives, a no), and with 2 if it could not read what it was given.

#[macro_use]
mod output;
mod arguments;
mod commands;
mod help;

use std::process::ExitCode;

use arguments::Arguments;
use output::Output;

/// The outcome of a command.
enum Outcome {
    Fine,
    Found,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    match run(&command, &arguments) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: &str, arguments: &[String]) -> Result<Outcome> {
    if arguments.iter().any(|it| it == "--help" || it == "-h") {
        println!("{}", help::of(command).ok_or("unknown command; `grantree help` lists them")?);
        return Ok(Outcome::Fine);
    }
    let read = |options: &[&str], flags: &[&str]| Arguments::read(arguments, options, flags);
    let output = Output::new();
    match command {
        "" | "help" | "--help" | "-h" => {
            let of = arguments.first().map_or(Some(help::ALL.to_owned()), |it| help::of(it));
            println!("{}", of.ok_or("unknown command; `grantree help` lists them")?);
            Ok(Outcome::Fine)
        }
        "check" => commands::check(&read(&[], &[])?, &output),
        "test" => commands::test(&read(&["--policy"], &[])?, &output),
        "mutants" => commands::mutants(&read(&["--policy", "--limit"], &["--json"])?, &output),
        "coverage" => commands::coverage(&read(&["--policy"], &["--json"])?, &output),
        "lint" => commands::lint(&read(&[], &["--json"])?, &output),
        "can" => commands::can(&read(&["--object", "--today"], &[])?, &output),
        "why" => commands::why(&read(&["--object", "--today"], &["--json"])?, &output),
        "who" => commands::who(&read(&["--object", "--today"], &[])?),
        "decide" => commands::decide(&read(&["--object", "--today"], &[])?),
        "review" => commands::review(&read(&["--today"], &["--csv", "--json"])?),
        "matrix" => commands::matrix(&read(&[], &["--csv", "--json"])?),
        "tree" => commands::tree(&read(&[], &["--json"])?),
        "diff" => commands::diff(&read(&[], &["--json"])?),
        "reach" => commands::reach(&read(&["--by"], &["--json"])?, &output),
        "roles" => {
            commands::roles(&read(&["--near", "--used"], &["--json", "--document"])?, &output)
        }
        "schema" => commands::schema(&read(&[], &[])?),
        "completions" => commands::completions(&read(&[], &[])?),
        _ => Err(format!("unknown command `{command}`; `grantree help` lists them").into()),
    }
}
