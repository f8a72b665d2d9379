//! Finds statements that are valid but probably mistakes.
//!
//! A valid policy may contain a statement without effect, a permission that nobody can
//! hold, or a role that nobody has. Lint reports no false positives, and changes
//! nothing.
//!
//! ```
//! use grantree::{Document, Policy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"{
//!     "format": 1,
//!     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
//!     "profiles": {"clerk": {"allow": ["orders.**", "orders.export"]}},
//!     "users": {"bob": {"profile": "clerk"}}
//! }"#;
//! let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
//! let findings = policy.lint();
//! assert_eq!(findings.len(), 1);
//! assert_eq!(findings[0].code.code(), "redundant");
//! assert_eq!(findings[0].to_string(), "\
//! profiles.clerk.allow[1]: other statements of this source have the same effect on everything that \
//! `orders.export` matches; leave it out");
//! # Ok(())
//! # }
//! ```
//!
//! There is no way to silence a finding: compare its code and place with those that are
//! known and intended.
//!
//! # Without effect
//!
//! A statement is reported as without effect ([`Code::is_without_effect`]) if leaving it
//! out changes no answer for any user, whichever of the policy's sources and groups the
//! user has, now or in future, and under any licence. So the findings do not depend on
//! who holds what today, and any number of them can be left out at once. Explanations
//! do not count as answers: a denial may become "not granted". A `deny` or `forbid` with
//! nothing to deny is without effect, too, but has a code of its own, [`Code::Guard`]: it
//! may be meant for what is granted later.
//!
//! Not every such statement is found. Each is compared with the other statements of its
//! source, those of the roles that it includes and of the global source, and with the
//! permissions that no source grants.

#[cfg(feature = "look-alikes")]
mod alike;
mod assigned;
mod effect;
mod hold;
mod joined;
mod repeated;
mod source;

use std::cmp::Ordering;
use std::fmt;

use indexmap::map::Entry;
use serde::Serialize;

use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Catalogue, Node};
use crate::engine::{Layer, possible};
use crate::ids::SourceId;
use crate::names::IndexMap;
use crate::policy::{Held, Inner, Origin, Policy, Source, SourceName, Statements, Tier};
use crate::problem::{Line, Place};

/// A probable mistake in a policy.
///
/// Displays as one line: its place, a clause, and advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of mistake.
    pub code: Code,
    /// Its place, as in a [`Problem`](crate::problem::Problem): keys joined by dots, list
    /// positions in brackets, such as `roles.dispatcher.allow[0]`.
    pub place: String,
    /// The mistake, as a clause.
    pub message: String,
    /// Advice, as a clause.
    pub advice: String,
    /// The permissions or other names that it is about; of many only the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Line(format_args!("{}: {}; {}", self.place, self.message, self.advice)).fmt(f)
    }
}

