//! Laws of explanations.

use grantree::Reason;
use grantree::explain::{Explanation, Grant, ScopeTrace};
use grantree::object::Object;
use serde_json::Value;

use super::ask::Ask;
use super::by_name::ByName;
use super::case::{Case, json};
use super::explaining::Judge;
use super::oracle::person::Person;

/// An explanation gives the oracle's reason, and every particular of it is true of the
/// document: of an assignment, those of the ordinary capacity aside.
pub fn explanations_agree_with_oracle(case: &Case) {
    let (engine, oracle) = (case.engine(), case.oracle());
    for question in &case.questions {
        let Some(ask) = &Ask::of(question) else { continue };
        let why = serde_json::to_value(ask.clone().why()).expect("a question serializes");
        let Value::String(code) = oracle.ask(&why) else { continue };
        let on = (ask.object.as_ref(), ask.today);
        let explanation = engine.explain_by_name(&ask.user, &ask.action, on).expect("known names");
        assert_eq!(explanation.reason.code(), code, "{}", json(question));
        assert_eq!(explanation.object.as_deref(), ask.object.as_ref().map(Object::kind));
        assert_eq!((&explanation.user.name, explanation.today), (&ask.user, ask.today));
        let person = Person::of_document(oracle.policy(), &ask.user);
        match person.filter(|person| !person.suspended) {
            None => assert_eq!(explanation.permissions, []),
            Some(_) if explanation.assignment.is_some() => {}
            Some(person) => {
                let judge = Judge::new(oracle.policy(), &case.document, &person, ask);
                judge.judge(&explanation);
            }
        }
    }
}

/// An explanation gives the reason that the engine finds, and the particulars of that
/// reason.
pub fn explanations_agree_with_why(case: &Case) {
    let engine = case.engine();
    for question in &case.questions {
        let Some(ask) = &Ask::of(question) else { continue };
        let on = (ask.object.as_ref(), ask.today);
        let Ok(explanation) = engine.explain_by_name(&ask.user, &ask.action, on) else {
            assert!(engine.check(&ask.user, &ask.action, on).is_err());
            continue;
        };
        assert_eq!(Ok(explanation.allowed()), engine.check(&ask.user, &ask.action, on));
        if let Ok(user) = engine.user(&ask.user) {
            let action = engine.permission(&ask.action).expect("a known permission");
            let why = engine.why(user, action, on);
            assert!(explanation.reason == why, "{}: {why}, but {explanation}", json(question));
        }
        is_told(&explanation);
    }
}

/// The particulars of each reason are there.
fn is_told(explanation: &Explanation) {
    let text = explanation.to_string();
    for (at, account) in explanation.permissions.iter().enumerate() {
        let grant = match account.scopes.iter().find(|scope| scope.reason == account.reason) {
            Some(scope) if account.grant == Grant::default() => &scope.grant,
            _ => &account.grant,
        };
        let told = match account.reason {
            Reason::Unlicensed => grant.unlicensed.is_some(),
            Reason::Forbidden => !grant.forbidden_by.is_empty(),
            Reason::Denied => grant.statements.iter().any(|statement| statement.decides),
            Reason::Gated => explanation.permissions.get(at + 1).is_some_and(|gate| {
                !gate.reason.allowed() && account.gates[0].permission == gate.permission
            }),
            Reason::NoScope => {
                !account.scopes.is_empty() && !account.scopes.iter().any(ScopeTrace::fits)
            }
            Reason::OutOfBounds => account.checks.iter().any(|check| !check.passes),
            Reason::Granted => {
                let held = account.scopes.iter().any(|scope| scope.reason == Reason::Granted);
                held || grant.statements.iter().any(|statement| statement.decides)
            }
            _ => true,
        };
        assert!(told, "{} is not told of: {explanation:#?}", account.reason);
        assert!(text.contains(&account.permission.name), "{text}");
    }
}
