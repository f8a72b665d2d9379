//! What the design implies of every policy, as laws: functions that panic where
//! a case breaks them.
//!
//! What it does *not* imply is as telling. One more role may take away (it may
//! deny, or state a narrower bound), and so may a higher level in a more specific
//! tier (it replaces a still higher one). A feature that lapses may give: what is
//! implied but no longer licensed gates nothing. So these are no laws, and
//! [`a_lapsed_feature_never_adds_where_nothing_is_implied`] leaves implications out.

use super::by_name::ByName;
use std::collections::BTreeSet;

use grantree::Document;
use grantree::change::{Actor, Applied, Change, Note, OnConflict, Op, Rule};
use grantree::document::{Bound, Map, PermissionNode, RelationType, Statements, UserEntry};
use grantree::explain::{Effect, Explanation, Grant, Remedies, RemedyStep, ScopeTrace};
use grantree::filter::{Filter, Predicate};
use grantree::object::{DynamicObject, Object};
use grantree::policy_test::{Answer, Given, Question};
use grantree::problem::Problem;
use grantree::tree::{Form as TreeForm, Node, Stated, Tree};
use grantree::{Adopted, Engine, Moment, Policy, Reason, SourceName};

use super::ask::Ask;
use super::explaining::Judge;
use super::oracle::{Catalogue, Form, Holder, Oracle, Said, says};
use super::strategies::{Case, Tweak, said_by, sources};
use super::{erosion, mending, renaming};

/// The engine answers as the oracle does.
pub fn engine_agrees_with_oracle(case: &Case) {
    let engine = engine(&case.document);
    let oracle = Oracle::new(&case.document);
    for question in &case.questions {
        let (engine, oracle) = (ask(&engine, question), oracle.ask(question));
        assert!(
            engine == oracle,
            "{}: the engine says {engine}, the oracle {oracle}",
            json(question)
        );
    }
}

/// An explanation gives the oracle's reason, and every particular of it is true of the
/// document.
pub fn explanations_agree_with_oracle(case: &Case) {
    let engine = engine(&case.document);
    let oracle = Oracle::new(&case.document);
    for question in &case.questions {
        let Some(ask) = &Ask::of(question) else { continue };
        let Answer::Text(code) = oracle.ask(&ask.clone().why()) else { continue };
        let on = (ask.object.as_ref(), ask.today);
        let explanation = engine.explain_by_name(&ask.user, &ask.action, on).expect("known names");
        assert_eq!(explanation.reason.code(), code, "{}", json(question));
        assert_eq!(explanation.object.as_deref(), ask.object.as_ref().map(Object::kind));
        assert_eq!((&explanation.user.name, explanation.today), (&ask.user, ask.today));
        match oracle.holder(&ask.user).filter(|holder| !holder.user.suspended) {
            Some(holder) => Judge::new(&oracle, &case.document, holder, ask).judge(&explanation),
            None => assert_eq!(explanation.permissions, []),
        }
    }
}

