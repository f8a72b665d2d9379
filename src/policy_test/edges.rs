//! The values at which a policy's answers change: the days and the bounds that its document
//! names.

use crate::date::{Date, Moment};
use crate::document::{
    Accepted, Bound, Document, Fence, Map, PermissionNode, Statements, UserEntry,
};
use crate::names::{IndexMap, IndexSet};

/// The most days to try.
const MOST_DAYS: usize = 64;

/// The days and the bounds that a document names.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    /// The dates of terms and of fixed fences.
    named: IndexSet<Moment>,
    /// True if some fence is relative.
    relative: bool,
    /// By `kind.attribute`.
    pub(crate) bounds: IndexMap<String, IndexSet<Bound>>,
    /// The names in terms of assignments, by relation.
    pub(crate) related: IndexMap<String, IndexSet<String>>,
}

impl Edges {
    pub(crate) fn add(&mut self, document: &Document) {
        let sources = document.profiles.iter().chain(document.approval_groups.iter());
        let sources = sources.map(|(_, source)| &source.statements);
        let roles = document.roles.iter().map(|(_, role)| &role.source.statements);
        sources.chain(roles).chain([&document.global]).for_each(|it| self.statements(it));
        document.users.iter().for_each(|(_, user)| self.user(user));
        document.catalogue.permissions.iter().for_each(|node| self.node(node));
    }

    fn node(&mut self, node: &PermissionNode) {
        for (name, accepted) in node.scopes.iter().flat_map(|scope| scope.when.iter()) {
            let bound = match accepted {
                Accepted::State(_) => continue,
                Accepted::OneOf(texts) => Bound::OneOf(texts.clone()),
                Accepted::Limit(limit) => Bound::Limit(*limit),
                Accepted::Date(date) => Bound::Fence(Fence::Date(*date)),
                Accepted::Flag(flag) => Bound::Flag(*flag),
                Accepted::EitherFlag => Bound::EitherFlag,
            };
            let kind = node.object.as_deref().unwrap_or("*");
            self.bound(format!("{kind}.{name}"), &bound);
        }
        node.children.iter().for_each(|child| self.node(child));
    }

    fn user(&mut self, user: &UserEntry) {
        self.statements(&user.statements);
        for (_, assignment) in user.assignments.iter() {
            self.statements(&assignment.statements);
            self.named.extend(assignment.from.into_iter().chain(assignment.until));
            let on = assignment.on.iter().flat_map(Map::iter);
            for (kind, (name, bound)) in
                on.flat_map(|(kind, it)| it.iter().map(move |entry| (kind, entry)))
            {
                if let Bound::OneOf(names) = bound {
                    let related = self.related.entry(name.to_owned()).or_default();
                    related.extend(names.iter().cloned());
                }
                self.bound(format!("{kind}.{name}"), bound);
            }
        }
    }

    fn statements(&mut self, statements: &Statements) {
        statements.bounds.iter().for_each(|(name, bound)| self.bound(name.to_owned(), bound));
    }

    fn bound(&mut self, attribute: String, bound: &Bound) {
        match bound {
            Bound::Fence(Fence::Date(date)) => drop(self.named.insert((*date).into())),
            Bound::Fence(_) => self.relative = true,
            _ => {}
        }
        self.bounds.entry(attribute).or_default().insert(bound.clone());
    }

    /// Returns the first of June 2026 and the six days after it, from one of which a relative
    /// fence is looked at.
    pub(crate) fn week() -> impl Iterator<Item = Date> {
        let first = Date::new(2026, 6, 1);
        first.into_iter().flat_map(|it| (0..7).filter_map(move |at| it.plus_days(at)))
    }

    /// Returns the days to try; first, none.
    pub(crate) fn days(&self) -> Vec<Option<Moment>> {
        let mut days = vec![None];
        let around = |it: &Moment| [0, -1, 1].map(|days| it.plus_days(days)).into_iter().flatten();
        if self.relative {
            days.extend(Edges::week().map(Moment::from).map(Some));
        }
        days.extend(self.named.iter().flat_map(around).map(Some));
        let days: IndexSet<Option<Moment>> = days.into_iter().collect();
        days.into_iter().take(MOST_DAYS).collect()
    }
}