/// A kind of finding.
///
/// Displays, and serializes, as its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// An entry that repeats an earlier one of its list.
    Repeated,
    /// A statement that nearer statements of its source override everywhere.
    Overridden,
    /// A statement whose effect other statements have already: those of its source, of
    /// an included role or of the global source.
    Redundant,
    /// A statement about permissions that nobody is granted or that are forbidden
    /// anyway, a lowest level or an `except` of what would not be granted without it
    /// either, or a bound on an attribute that no permission checks.
    Idle,
    /// A `deny` or `forbid` of what would not be granted without it either. It changes no
    /// answer, but may be there for what is granted later.
    Guard,
    /// A permission that nobody but an admin can hold, whatever sources they have,
    /// under the licence or under any edition of the catalogue with the licence's own
    /// features (any licence, if no edition is declared). Permissions that need it are
    /// not reported separately. If nobody can hold anything beneath a heading or another
    /// permission, that is one finding, which names the first few: at the heading, or at
    /// the `children` of the permission.
    NeverHeld,
    /// A kind of change that nobody but an admin can make under the licence, whatever
    /// sources they have.
    NeverMade,
    /// An attribute that is checked, but for which no source states a bound that any
    /// value could pass.
    NoBound,
    /// A profile, role or approval group that no user has, in no assignment either, and
    /// that is neither a template, nor the default profile, nor included, nor a role that holders are
    /// demoted to. Not reported for a policy without users.
    Unused,
    /// A source that states the same as another of its kind.
    Same,
    /// An admin who has a profile, which gives an admin nothing but settings.
    AdminProfile,
    /// A `deny` or `forbid` of direct children that passes over a heading, and so over
    /// everything under it.
    PassesHeading,
    /// A `deny` by pattern of a permission that a granted one implies, so that the
    /// granted one has no effect.
    Silences,
    /// A name that looks like another of its kind. Found with the feature `look-alikes`,
    /// which is on by default.
    LookAlike,
    /// A separation above whose limit some user is already: see
    /// [`Engine::violations`](crate::Engine::violations).
    Broken,
    /// A separation above whose limit nobody but an admin can be, whatever sources they
    /// have.
    Toothless,
    /// A user whose roles and approval groups have bounds that, joined, let a permission
    /// reach values which none of them reaches by itself: none of those that grant it, nor of
    /// those that grant nothing and so limit what others grant. An assignment would keep the
    /// bounds of one with what it grants. Not found for every user where roles state very
    /// many bounds.
    JoinedBounds,
    /// An assignment that allows nothing: it grants nothing, or nothing that has effect
    /// beside the user's other sources, or nothing that is exercised on the objects on which
    /// it holds.
    CarriesNothing,
    /// Grants, in an assignment that holds on objects only, of permissions on no kind of
    /// object, which the user does not have otherwise. They are not allowed there, and
    /// nothing that the assignment grants on objects needs them.
    ServesNothing,
    /// A bound of an assignment that lets more pass than the ordinary one, but not for
    /// anything that the assignment grants: all of it needs a permission that keeps its
    /// ordinary bound on the same attribute, as the assignment does not grant it.
    GatedBound,
    /// A user's group, or the parent of a group, that is not declared but nearly has
    /// the name of one that is.
    Undeclared,
}

impl Code {
    /// Returns the code, such as `never_held`.
    pub fn code(self) -> &'static str {
        match self {
            Code::Repeated => "repeated",
            Code::Overridden => "overridden",
            Code::Redundant => "redundant",
            Code::Idle => "idle",
            Code::Guard => "guard",
            Code::NeverHeld => "never_held",
            Code::NeverMade => "never_made",
            Code::NoBound => "no_bound",
            Code::Unused => "unused",
            Code::Same => "same",
            Code::AdminProfile => "admin_profile",
            Code::PassesHeading => "passes_heading",
            Code::Silences => "silences",
            Code::LookAlike => "look_alike",
            Code::Broken => "broken",
            Code::Toothless => "toothless",
            Code::JoinedBounds => "joined_bounds",
            Code::CarriesNothing => "carries_nothing",
            Code::ServesNothing => "serves_nothing",
            Code::GatedBound => "gated_bound",
            Code::Undeclared => "undeclared",
        }
    }

    /// Returns whether the entry at the finding's place can be left out without changing
    /// any answer: see the [module](self). False of a [`Guard`](Code::Guard), which is not
    /// to be cleaned up.
    ///
    /// ```
    /// use grantree::lint::Code;
    ///
    /// // A repeated entry can go; a role that nobody has may be intended for
    /// // later.
    /// assert!(Code::Repeated.is_without_effect());
    /// assert!(!Code::Unused.is_without_effect());
    /// ```
    pub fn is_without_effect(self) -> bool {
        matches!(self, Code::Repeated | Code::Overridden | Code::Redundant | Code::Idle)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Policy {
    /// Returns probable mistakes in this policy, sorted by place: see
    /// [`lint`](crate::lint).
    ///
    /// Equal statements of several users, or of several assignments, are examined once, and
    /// reported at the first of these. Costs a walk over what every statement matches, and
    /// a look or two at every name.
    pub fn lint(&self) -> Vec<Finding> {
        let policy = self.inner();
        let stated = stated(policy);
        let reach = Reach::new(policy, &stated);
        let mut linter = Linter { policy, stated: &stated, reach: &reach, findings: Vec::new() };
        linter.effects();
        linter.holding();
        linter.sources();
        linter.assignments();
        linter.joined();
        linter.repeated_names();
        linter.undeclared();
        #[cfg(feature = "look-alikes")]
        linter.alike();
        let mut findings = linter.findings;
        findings.sort_by(|a, b| by_place(&a.place, &b.place).then(a.code.cmp(&b.code)));
        findings
    }
}

/// A policy under examination.
struct Linter<'p> {
    policy: &'p Inner,
    stated: &'p [Stated<'p>],
    reach: &'p Reach,
    findings: Vec<Finding>,
}

