//! What the design implies of every policy, as laws: functions that panic where
//! a case breaks them.
//!
//! What it does *not* imply is as telling. One more role may take away (it may
//! deny, or state a narrower bound), and so may a higher level in a more specific
//! tier (it replaces a still higher one). A feature that lapses may give: what is
//! implied but no longer licensed gates nothing. So these are no laws, and
//! [`a_lapsed_feature_never_adds_where_nothing_is_implied`] leaves implications out. Nor may
//! one more `allow` only give in an assignment: what the assignment carries is under its
//! own bounds. So laws of adding are about policies without assignments.

use grantree::Document;
use grantree::document::{Bound, Map, Statements, UserEntry};
use grantree::object::Object;
use grantree::policy_test::{Answer, Given, Principal, Question};
use grantree::{Engine, SourceName};

use super::ask::Ask;
use super::case::{
    Case, Tweak, ask, asks, each, each_permission, engine, json, said_by, sources, text, texts,
    value,
};
use super::oracle::catalogue::{Catalogue, Form};

/// Nothing of a document is lost on the way through a policy, or through JSON.
pub fn document_and_policy_convert_back_without_loss(case: &Case) {
    assert_eq!(Document::from(&case.policy), case.document);
    let text = serde_json::to_string(&case.document).expect("a document serializes");
    let read: Document = serde_json::from_str(&text).expect("JSON reads back");
    assert_eq!(read, case.document);
}

// Laws of adding to a policy: each yes stays a yes, or each no a no.

/// One `allow` more, in any source, takes nothing from anybody.
pub fn granting_never_revokes(case: &Case) {
    for Tweak { source, pattern, .. } in case.tweaks() {
        let Some(pattern) = pattern else { continue };
        let more = with(case, &source, |said| said.allow.push(pattern.clone()));
        never_less(case, &case.document, &more);
    }
}

/// One `deny` more, in any source, gives nothing to anybody.
pub fn a_denial_never_adds(case: &Case) {
    for Tweak { source, pattern, .. } in case.tweaks() {
        let Some(pattern) = pattern else { continue };
        let less = with(case, &source, |said| said.deny.push(pattern.clone()));
        never_less(case, &less, &case.document);
    }
}

/// One `forbid` more, in any source, gives nothing to anybody.
pub fn a_forbid_never_adds(case: &Case) {
    for Tweak { source, pattern, .. } in case.tweaks() {
        let Some(pattern) = pattern else { continue };
        let less = with(case, &source, |said| said.forbid.push(pattern.clone()));
        never_less(case, &less, &case.document);
    }
}

/// A bound that becomes `"any"`, in any source, takes nothing from anybody.
pub fn a_bound_of_any_never_revokes(case: &Case) {
    for Tweak { source, attribute, .. } in case.tweaks() {
        let Some(attribute) = attribute else { continue };
        let more = with(case, &source, |said| {
            said.bounds.retain(|name, _| name != attribute);
            said.bounds.push(&*attribute, Bound::Any);
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
    let catalogue = case.catalogue();
    for question in &case.questions {
        let before = ask(&engine_before, question);
        let after = ask(&engine_after, question);
        let expected = match question {
            _ if before == Answer::Error => Answer::Error,
            _ if is_of_a_subject(question) => before,
            Question::Can { .. } | Question::CanSome { .. } => Answer::Boolean(false),
            Question::Level { permission, .. } => {
                Answer::Text(catalogue.node(permission).levels[0].clone())
            }
            Question::Effective { .. } | Question::WhoCan { .. } => Answer::List(Vec::new()),
            Question::Never { .. } => Answer::Boolean(true),
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

/// What a user may do depends on no other user. (A `within` may: it may not bring a unique
/// role that somebody else has.)
pub fn other_users_make_no_difference(case: &Case) {
    for (name, _) in case.document.users.iter() {
        let mut alone = case.document.clone();
        alone.users.retain(|other, _| other == name);
        no_difference(case, &alone, |question| {
            user(question) == Some(name) && !json(question).contains("within")
        });
    }
}

/// The level of a graded permission is what `effective` lists of it.
pub fn effective_agrees_with_level(case: &Case) {
    let engine = case.engine();
    let catalogue = case.catalogue();
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
    let (checked, unchecked) = (case.engine(), engine(&document));
    let catalogue = Catalogue::new(&value(&document));
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
    let engine = case.engine();
    let catalogue = case.catalogue();
    for asked in asks(case) {
        let scoped = |path: &str| catalogue.get(path).is_some_and(|node| node.form == Form::Scoped);
        let path = match catalogue.get(&asked.action) {
            Some(node) if node.form == Form::Scope => node.above.clone(),
            _ => Some(asked.action.clone()).filter(|path| scoped(path)),
        };
        let Some(path) = path else { continue };
        let may = |action: &str| may(&engine, &Ask { action: action.to_owned(), ..asked.clone() });
        assert_eq!(may(&path), catalogue.scopes(&path).into_iter().any(may), "{}", json(&asked));
    }
}

/// If something is allowed, so is what it answers to: on the same object if on the
/// same kind; otherwise it is effective. "So who may not view a job may not edit it,
/// whatever else is granted." (Not so for admins.)
pub fn what_it_answers_to_is_allowed_too(case: &Case) {
    let engine = case.engine();
    let catalogue = case.catalogue();
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
            if looks && kind.is_some() && node.kind.as_deref() == kind && node.form != Form::Scope {
                let asked_gate = Ask { action, ..asked.clone() };
                assert!(may(&engine, &asked_gate), "{}", json(&asked_gate));
            }
        }
    }
}

fn may(engine: &Engine, asked: &Ask) -> bool {
    ask(engine, &asked.clone().can()) == Answer::Boolean(true)
}

fn effective(engine: &Engine, user: &str) -> Vec<String> {
    texts(&ask(
        engine,
        &Question::Effective { user: user.into(), within: Given::Absent, assignment: None },
    ))
}

/// The asker of a question, unless everybody is asked about.
fn asker(question: &Question) -> Option<&Principal> {
    match question {
        Question::Can { user, .. }
        | Question::Why { user, .. }
        | Question::CanSome { user, .. }
        | Question::Level { user, .. }
        | Question::Setting { user, .. }
        | Question::Effective { user, .. }
        | Question::Filter { user, .. } => Some(user),
        Question::WhoCan { .. }
        | Question::Never { .. }
        | Question::NoNewAccess { .. }
        | Question::Validate(_)
        | Question::Change { .. } => None,
    }
}

/// The user of the document whom a question is about, if it is about one.
fn user(question: &Question) -> Option<&str> {
    match asker(question)? {
        Principal::User(name) => Some(name),
        _ => None,
    }
}

fn is_of_a_subject(question: &Question) -> bool {
    matches!(asker(question), Some(Principal::Subject(_)))
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

/// With all lists of sources reversed, and the sources themselves.
pub fn turned_sources(document: &Document) -> Document {
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
pub fn turned_catalogue(document: &Document) -> Document {
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
    let (engine, other) = (case.engine(), engine(other));
    for question in case.questions.iter().filter(|question| about(question)) {
        assert_eq!(ask(&other, question), ask(&engine, question), "{}", json(question));
    }
}

/// The second document answers no question of the case with less.
fn never_less(case: &Case, first: &Document, second: &Document) {
    let catalogue = Catalogue::new(&value(first));
    let height = |path: &str, level: &str| {
        let levels = &catalogue.node(path).levels;
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
            (Question::Never { .. }, Answer::Boolean(less), _) => {
                *less || more == Answer::Boolean(false)
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
