//! The order of the library's modules.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

#[test]
fn modules_name_only_modules_above() {
    let files = files();
    let root = tokens(&files[0].source);
    let (modules, exports) = (children(&root), exports(&root));
    assert!(modules.len() > 20 && files.len() > 60, "{modules:?}, {} files", files.len());
    let position = |module: &str| modules.iter().position(|&it| it == module);
    let mut upward = Vec::new();
    for File { path, source } in &files[1..] {
        let module = &*path[0];
        for Named { names, line } in named(&tokens(source), path) {
            // A path may lead to the root alone, as that of `pub(crate)` does.
            let Some(&name) = names.first() else { continue };
            let home = exports.get(name).copied().unwrap_or(name);
            let place = format!("src/{}.rs:{line}", path.join("/"));
            assert!(position(home).is_some(), "{place}: the root declares no `{name}`");
            if position(home) > position(module) {
                upward.push(format!("{place}: `{module}` stands above `{home}`"));
            }
        }
    }
    assert!(upward.is_empty(), "\n{}", upward.join("\n"));
}

/// The file of a module.
struct File {
    /// The names from the root to the module.
    path: Vec<String>,
    source: String,
}

/// The files of all modules, that of the root first.
fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let mut files = Vec::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let file = match &*path {
            [] => root.join("lib.rs"),
            path => root.join(path.join("/")).with_extension("rs"),
        };
        let source =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for child in children(&tokens(&source)) {
            open.push(path.iter().map(String::as_str).chain([child]).map(str::to_owned).collect());
        }
        files.push(File { path, source });
    }
    files
}

/// A name, `::`, or a character that is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token<'s> {
    text: &'s str,
    line: usize,
}

/// The tokens of a source, without comments, texts and characters.
fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or_else(|| {
            let name = |c: char| c.is_alphanumeric() || c == '_';
            let length = if name(first) {
                rest.find(|c| !name(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            tokens.push(Token { text: &rest[..length], line });
            length
        });
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The length of white space, a comment, a text or a character at the beginning.
fn skipped(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    if first.is_whitespace() {
        return Some(first.len_utf8());
    }
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        let (mut at, mut depth) = (2, 1);
        while depth > 0 {
            let close = rest[at..].find("*/").expect("the end of a comment");
            match rest[at..].find("/*").filter(|&open| open < close) {
                Some(open) => (at, depth) = (at + open + 2, depth + 1),
                None => (at, depth) = (at + close + 2, depth - 1),
            }
        }
        return Some(at);
    }
    let unprefixed = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - unprefixed.len();
    if let Some(raw) = unprefixed.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let text = &raw[hashes + 1..];
            let length = text.find(&end).expect("the end of a text");
            return Some(prefix + 1 + hashes + 1 + length + end.len());
        }
    }
    let quote = unprefixed.chars().next().filter(|&c| c == '"' || c == '\'')?;
    if prefix > 1 {
        return None;
    }
    let text = &unprefixed[1..];
    if quote == '\'' {
        // `'a` is a lifetime, `'a'` a character.
        let mut characters = text.chars();
        let (first, second) = (characters.next()?, characters.next()?);
        if first != '\\' && second != '\'' {
            return Some(prefix + 1);
        }
    }
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    Some(prefix + 1 + end.expect("the end of a text") + 1)
}

/// The modules that have files of their own, in the order of their declarations.
fn children<'s>(tokens: &[Token<'s>]) -> Vec<&'s str> {
    let declarations = tokens.windows(3).filter(|it| it[0].text == "mod" && it[2].text == ";");
    declarations.map(|it| it[1].text).collect()
}

/// The names that a module takes from others to be named as its own.
fn exports<'s>(tokens: &[Token<'s>]) -> HashMap<&'s str, &'s str> {
    let mut exports = HashMap::new();
    for statement in tokens.split(|it| it.text == ";") {
        let Some(at) = statement.iter().rposition(|it| it.text == "use") else { continue };
        if at == 0 || !matches!(statement[at - 1].text, "pub" | ")") {
            continue;
        }
        let [module, names @ ..] = &statement[at + 1..] else { continue };
        exports.extend(names.iter().filter(|it| is_name(it.text)).map(|it| (it.text, module.text)));
    }
    exports
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// A path from the root.
struct Named<'s> {
    names: Vec<&'s str>,
    line: usize,
}

