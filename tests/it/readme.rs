//! The README's code: each of its blocks of Rust is a part of this file, and what it
//! shows as printed is what is printed.

use std::error::Error;

const README: &str = include_str!("../../README.md");

fn prints(text: &str) {
    assert!(README.contains(&format!("```text\n{text}```")), "{text}");
}

#[test]
fn blocks_are_parts_of_this_file() {
    fn lines(text: &str) -> Vec<&str> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
    }
    let here = lines(include_str!("readme.rs"));
    let blocks = README.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut found = 0;
    for block in blocks {
        let block_lines = lines(block);
        assert!(here.windows(block_lines.len()).any(|part| part == block_lines), "{block}");
        found += 1;
    }
    assert_eq!(found, 5);
}

#[test]
fn a_policy_and_some_questions() -> Result<(), Box<dyn Error>> {
    use grantree::{Engine, Policy};

    let text = r#"{
    "format": 1,
    "catalogue": {"permissions": [
        {"key": "orders", "label": "Order Management", "children": [
            {"key": "quotes", "children": [{"key": "export"}]},
            {"key": "approve", "requires": ["orders.quotes"]}]},
        {"key": "prices", "levels": ["hidden", "read_only", "read_write"]}]},
    "profiles": {"planner": {
        "allow": ["orders.**"], "deny": ["orders.quotes.export"], "levels": {"prices": "read_only"}}},
    "roles": {"lead": {"levels": {"prices": "read_write"}}},
    "users": {
        "alice": {"profile": "planner", "roles": ["lead"]},
        "bob": {"profile": "planner", "deny": ["orders.quotes"]}}
}"#;
    let policy: Policy = serde_json::from_str(text)?;
    let engine = Engine::new(&policy);
    // Names become handles once.
    let (alice, bob) = (engine.user("alice")?, engine.user("bob")?);
    let approve = engine.permission("orders.approve")?;
    assert!(engine.can(alice, approve, ()));
    assert!(!engine.can(bob, approve, ()));
    // Every answer has a reason: `approve` requires something that is denied to bob.
    assert_eq!(engine.why(bob, approve, ()).code(), "gated");
    // Or by names. And for the fields of a form, levels.
    assert!(!engine.check("alice", "orders.quotes.export", ())?);
    assert_eq!(engine.level(alice, engine.permission("prices")?, ()), Some("read_write"));
    assert_eq!(engine.who_can(approve, ()), ["alice"]);
    Ok(())
}

#[test]
fn objects_and_lists() -> Result<(), Box<dyn Error>> {
    use grantree::Engine;

    let text = r#"{
    "format": 1,
    "catalogue": {
        "objects": {"job": {
            "relations": {"assignee": "user", "team": "group"}, "attributes": {"cost": "at_most"}}},
        "permissions": [
            {"key": "edit", "object": "job", "scopes": [
                {"key": "mine", "when": {"assignee": "me"}}, {"key": "my_team", "when": {"team": "me"}}]},
            {"key": "approve", "object": "job", "checks": ["cost"]}]},
    "groups": {"leeds": {"parent": "uk"}},
    "roles": {
        "worker": {"allow": ["edit.mine"]},
        "foreman": {"allow": ["edit.my_team", "approve"], "bounds": {"job.cost": 5000}}},
    "users": {"7": {"roles": ["worker"]}, "8": {"roles": ["foreman"], "groups": ["uk"]}}
}"#;

    use grantree::object::{Object, RelationState, Subject, Value};

    struct Job {
        assignee: Option<u64>, // a user's id in the host's database
        team: &'static str,
        cost: i64,
    }

    impl Object for Job {
        fn kind(&self) -> &str {
            "job"
        }
        fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
            match name {
                "assignee" => subject.users(self.assignee),
                "team" => subject.groups([self.team]),
                _ => None,
            }
        }
        fn attribute(&self, name: &str) -> Option<Value<'_>> {
            (name == "cost").then_some(Value::Integer(self.cost))
        }
    }

    let engine = Engine::new(&serde_json::from_str(text)?);
    let (worker, foreman) = (engine.user(7)?, engine.user(8)?);
    let (edit, approve) = (engine.permission("edit")?, engine.permission("approve")?);
    // Leeds is beneath the foreman's group, the UK.
    let job = Job { assignee: None, team: "leeds", cost: 4_000 };
    assert!(engine.can(foreman, edit, &job));
    assert!(engine.can(worker, edit, &Job { assignee: Some(7), ..job }));
    // The foreman's bound is 5,000.
    assert!(!engine.can(foreman, approve, &Job { cost: 6_000, ..job }));
    // For menus and buttons, before there is a job: any job at all?
    assert!(engine.can_some(worker, edit));
    assert!(!engine.can(worker, edit, &job));
    assert!(engine.can(foreman, approve, &job));
    lists(&engine)
}

