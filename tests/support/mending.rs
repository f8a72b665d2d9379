//! Mends applied to a document by hand, to see whether they mend.

use grantree::Document;
use grantree::document::{Bound, BoundType, Fence, Map, RelationType, Statements, UserEntry};
use grantree::explain::{Assignment, Effect, RemedyStep};
use grantree::object::RelationState;
use grantree::object::{DynamicObject, Object, Value};
use grantree::{Date, Engine, Policy, Reason, SourceName};

use super::ask::Ask;
use super::case::said_by;

/// The answer once these parts are done.
pub fn can_after(document: &Document, ask: &Ask, steps: &[RemedyStep]) -> bool {
    let (mut document, mut object) = (document.clone(), ask.object.clone());
    for step in steps {
        apply(&mut document, &mut object, ask, step);
    }
    can(document, ask, object.as_ref())
}

/// The answer once these sources are assigned and the remaining parts are done.
pub fn can_with(document: &Document, ask: &Ask, assignment: &Assignment) -> bool {
    let (mut document, mut object) = (document.clone(), ask.object.clone());
    for step in assignment.besides.iter().flat_map(|besides| &besides.steps) {
        apply(&mut document, &mut object, ask, step);
    }
    let user = user(&mut document, ask);
    for assigned in &assignment.sources {
        match &assigned.source.source {
            SourceName::Profile(name) => user.profile = Some(name.clone()),
            SourceName::Role(name) => user.roles.push(name.clone()),
            SourceName::ApprovalGroup(name) => user.approval_groups.push(name.clone()),
            SourceName::Global | SourceName::User(_) => panic!("nothing to assign"),
        }
    }
    can(document, ask, object.as_ref())
}

/// Whether a user to whom nothing is denied, and all is allowed and licensed, may do
/// it on the object, or on one with other relations.
pub fn is_within_reach(document: &Document, ask: &Ask) -> bool {
    let mut document = document.clone();
    let kinds = document.catalogue.objects.clone();
    let editions = document.catalogue.editions.iter().flat_map(|(_, edition)| &edition.features);
    document.licence.features.extend(editions.cloned());
    let mut bounds = Map::default();
    for (kind, object) in kinds.iter() {
        for (attribute, &form) in object.attributes.iter() {
            // No bound is lifted for a value of a wrong type.
            let object = ask.object.as_ref().filter(|it| it.kind() == kind);
            if object.and_then(|it| it.attribute(attribute)).is_none_or(|it| is_of(form, it)) {
                bounds.push(format!("{kind}.{attribute}"), Bound::Any);
            }
        }
    }
    // One user, and no sources but the user's own statements.
    let user = user(&mut document, ask);
    let statements = Statements { allow: vec!["**".into()], bounds, ..Statements::default() };
    let groups = std::mem::take(&mut user.groups);
    *user = UserEntry { groups: groups.clone(), statements, ..UserEntry::default() };
    document.global = Statements::default();
    document.default_profile = None;
    let policy = Policy::try_from(document).unwrap_or_else(|problems| panic!("{problems}"));
    let engine = Engine::new(&policy);
    let (user, action) = (engine.user(&ask.user), engine.permission(&ask.action));
    let (user, action) = (user.expect("a user"), action.expect("a permission"));
    let reaches = |object: Option<&DynamicObject>| {
        engine.why(user, action, (object, ask.today)) == Reason::Granted
    };
    let Some(object) = &ask.object else { return reaches(None) };
    let mut objects = vec![object.clone()];
    for (relation, names) in kinds.get(object.kind()).iter().flat_map(|kind| kind.relations.iter())
    {
        let mut states = vec![vec![], vec!["somebody or something else".to_owned()]];
        match names {
            RelationType::User => states.push(vec![ask.user.clone()]),
            RelationType::Group => states.extend(groups.first().map(|group| vec![group.clone()])),
        }
        let related = |object: &DynamicObject| {
            let states = states.iter().cloned();
            states.map(|state| object.clone().with_relation(relation, state)).collect::<Vec<_>>()
        };
        objects = objects.iter().flat_map(related).collect();
    }
    objects.iter().any(|object| reaches(Some(object)))
}

/// Returns whether a value is of the type that bounds of a form compare.
fn is_of(form: BoundType, value: Value<'_>) -> bool {
    match value {
        Value::Text(text) => match form {
            BoundType::NotBefore | BoundType::NotAfter => text.parse::<Date>().is_ok(),
            _ => form == BoundType::OneOf,
        },
        Value::Integer(_) => matches!(form, BoundType::AtMost | BoundType::AtLeast),
        Value::Date(_) => matches!(form, BoundType::NotBefore | BoundType::NotAfter),
        Value::Boolean(_) => form == BoundType::Flag,
        Value::Other => false,
    }
}

fn can(document: Document, ask: &Ask, object: Option<&DynamicObject>) -> bool {
    let policy = Policy::try_from(document).unwrap_or_else(|problems| panic!("{problems}"));
    let engine = Engine::new(&policy);
    engine.check(&ask.user, &ask.action, (object, ask.today)) == Ok(true)
}

fn user<'d>(document: &'d mut Document, ask: &Ask) -> &'d mut UserEntry {
    document.users.get_mut(&ask.user).expect("a known user")
}