/// The paths that begin with `crate` or `super`, as paths from the root.
fn named<'s>(tokens: &[Token<'s>], path: &'s [String]) -> Vec<Named<'s>> {
    let mut found = Vec::new();
    // The module that each open brace belongs to, if it is one within the file.
    let mut braces: Vec<Option<&str>> = Vec::new();
    let text = |at: usize| tokens.get(at).map_or("", |it| it.text);
    let mut at = 0;
    while at < tokens.len() {
        match text(at) {
            "{" => braces.push((at >= 2 && text(at - 2) == "mod").then(|| text(at - 1))),
            "}" => drop(braces.pop()),
            "crate" | "super" => {
                let here = path.iter().map(String::as_str).chain(braces.iter().flatten().copied());
                at = follow(tokens, at, here.collect(), &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Follows a path that goes on from a module, and its branches; returns where it ends.
fn follow<'s>(
    tokens: &[Token<'s>],
    mut at: usize,
    mut names: Vec<&'s str>,
    found: &mut Vec<Named<'s>>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |it| it.text);
    let line = tokens[at].line;
    while is_name(text(at)) {
        match text(at) {
            "crate" => names.clear(),
            "super" => drop(names.pop()),
            "self" => {}
            name => names.push(name),
        }
        at += 1;
        if text(at) != "::" {
            break;
        }
        at += 1;
    }
    if text(at) != "{" || text(at - 1) != "::" {
        found.push(Named { names, line });
        return at;
    }
    at += 1;
    while text(at) != "}" {
        at = match text(at) {
            "," => at + 1,
            "as" => at + 2,
            _ => follow(tokens, at, names.clone(), found),
        };
    }
    at + 1
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let source = r##"
        //! Of [`Policy`](crate::comment).
        use crate::{alpha, beta::{self, Inner, inner::{A, B}}, gamma as other};
        use super::sibling::{Name};
        use super::super::delta::Name;
        /* crate::comment /* crate::comment */ crate::comment */
        pub(in crate::epsilon) fn f<'a>(it: &'a crate::zeta::It) -> char {
            let texts = ["crate::text", "\" crate::text", b"crate::text"];
            let raw = r#"crate::text " crate::text"#;
            let quotes = ['"', '\'', '\\', '{'];
            crate::eta::f::<u8>(it, b'"'); // crate::comment
            $crate::theta!()
        }
        mod tests {
            use super::super::super::iota;
            use super::{super::sibling, Name};
        }
        use super::super::kappa;
    "##;
    let path = ["outer".to_owned(), "inner".to_owned()];
    let source = tokens(source);
    let found: Vec<String> = named(&source, &path)
        .iter()
        .map(|it| format!("{} {}", it.line, it.names.join("::")))
        .collect();
    let expected = [
        "3 alpha",
        "3 beta",
        "3 beta::Inner",
        "3 beta::inner::A",
        "3 beta::inner::B",
        "3 gamma",
        "4 outer::sibling::Name",
        "5 delta::Name",
        "7 epsilon",
        "7 zeta::It",
        "11 eta::f",
        "12 theta",
        "15 iota",
        "16 outer::sibling",
        "16 outer::inner::Name",
        "18 kappa",
    ];
    assert_eq!(found, expected);

    let root = tokens(
        "mod limits; pub(crate) mod names; pub mod document; #[cfg(x)] mod sql;
        pub use date::{Date, DateError}; pub(crate) use limits::Limits; use graph::Graph;
        pub mod design {}",
    );
    assert_eq!(children(&root), ["limits", "names", "document", "sql"]);
    let exports = exports(&root);
    assert_eq!((exports["DateError"], exports["Limits"], exports.len()), ("date", "limits", 3));
}
