//! The share of random questions that rules decide.
//!
//! A rule decides where the answer is another one without it: without the fields that
//! state it, in the policy or in the question.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Map, Value, json};

use support::oracle::Oracle;
use support::random::{Case, case};

/// The least share of the questions, in ten-thousandths.
const LEAST: [(&str, usize); 24] = [
    ("decided by assignments", 800),
    ("decided by assignments: allow", 500),
    ("decided by assignments: roles", 150),
    ("decided by assignments: bounds", 80),
    ("decided by assignments: restrictions", 70),
    ("decided by terms: on", 140),
    ("decided by terms: conditions", 50),
    ("decided by terms: *", 15),
    ("decided by terms: dates", 60),
    ("decided by terms: times", 15),
    ("decided by except", 280),
    ("decided by except in roles", 35),
    ("decided by implies", 350),
    ("decided by flags", 70),
    ("decided by attributes in when", 70),
    ("decided by group parents", 15),
    ("decided by within", 90),
    ("can true", 800),
    ("can false", 800),
    ("why granted", 400),
    ("why no_scope", 110),
    ("why out_of_bounds", 55),
    ("why out_of_terms", 60),
    ("why gated", 180),
];

#[test]
fn random_questions_meet_every_rule() {
    let mut counted = Counted::new();
    let mut asked = 0;
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(1), ..Config::default() });
    for _ in 0..400 {
        let case = case().new_tree(&mut runner).expect("a case").current();
        asked += case.steps.len();
        count(&case, &mut counted);
    }
    let share = |name: &str| counted.get(name).copied().unwrap_or(0) * 10_000 / asked;
    println!("{asked} questions, in ten-thousandths:");
    for name in counted.keys() {
        println!("{name:32} {:5}", share(name));
    }
    for (name, least) in LEAST {
        assert!(share(name) >= least, "{name}: {} of 10,000, at least {least}", share(name));
    }
}

type Counted = BTreeMap<String, usize>;

fn count(case: &Case, counted: &mut Counted) {
    let oracle = Oracle::new(&case.policy);
    let without = |vary: Vary| Oracle::new(&varied(&case.policy, vary));
    let others = RULES.map(|(_, vary)| without(vary));
    for step in &case.steps {
        let answer = oracle.ask(step);
        let mut add = |name: &str| *counted.entry(name.to_owned()).or_default() += 1;
        for name in names(step, &answer) {
            add(&name);
        }
        for ((name, vary), other) in RULES.iter().zip(&others) {
            if other.ask(&varied(step, *vary)) != answer {
                add(&format!("decided by {name}"));
            }
        }
    }
}

/// The names under which a question counts, besides the rules that decide it.
fn names(step: &Value, answer: &Value) -> Vec<String> {
    let mut kinds = step.as_object().into_iter().flatten();
    let (kind, question) = kinds.next().expect("a question");
    let mut names = vec![format!("asked {kind}")];
    for field in ["subject", "within", "assignment"] {
        if question.get(field).is_some() {
            names.push(format!("with {field}"));
        }
    }
    match answer {
        Value::Bool(is_yes) => names.push(format!("{kind} {is_yes}")),
        Value::String(code) if kind == "why" => names.push(format!("why {code}")),
        Value::Array(list) if list.is_empty() => names.push(format!("{kind} nothing")),
        Value::Object(_) => names.push("error".to_owned()),
        _ => {}
    }
    names
}

type Vary = fn(&mut Value);

/// Each leaves out a rule, wherever it stands in a policy or a question.
const RULES: [(&str, Vary); 18] = [
    ("assignments", |it| remove(it, &["assignments"])),
    ("assignments: allow", |it| in_assignments(it, |it| remove(it, &["allow"]))),
    ("assignments: roles", |it| in_assignments(it, |it| remove(it, &["roles"]))),
    ("assignments: bounds", |it| in_assignments(it, |it| remove(it, &["bounds"]))),
    ("assignments: restrictions", |it| {
        in_assignments(it, |it| remove(it, &["except", "deny", "forbid", "levels"]));
    }),
    ("terms: on", |it| in_assignments(it, |it| remove(it, &["on"]))),
    ("terms: *", |it| in_policy(it, no_star)),
    ("terms: conditions", |it| each_object(it, &mut no_conditions)),
    ("terms: dates", |it| in_assignments(it, |it| remove(it, &["from", "until"]))),
    ("terms: times", |it| each_object(it, &mut no_time)),
    ("except", |it| remove(it, &["except"])),
    ("except in roles", |it| {
        it.get_mut("roles").into_iter().for_each(|it| remove(it, &["except"]));
    }),
    ("implies", |it| remove(it, &["implies"])),
    ("flags", |it| each_object(it, &mut no_flags)),
    ("attributes in when", |it| each_object(it, &mut no_attributes)),
    ("group parents", |it| remove(it, &["parent"])),
    ("within", |it| remove(it, &["within"])),
    ("forbid", |it| remove(it, &["forbid"])),
];

fn varied(value: &Value, vary: Vary) -> Value {
    let mut value = value.clone();
    vary(&mut value);
    value
}

type Fields = Map<String, Value>;

fn each_object(value: &mut Value, change: &mut dyn FnMut(&mut Fields)) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|it| each_object(it, change)),
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|it| each_object(it, change));
        }
        _ => {}
    }
}

fn remove(value: &mut Value, names: &[&str]) {
    each_object(value, &mut |fields| fields.retain(|name, _| !names.contains(&name.as_str())));
}

fn in_assignments(value: &mut Value, change: fn(&mut Value)) {
    each_object(value, &mut |fields| {
        let assignments = fields.get_mut("assignments").and_then(Value::as_object_mut);
        assignments.into_iter().for_each(|it| it.values_mut().for_each(change));
    });
}

/// A question's subject keeps it: it would have a problem.
fn in_policy(value: &mut Value, mut change: fn(&mut Fields)) {
    if value.get("format").is_some() {
        each_object(value, &mut change);
    }
}

fn no_star(fields: &mut Fields) {
    let on = fields.get_mut("on").and_then(Value::as_object_mut);
    let Some(on) = on else { return };
    on.remove("*");
    on.entry("no kind").or_insert(json!({}));
}

fn no_conditions(fields: &mut Fields) {
    let on = fields.get_mut("on").and_then(Value::as_object_mut);
    on.into_iter().for_each(|on| on.values_mut().for_each(|stated| *stated = json!({})));
}

fn no_time(fields: &mut Fields) {
    if let Some(Value::String(today)) = fields.get_mut("today") {
        today.truncate(10);
    }
}

/// Statements and conditions on flags go; the attribute and its checks stay.
fn no_flags(fields: &mut Fields) {
    fields.retain(|name, value| !name.ends_with("archived") || value == "flag");
}

fn no_attributes(fields: &mut Fields) {
    let Some(when) = fields.get_mut("when").and_then(Value::as_object_mut) else { return };
    let relations = ["assignee", "requester", "team", "self", "group"];
    when.retain(|name, _| relations.contains(&name.as_str()));
}
