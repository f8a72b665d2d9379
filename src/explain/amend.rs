//! Remedies by assignments: one that the user has holds longer or covers more, or a source
//! is given only where it is needed.

use std::collections::BTreeSet;

use super::Named;
use super::changes::given;
use super::remedy::{Assignment, RemedyStep};
use super::search::{Search, wide_enough};
use super::terms::named_by;
use crate::catalogue::{AttributeId, CapacityRows, Condition};
use crate::change::{Actor, Change};
use crate::date::Moment;
use crate::document::{self, Bound, BoundType, Coverage, Map, RelationType};
use crate::engine::Acting;
use crate::ids::{KindId, Number};
use crate::object::{Object, Value};
use crate::policy::{Assigned, SourceName, TermTest, Terms};

/// The effort of making a version, for each assignment of the user: in permissions looked at.
const ASSIGNMENT: usize = 64;

impl<O: Object + ?Sized> Search<'_, O> {
    /// The remedies that let one of the user's assignments hold, or let more pass in it.
    pub(super) fn amendments(&self) -> Vec<Vec<RemedyStep>> {
        let stated = self.policy.assignments(self.assigned);
        let slot = self.policy.users.find(self.holder.name);
        let acting = slot.into_iter().flat_map(|slot| self.engine.acting(slot));
        // Neither terms nor bounds make an assignment carry what it does not.
        let carrying = stated.iter().zip(acting).filter(|(_, acting)| acting.carries(self.bit));
        let carrying = carrying.take_while(|_| self.may_look());
        let amended = carrying.filter_map(|((name, stated), acting)| {
            let (after, mut steps) = self.amended(stated, acting.assigned)?;
            let widened = self.widened(name, &after, acting)?;
            steps.extend(widened);
            (!steps.is_empty()).then_some(steps)
        });
        amended.collect()
    }

    /// The steps that set bounds of an assignment's own, all of them needed, and enough;
    /// `None` if no such steps are.
    fn widened(
        &self,
        name: &str,
        stated: &document::Assignment,
        acting: Acting<'_>,
    ) -> Option<Vec<RemedyStep>> {
        let mut failing = self.failing_checks(acting);
        let allows = |failing: &[(String, BoundType, Bound)]| {
            let mut after = stated.clone();
            for (attribute, _, to) in failing {
                after.statements.bounds.retain(|known, _| known != attribute);
                after.statements.bounds.push(attribute, to.clone());
            }
            self.would_allow(name, after)
        };
        if !allows(&failing) {
            return None;
        }
        for at in (0..failing.len()).rev() {
            let one = failing.remove(at);
            if !allows(&failing) {
                failing.insert(at, one);
            }
        }
        let step = |(attribute, form, to)| RemedyStep::WidenIn {
            assignment: Named { name: name.to_owned(), label: stated.label.clone() },
            attribute,
            form,
            to,
        };
        Some(failing.into_iter().map(step).collect())
    }

    /// The attributes whose values do not pass the limits of an assignment that carries the
    /// permission, with bounds wide enough for them.
    fn failing_checks(&self, acting: Acting<'_>) -> Vec<(String, BoundType, Bound)> {
        let catalogue = &self.policy.catalogue;
        let Some(object) = self.object else { return Vec::new() };
        let own = catalogue.condition_in(self.bit, &acting);
        let shared = catalogue.node_of(self.bit).condition.as_deref();
        let checks = own.as_ref().or(shared).into_iter().flat_map(Condition::all_checks);
        let checks: BTreeSet<AttributeId> =
            checks.copied().filter(|check| !check.is_marked()).collect();
        let today = self.today.map(Moment::date);
        let failing = checks.into_iter().filter_map(|check| {
            let attribute = catalogue.attribute_at(check);
            let (limit, value) = (acting.limit(check), object.attribute(&attribute.name));
            if limit.passes(value, today) {
                return None;
            }
            let to = wide_enough(attribute.bound, limit.bounds().iter(), value, today)?;
            Some((attribute.path.to_string(), attribute.bound, to))
        });
        failing.collect()
    }

    /// An assignment with terms that hold for the question, and the steps to it; `None` if
    /// no steps would do.
    fn amended(
        &self,
        stated: &document::Assignment,
        assigned: &Assigned,
    ) -> Option<(document::Assignment, Vec<RemedyStep>)> {
        let mut after = stated.clone();
        let mut steps = Vec::new();
        let assignment = Named { name: assigned.name.to_string(), label: stated.label.clone() };
        if !assigned.terms.hold_on_day(self.today) {
            (after.from, after.until) = reaching((stated.from, stated.until), self.today);
            let (assignment, from, until) = (assignment.clone(), after.from, after.until);
            steps.push(RemedyStep::Prolong { assignment, from, until });
        }
        if let Some(on) = &mut after.on {
            let object = self.object?;
            let (at, kind, _) = self.policy.catalogue.kinds.get_full(object.kind())?;
            let failing = self.failing((KindId::new(at), object), &assigned.terms)?;
            let mut conditions = on.get(kind).or_else(|| on.get("*"))?.clone();
            for (name, form, to) in failing {
                *conditions.get_mut(&name)? = to.clone();
                let (assignment, kind) = (assignment.clone(), kind.to_string());
                steps.push(RemedyStep::Cover { assignment, kind, name, form, to });
            }
            match on.get_mut(kind) {
                Some(known) => *known = conditions,
                None => on.push(&**kind, conditions),
            }
        }
        Some((after, steps))
    }

    /// The conditions of terms that an object does not meet, made wide enough for it; `None`
    /// if that takes more than it carries, or the terms do not cover its kind.
    fn failing(
        &self,
        (kind, object): (KindId, &O),
        terms: &Terms,
    ) -> Option<Vec<(String, Option<BoundType>, Bound)>> {
        let (catalogue, groups) = (&self.policy.catalogue, &self.policy.groups);
        let today = self.today.map(Moment::date);
        let mut failing = Vec::new();
        for (name, test) in terms.conditions(kind, catalogue)? {
            if test.passes(name, object, today, groups) {
                continue;
            }
            let (mut names, of): (Vec<String>, _) = match test {
                TermTest::Users(users) => {
                    (users.iter().map(ToString::to_string).collect(), RelationType::User)
                }
                TermTest::Groups(of) => {
                    let names = of.iter().map(|&id| groups.name(id).to_owned());
                    (names.collect(), RelationType::Group)
                }
                TermTest::Limit(limit) => {
                    let attribute = catalogue.kind(kind).attributes.get(name)?;
                    let form = catalogue.attribute_at(*attribute).bound;
                    let to = wide_enough(
                        form,
                        limit.bounds().iter(),
                        Some(object.attribute(name)?),
                        today,
                    )?;
                    failing.push((name.to_owned(), Some(form), to));
                    continue;
                }
            };
            names.push(named_by(object, name, of)?.into_iter().next()?);
            failing.push((name.to_owned(), None, Bound::OneOf(names)));
        }
        Some(failing)
    }

    /// The remedies that give a source, which would do everywhere, only on objects like this
    /// one.
    pub(super) fn given_where_needed(&self, assignments: &[Assignment]) -> Vec<Vec<RemedyStep>> {
        let Some(on) = self.object.and_then(|object| self.objects_like(object)) else {
            return Vec::new();
        };
        let given_everywhere = assignments.iter().filter(|it| it.besides.is_none());
        let given = given_everywhere.filter_map(|it| {
            let [one] = &it.sources[..] else { return None };
            let source = one.source.clone();
            let (SourceName::Role(name) | SourceName::ApprovalGroup(name)) = &source.source else {
                return None;
            };
            let (name, on) = (self.free_name(name), on.clone());
            let assignment = given(&source.source, on.clone());
            let allows = self.would_allow(&name, assignment);
            allows.then(|| vec![RemedyStep::Give { name, source, on }])
        });
        given.collect()
    }

    /// The objects of the same kind that name the same group, or have the same text as an
    /// attribute.
    fn objects_like(&self, object: &O) -> Option<Coverage> {
        let catalogue = &self.policy.catalogue;
        let (kind, declared) = catalogue.kinds.get_key_value(object.kind())?;
        let groups = declared.relations.iter().filter(|(_, of)| **of == RelationType::Group);
        let mut groups = groups.filter_map(|(name, &of)| {
            Some((name, named_by(object, name, of)?.into_iter().next()?))
        });
        let mut texts = declared.attributes.iter().filter_map(|(name, &attribute)| {
            match (catalogue.attribute_at(attribute).bound, object.attribute(name)?) {
                (BoundType::OneOf, Value::Text(text)) => Some((name, text.to_owned())),
                _ => None,
            }
        });
        let condition = groups.next().or_else(|| texts.next());
        let conditions: Map<Bound> = condition
            .into_iter()
            .map(|(name, value)| (&**name, Bound::OneOf(vec![value])))
            .collect();
        Some([(&**kind, conditions)].into_iter().collect())
    }

    /// A name for another assignment of the user.
    fn free_name(&self, name: &str) -> String {
        let is_free = |name: &String| self.assigned.iter().all(|it| *it.name != **name);
        let numbered = (2_u64..).map(|number| format!("{name} {number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(is_free).unwrap_or_default()
    }

    /// Returns whether the answer is yes once the user has an assignment of that name.
    fn would_allow(&self, name: &str, assignment: document::Assignment) -> bool {
        if !self.may_look() {
            return false;
        }
        let assignments = self.assigned.len().saturating_mul(ASSIGNMENT);
        self.spend(self.policy.catalogue.nodes.len().saturating_add(assignments));
        let change = Change::SetAssignment {
            user: self.holder.name.to_owned(),
            name: name.to_owned(),
            assignment: Some(Box::new(assignment)),
        };
        let applied = self.engine.policy().apply(Actor::Host, &change);
        let Ok(applied) = applied else { return false };
        let engine = self.engine.updated(&applied.policy);
        engine.can(self.user, self.action, (self.object, self.today))
    }
}

/// Dates that reach to today, all of it; none without a today.
fn reaching(
    (from, until): (Option<Moment>, Option<Moment>),
    today: Option<Moment>,
) -> (Option<Moment>, Option<Moment>) {
    let Some(today) = today else { return (None, None) };
    let day = Moment::from(today.date());
    let seconds = today.seconds();
    let from = from.map(|from| if from.seconds().start <= seconds.start { from } else { day });
    let until = until.map(|until| if seconds.end <= until.end() { until } else { day });
    (from, until)
}