impl<'p> Linter<'p> {
    fn catalogue(&self) -> &'p Catalogue {
        &self.policy.catalogue
    }

    fn find(
        &mut self,
        code: Code,
        place: String,
        message: String,
        advice: &str,
        names: Vec<String>,
    ) {
        self.findings.push(Finding { code, place, message, advice: advice.to_owned(), names });
    }

    /// The global source, profiles, roles and approval groups.
    fn common(&self) -> impl Iterator<Item = (SourceId, SourceName, &'p Source)> + use<'p> {
        let sources = &self.policy.sources;
        sources.iter().map(|(id, _, source)| (id, sources.name_of(id), source))
    }
}

/// Returns the end of a message that holds for others, too.
fn so_for_others(others: usize, noun: &str) -> String {
    match others {
        0 => String::new(),
        1 => format!(" (so for another {noun})"),
        others => format!(" (so for {others} other {noun}s)"),
    }
}

/// Returns the attributes that permissions in a set check, each with such a permission.
fn checks<'c>(
    catalogue: &'c Catalogue,
    effective: &BitSet,
) -> impl Iterator<Item = (AttributeId, &'c Node)> {
    // A heading has no bit of its own.
    let nodes = catalogue.nodes.values().iter();
    let nodes = nodes.filter(|node| node.width() > 0 && effective.contains(node.bit));
    nodes.flat_map(|node| {
        let condition = node.condition.as_deref().into_iter();
        condition.flat_map(|it| &it.own_checks).map(move |&id| (id, node))
    })
}

/// The statements of a source.
struct Stated<'p> {
    /// The place of the source.
    place: String,
    held: Held<'p>,
    /// True for an assignment that has nothing but these statements: with all of them left
    /// out, it would be a problem.
    alone: bool,
    /// The number of other users, or of other assignments, with equal statements.
    others: usize,
}

/// Returns the statements of all sources. Statements of a user's or an assignment's own
/// mean the same whatever else the user has: equal ones are examined once, as those of the
/// first such user or assignment.
fn stated(policy: &Inner) -> Vec<Stated<'_>> {
    let sources = &policy.sources;
    let common = sources.iter().map(|(id, ..)| Stated {
        place: sources.name_of(id).place(),
        held: sources.held(id),
        alone: false,
        others: 0,
    });
    let mut owned = Owned::default();
    let (holders, users) = (&policy.users, Place::Root.key("users"));
    for (slot, id) in holders.first_of_classes() {
        let own = holders.class(id).and_then(|class| class.statements.as_deref());
        if let Some(own) = own {
            let place = users.name(holders.name(slot));
            count(&mut owned, Held::own(own), false, &place, holders.count_of(id));
        }
    }
    for (slot, _, alike) in holders.first_of_assignments() {
        let place = users.name(holders.name(slot));
        for (name, own) in holders.own_sources(slot) {
            if let Some(held) = own.held() {
                let alone = own.sources.is_empty();
                let place = place.key("assignments");
                count(&mut owned, held, alone, &place.name(name), alike);
            }
        }
    }
    common.chain(owned.into_values()).collect()
}