/// An explanation gives the reason that the engine finds, and the particulars of that
/// reason.
pub fn explanations_agree_with_why(case: &Case) {
    let engine = engine(&case.document);
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

/// A mend makes the answer yes, and no part of it can be left out. So does an
/// assignment, in place of what the first mend would grant.
pub fn a_mend_mends_and_nothing_less_does(case: &Case) {
    let engine = engine(&case.document);
    let mut denials = 0;
    for question in &case.questions {
        let Some(ask) = &Ask::of(question) else { continue };
        let (Ok(user), Ok(action)) = (engine.user(&ask.user), engine.permission(&ask.action))
        else {
            continue;
        };
        let on = (ask.object.as_ref(), ask.today);
        let remedies = engine.remedies(user, action, on);
        match engine.check(&ask.user, &ask.action, on) {
            Err(_) => continue,
            Ok(true) => assert_eq!(remedies, Remedies::default()),
            Ok(false) => denials += 1,
        }
        let unmended = remedies == Remedies::default() && !engine.can(user, action, on);
        assert!(
            !unmended || !mending::is_within_reach(&case.document, ask),
            "no mend is found for {}",
            json(question)
        );
        // Each takes a policy or two for every part.
        if denials > 4 {
            break;
        }
        for remedy in remedies.least.iter().take(3) {
            let says = |parts: &[RemedyStep]| mending::can_after(&case.document, ask, parts);
            assert!(says(&remedy.steps), "{} does not mend {}", remedies, json(question));
            for at in 0..remedy.steps.len() {
                let mut less = remedy.steps.clone();
                less.remove(at);
                assert!(!says(&less), "part {at} is not needed: {remedies}{}", json(question));
            }
        }
        for assignment in remedies.assignments.iter().take(2) {
            let says = mending::can_with(&case.document, ask, assignment);
            assert!(says, "{remedies} assigns in vain for {}", json(question));
        }
    }
}

/// Of each assignment that a remedy offers, the users named as approvers of a source, and
/// the admins, are those who may assign it, once the sources before it are assigned.
/// Returns how many were named, and how many were not.
pub fn approvers_are_exactly_who_may_apply(
    document: &Document,
    questions: &[Question],
) -> [usize; 2] {
    let engine = engine(document);
    let mut named = [0; 2];
    for question in questions.iter().take(4) {
        let Some(ask) = &Ask::of(question) else { continue };
        let Ok(action) = engine.permission(&ask.action) else { continue };
        for (user, _) in document.users.iter().take(4) {
            let on = (ask.object.as_ref(), ask.today);
            let remedies = engine.remedies(engine.user(user).expect("a user"), action, on);
            for assignment in remedies.assignments.iter().take(3) {
                let mut policy = engine.policy().clone();
                for assigned in &assignment.sources {
                    let source = assigned.source.source.clone();
                    let assign = Change::Assign { user: user.to_owned(), source };
                    for (name, _) in document.users.iter().take(8) {
                        let is_named = [&assigned.approvers, &remedies.admins]
                            .iter()
                            .any(|names| names.iter().any(|known| known == name));
                        let outcome = policy.apply(Actor::User(name), &assign).map(|_| ());
                        assert!(
                            is_named == outcome.is_ok(),
                            "`{name}` is {}named, and gets {outcome:?} for {}: {remedies}",
                            if is_named { "" } else { "not " },
                            json(&assign)
                        );
                        named[usize::from(!is_named)] += 1;
                    }
                    assert!(assigned.approvers.is_sorted() && remedies.admins.is_sorted());
                    policy = policy.apply(Actor::Host, &assign).expect("the host may").policy;
                }
            }
        }
    }
    named
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

/// Nothing of a document is lost on the way through a policy, or through JSON.
pub fn document_and_policy_convert_back_without_loss(case: &Case) {
    let policy = policy(&case.document);
    assert_eq!(Document::from(&policy), case.document);
    let text = serde_json::to_string(&case.document).expect("a document serializes");
    let read: Document = serde_json::from_str(&text).expect("JSON reads back");
    assert_eq!(read, case.document);
}

// Laws of adding to a policy: each yes stays a yes, or each no a no.

/// One `allow` more, in any source, takes nothing from anybody.
pub fn granting_never_revokes(case: &Case) {
    for Tweak { source, pattern, .. } in &case.tweaks {
        let Some(pattern) = pattern else { continue };
        let more = with(case, source, |said| said.allow.push(pattern.clone()));
        never_less(case, &case.document, &more);
    }
}

/// One `deny` more, in any source, gives nothing to anybody.
pub fn a_denial_never_adds(case: &Case) {
    for Tweak { source, pattern, .. } in &case.tweaks {
        let Some(pattern) = pattern else { continue };
        let less = with(case, source, |said| said.deny.push(pattern.clone()));
        never_less(case, &less, &case.document);
    }
}

/// One `forbid` more, in any source, gives nothing to anybody.
pub fn a_forbid_never_adds(case: &Case) {
    for Tweak { source, pattern, .. } in &case.tweaks {
        let Some(pattern) = pattern else { continue };
        let less = with(case, source, |said| said.forbid.push(pattern.clone()));
        never_less(case, &less, &case.document);
    }
}

/// A bound that becomes `"any"`, in any source, takes nothing from anybody.
pub fn a_bound_of_any_never_revokes(case: &Case) {
    for Tweak { source, attribute, .. } in &case.tweaks {
        let Some(attribute) = attribute else { continue };
        let more = with(case, source, |said| {
            said.bounds.retain(|name, _| name != attribute);
            said.bounds.push(attribute, Bound::Any);
        });
        never_less(case, &case.document, &more);
    }
}

/// Where no bound is stated nothing passes, so that taking all of them away
/// gives nothing to anybody.
pub fn a_policy_without_bounds_allows_no_more(case: &Case) {
    let mut less = case.document.clone();
    for source in sources(&less) {
        said_by(&source, &mut less).bounds = Map::default();
    }
    never_less(case, &less, &case.document);
}

/// A licence without features gives nothing to anybody, implications left aside.
pub fn a_lapsed_feature_never_adds_where_nothing_is_implied(case: &Case) {
    let mut licensed = case.document.clone();
    each_permission(&mut licensed.catalogue.permissions, &mut |permission| {
        permission.implies.clear();
        for scope in &mut permission.scopes {
            scope.implies.clear();
        }
    });
    let mut lapsed = licensed.clone();
    lapsed.licence = Default::default();
    never_less(case, &lapsed, &licensed);
}

/// An admin may do at least what any user may; settings are as they were.
pub fn admin_is_the_top(case: &Case) {
    let more = with_users(case, |user| user.admin = true);
    never_less(case, &case.document, &more);
}

/// A suspended user may do nothing, but still has settings.
pub fn suspended_is_the_bottom(case: &Case) {
    let engine_before = engine(&case.document);
    let engine_after = engine(&with_users(case, |user| user.suspended = true));
    let catalogue = Catalogue::new(&case.document);
    for question in &case.questions {
        let before = ask(&engine_before, question);
        let after = ask(&engine_after, question);
        let expected = match question {
            _ if before == Answer::Error => Answer::Error,
            Question::Can { .. } | Question::CanSome { .. } => Answer::Boolean(false),
            Question::Level { permission, .. } => {
                Answer::Text(catalogue.node(permission).levels[0].clone())
            }
            Question::Effective { .. } | Question::WhoCan { .. } => Answer::List(Vec::new()),
            Question::Filter { objects, .. } => {
                Answer::List(vec![Answer::Boolean(false); objects.len()])
            }
            Question::Why { .. } if before == text("unknown_user") => before,
            Question::Why { .. } => text("suspended"),
            _ => before,
        };
        assert_eq!(after, expected, "{}", json(question));
    }
}

// Laws of what makes no difference.

/// Neither lists of statements nor the order of roles, approval groups and
/// sources mean anything. (Settings take the first role that states them.)
pub fn order_within_a_tier_does_not_matter(case: &Case) {
    let is_setting = |question: &Question| matches!(question, Question::Setting { .. });
    no_difference(case, &turned_sources(&case.document), |question| !is_setting(question));
}

/// Nor does the order of the catalogue, levels excepted.
pub fn order_in_the_catalogue_does_not_matter(case: &Case) {
    no_difference(case, &turned_catalogue(&case.document), |_| true);
}

/// Saying a thing twice is saying it.
pub fn a_statement_repeated_changes_nothing(case: &Case) {
    let mut repeated = case.document.clone();
    for source in sources(&repeated) {
        let said = said_by(&source, &mut repeated);
        said.allow.extend_from_within(..);
        said.except.extend_from_within(..);
        said.deny.extend_from_within(..);
        said.forbid.extend_from_within(..);
    }
    no_difference(case, &repeated, |_| true);
}

/// A role that a user's roles include is the user's: giving it besides, last,
/// changes nothing, and not the settings either.
pub fn an_included_role_given_besides_changes_nothing(case: &Case) {
    let mut more = case.document.clone();
    more.users = each(more.users, |user| {
        let mut at = 0;
        while let Some(name) = user.roles.get(at) {
            let role = case.document.roles.get(name).expect("a known role");
            for included in &role.includes {
                if !user.roles.contains(included) {
                    user.roles.push(included.clone());
                }
            }
            at += 1;
        }
    });
    no_difference(case, &more, |_| true);
}

/// What a user may do depends on no other user.
pub fn other_users_make_no_difference(case: &Case) {
    for (name, _) in case.document.users.iter() {
        let mut alone = case.document.clone();
        alone.users.retain(|other, _| other == name);
        no_difference(case, &alone, |question| asker(question) == Some(name));
    }
}

// Laws between questions.

/// `why` and `can` agree.
pub fn why_agrees_with_can(case: &Case) {
    let engine = engine(&case.document);
    for asked in asks(case) {
        let can = ask(&engine, &asked.clone().can());
        let why = ask(&engine, &asked.clone().why());
        let expected = match &why {
            Answer::Text(code) => Answer::Boolean(code == "granted" || code == "admin"),
            _ => Answer::Error,
        };
        assert_eq!(can, expected, "{}: {why}", json(&asked));
    }
}

/// What may be done on an object may be done on some object.
pub fn can_implies_can_some(case: &Case) {
    let engine = engine(&case.document);
    for asked in asks(case) {
        if may(&engine, &asked) {
            let Ask { user, action, .. } = asked.clone();
            let some = ask(
                &engine,
                &Question::CanSome { user: user.into(), within: Given::Absent, action },
            );
            assert_eq!(some, Answer::Boolean(true), "{}", json(&asked));
        }
    }
}

/// `who_can` lists exactly the users who can.
pub fn who_can_agrees_with_can(case: &Case) {
    let engine = engine(&case.document);
    let mut users: Vec<&str> = case.document.users.iter().map(|(name, _)| name).collect();
    users.sort_unstable();
    for asked in asks(case) {
        let Ask { action, object, today, .. } = asked;
        let can = |user: &str| {
            let user = user.to_owned();
            let (user, within, action) = (user.into(), Given::Absent, action.clone());
            let question = if object.is_some() {
                let (object, today) = (object.clone(), today.into());
                Question::Can { user, within, action, object, today }
            } else {
                Question::CanSome { user, within, action }
            };
            ask(&engine, &question)
        };
        // `can_some` alone answers about a heading.
        let known = engine.permission(&action).is_ok();
        let expected = match can("nobody at all") {
            Answer::Error => Answer::Error,
            _ if !known => Answer::Error,
            _ => Answer::List(
                users
                    .iter()
                    .filter(|user| can(user) == Answer::Boolean(true))
                    .map(|user| text(user))
                    .collect(),
            ),
        };
        let question = Question::WhoCan {
            action: action.clone(),
            object: object.clone(),
            today: today.into(),
        };
        assert_eq!(ask(&engine, &question), expected, "{}", json(&question));
    }
}

/// A question that names something unknown is an error, whoever asks.
pub fn an_error_is_one_whoever_asks(case: &Case) {
    let engine = engine(&case.document);
    for asked in asks(case) {
        let is_error = |user: &str| {
            let asked = Ask { user: user.to_owned(), ..asked.clone() };
            ask(&engine, &asked.can()) == Answer::Error
        };
        let for_nobody = is_error("nobody at all");
        for (user, _) in case.document.users.iter() {
            assert_eq!(is_error(user), for_nobody, "{user}: {}", json(&asked));
        }
    }
}

/// A filter matches an object exactly if `can` says yes on it: for every user and
/// action, on every object of the case, also those of other kinds.
pub fn filter_agrees_with_can(case: &Case) {
    let engine = engine(&case.document);
    let objects = objects(case);
    for (user, action, today) in filters(case) {
        let Ok(filter) = engine.filter_by_name(user, action, today) else {
            assert!(engine.check(user, action, ()).is_err());
            continue;
        };
        let (user, action) = (engine.user(user), engine.permission(action).expect("it is known"));
        for &object in &objects {
            let can =
                user.as_ref().is_ok_and(|&user| engine.can(user, action, (Some(object), today)));
            assert_eq!(filter.matches(object), can, "{filter} of {object}");
        }
    }
}

/// Users about whom the policy says the same have the same filters, apart from who
/// they are, even if it says it in another order.
pub fn equal_users_get_equal_filters(case: &Case) {
    let twin = |name: &str| format!("{name}'s twin");
    let mut document = case.document.clone();
    for (name, user) in case.document.users.iter() {
        document.users.push(twin(name), user.clone());
    }
    document.roles = each(document.roles, |role| role.unique = false);
    let turned = engine(&turned_catalogue(&turned_sources(&document)));
    let engine = engine(&document);
    for (user, action, today) in filters(case) {
        let Ok(filter) = engine.filter_by_name(user, action, today) else { continue };
        let other = engine.filter_by_name(&twin(user), action, today).expect("it is known");
        assert_eq!(filter.kind(), other.kind());
        assert_eq!(filter.predicate(), other.predicate());
        assert_eq!(filter.definitions(), other.definitions());
        assert_eq!(filter.groups(), other.groups());
        match filter.user() {
            Some(name) => assert_eq!((name, other.user()), (user, Some(twin(user).as_str()))),
            None => assert_eq!(filter, other),
        }
        if filter.definitions().is_empty() {
            assert_eq!(turned.filter_by_name(user, action, today), Ok(filter));
        }
    }
}

/// A filter is in normal form, prints on one line and serializes.
pub fn filters_are_in_normal_form(case: &Case) {
    let engine = engine(&case.document);
    for (user, action, today) in filters(case) {
        let Ok(filter) = engine.filter_by_name(user, action, today) else { continue };
        let text = filter.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "{text}");
        let data = serde_json::to_value(&filter).expect("a filter serializes");
        assert_eq!(data["kind"].as_str(), filter.kind());
        let count = |text: &str| text.matches("\"relation\":").count();
        let relations = count(&data.to_string());
        let tested = |names| asks_for(&filter, names);
        assert_eq!(relations > 0, tested(RelationType::User) || tested(RelationType::Group));
        assert_eq!(filter.user().is_some(), tested(RelationType::User), "{text}");
        assert!(filter.groups().is_empty() || tested(RelationType::Group), "{text}");
        assert!(filter.groups().is_sorted());
        match filter.predicate() {
            Predicate::None => assert_eq!(text, "nothing"),
            Predicate::All => {}
            predicate => is_normal(predicate, &text),
        }
        filter.definitions().iter().for_each(|definition| is_normal(definition, &text));
    }
}

/// Neither constants nor joins of the same kind within a join, nothing twice,
/// and a relation tested once among the parts.
fn is_normal(predicate: &Predicate, text: &str) {
    let (parts, is_and) = match predicate {
        Predicate::And(parts) => (parts, true),
        Predicate::Or(parts) => (parts, false),
        Predicate::All | Predicate::None => panic!("a constant in {text}"),
        Predicate::Relation { states, .. } => return assert!(!states.is_empty(), "{text}"),
        Predicate::OneOf { values, .. } => {
            return assert!(!values.is_empty() && values.is_sorted(), "{text}");
        }
        Predicate::Names { any_of, .. } => {
            let is_list = any_of.windows(2).all(|pair| pair[0] < pair[1]);
            return assert!(!any_of.is_empty() && is_list, "{text}");
        }
        _ => return,
    };
    assert!(parts.len() > 1, "{text}");
    for (at, part) in parts.iter().enumerate() {
        match part {
            Predicate::And(_) => assert!(!is_and, "{text}"),
            Predicate::Or(_) => assert!(is_and, "{text}"),
            _ => {}
        }
        let again = parts[..at].iter().any(|before| match (before, part) {
            (Predicate::Relation { name, .. }, Predicate::Relation { name: other, .. }) => {
                name == other
            }
            (Predicate::Names { name, .. }, Predicate::Names { name: other, .. }) => {
                // It may name several, one of each.
                if is_and { before == part } else { name == other }
            }
            _ => before == part,
        });
        assert!(!again, "{text}");
        is_normal(part, text);
    }
}

fn asks_for(filter: &Filter, those: RelationType) -> bool {
    fn asks_for(predicate: &Predicate, those: RelationType) -> bool {
        match predicate {
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().any(|part| asks_for(part, those))
            }
            Predicate::Relation { names, .. } => *names == those,
            _ => false,
        }
    }
    let mut all = std::iter::once(filter.predicate()).chain(filter.definitions());
    all.any(|predicate| asks_for(predicate, those))
}

