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
    assert_eq!(found, 7);
}

#[test]
fn a_policy_and_some_questions() -> Result<(), Box<dyn Error>> {
    use grantree::{Document, Engine, Policy};

    let text = r#"{
    "format": 1,
    "catalogue": {
        "permissions": [
            {"key": "orders", "label": "Order Management", "children": [
                {"key": "quotes", "children": [{"key": "export"}]},
                {"key": "approve", "requires": ["orders.quotes"]}]},
            {"key": "prices", "levels": ["hidden", "read_only", "read_write"]}]
    },
    "profiles": {
        "planner": {"allow": ["orders.**"], "deny": ["orders.quotes.export"], "levels": {"prices": "read_only"}}},
    "roles": {"lead": {"levels": {"prices": "read_write"}}},
    "users": {
        "alice": {"profile": "planner", "roles": ["lead"]},
        "bob": {"profile": "planner", "deny": ["orders.quotes"]},
        "root": {"admin": true}}
}"#;
    // Every problem of the document at once, or a valid policy.
    let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    // Compiled: immutable, `Send + Sync`, cheap to clone.
    let engine = Engine::new(&policy);

    // Names become handles once. `can` on handles does not allocate or look up names.
    let (alice, bob) = (engine.user("alice")?, engine.user("bob")?);
    let approve = engine.permission("orders.approve")?;
    assert!(engine.can(alice, approve, ()));
    assert!(!engine.can(bob, approve, ()));
    // Every answer has a reason: `approve` requires something that is denied to bob.
    assert_eq!(engine.why(bob, approve, ()).code(), "gated");

    // Or in one line, by names.
    assert!(!engine.check("alice", "orders.quotes.export", ())?);
    assert_eq!(engine.level(alice, engine.permission("prices")?, ()), Some("read_write"));

    // What a user holds, and who holds something.
    let held: Vec<String> = engine.effective(bob).iter().map(ToString::to_string).collect();
    assert_eq!(held, ["orders", "prices:read_only"]);
    assert_eq!(engine.who_can(approve, ()), ["alice", "root"]);

    let text = r#"{
    "format": 1,
    "catalogue": {"permissions": [{"key": "jobs", "children": [{"key": "edit"}]}]},
    "roles": {"dispatcher": {"allow": ["jobs.edti"], "include": ["lead"]}}
}"#;
    let problems = Policy::try_from(serde_json::from_str::<Document>(text)?).unwrap_err();
    let expected = "\
roles.dispatcher.include: unknown field `include`; did you mean `includes`?
roles.dispatcher.allow[0]: unknown permission `jobs.edti`; did you mean `jobs.edit`?";
    assert_eq!(problems.to_string(), expected);
    Ok(())
}

#[test]
fn objects_and_lists() -> Result<(), Box<dyn Error>> {
    use grantree::{Document, Engine, Policy};

    let text = r#"{
    "format": 1,
    "catalogue": {
        "objects": {"job": {
            "relations": {"assignee": "user", "team": "group"},
            "attributes": {"cost": "at_most"}}},
        "permissions": [
            {"key": "edit", "object": "job", "scopes": [
                {"key": "mine", "when": {"assignee": "me"}},
                {"key": "my_team", "when": {"team": "me"}}]},
            {"key": "approve", "object": "job", "checks": ["cost"]}]},
    "groups": {"leeds": {"parent": "uk"}},
    "roles": {
        "worker": {"allow": ["edit.mine"]},
        "foreman": {"includes": ["worker"], "allow": ["edit.my_team", "approve"], "bounds": {"job.cost": 5000}}},
    "users": {
        "7": {"roles": ["worker"], "groups": ["leeds"]},
        "8": {"roles": ["foreman"], "groups": ["uk"]}}
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

    let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    let (worker, foreman) = (engine.user("7")?, engine.user("8")?);
    let (edit, approve) = (engine.permission("edit")?, engine.permission("approve")?);

    // Leeds is beneath the foreman's group, the UK.
    let job = Job { assignee: None, team: "leeds", cost: 4_000 };
    assert!(engine.can(foreman, edit, &job));
    assert!(!engine.can(worker, edit, &job));
    assert_eq!(engine.why(worker, edit, &job).code(), "no_scope");
    assert!(engine.can(worker, edit, &Job { assignee: Some(7), ..job }));

    // The foreman's bound is 5,000.
    assert!(engine.can(foreman, approve, &job));
    assert!(!engine.can(foreman, approve, &Job { cost: 6_000, ..job }));

    // For menus and buttons, before there is a job: may they edit any job at all?
    assert!(engine.can_some(worker, edit));

    lists(&engine)
}

