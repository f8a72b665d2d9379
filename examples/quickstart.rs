//! Loads a real product's policy, and asks what its host would ask.

use std::error::Error;

use grantree::object::{Object, RelationState, Subject, Value};
use grantree::{Document, Engine, Policy};

/// The host's own job; the engine asks it for what matters, and copies nothing.
struct Job {
    title: &'static str,
    assignee: Option<&'static str>,
    requester: &'static str,
    team: &'static str,
}

impl Object for Job {
    fn kind(&self) -> &str {
        "job"
    }

    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        match name {
            "assignee" => subject.users(self.assignee),
            "requester" => subject.users([self.requester]),
            "team" => subject.groups([self.team]),
            _ => None,
        }
    }

    fn attribute(&self, _: &str) -> Option<Value<'_>> {
        None
    }
}

#[allow(missing_docs, reason = "the tests run it too")]
pub fn main() -> Result<(), Box<dyn Error>> {
    let text = include_str!("policies/orchestly.json");
    let document: Document = serde_json::from_str(text)?;
    let policy = Policy::try_from(document)?;
    let engine = Engine::new(&policy);

    let users = ["amara", "sofia", "mateo", "uma", "ulric", "connie", "zane"];
    let jobs = [
        Job {
            title: "Fix the boiler",
            assignee: Some("uma"),
            requester: "rita",
            team: "field_north",
        },
        Job { title: "Paint the hall", assignee: None, requester: "ulric", team: "field_south" },
    ];
    let actions = ["view", "edit", "delete", "assign"];

    for job in &jobs {
        let assignee = job.assignee.unwrap_or("nobody");
        println!(
            "{}: assigned to {assignee}, requested by {}, team {}",
            job.title, job.requester, job.team
        );
        print!("  {:<10}", "");
        for action in actions {
            print!("{action:<14}");
        }
        println!("title");
        for name in users {
            let user = engine.user(name)?;
            print!("  {name:<10}");
            for action in actions {
                let permission = engine.permission(&format!("jobs.{action}"))?;
                let answer = match engine.can(user, permission, job) {
                    true => "yes".to_owned(),
                    false => format!("- {}", engine.why(user, permission, job)),
                };
                print!("{answer:<14}");
            }
            let title = ["read_write", "read_only"].into_iter().find(|level| {
                let threshold = engine.permission(&format!("fields.title:{level}"));
                threshold.is_ok_and(|threshold| engine.can(user, threshold, job))
            });
            println!("{}", title.unwrap_or("hidden"));
        }
        println!();
    }

    let settings = engine.permission("manage.settings")?;
    println!("Settings tab: {}", engine.who_can(settings, ()).join(", "));
    Ok(())
}