/// The level of a graded permission is what `effective` lists of it.
pub fn effective_agrees_with_level(case: &Case) {
    let engine = engine(&case.document);
    let catalogue = Catalogue::new(&case.document);
    for (user, _) in case.document.users.iter() {
        let effective = effective(&engine, user);
        for (path, node) in catalogue.nodes() {
            let question = Question::Level {
                user: user.into(),
                within: Given::Absent,
                permission: path.to_owned(),
                object: None,
                today: Given::Absent,
            };
            let level = ask(&engine, &question);
            let expected = if node.form == Form::Graded {
                let listed = node.levels[1..]
                    .iter()
                    .find(|level| effective.contains(&format!("{path}:{level}")));
                text(listed.unwrap_or(&node.levels[0]))
            } else {
                Answer::Error
            };
            assert_eq!(level, expected, "{}", json(&question));
        }
    }
}

/// Without checks, `can_some` is what is effective, and nothing is listed twice.
pub fn effective_agrees_with_can_some(case: &Case) {
    let mut document = case.document.clone();
    each_permission(&mut document.catalogue.permissions, &mut |permission| {
        permission.checks.clear();
    });
    let catalogue = &mut document.catalogue;
    catalogue.objects = each(std::mem::take(&mut catalogue.objects), |kind| {
        kind.checks.clear();
    });
    let (checked, unchecked) = (engine(&case.document), engine(&document));
    let catalogue = Catalogue::new(&document);
    for (user, _) in document.users.iter() {
        let mut expected = Vec::new();
        let listed = catalogue.nodes().filter(|(_, node)| node.form != Form::Heading);
        for (path, node) in listed {
            let may = |engine: &Engine, action: String| {
                let user = user.to_owned();
                let question =
                    Question::CanSome { user: user.into(), within: Given::Absent, action };
                ask(engine, &question) == Answer::Boolean(true)
            };
            let actions = match node.form {
                Form::Graded => {
                    node.levels[1..].iter().rev().map(|level| format!("{path}:{level}")).collect()
                }
                _ => vec![path.to_owned()],
            };
            for action in &actions {
                let asks_less = may(&unchecked, action.clone());
                assert!(asks_less || !may(&checked, action.clone()), "{user}: {action}");
            }
            expected.extend(actions.into_iter().find(|action| may(&unchecked, action.clone())));
        }
        expected.sort_unstable();
        assert_eq!(effective(&unchecked, user), expected, "{user}");
        assert_eq!(effective(&checked, user), expected, "{user}");
    }
}