#[cfg(not(feature = "sql"))]
fn lists(_: &grantree::Engine) -> Result<(), Box<dyn Error>> {
    Ok(())
}

#[cfg(feature = "sql")]
fn lists(engine: &grantree::Engine) -> Result<(), Box<dyn Error>> {
    use grantree::sql::{Database, Ids, Mapping, SqlValue};

    // Where the table keeps what the policy asks for.
    let jobs = Mapping::new(Database::Postgres, "job", "jobs")
        .key(["id"])
        .relation("assignee", Ids::column("assignee_id").integers())
        .relation("team", Ids::join_table("job_teams", [("job_id", "id")], "team"))
        .attribute("cost", "cost");

    let filter = engine.filter(engine.user("8")?, engine.permission("edit")?, ());
    assert_eq!(filter.to_string(), "every job where assignee is me or team is me");

    let (condition, values) = filter.where_clause(&jobs, 1)?;
    let query = format!("SELECT title FROM jobs WHERE {condition} ORDER BY id LIMIT 50");
    assert!(query.contains(r#""jobs"."assignee_id" = ANY (CAST($3 AS bigint[]))"#));
    // Leeds is beneath the user's group, the UK.
    assert_eq!(values[1], SqlValue::Texts(vec!["leeds".into(), "uk".into()]));
    Ok(())
}

#[test]
fn why_not_and_changes() -> Result<(), Box<dyn Error>> {
    use grantree::{Document, Engine, Policy};

    // As from the library's directory, not from that of its tests.
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))?;

    let text = std::fs::read_to_string("examples/policies/gruntify.json")?;
    let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(&text)?)?);
    let (freya, manage) = (engine.user("freya")?, engine.permission("forms.manage")?);
    println!("{}{}", engine.explain(freya, manage, ()), engine.remedies(freya, manage, ()));
    prints(&format!("{}{}", engine.explain(freya, manage, ()), engine.remedies(freya, manage, ())));

    use grantree::Live;
    use grantree::change::{Actor, Change};
    use grantree::journal::MemoryJournal;

    // In the place of your database, which takes four calls.
    let mut journal = MemoryJournal::default();
    let live = Live::open(&mut journal, serde_json::from_str(&text)?)?;
    let engine = live.load();
    let (freya, read) = (engine.user("freya")?, engine.permission("forms.read")?);

    // A user administrator may not make an owner,
    let owner: Change =
        serde_json::from_str(r#"{"assign": {"user": "freya", "source": {"role": "owner"}}}"#)?;
    let refusal = live.commit(&mut journal, Actor::User("ursula"), &owner, ()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "not_permitted: `ursula` may not assign or change role `owner`: only holders of `primary_owner` may"
    );

    // but may make a form designer.
    let designer: Change = serde_json::from_str(
        r#"{"assign": {"user": "freya", "source": {"role": "form_designer"}}}"#,
    )?;
    let applied = live.commit(&mut journal, Actor::User("ursula"), &designer, ())?;
    // After the document itself, the second entry of the log.
    assert_eq!(applied.log_entry().revision, 2);

    // Whoever asks next has the new version; a snapshot taken before keeps its own.
    assert!(live.load().can(freya, read, ()));
    assert!(!engine.can(freya, read, ()));
    Ok(())
}
