//! General statements of the design, held to the oracle on random policies.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Map, Value, json};

use support::oracle::Oracle;
use support::random::{Case, case};

/// Checks a law on every question of random policies, and that it had something to say.
fn check(law: impl Fn(&Asking<'_>) -> Option<bool>) {
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(2), ..Config::default() });
    let mut judged = 0;
    for _ in 0..400 {
        let case = case().new_tree(&mut runner).expect("a case").current();
        let oracle = Oracle::new(&case.policy);
        for step in &case.steps {
            let (kind, question) = question(step);
            let asking = Asking { case: &case, oracle: &oracle, kind, question };
            match law(&asking) {
                Some(true) => judged += 1,
                Some(false) => panic!("{}\n{step}", case.policy),
                None => {}
            }
        }
    }
    assert!(judged > 100, "{judged} questions");
}

type Fields = Map<String, Value>;

struct Asking<'a> {
    case: &'a Case,
    oracle: &'a Oracle,
    kind: &'a str,
    question: &'a Fields,
}

impl Asking<'_> {
    fn answer(&self) -> Value {
        self.ask(self.kind, self.question)
    }

    fn ask(&self, kind: &str, question: &Fields) -> Value {
        self.oracle.ask(&json!({kind: question}))
    }

    /// The question without some of its fields.
    fn without(&self, names: &[&str]) -> Fields {
        let mut question = self.question.clone();
        question.retain(|name, _| !names.contains(&name.as_str()));
        question
    }

    fn is_yes(&self) -> bool {
        self.answer() == true
    }
}

fn question(step: &Value) -> (&str, &Fields) {
    let mut kinds = step.as_object().into_iter().flatten();
    let (kind, question) = kinds.next().expect("a question");
    (kind, question.as_object().expect("fields"))
}

/// "Answered as if the document had that user."
#[test]
fn a_user_as_a_subject_is_answered_alike() {
    check(|asking| {
        let name = asking.question.get("user")?;
        let mut subject = asking.case.policy["users"].get(name.as_str()?)?.clone();
        subject["name"] = name.clone();
        let mut question = asking.without(&["user"]);
        question.insert("subject".to_owned(), subject);
        Some(asking.ask(asking.kind, &question) == asking.answer())
    });
}

/// "So an assignment only ever adds to what a user may do."
#[test]
fn assignments_only_add() {
    check(|asking| {
        let is_asked = ["can", "can_some"].contains(&asking.kind);
        if !is_asked || asking.question.contains_key("subject") || asking.is_yes() {
            return None;
        }
        let mut policy = asking.case.policy.clone();
        for user in policy["users"].as_object_mut()?.values_mut() {
            user.as_object_mut()?.remove("assignments");
        }
        let ordinary = Oracle::new(&policy).ask(&json!({asking.kind: asking.question}));
        Some(ordinary == asking.answer() || asking.question.contains_key("within"))
    });
}

/// "The answer is yes only if it is for both."
#[test]
fn a_within_only_takes_away() {
    check(|asking| {
        let is_asked = ["can", "can_some"].contains(&asking.kind);
        (is_asked && asking.question.contains_key("within") && asking.is_yes()).then_some(())?;
        Some(asking.ask(asking.kind, &asking.without(&["within"])) == true)
    });
}

/// "It may say yes too often, never no": of what is allowed, and of every heading above it.
#[test]
fn can_some_never_says_no_of_what_is_allowed() {
    check(|asking| {
        (asking.kind == "can" && asking.is_yes()).then_some(())?;
        let action = asking.question["action"].as_str()?;
        let path = action.split(':').next()?;
        let above = path.match_indices('.').map(|(at, _)| &path[..at]);
        let headings = above.filter(|path| is_heading(&asking.case.policy, path));
        let mut asked = headings.chain([action]);
        Some(asked.all(|action| {
            let mut question = asking.without(&["object", "today"]);
            question.insert("action".to_owned(), json!(action));
            asking.ask("can_some", &question) == true
        }))
    });
}

fn is_heading(policy: &Value, path: &str) -> bool {
    let mut nodes = &policy["catalogue"]["permissions"];
    let mut is_heading = false;
    for key in path.split('.') {
        let mut list = nodes.as_array().into_iter().flatten();
        let Some(node) = list.find(|node| node["key"] == key) else { return false };
        is_heading = node["heading"] == true;
        nodes = &node["children"];
    }
    is_heading
}

/// A denial has a reason, and nothing else has one.
#[test]
fn why_agrees_with_can() {
    check(|asking| {
        (asking.kind == "why").then_some(())?;
        let reason = asking.answer();
        let reason = reason.as_str()?;
        let is_yes = ["granted", "admin"].contains(&reason);
        Some(asking.ask("can", asking.question) == is_yes)
    });
}

/// "Every user who may do this, on this object."
#[test]
fn who_can_agrees_with_can() {
    check(|asking| {
        (asking.kind == "who_can").then_some(())?;
        let answer = asking.answer();
        let names = answer.as_array()?;
        let is_on_object = asking.question.contains_key("object");
        let kind = if is_on_object { "can" } else { "can_some" };
        let users = asking.case.policy["users"].as_object()?;
        Some(users.keys().all(|user| {
            let mut question = asking.question.clone();
            question.insert("user".to_owned(), json!(user));
            let may = asking.ask(kind, &question) == true;
            may == names.iter().any(|name| name == user)
        }))
    });
}

/// The answer of a filter is that of `can`, object by object.
#[test]
fn filter_agrees_with_can() {
    check(|asking| {
        (asking.kind == "filter").then_some(())?;
        let answers = asking.answer();
        let objects = asking.question["objects"].as_array()?;
        let mut both = objects.iter().zip(answers.as_array()?);
        Some(both.all(|(object, answer)| {
            let mut question = asking.without(&["objects"]);
            question.insert("object".to_owned(), object.clone());
            asking.ask("can", &question) == *answer
        }))
    });
}

/// "The highest threshold that `can` allows."
#[test]
fn level_agrees_with_can() {
    check(|asking| {
        (asking.kind == "level" && asking.question.contains_key("object")).then_some(())?;
        let level = asking.answer();
        let mut question = asking.without(&["permission"]);
        let permission = asking.question["permission"].as_str()?;
        let threshold = format!("{permission}:{}", level.as_str()?);
        question.insert("action".to_owned(), json!(threshold));
        // Of the lowest level it is an error to ask.
        let allowed = asking.ask("can", &question);
        Some(allowed == true || allowed == json!({"error": true}))
    });
}
