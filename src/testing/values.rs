//! The values at which answers about an object may change.

use crate::date::Date;
use crate::document::{Bound, BoundType, Document, Fence, RelationType};
use crate::engine::Unknown;
use crate::names::IndexSet;
use crate::object::DynamicObject;
use crate::policy_test::Edges;

/// The most users and groups of the policy that a relation may name.
const MOST_NAMES: usize = 16;

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sample {
    Missing,
    Text(String),
    Integer(i64),
    Date(Date),
    Flag(bool),
}

impl Sample {
    pub(super) fn put(&self, object: DynamicObject, name: &str) -> DynamicObject {
        match self {
            Sample::Missing => object,
            Sample::Text(text) => object.with_attribute(name, text.as_str()),
            Sample::Integer(integer) => object.with_attribute(name, *integer),
            Sample::Date(date) => object.with_attribute(name, *date),
            Sample::Flag(flag) => object.with_attribute(name, *flag),
        }
    }
}

/// The names that each relation may have, and the values of each attribute.
pub(super) struct Samples {
    pub(super) relations: Vec<Vec<(String, Option<Vec<String>>)>>,
    pub(super) attributes: Vec<Vec<(String, Sample)>>,
}

impl Samples {
    pub(super) fn new(kind: &str, document: &Document, edges: &Edges) -> Result<Samples, Unknown> {
        let objects = &document.catalogue.objects;
        let Some(declared) = objects.get(kind) else {
            return Err(Unknown::among("kind", kind, objects.iter().map(|(name, _)| name)));
        };
        let relations = declared.relations.iter().map(|(name, names)| {
            let related = edges.related.get(name).into_iter().flatten().cloned();
            let known: IndexSet<String> = match names {
                RelationType::User => {
                    related.chain(document.users.iter().map(|(user, _)| user.to_owned())).collect()
                }
                RelationType::Group => related.chain(groups(document)).collect(),
            };
            let known: Vec<String> = known.into_iter().take(MOST_NAMES).collect();
            let both = known.windows(2).take(1).map(<[String]>::to_vec);
            let one = known.iter().map(|one| vec![one.clone()]);
            let others = [Vec::new(), vec!["somebody else".to_owned()]];
            let some = others.into_iter().chain(one).chain(both);
            [None].into_iter().chain(some.map(Some)).map(|it| (name.to_owned(), it)).collect()
        });
        let attributes = declared.attributes.iter().map(|(name, form)| {
            let mut samples = IndexSet::from_iter([Sample::Missing]);
            for of in [kind, "*"] {
                let stated = edges.bounds.get(&format!("{of}.{name}")).into_iter().flatten();
                samples.extend(stated.flat_map(around));
            }
            samples.extend(beyond(*form));
            samples.into_iter().map(|it| (name.to_owned(), it)).collect()
        });
        Ok(Samples { relations: relations.collect(), attributes: attributes.collect() })
    }
}

fn groups(document: &Document) -> impl Iterator<Item = String> {
    let declared = document.groups.iter().flat_map(|(name, group)| {
        [Some(name.to_owned()), group.parent.clone()].into_iter().flatten()
    });
    let of_users = document.users.iter().flat_map(|(_, user)| user.groups.iter().cloned());
    declared.chain(of_users)
}

/// Returns the values on each side of a bound.
fn around(bound: &Bound) -> Vec<Sample> {
    match bound {
        Bound::Any => Vec::new(),
        Bound::OneOf(texts) => texts.iter().cloned().map(Sample::Text).collect(),
        Bound::Limit(limit) => {
            [*limit, limit.saturating_sub(1), limit.saturating_add(1)].map(Sample::Integer).into()
        }
        Bound::Fence(Fence::Date(date)) => days(*date).collect(),
        Bound::Fence(Fence::PlusDays(plus) | Fence::Next { plus_days: plus, .. }) => {
            Edges::week().filter_map(|day| day.plus_days(*plus)).flat_map(days).collect()
        }
        Bound::Flag(_) | Bound::EitherFlag => Vec::new(),
    }
}

fn days(date: Date) -> impl Iterator<Item = Sample> {
    let around = [0, -1, 1].into_iter().filter_map(move |days| date.plus_days(days));
    around.filter(|it| (0..=9999).contains(&it.year())).map(Sample::Date)
}

/// Returns values that may lie beyond all bounds.
fn beyond(form: BoundType) -> Vec<Sample> {
    match form {
        BoundType::OneOf => vec![Sample::Text("another".to_owned())],
        BoundType::AtMost | BoundType::AtLeast => vec![Sample::Integer(0)],
        BoundType::NotBefore | BoundType::NotAfter => {
            Edges::week().take(1).map(Sample::Date).collect()
        }
        BoundType::Flag => vec![Sample::Flag(true), Sample::Flag(false)],
    }
}