/// Statements of users' and assignments' own, equal ones once.
type Owned<'p> = IndexMap<(&'p Statements, Origin, bool), Stated<'p>>;

/// Adds the statements of further users or assignments who are alike, the first of whom is at
/// that place.
fn count<'p>(owned: &mut Owned<'p>, held: Held<'p>, alone: bool, place: &Place<'_>, alike: usize) {
    match owned.entry((held.statements, held.origin, alone)) {
        Entry::Occupied(mut same) => {
            let others = &mut same.get_mut().others;
            *others = others.saturating_add(alike);
        }
        Entry::Vacant(entry) => {
            let others = alike.saturating_sub(1);
            entry.insert(Stated { place: place.to_string(), held, alone, others });
        }
    }
}

/// The widest reach of a policy's sources, whichever of them a user has.
///
/// INVARIANT: leaving statements out never enlarges any of these, so a permission out
/// of reach stays so while findings are mended.
struct Reach {
    /// The permissions that could be granted at all, if none were denied or forbidden.
    granted: BitSet,
    /// The part of it for which no user's own statements are needed, implications
    /// aside.
    common: BitSet,
    /// The part of that which the global source or a profile grants.
    lower: BitSet,
    /// The part of it that could be effective.
    effective: BitSet,
    /// The first bits of permissions that could be implied.
    implied: BitSet,
}

impl Reach {
    fn new(policy: &Inner, stated: &[Stated<'_>]) -> Reach {
        let catalogue = &policy.catalogue;
        let [mut common, mut lower] = [(); 2].map(|()| BitSet::new(catalogue.bits()));
        let mut all = Layer::new(catalogue.bits());
        for Stated { held, .. } in stated {
            let granted = match held.tier {
                Tier::Global | Tier::Profile => &mut lower,
                Tier::Role | Tier::Assignment => &mut common,
                Tier::User => &mut all.granted,
            };
            held.statements.each_distinct(catalogue, |statement| {
                for (id, said) in statement.results(catalogue) {
                    granted.insert_range(catalogue.node(id).bits_up_to(said.level()));
                }
            });
        }
        common.union_with(&lower);
        all.granted.union_with(&common);
        let effective = possible(policy, &mut all, &catalogue.licensed(|_| true));
        let mut implied = BitSet::new(catalogue.bits());
        for node in catalogue.nodes.values() {
            if all.granted.contains(node.bit) {
                for &bit in &node.implies {
                    implied.insert(catalogue.node_of(bit).bit);
                }
            }
        }
        Reach { granted: all.granted, common, lower, effective, implied }
    }
}

/// Compares places as text, but numbers in them as numbers.
fn by_place(a: &str, b: &str) -> Ordering {
    parts(a).cmp(parts(b)).then_with(|| a.cmp(b))
}

/// The numbers in a text and the parts between them: a number with how many digits it
/// has, leading zeros aside, and after any text.
fn parts(text: &str) -> impl Iterator<Item = (usize, &[u8])> {
    let parts = text.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    parts.map(|part| {
        let zeros = part.iter().take_while(|byte| **byte == b'0').count();
        match part.get(zeros..) {
            Some(digits) if part.iter().all(u8::is_ascii_digit) => {
                (digits.len().saturating_add(1), digits)
            }
            _ => (0, part),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_sorted_with_numbers_as_numbers() {
        let mut places =
            ["roles.b.allow[10]", "roles.b.allow[9]", "roles.a", "roles.b", "roles.b.allow[09]"];
        places.sort_by(|a, b| by_place(a, b));
        assert_eq!(
            places,
            ["roles.a", "roles.b", "roles.b.allow[09]", "roles.b.allow[9]", "roles.b.allow[10]"]
        );
    }
}