/// A scoped node is allowed exactly where one of its scopes is.
pub fn a_scoped_node_is_any_of_its_scopes(case: &Case) {
    let engine = engine(&case.document);
    let catalogue = Catalogue::new(&case.document);
    for asked in asks(case) {
        let scoped = |path: &str| catalogue.get(path).is_some_and(|node| node.form == Form::Scoped);
        let path = match catalogue.get(&asked.action) {
            Some(node) if node.form == Form::Scope => node.above.clone(),
            _ => Some(asked.action.clone()).filter(|path| scoped(path)),
        };
        let Some(path) = path else { continue };
        let may = |action: &str| may(&engine, &Ask { action: action.to_owned(), ..asked.clone() });
        assert_eq!(may(&path), catalogue.scopes(&path).any(may), "{}", json(&asked));
    }
}

/// If something is allowed, so is what it answers to: on the same object if on the
/// same kind; otherwise it is effective. "So who may not view a job may not edit it,
/// whatever else is granted." (Not so for admins.)
pub fn what_it_answers_to_is_allowed_too(case: &Case) {
    let engine = engine(&case.document);
    let catalogue = Catalogue::new(&case.document);
    for asked in asks(case) {
        let question = asked.clone().why();
        if ask(&engine, &question) != text("granted") {
            continue;
        }
        let need = catalogue.need(&asked.action).expect("it was granted");
        let kind = asked.object.as_ref().map(Object::kind);
        let looks = catalogue.node(&need.path).kind.is_some();
        for gate in catalogue.gates(&need.path) {
            let node = catalogue.node(&gate.path);
            let action = match node.form {
                Form::Graded => format!("{}:{}", gate.path, node.levels[gate.level]),
                _ => gate.path.clone(),
            };
            let effective = effective(&engine, &asked.user);
            let listed = match node.form {
                Form::Graded => node.levels[gate.level..]
                    .iter()
                    .any(|level| effective.contains(&format!("{}:{level}", gate.path))),
                _ => effective.contains(&gate.path),
            };
            assert!(listed, "{}: {action} is not effective", json(&asked));
            if looks && kind.is_some() && node.kind == kind && node.form != Form::Scope {
                let asked_gate = Ask { action, ..asked.clone() };
                assert!(may(&engine, &asked_gate), "{}", json(&asked_gate));
            }
        }
    }
}