fn assignment_of<'d>(
    document: &'d mut Document,
    ask: &Ask,
    name: &str,
) -> &'d mut grantree::document::Assignment {
    user(document, ask).assignments.get_mut(name).expect("a known assignment")
}

fn apply(
    document: &mut Document,
    object: &mut Option<DynamicObject>,
    ask: &Ask,
    step: &RemedyStep,
) {
    match step {
        RemedyStep::Restore(user) => {
            document.users.get_mut(&user.name).expect("a known user").suspended = false;
        }
        RemedyStep::License(feature) => document.licence.features.push(feature.clone()),
        RemedyStep::Allow(permission) => {
            let (path, level) = match permission.name.split_once(':') {
                Some((path, level)) => (path, Some(level)),
                None => (permission.name.as_str(), None),
            };
            let said = &mut user(document, ask).statements;
            let Statements { allow, except, deny, forbid, .. } = &mut *said;
            for patterns in [allow, except, deny, forbid] {
                patterns.retain(|pattern| pattern != path);
            }
            said.levels.retain(|pattern, _| pattern != path);
            match level {
                Some(level) => said.levels.push(path, level.to_owned()),
                None => said.allow.push(path.to_owned()),
            }
        }
        RemedyStep::Lift(statement) => {
            let said = said_by(&statement.source.source, document);
            let patterns = match statement.effect {
                Effect::Deny => &mut said.deny,
                Effect::Forbid => &mut said.forbid,
                Effect::Allow | Effect::Except | Effect::Level(_) => {
                    panic!("only a denial or a forbid is lifted")
                }
            };
            let before = patterns.len();
            patterns.retain(|pattern| *pattern != statement.pattern);
            assert!(patterns.len() < before, "{statement}");
        }
        RemedyStep::Revoke { source, .. } => {
            let user = user(document, ask);
            match &source.source {
                SourceName::Profile(name) => assert_eq!(user.profile.take().as_ref(), Some(name)),
                SourceName::Role(name) => user.roles.retain(|held| held != name),
                SourceName::ApprovalGroup(name) => user.approval_groups.retain(|it| it != name),
                SourceName::Global | SourceName::User(_) => panic!("nothing to revoke"),
            }
        }
        RemedyStep::Widen { attribute, to, .. } => {
            let bounds: &mut Map<_> = &mut user(document, ask).statements.bounds;
            bounds.retain(|name, _| name != attribute);
            bounds.push(attribute, to.clone());
        }
        RemedyStep::WidenIn { assignment, attribute, to, .. } => {
            let bounds = &mut assignment_of(document, ask, &assignment.name).statements.bounds;
            bounds.retain(|name, _| name != attribute);
            bounds.push(attribute, to.clone());
        }
        RemedyStep::Prolong { assignment, from, until } => {
            let assignment = assignment_of(document, ask, &assignment.name);
            (assignment.from, assignment.until) = (*from, *until);
        }
        RemedyStep::Cover { assignment, kind, name, to, .. } => {
            let assignment = assignment_of(document, ask, &assignment.name);
            let on = assignment.on.as_mut().expect("terms on objects");
            if on.get(kind).is_none() {
                let others = on.get("*").expect("the kind is covered").clone();
                on.push(kind, others);
            }
            let conditions = on.get_mut(kind).expect("a kind");
            *conditions.get_mut(name).expect("a condition") = to.clone();
        }
        RemedyStep::Give { name, source, on } => {
            let mut assignment =
                grantree::document::Assignment { on: Some(on.clone()), ..Default::default() };
            match &source.source {
                SourceName::Role(role) => assignment.roles.push(role.clone()),
                SourceName::ApprovalGroup(group) => {
                    assignment.approval_groups.push(group.clone());
                }
                _ => panic!("{} is not given by an assignment", source.source),
            }
            assert!(user(document, ask).assignments.get(name).is_none(), "{name} is taken");
            user(document, ask).assignments.push(name, assignment);
        }
        RemedyStep::Relate { relation, names, to } => {
            let related = match (to, names) {
                (RelationState::Me, RelationType::User) => vec![ask.user.clone()],
                (RelationState::Me, RelationType::Group) => {
                    vec![user(document, ask).groups[0].clone()]
                }
                (RelationState::Other, _) => vec!["somebody or something else".to_owned()],
                (RelationState::None, _) => vec![],
            };
            *object = object.take().map(|object| object.with_relation(relation, related));
        }
        RemedyStep::Value { attribute, form, to } => {
            let (_, name) = attribute.split_once('.').expect("kind.attribute");
            let value = value(*form, to);
            *object = object.take().map(|object| object.with_attribute(name, value));
        }
    }
}

/// A value that passes a bound.
fn value(form: BoundType, bound: &Bound) -> Value<'_> {
    match bound {
        Bound::OneOf(texts) => Value::Text(&texts[0]),
        Bound::Limit(limit) => Value::Integer(*limit),
        Bound::Fence(Fence::Date(date)) => Value::Date(*date),
        Bound::Flag(flag) => Value::Boolean(*flag),
        Bound::EitherFlag => Value::Boolean(false),
        Bound::Any | Bound::Fence(_) => panic!("no value of {form:?} is named"),
    }
}
