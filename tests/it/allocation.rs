//! Questions on handles allocate nothing.

use allocation_counter::measure;
use grantree::object::{DisplayId, Object, RelationState, Subject, Value};
use grantree::{Date, Document, Engine, Policy};

/// A job with ids of a host's database.
struct Job {
    assignee: u64,
    watchers: [u64; 3],
    teams: [u32; 2],
    region: &'static str,
    starts: Date,
}

impl Object for Job {
    fn kind(&self) -> &str {
        "job"
    }
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        match name {
            "assignee" => subject.users([self.assignee]),
            "watcher" => subject.users(self.watchers.map(DisplayId)),
            "team" => subject.groups(self.teams),
            _ => None,
        }
    }
    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "region" => Some(Value::Text(self.region)),
            "starts" => Some(Value::Date(self.starts)),
            _ => None,
        }
    }
}

/// Whatever makes a decision long: scopes that require others, checks of every
/// kind, groups, fences that join, requirements of another kind, levels.
const POLICY: &str = r#"{
  "format": 1,
  "catalogue": {
    "objects": {
      "job": {"relations": {"assignee": "user", "watcher": "user", "team": "group"},
              "attributes": {"region": "one_of", "starts": "not_before", "size": "at_most"}, "checks": ["region"]},
      "order": {"relations": {"owner": "user"}}},
    "settings": {"slot": {"default": 1}},
    "permissions": [
      {"key": "reports", "levels": ["none", "some", "all"]},
      {"key": "orders", "object": "order", "scopes": [{"key": "own", "when": {"owner": "me"}}]},
      {"key": "view", "object": "job", "checks": ["starts"], "scopes": [
        {"key": "own", "when": {"assignee": "me"}},
        {"key": "watched", "when": {"watcher": "me", "team": ["me", "other"]}, "requires": ["reports:all"]}]},
      {"key": "edit", "object": "job", "requires": ["view", "orders"], "scopes": [
        {"key": "team", "when": {"team": "me"}, "requires": ["view.own"]},
        {"key": "free", "when": {"assignee": ["other", "none"]}, "requires": ["view"]}],
        "children": [{"key": "plan", "checks": ["starts", "size"]}]}]},
  "global": {"allow": ["**"], "bounds": {"job.region": ["north", "south"], "job.size": "any"}},
  "roles": {"a": {"bounds": {"job.starts": {"plus_days": 9}}},
            "b": {"bounds": {"job.starts": {"next": "friday", "plus_days": -3}}}},
  "groups": {"1": {}, "2": {"parent": "1"}, "3": {"parent": "2"}},
  "users": {"17": {"roles": ["a", "b"], "groups": ["1"]}, "18": {"admin": true}, "19": {"suspended": true},
            "20": {"deny": ["view"]}, "21": {}}
}"#;

#[test]
fn questions_on_handles_allocate_nothing() {
    let document: Document = serde_json::from_str(POLICY).expect("JSON");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let other = engine.policy().revise(Document::from(engine.policy())).expect("a policy").policy;
    let day = |text: &str| text.parse::<Date>().expect("a date");
    let job = |assignee, watchers, teams| Job {
        assignee,
        watchers,
        teams,
        region: "south",
        starts: day("2026-11-25"),
    };
    let jobs = [
        job(17, [1, 2, 3], [7, 8]),
        job(99, [16, 17, 18], [9, 3]),
        Job { region: "east", ..job(17, [0; 3], [3, 3]) },
        Job { starts: day("2026-11-24"), ..job(u64::MAX, [17; 3], [3, u32::MAX]) },
    ];
    let today = day("2026-11-21");
    let actions = [
        "reports",
        "reports:all",
        "orders",
        "view",
        "view.own",
        "view.watched",
        "edit",
        "edit.team",
        "edit.free",
        "edit.plan",
    ];
    let mut yes = 0;
    for engine in [engine, Engine::new(&other)] {
        for user in ["17", "18", "19", "20", "21"] {
            let user = engine.user(user).expect("a user");
            for action in actions {
                let action = engine.permission(action).expect("a permission");
                let mut allowed = 0;
                let counted = measure(|| {
                    allowed += usize::from(engine.can(user, action, ()));
                    allowed += usize::from(engine.can_some(user, action));
                    for job in &jobs {
                        allowed += usize::from(engine.can(user, action, job));
                        allowed += usize::from(engine.can(user, action, (job, today)));
                    }
                    allowed += usize::from(engine.level(user, action, ()).is_some());
                    allowed += usize::from(engine.setting(user, "slot").is_ok());
                });
                assert_eq!(counted.count_total, 0, "{action:?}");
                yes += allowed;

                let filter = engine.filter(user, action, today);
                let counted = measure(|| {
                    for job in &jobs {
                        let matches = filter.matches(job);
                        assert_eq!(matches, engine.can(user, action, (job, today)));
                    }
                });
                assert_eq!(counted.count_total, 0, "{filter}");
            }
        }
    }
    assert!(yes > 400, "{yes}");

    // An allocation would be noticed.
    assert!(measure(|| drop(std::hint::black_box(Box::new(yes)))).count_total > 0);
}