// Laws of trees.

/// What has effect according to a source's tree is what the engine gives a user who
/// holds just that source, for the same reasons; a user's tree shows what that user
/// holds.
pub fn a_tree_says_what_is_effective(case: &Case) {
    let policy = policy(&case.document);
    for source in sources(&case.document) {
        let tree = tree(&policy, &source);
        let engine = engine(&holding(&case.document, &source));
        let holder = engine.user(holder_of(&source)).expect("the one user");
        let mut effective: Vec<String> = Vec::new();
        for node in tree.iter() {
            let path = &node.permission.name;
            let Some(reason) = node.reason else {
                assert!(node.form == TreeForm::Heading && engine.permission(path).is_err());
                continue;
            };
            let permission = engine.permission(path).expect("no heading");
            match engine.why(holder, permission, ()) {
                Reason::ObjectRequired => assert_eq!(reason, Reason::Granted, "{path}\n{tree}"),
                why => assert_eq!(reason, why, "{path}\n{tree}"),
            }
            assert_eq!(
                node.level.as_deref(),
                engine.level(holder, permission, ()),
                "{path}\n{tree}"
            );
            if node.has_effect() {
                let level = node.level.iter().map(|level| format!(":{level}"));
                effective.push(format!("{path}{}", level.collect::<String>()));
            }
            assert_eq!(reason == Reason::Gated, !node.lacks.is_empty(), "{path}\n{tree}");
            for lack in &node.lacks {
                let needed = engine.permission(&lack.permission.name).expect("what it needs");
                assert_eq!(lack.reason, engine.why(holder, needed, ()), "{path}\n{tree}");
                assert!(!lack.reason.allowed() && lack.reason != Reason::ObjectRequired);
            }
        }
        effective.sort();
        let expected = engine.effective(holder);
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(effective, expected, "{tree}");
    }
}

/// What a source's tree says about its own statements, and about those of others, is
/// what the oracle finds; and it names the statements that decide.
pub fn a_tree_names_the_statements_that_decide(case: &Case) {
    let policy = policy(&case.document);
    let catalogue = Catalogue::new(&case.document);
    for source in sources(&case.document) {
        let tree = tree(&policy, &source);
        let mut document = holding(&case.document, &source);
        let said = said_by(&source, &mut document).clone();
        let mut others = document.users.iter().next().expect("one user").1.clone();
        match &source {
            SourceName::Profile(_) => others.profile = None,
            SourceName::Role(name) => {
                others.roles = document.roles.get(name).expect("a role").includes.clone();
            }
            SourceName::ApprovalGroup(_) => others.approval_groups.clear(),
            SourceName::User(_) => others.statements = Statements::default(),
            SourceName::Global => document.global = Statements::default(),
        }
        let others = Holder::new(&document, &catalogue, "", &others);
        for node in tree.iter() {
            let path = node.permission.name.as_str();
            match node.form {
                TreeForm::Heading | TreeForm::Scoped => {
                    of_what_is_beneath(node, |node| &node.own);
                    of_what_is_beneath(node, |node| &node.inherited);
                    continue;
                }
                _ => {}
            }
            let allows = |stated: &Stated| match stated.effect.as_ref()? {
                Effect::Allow => Some(Said::Level(catalogue.highest(path))),
                Effect::Level(level) => {
                    node.levels.iter().position(|known| known == level).map(Said::Level)
                }
                Effect::Deny => Some(Said::Deny),
                Effect::Except | Effect::Forbid => None,
            };
            let forbidden = said.forbid.iter().any(|by| catalogue.nearness(by, path).is_some());
            assert_eq!((node.own.effect == Some(Effect::Forbid)), forbidden, "{path}\n{tree}");
            if !forbidden {
                assert_eq!(allows(&node.own), says(&catalogue, &said, path), "{path}\n{tree}");
            }
            let forbidden = others.is_forbidden(&catalogue, path);
            assert_eq!(
                (node.inherited.effect == Some(Effect::Forbid)),
                forbidden,
                "{path}\n{tree}"
            );
            if !forbidden {
                let others = others.said.get(path).copied();
                assert_eq!(allows(&node.inherited), others, "{path}\n{tree}");
            }
            assert!(node.own.by.iter().all(|by| by.source.source == source));
            for shown in [&node.own, &node.inherited] {
                assert_eq!(shown.effect.is_none(), shown.by.is_empty(), "{path}\n{tree}");
                for by in &shown.by {
                    let (pattern, place) = (&by.pattern, by.source.source.place());
                    let known = said_by(&by.source.source, &mut case.document.clone()).clone();
                    assert!(
                        stated(&known, &place).any(|(at, text)| at == by.place && text == *pattern)
                    );
                    assert!(catalogue.nearness(pattern, path).is_some());
                }
            }
            let granted = matches!(node.reason, Some(Reason::Granted | Reason::Gated));
            assert_ne!(node.inherited.effect, Some(Effect::Except), "{path}\n{tree}");
            let own = node.own.effect.as_ref().filter(|effect| **effect != Effect::Except);
            let said = own.is_some() || node.inherited.effect.is_some();
            let implied = !node.implied_by.is_empty();
            assert!(tree.admin || implied == (granted && !said), "{path}\n{tree}");
        }
    }
}

/// All patterns of a source's statements, each with its place.
fn stated(said: &Statements, place: &str) -> impl Iterator<Item = (String, String)> {
    let Statements { allow, except, deny, forbid, .. } = said;
    let lists = [("allow", allow), ("except", except), ("deny", deny), ("forbid", forbid)];
    let lists = lists.into_iter().flat_map(|(field, list)| {
        let texts = list.iter().enumerate();
        texts.map(move |(at, text)| (format!("{place}.{field}[{at}]"), text.clone()))
    });
    let levels = said.levels.iter();
    let levels = levels.map(|(text, _)| (format!("{place}.levels.{text}"), text.to_owned()));
    lists.chain(levels).collect::<Vec<_>>().into_iter()
}