#[cfg(not(feature = "sql"))]
fn lists(_: &grantree::Engine) -> Result<(), Box<dyn Error>> {
    Ok(())
}

#[cfg(feature = "sql")]
fn lists(engine: &grantree::Engine) -> Result<(), Box<dyn Error>> {
    use grantree::sql::{Database, Ids, Mapping, SqlValue};

    let jobs = Mapping::new(Database::Postgres, "job", "jobs")
        .key(["id"])
        .relation("assignee", Ids::column("assignee_id").integers())
        .relation("team", Ids::join_table("job_teams", [("job_id", "id")], "team"))
        .attribute("cost", "cost");
    let filter = engine.filter(engine.user(8)?, engine.permission("edit")?, ());
    assert_eq!(filter.to_string(), "every job where team is me");
    let (condition, values) = filter.where_clause(&jobs, 1)?;
    let query = format!("SELECT title FROM jobs WHERE {condition} ORDER BY id LIMIT 50");
    // Leeds is beneath the user's group, the UK.
    assert!(values.contains(&SqlValue::Texts(vec!["leeds".into(), "uk".into()])));
    assert!(query.contains(r#"FROM "job_teams""#), "{query}");
    Ok(())
}

#[test]
fn why_not_and_changes() -> Result<(), Box<dyn Error>> {
    use grantree::Engine;

    // As from the library's directory, not from that of its tests.
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))?;

    let text = std::fs::read_to_string("examples/policies/gruntify.json")?;
    let engine = Engine::new(&serde_json::from_str(&text)?);
    let (freya, manage) = (engine.user("freya")?, engine.permission("forms.manage")?);
    println!("{}", engine.explain(freya, manage, ()));
    prints(&engine.explain(freya, manage, ()).to_string());

    use grantree::change::{Actor, Change};
    use grantree::journal::MemoryJournal;
    use grantree::{Document, Live};

    // In the place of your database. The document is the first entry, if nothing is stored yet.
    let mut journal = MemoryJournal::default();
    let live = Live::open(&mut journal, serde_json::from_str::<Document>(&text)?)?;
    // For a user, whom `governance` binds: who may change what, and give nobody more than they have.
    let text = r#"{"assign": {"user": "freya", "source": {"role": "form_designer"}}}"#;
    let designer: Change = serde_json::from_str(text)?;
    live.commit(&mut journal, Actor::User("ursula"), &designer, ())?;
    assert!(live.load().check("freya", "forms.read", ())?);
    // Now and then, in every process: what the others have stored.
    live.catch_up(&mut journal)?;
    Ok(())
}

/// Whoever reads the pages as files, on a code host, finds no link dead.
#[test]
fn links_between_files_lead_somewhere() {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let in_folder = |folder: &str| {
        let files = std::fs::read_dir(top.join(folder)).expect("a folder");
        files.map(|file| file.expect("a file").path()).collect::<Vec<_>>()
    };
    let mut pages = [in_folder("src"), in_folder("src/guide")].concat();
    pages.retain(|page| page.extension().is_some_and(|it| it == "md"));
    assert!(pages.len() > 10);
    pages.push(top.join("README.md"));
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("a text");
        let definitions = text.lines().filter(|line| line.starts_with('['));
        let definitions = definitions.filter_map(|line| Some(line.split_once("]: ")?.1));
        let inline = text.split("](").skip(1);
        for rest in inline.chain(definitions) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            let is_elsewhere = target.is_empty() || target.starts_with("http");
            let beside = page.parent().expect("a folder").join(target);
            assert!(is_elsewhere || beside.exists(), "{}: {target}", page.display());
        }
    }
}

#[test]
fn it_is_short() {
    assert!(README.lines().count() <= 250);
}
