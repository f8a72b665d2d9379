//! The command on the five products, as a person runs it.

use std::process::{Command, Stdio};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Runs the command at the root of the repository: its code, and what it prints.
fn grantree(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_grantree"))
        .args(arguments)
        .current_dir(ROOT)
        .output()
        .expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("a code"), String::from_utf8(text).expect("text"))
}

#[test]
fn test_documents_pass() {
    let policy = "examples/policies/connect.json";
    let tests = "tests/corpus/products/connect.json";
    let (code, text) = grantree(&["test", "--policy", policy, tests]);
    assert_eq!(code, 0, "{text}");
    assert!(text.lines().last().expect("a line").ends_with(" passed, 0 failed"), "{text}");
    let (code, text) = grantree(&["test", tests]);
    assert_eq!((code, text.contains("has no policy")), (2, true), "{text}");
}

#[test]
fn mutants_are_counted_and_survivors_printed_with_a_step() {
    let policy = "examples/policies/orchestly.json";
    let tests = "tests/corpus/products/orchestly.json";
    let changes = "tests/corpus/products/orchestly_changes.json";
    let (code, text) = grantree(&["mutants", "--policy", policy, tests, changes]);
    assert_eq!(code, 0, "{text}");
    assert!(text.ends_with(" equivalent, 0 survived\n"), "{text}");
    // The changes alone notice little.
    let (code, text) = grantree(&["mutants", "--policy", policy, "--limit", "40", changes]);
    assert_eq!(code, 1);
    assert!(text.contains("no step fails; this one would: "), "{text}");
    assert!(text.contains("\"expect\":"), "{text}");
}

#[test]
fn questions_are_answered() {
    let policy = "examples/policies/connect.json";
    let approve = "modules.purchasing.purchase_orders.approve";
    let order = r#"{"kind": "purchase_order", "attributes": {"value": 2000}}"#;
    assert_eq!(grantree(&["can", policy, "sam", approve, "--object", order]), (0, "yes\n".into()));
    assert_eq!(grantree(&["can", policy, "amy", approve, "--object", order]), (1, "no\n".into()));
    let (code, text) = grantree(&["why", policy, "amy", approve, "--object", order]);
    assert!(code == 1 && text.contains("to allow it, do one of these"), "{text}");
    let (code, text) = grantree(&["who", policy, approve]);
    assert!(code == 0 && text.lines().any(|user| user == "olga"), "{text}");
    let (code, text) = grantree(&["matrix", policy, "approval_group:buyers", "--csv"]);
    assert!(code == 0 && text.contains("buyers"), "{text}");
    let (code, text) = grantree(&["tree", policy, "approval_group:buyers"]);
    assert!(code == 0 && text.contains("[x]"), "{text}");
    let (code, text) = grantree(&["diff", policy, policy]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = grantree(&["decide", policy, "amy", approve, "--object", order]);
    assert!(code == 1 && text.contains(r#""allowed":false,"reason":""#), "{text}");
    let (code, text) = grantree(&["review", policy, "--csv"]);
    assert!(code == 0 && text.lines().any(|it| it.starts_with("olga,,modules.")), "{text}");
    let (code, text) = grantree(&["can", policy, "amy", "odrers"]);
    assert!(code == 2 && text.contains("unknown permission"), "{text}");
    // An unknown user may do nothing, and is perhaps a slip.
    let (code, text) = grantree(&["can", policy, "ammy", approve]);
    assert_eq!((code, &*text), (1, "no\nunknown user `ammy`\n"));
    let (code, text) = grantree(&["roles", policy, "--near", "few"]);
    assert_eq!((code, &*text), (2, "--near: `few` is not a whole number\n"));
}

#[test]
fn a_pipe_that_closes_early_ends_the_command_quietly() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grantree"));
    command.args(["matrix", "examples/policies/drs.json"]).current_dir(ROOT);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), &*output.stderr), (Some(2), &b""[..]));
}

#[test]
fn reach_proves_and_finds() {
    let now = "examples/policies/gruntify.json";
    assert_eq!(grantree(&["reach", now]), (0, "nobody can raise themselves\n".into()));
    let former = "tests/prove/former_gruntify.json";
    let (code, text) = grantree(&["reach", former, "oscar", "roles.manage", "--by", "oscar"]);
    assert!(code == 1 && text.starts_with("so\n  `oscar`: assign role"), "{text}");
    let never = ["reach", former, "nina", "roles.manage", "--by", "nina"];
    assert_eq!(grantree(&never), (0, "never\n".into()));
}

#[test]
fn policies_are_read_in_three_formats() {
    let directory = std::env::temp_dir().join(format!("grantree-cli-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let texts = [
        (
            "p.yaml",
            "format: 1\ncatalogue:\n  permissions: [{key: orders}]\nusers: {bob: {allow: [orders]}}\n",
        ),
        (
            "p.toml",
            "format = 1\ncatalogue.permissions = [{key = \"orders\"}]\nusers.bob.allow = [\"orders\"]\n",
        ),
        (
            "p.json",
            r#"{"format": 1, "catalogue": {"permissions": [{"key": "orders"}]}, "users": {"bob": {"allow": ["ordres"]}}}"#,
        ),
    ];
    let files = texts.map(|(name, text)| {
        let file = directory.join(name);
        std::fs::write(&file, text).expect("a file");
        file.display().to_string()
    });
    for file in &files[..2] {
        assert_eq!(grantree(&["can", file, "bob", "orders"]), (0, "yes\n".into()), "{file}");
    }
    let (code, text) = grantree(&["check", &files[2]]);
    assert!(code == 1 && text.contains("did you mean `orders`?"), "{text}");
    std::fs::remove_dir_all(directory).expect("it was there");
}

#[test]
fn every_command_has_help_with_an_example() {
    let (_, all) = grantree(&["help"]);
    for command in all.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()) {
        if command.is_empty() || command == "help" {
            continue;
        }
        let (code, text) = grantree(&[command, "--help"]);
        assert!(code == 0 && text.contains("grantree "), "{command}: {text}");
    }
    assert_eq!(grantree(&["nothing"]).0, 2);
}

#[test]
fn roles_that_could_be_fewer_are_printed() {
    let folder = std::env::temp_dir().join(format!("grantree-roles-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("a file");
        file.to_str().expect("a name").to_owned()
    };
    let policy = write(
        "policy.json",
        r#"{
        "format": 1, "catalogue": {"permissions": [{"key": "a"}, {"key": "b"}]},
        "roles": {"a": {"allow": ["a"]}, "b": {"allow": ["b"]}, "ab": {"allow": ["**"]}},
        "users": {"ann": {"roles": ["a"]}, "bob": {"roles": ["b"]}, "cyd": {"roles": ["ab"]}}}"#,
    );
    let used = write("used.json", r#"[["ann", "a"], ["cyd", "a"]]"#);
    let (code, text) = grantree(&["roles", &policy, "--used", &used]);
    assert_eq!(code, 1, "{text}");
    for line in [
        "role `a` is contained in role `ab`, which grants 1 more",
        "3 roles could be 2:",
        "of role `b`, nothing that it grants is used",
        "of role `ab`, not all that it grants is used",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    let (code, text) = grantree(&["roles", &policy, "--document"]);
    assert!(code == 0 && text.contains(r#""cyd":{"roles":["a","b"]}"#), "{text}");
    std::fs::remove_dir_all(&folder).expect("it is there");
}