/// A scoped node shows what is stated of all its scopes, a heading that of all nodes
/// under it.
fn of_what_is_beneath(node: &Node, stated: fn(&Node) -> &Stated) {
    let mut beneath: Vec<&Node> = node.children.iter().collect();
    let mut effects: Vec<&Option<Effect>> = Vec::new();
    while let Some(below) = beneath.pop() {
        match (node.form, below.form) {
            (TreeForm::Scoped, TreeForm::Scope) => effects.push(&stated(below).effect),
            (TreeForm::Scoped, _) => {}
            (_, TreeForm::Heading | TreeForm::Scoped) => beneath.extend(&below.children),
            _ => {
                effects.push(&stated(below).effect);
                beneath.extend(&below.children);
            }
        }
    }
    effects.dedup();
    let Stated { effect, mixed, .. } = stated(node);
    match effects[..] {
        [] => assert_eq!((effect, *mixed), (&None, false)),
        [common] => assert_eq!((effect, *mixed), (common, false)),
        _ => assert_eq!((effect, *mixed), (&None, true)),
    }
}

/// What an edit with `cascade` allows has effect for a user who holds the source. If
/// it has none, the cause is one that no allow of the source undoes (a licence, a
/// forbid, a deny of an included role), or a scoped permission to which the source
/// gives no effect: none of its scopes was allowed, which the change notes, or one was
/// that lacks what it needs itself.
pub fn what_a_cascade_allows_has_effect(case: &Case) {
    let policy = policy(&case.document);
    let catalogue = Catalogue::new(&case.document);
    for Tweak { source, pattern, .. } in &case.tweaks {
        let Some(pattern) = pattern else { continue };
        let ops = vec![Op::Allow(pattern.clone())];
        let change = Change::Edit { source: source.clone(), ops, cascade: true };
        let Applied { policy, notes, .. } = match policy.apply(Actor::Host, &change) {
            Ok(applied) => applied,
            Err(refusal) => {
                assert!(matches!(refusal.rule, Rule::Protected | Rule::Separation), "{refusal}");
                continue;
            }
        };
        let tree = tree(&policy, source);
        let node = |path: &str| {
            let path = path.split(':').next().expect("a path");
            tree.iter().find(|node| node.permission.name == path).expect("a node")
        };
        for ticked in tree.iter().filter(|node| node.is_idle()) {
            if catalogue.nearness(pattern, &ticked.permission.name).is_none() {
                continue;
            }
            let mut cause = ticked;
            let mut reason = ticked.reason;
            let mut by_scope = false;
            while let (Some(Reason::Gated), Some(lack)) = (reason, cause.lacks.first()) {
                by_scope |= cause.form == TreeForm::Scoped;
                cause = node(&lack.permission.name);
                reason = Some(lack.reason);
            }
            let noted = notes.iter().any(|note| {
                matches!(note, Note::Unmet { permission } if *permission == cause.permission.name)
            });
            let told = match reason {
                Some(Reason::Unlicensed) => cause.unlicensed.is_some(),
                Some(Reason::Forbidden) => true,
                Some(Reason::Denied) if cause.inherited.effect == Some(Effect::Deny) => true,
                _ => noted || by_scope,
            };
            let path = &ticked.permission.name;
            assert!(told, "{path} for want of {}: {notes:?}\n{tree}", cause.permission);
        }
    }
}

fn tree(policy: &Policy, source: &SourceName) -> Tree {
    policy.tree(source).expect("a source of the policy")
}

/// The name of the one user in [`holding`].
fn holder_of(source: &SourceName) -> &str {
    match source {
        SourceName::User(name) => name,
        _ => "holder",
    }
}

/// The document with one user, who holds just that source; or is that user, not
/// suspended.
fn holding(document: &Document, source: &SourceName) -> Document {
    let mut user = UserEntry::default();
    match source {
        SourceName::Global => {}
        SourceName::Profile(name) => user.profile = Some(name.clone()),
        SourceName::Role(name) => user.roles.push(name.clone()),
        SourceName::ApprovalGroup(name) => user.approval_groups.push(name.clone()),
        SourceName::User(name) => user = document.users.get(name).expect("a user").clone(),
    }
    user.suspended = false;
    let mut document = document.clone();
    document.users = Map::from_iter([(holder_of(source), user)]);
    document
}

// Laws of adoption.

/// Adopting a document that fits is the same as reading it.
pub fn adopting_what_fits_leaves_nothing_out(case: &Case) {
    let Adopted { policy, left_out } = adopt(&case.document);
    assert_eq!(left_out, []);
    assert_eq!(Document::from(&policy), case.document);
}

/// Under another catalogue, adoption leaves out all that would be refused, each once
/// and with its place, restrictions apart, and nothing else but the kinds of change
/// that needed it.
pub fn adopting_leaves_out_what_would_be_refused(case: &Case) {
    for document in erosion::eroded(&case.document) {
        let problems: Vec<Problem> = match Policy::try_from(document.clone()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().cloned().collect(),
        };
        let Adopted { policy, left_out } = adopt(&document);
        let left: Vec<Problem> = left_out.iter().map(|left| left.problem.clone()).collect();
        assert_eq!(left, problems);
        for left in &left_out {
            let place = left.problem.place();
            let restricting = [".except[", ".deny[", ".forbid[", ".bounds."];
            let restricts = restricting.iter().any(|at| place.contains(at))
                || place.starts_with("governance.separation[");
            assert_eq!(left.restriction, restricts, "{left}");
        }
        let places: BTreeSet<&str> = problems.iter().map(Problem::place).collect();
        assert_eq!(places.len(), problems.len());
        let adopted = Document::from(&policy);
        let expected = erosion::without(&document, &places);
        assert!(erosion::sorted(&adopted) == expected, "{left_out:?}");
        let Adopted { left_out, .. } = adopt(&adopted);
        assert_eq!(left_out, []);
    }
}

/// Statements follow permissions to the paths that these have now.
pub fn what_was_renamed_is_found(case: &Case) {
    let mut stored = case.document.clone();
    let renamed = renaming::renamed(&stored);
    stored.catalogue = renamed.catalogue.clone();
    let Adopted { policy, left_out } = adopt(&stored);
    assert_eq!(left_out, []);
    assert_eq!(Document::from(&policy), renamed);
}

fn adopt(document: &Document) -> Adopted {
    match Policy::builder().adopt(document.clone()) {
        Ok(adopted) => adopted,
        Err(problems) => panic!("a document is not adopted:\n{problems}"),
    }
}

// Laws of export.

/// All that is exported arrives unchanged in a policy of the same catalogue, and
/// importing it into the policy that it came from changes nothing.
pub fn what_is_exported_imports_as_it_was(case: &Case) {
    let from = policy(&case.document);
    let bundle = from.export_all();
    let text = serde_json::to_string(&bundle).expect("a bundle serializes");
    assert_eq!(bundle, serde_json::from_str(&text).expect("a bundle reads back"));

    let mut bare = Document::default();
    bare.catalogue = case.document.catalogue.clone();
    let import = Change::Import { bundle: bundle.clone(), on_conflict: OnConflict::Refuse };
    let Applied { policy: into, notes, .. } =
        policy(&bare).apply(Actor::Host, &import).expect("there is nothing in the way");
    assert_eq!(notes, []);
    let into = Document::from(&into);
    assert_eq!(into.profiles, case.document.profiles);
    assert_eq!(into.roles, case.document.roles);
    assert_eq!(into.approval_groups, case.document.approval_groups);

    // What is protected is not replaced.
    let mut open = case.document.clone();
    open.roles = each(open.roles, |role| role.source.protected = false);
    let from = policy(&open);
    let import = Change::Import { bundle: from.export_all(), on_conflict: OnConflict::Replace };
    let Applied { policy: after, notes, .. } =
        from.apply(Actor::Host, &import).expect("it is as it was");
    assert_eq!(notes, []);
    assert_eq!(Document::from(&after), open);
}

/// Chosen sources are exported as they are, with the roles that they include and
/// no others, so that an import leaves out no more than names of roles that guard
/// or follow.
pub fn what_is_chosen_is_exported_with_what_it_includes(case: &Case) {
    let from = policy(&case.document);
    let mut bare = Document::default();
    bare.catalogue = case.document.catalogue.clone();
    let bare = policy(&bare);
    for source in sources(&case.document) {
        let exported = from.export([&source]);
        if matches!(source, SourceName::Global | SourceName::User(_)) {
            assert_eq!(exported.expect_err("it is no bundle").rule, Rule::Invalid);
            continue;
        }
        let bundle = exported.expect("a source of the policy");
        let mut wanted = BTreeSet::new();
        let mut open = Vec::new();
        match &source {
            SourceName::Role(name) => open.push(name.as_str()),
            SourceName::Profile(name) => {
                assert_eq!(bundle.profiles.get(name), case.document.profiles.get(name));
            }
            SourceName::ApprovalGroup(name) => {
                let known = &case.document.approval_groups;
                assert_eq!(bundle.approval_groups.get(name), known.get(name));
            }
            _ => {}
        }
        while let Some(name) = open.pop() {
            if wanted.insert(name) {
                let role = case.document.roles.get(name).expect("a role");
                assert_eq!(bundle.roles.get(name), Some(role));
                open.extend(role.includes.iter().map(String::as_str));
            }
        }
        let sources = bundle.profiles.len() + bundle.roles.len() + bundle.approval_groups.len();
        assert_eq!(bundle.roles.len(), wanted.len());
        assert_eq!(sources, wanted.len().max(1));
        let import = Change::Import { bundle, on_conflict: OnConflict::Refuse };
        let Applied { notes, .. } =
            bare.apply(Actor::Host, &import).expect("nothing is in the way");
        let names_a_role = |note: &Note| match note {
            Note::LeftOut(left) => {
                let field = left.problem.place().rsplit('.').next().expect("a field");
                field == "demoted_to" || field.starts_with("assignable_by[")
            }
            _ => false,
        };
        assert!(notes.iter().all(names_a_role), "{notes:?}");
    }
}

// What the laws are written with.

fn policy(document: &Document) -> Policy {
    match Policy::try_from(document.clone()) {
        Ok(policy) => policy,
        Err(problems) => panic!("a valid policy is refused:\n{problems}"),
    }
}

fn engine(document: &Document) -> Engine {
    Engine::new(&policy(document))
}

pub fn ask(engine: &Engine, question: &Question) -> Answer {
    question.ask(engine).unwrap_or(Answer::Error)
}

fn may(engine: &Engine, asked: &Ask) -> bool {
    ask(engine, &asked.clone().can()) == Answer::Boolean(true)
}

fn effective(engine: &Engine, user: &str) -> Vec<String> {
    let user = user.to_owned();
    texts(&ask(
        engine,
        &Question::Effective { user: user.into(), within: Given::Absent, assignment: None },
    ))
}

fn text(text: &str) -> Answer {
    Answer::Text(text.to_owned())
}

fn texts(answer: &Answer) -> Vec<String> {
    let Answer::List(list) = answer else { panic!("not a list: {answer}") };
    list.iter()
        .map(|item| match item {
            Answer::Text(text) => text.clone(),
            other => panic!("not a text: {other}"),
        })
        .collect()
}

fn json(question: &impl serde::Serialize) -> String {
    serde_json::to_string(question).expect("a question serializes")
}

/// The questions of a case that are about one decision.
pub fn asks(case: &Case) -> impl Iterator<Item = Ask> {
    case.questions.iter().filter_map(Ask::of)
}

/// The users, actions and days of a case's questions about objects.
pub fn filters(case: &Case) -> impl Iterator<Item = (&str, &str, Option<Moment>)> {
    case.questions.iter().filter_map(|question| match question {
        Question::Can { user, action, today, .. }
        | Question::Why { user, action, today, .. }
        | Question::Filter { user, action, today, .. } => {
            Some((user.name(), action.as_str(), today.value().copied()))
        }
        _ => None,
    })
}

/// The objects of all questions of a case.
pub fn objects(case: &Case) -> Vec<&DynamicObject> {
    let objects = case.questions.iter().flat_map(|question| match question {
        Question::Can { object, .. }
        | Question::Why { object, .. }
        | Question::WhoCan { object, .. } => object.as_slice(),
        Question::Filter { objects, .. } => objects,
        _ => &[],
    });
    objects.collect()
}

/// The user whom a question is about, if it is about one.
fn asker(question: &Question) -> Option<&str> {
    match question {
        Question::Can { user, .. } | Question::Why { user, .. } => Some(user.name()),
        Question::CanSome { user, .. } => Some(user.name()),
        Question::Level { user, .. } => Some(user.name()),
        Question::Setting { user, .. } => Some(user.name()),
        Question::Effective { user, .. } => Some(user.name()),
        Question::Filter { user, .. } => Some(user.name()),
        Question::WhoCan { .. }
        | Question::Never { .. }
        | Question::Validate(_)
        | Question::Change { .. } => None,
    }
}

fn with(case: &Case, source: &SourceName, say: impl FnOnce(&mut Statements)) -> Document {
    let mut document = case.document.clone();
    say(said_by(source, &mut document));
    document
}

fn with_users(case: &Case, change: impl FnMut(&mut UserEntry)) -> Document {
    let mut document = case.document.clone();
    document.users = each(document.users, change);
    document
}

fn each<V>(map: Map<V>, mut change: impl FnMut(&mut V)) -> Map<V> {
    map.into_iter()
        .map(|(name, mut value)| {
            change(&mut value);
            (name, value)
        })
        .collect()
}

fn each_permission(
    permissions: &mut [PermissionNode],
    change: &mut impl FnMut(&mut PermissionNode),
) {
    for permission in permissions {
        change(permission);
        each_permission(&mut permission.children, change);
    }
}

/// With all lists of sources reversed, and the sources themselves.
fn turned_sources(document: &Document) -> Document {
    let mut turned = document.clone();
    for source in sources(&turned) {
        let said = said_by(&source, &mut turned);
        said.allow.reverse();
        said.except.reverse();
        said.deny.reverse();
        said.forbid.reverse();
        reverse(&mut said.levels);
        reverse(&mut said.bounds);
    }
    turned.roles = each(turned.roles, |role| role.includes.reverse());
    turned.users = each(turned.users, |user| {
        user.roles.reverse();
        user.approval_groups.reverse();
        user.groups.reverse();
        user.assignments = each(std::mem::take(&mut user.assignments), |assignment| {
            assignment.roles.reverse();
            assignment.approval_groups.reverse();
            reverse(&mut assignment.statements.bounds);
            if let Some(on) = &mut assignment.on {
                *on = each(std::mem::take(on), reverse);
                reverse(on);
            }
        });
        reverse(&mut user.assignments);
    });
    reverse(&mut turned.profiles);
    reverse(&mut turned.roles);
    reverse(&mut turned.approval_groups);
    reverse(&mut turned.groups);
    reverse(&mut turned.users);
    turned
}

/// With all lists of the catalogue reversed, except levels.
fn turned_catalogue(document: &Document) -> Document {
    let mut turned = document.clone();
    let catalogue = &mut turned.catalogue;
    catalogue.permissions.reverse();
    each_permission(&mut catalogue.permissions, &mut |permission| {
        permission.children.reverse();
        permission.checks.reverse();
        permission.requires.reverse();
        permission.implies.reverse();
        permission.scopes.reverse();
        for scope in &mut permission.scopes {
            reverse(&mut scope.when);
            scope.requires.reverse();
            scope.implies.reverse();
        }
    });
    catalogue.objects = each(std::mem::take(&mut catalogue.objects), |kind| {
        reverse(&mut kind.relations);
        reverse(&mut kind.attributes);
    });
    reverse(&mut catalogue.objects);
    reverse(&mut catalogue.editions);
    reverse(&mut catalogue.settings);
    turned
}

fn reverse<V>(map: &mut Map<V>) {
    *map = std::mem::take(map).into_iter().rev().collect();
}

/// The questions that `about` picks are answered alike by another document.
fn no_difference(case: &Case, other: &Document, about: impl Fn(&Question) -> bool) {
    let (engine, other) = (engine(&case.document), engine(other));
    for question in case.questions.iter().filter(|question| about(question)) {
        assert_eq!(ask(&other, question), ask(&engine, question), "{}", json(question));
    }
}

/// The second document answers no question of the case with less.
fn never_less(case: &Case, first: &Document, second: &Document) {
    let catalogue = Catalogue::new(first);
    let height = |path: &str, level: &str| {
        let levels = catalogue.node(path).levels;
        levels.iter().position(|known| known == level)
    };
    let at_least = |high: &str, low: &str| match (high.split_once(':'), low.split_once(':')) {
        (Some((path, high)), Some((same, low))) if path == same => {
            height(path, high) >= height(path, low)
        }
        _ => high == low,
    };
    let (first, second) = (engine(first), engine(second));
    for question in &case.questions {
        let (less, more) = (ask(&first, question), ask(&second, question));
        let kept = match (question, &less, &more) {
            (Question::Can { .. } | Question::CanSome { .. }, Answer::Boolean(less), _) => {
                !less || more == Answer::Boolean(true)
            }
            (Question::Why { .. }, Answer::Text(less), Answer::Text(more)) => {
                let yes = ["granted", "admin"];
                !yes.contains(&less.as_str()) || yes.contains(&more.as_str())
            }
            (Question::Level { permission, .. }, Answer::Text(less), Answer::Text(more)) => {
                height(permission, more) >= height(permission, less)
            }
            (Question::Filter { .. }, Answer::List(less), Answer::List(more)) => {
                let mut pairs = less.iter().zip(more);
                pairs.all(|(less, more)| less == more || *more == Answer::Boolean(true))
            }
            (
                Question::Effective { .. } | Question::WhoCan { .. },
                Answer::List(_),
                Answer::List(_),
            ) => {
                let more = texts(&more);
                texts(&less).iter().all(|less| more.iter().any(|more| at_least(more, less)))
            }
            _ => less == more,
        };
        assert!(kept, "{}: from {less} to {more}", json(question));
    }
}
