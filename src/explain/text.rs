//! Explanations as text for people.

use std::fmt::{self, Display, Formatter, Write};

use super::terms::{condition, dates};
use super::{
    AccessRequest, AssignedSource, Assignment, AttributeCondition, Check, Effect, Explanation,
    Grant, Link, Named, PermissionTrace, RelationCondition, Remedies, RemedyStep, ScopeTrace,
    SourceRef, StatedBound, Statement,
};
use crate::document::{Bound, BoundType, Fence, RelationType};
use crate::filter::{bound, value_noun};
use crate::names::HashSet;
use crate::policy::SourceName;
use crate::problem::{OneLine, quoted};
use crate::reason::Reason;
use crate::relation::RelationState;

/// The most steps that lines are indented: a cause may have a thousand causes
/// behind it.
const DEEPEST: usize = 12;

impl Display for Named {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Named { name, label } = self;
        let mut line = OneLine(f);
        match label {
            Some(label) if label != name => write!(line, "`{name}` ({label})"),
            _ => write!(line, "`{name}`"),
        }
    }
}

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Explanation { user, action, object, reason, permissions, .. } = self;
        let (answer, may) = if reason.allowed() { ("yes", "may") } else { ("no", "may not") };
        if user.name.is_empty() {
            return f.write_str("no: the policy does not know the user, who may do nothing\n");
        }
        if action.name.is_empty() {
            return writeln!(
                f,
                "no: user {user} may not do this, because the handle to the permission is of \
                 another policy, or the permission is gone"
            );
        }
        write!(f, "{answer}: user {user} {may} {action}")?;
        if let Some(object) = object {
            write!(f, " on this {object}")?;
        }
        match (reason, self.mistyped()) {
            (Reason::UnknownUser, _) => f.write_str(", because no such user is known")?,
            (Reason::Suspended, _) => f.write_str(", because the user is suspended")?,
            (Reason::Admin, _) => f.write_str(", because the user is an admin")?,
            (_, Some(Check { attribute, form, .. })) => {
                write!(OneLine(f), ", because `{attribute}` is not {}", value_noun(*form))?;
            }
            (_, None) => write!(f, ", because it {}", verdict(*reason))?,
        }
        f.write_str("\n")?;
        let mut text = Text { f, explanation: self, level: 1, told: HashSet::default() };
        text.assignment()?;
        let mut above: Option<&PermissionTrace> = None;
        for permission in permissions {
            if let Some(gate) = above.and_then(|above| above.gates.first()) {
                let which = match gate.link {
                    Link::Parent => "which is above it",
                    Link::Requires => "which it requires",
                    Link::Implies => "which it implies and has no effect without",
                };
                let verdict = verdict(permission.reason);
                text.line(format_args!("but {}, {which}, {verdict}", gate.permission))?;
                text.level = text.level.saturating_add(1);
            }
            text.permission(permission)?;
            above = Some(permission);
        }
        Ok(())
    }
}

impl Explanation {
    /// The first check of the permission asked for that fails for a value of a wrong type.
    fn mistyped(&self) -> Option<&Check> {
        let asked = self.permissions.first()?;
        asked.checks.iter().find(|check| check.mistyped && !check.passes)
    }
}

/// The verdict on a permission, after "it".
pub(crate) fn verdict(reason: Reason) -> &'static str {
    match reason {
        Reason::UnknownUser | Reason::Suspended => "is not held",
        Reason::UnknownPermission => "is not known",
        Reason::Unlicensed => "is not licensed",
        Reason::Admin => "is held by admins",
        Reason::Forbidden => "is forbidden",
        Reason::Denied => "is denied",
        Reason::NotGranted => "is not granted",
        Reason::Gated => "needs another permission",
        Reason::ObjectRequired => "depends on the object, and none is given",
        Reason::WrongKind => "is about another kind of object",
        Reason::OutOfTerms => "is granted, but not on these terms",
        Reason::NoScope => "is granted, but not for this object",
        Reason::OutOfBounds => "is out of the user's bounds",
        Reason::Granted => "is granted",
    }
}

/// An explanation being written.
struct Text<'a, 'f> {
    f: &'a mut Formatter<'f>,
    explanation: &'a Explanation,
    /// The depth at which lines are indented.
    level: usize,
    /// The permissions of which it was told what grants them.
    told: HashSet<&'a str>,
}

impl<'a> Text<'a, '_> {
    fn line(&mut self, line: impl Display) -> fmt::Result {
        for _ in 0..self.level.min(DEEPEST) {
            self.f.write_str("  ")?;
        }
        write!(OneLine(self.f), "{line}")?;
        self.f.write_str("\n")
    }

    /// Writes what belongs beneath a line, one level deeper.
    fn beneath(&mut self, write: impl FnOnce(&mut Self) -> fmt::Result) -> fmt::Result {
        let level = self.level;
        self.level = level.saturating_add(1);
        write(self)?;
        self.level = level;
        Ok(())
    }

    /// Writes the assignment in which the user came furthest, and the terms that do not hold.
    fn assignment(&mut self) -> fmt::Result {
        let Explanation { assignment: Some(assignment), object, today, permissions, .. } =
            self.explanation
        else {
            return Ok(());
        };
        let kind = permissions.first().and_then(|asked| asked.object.as_deref());
        let failing = if self.explanation.reason == Reason::OutOfTerms {
            assignment.failing(kind, object.as_deref(), *today)
        } else {
            None
        };
        match failing {
            Some(failing) => self.line(format_args!("in {assignment}: {failing}")),
            None => self.line(format_args!("in {assignment}")),
        }
    }

    fn permission(&mut self, trace: &'a PermissionTrace) -> fmt::Result {
        let PermissionTrace { permission, reason, grant, gates, scopes, checks, object, .. } =
            trace;
        if let (Reason::ObjectRequired | Reason::WrongKind, Some(kind)) = (reason, object) {
            self.line(format_args!("it can only be decided for a given `{kind}`"))?;
        }
        match reason {
            // A scoped permission has no grant of its own: its scopes do.
            _ if *grant == Grant::default() && !scopes.is_empty() => {}
            Reason::Gated | Reason::NoScope | Reason::OutOfBounds | Reason::OutOfTerms => {
                self.line("it is granted")?;
                self.beneath(|text| text.grant(permission, grant, *reason))?;
            }
            _ => self.grant(permission, grant, *reason)?,
        }
        let on_object = scopes.iter().any(|scope| scope.reason == Reason::Granted);
        for scope in scopes {
            self.scope(scope, on_object)?;
        }
        // For a denial, only what is in the way.
        let is_allowed = *reason == Reason::Granted;
        for check in checks.iter().filter(|check| is_allowed || !check.passes) {
            self.check(check)?;
        }
        if is_allowed && !gates.is_empty() {
            let gates: Vec<String> = gates.iter().map(|gate| gate.permission.to_string()).collect();
            self.line(format_args!("and so is everything that it needs: {}", gates.join(", ")))?;
        }
        // The first gate is traced next.
        for gate in gates.iter().skip(1).filter(|_| !is_allowed) {
            self.line(format_args!("{} is not effective either", gate.permission))?;
        }
        Ok(())
    }

    /// Writes the statements about a permission, the deciding ones first.
    fn grant(&mut self, of: &'a Named, grant: &'a Grant, reason: Reason) -> fmt::Result {
        if let Some(unlicensed) = &grant.unlicensed {
            let (feature, by) = (&unlicensed.feature, &unlicensed.needed_by);
            self.line(format_args!("the licence has no feature `{feature}`, which {by} needs"))?;
        }
        for statement in &grant.forbidden_by {
            self.line(statement)?;
        }
        // What implies it may be what the lines above are about.
        let mut is_told = false;
        for (at, by) in grant.implied_by.iter().enumerate() {
            let what = if at == 0 { "it" } else { "which" };
            is_told = self.told.contains(by.name.as_str());
            let above = if is_told { ", as above" } else { "" };
            self.line(format_args!("{what} is implied by {by}{above}"))?;
            if is_told {
                break;
            }
        }
        self.told.insert(&of.name);
        self.told.extend(grant.implied_by.iter().map(|by| by.name.as_str()));
        if reason == Reason::NotGranted {
            match &grant.level {
                Some(level) if !grant.statements.is_empty() || !grant.implied_by.is_empty() => {
                    self.line(format_args!("only the level `{level}` is granted"))?;
                }
                _ if grant.statements.is_empty() && grant.left_out_by.is_empty() => {
                    self.line("none of the user's sources says anything about it")?;
                }
                _ => {}
            }
        }
        let statements = if is_told { &[][..] } else { &grant.statements };
        let (decisive, overruled): (Vec<_>, Vec<_>) =
            statements.iter().rev().partition(|statement| statement.decides);
        for statement in decisive {
            match reason {
                Reason::Forbidden => {
                    self.line(format_args!("a forbid overrules: {statement}"))?;
                }
                Reason::Unlicensed => {
                    self.line(format_args!("without it, this has no effect: {statement}"))?;
                }
                _ => self.line(statement)?,
            }
        }
        for statement in overruled {
            self.line(format_args!("overridden: {statement}"))?;
        }
        let consequence = if !grant.implied_by.is_empty() {
            ", so what implies it decides"
        } else if !grant.statements.is_empty() {
            ", so other sources decide"
        } else if reason == Reason::NotGranted {
            ", and no other source says anything about it"
        } else {
            ""
        };
        for statement in &grant.left_out_by {
            self.line(format_args!("{statement}{consequence}"))?;
        }
        Ok(())
    }

    /// Writes whether a scope is effective and, if any is, how the object fits it.
    fn scope(&mut self, scope: &'a ScopeTrace, on_object: bool) -> fmt::Result {
        let ScopeTrace { permission, reason, grant, when, values } = scope;
        let relations = when.iter().map(|it| (it.matches(), it as &dyn Display));
        let values = values.iter().map(|it| (it.matches, it as &dyn Display));
        let (fitting, failing): (Vec<_>, Vec<_>) =
            relations.chain(values).partition(|(matches, _)| *matches);
        let fit = match (on_object, failing.is_empty()) {
            _ if fitting.is_empty() && failing.is_empty() => "",
            (true, true) => ", and fits",
            (true, false) => ", but does not fit",
            (false, true) => "; this object would fit it",
            (false, false) => "; this object would not fit it either",
        };
        self.line(format_args!("scope {permission} {}{fit}", verdict(*reason)))?;
        self.beneath(|text| {
            let shown = if failing.is_empty() { fitting } else { failing };
            for (_, condition) in shown.into_iter().filter(|_| on_object) {
                text.line(condition)?;
            }
            text.grant(permission, grant, *reason)
        })
    }

    fn check(&mut self, check: &Check) -> fmt::Result {
        let Check { attribute, form, value, mistyped, bounds, passes } = check;
        let value = found(attribute, *form, value.as_deref(), *mistyped);
        let is_comparable = check.value.is_some() && !mistyped;
        let result = match (passes, bounds.is_empty()) {
            (true, _) if is_comparable => "which is within bounds",
            (true, _) => "and a bound lets any value through",
            (false, true) => "and no source states a bound, so nothing passes",
            (false, false) if is_comparable => "which is out of bounds",
            (false, false) => "so only a bound of `any` lets it through",
        };
        self.line(format_args!("{value}, {result}"))?;
        self.beneath(|text| {
            for stated in bounds {
                let StatedBound { source, bound: stated, place } = stated;
                let bound = bound(*form, stated);
                text.line(format_args!("{source} allows {bound} [{place}]"))?;
                let relative =
                    matches!(stated, Bound::Fence(Fence::PlusDays(_) | Fence::Next { .. }));
                if relative && text.explanation.today.is_none() {
                    text.line("which passes nothing, because today's date was not given")?;
                }
            }
            Ok(())
        })
    }
}

impl Display for SourceRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        match &self.assignment {
            Some(assignment) => write!(line, "assignment `{assignment}`")?,
            None => write!(line, "{}", self.source)?,
        }
        match &self.label {
            Some(label) => write!(line, " ({label})"),
            None => Ok(()),
        }
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Statement { source, effect, pattern, place, .. } = self;
        let mut line = OneLine(f);
        match effect {
            Effect::Allow => write!(line, "{source} allows `{pattern}` [{place}]"),
            Effect::Except => write!(line, "{source} leaves out `{pattern}` [{place}]"),
            Effect::Deny => write!(line, "{source} denies `{pattern}` [{place}]"),
            Effect::Forbid => write!(line, "{source} forbids `{pattern}` [{place}]"),
            Effect::Level(level) => {
                write!(line, "{source} sets `{pattern}` to `{level}` [{place}]")
            }
        }
    }
}

impl Display for RelationCondition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let RelationCondition { relation, names, accepts, found } = self;
        match found {
            Some(found) => write!(f, "`{relation}` is {}", noun(*found, *names))?,
            None => write!(f, "the object has no `{relation}`")?,
        }
        if self.matches() {
            return Ok(());
        }
        let accepted: Vec<&str> = accepts.iter().map(|&state| noun(state, *names)).collect();
        if accepted.is_empty() {
            return f.write_str(", and it accepts nothing");
        }
        write!(f, ", but should be {}", accepted.join(" or "))
    }
}

impl Display for AttributeCondition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let AttributeCondition { attribute, form, accepts, found: value, mistyped, matches } = self;
        f.write_str(&found(attribute, *form, value.as_deref(), *mistyped))?;
        if *matches {
            return Ok(());
        }
        write!(f, ", but should be {}", bound(*form, accepts))
    }
}

/// The value of an attribute, or that there is none or none of its type.
fn found(attribute: &str, form: BoundType, value: Option<&str>, mistyped: bool) -> String {
    match value {
        Some(value) if mistyped => {
            format!("`{attribute}` is {value}, which is not {}", value_noun(form))
        }
        Some(value) => format!("`{attribute}` is {value}"),
        None => format!("the object has no `{attribute}`"),
    }
}

/// The state of a relation, after "is".
fn noun(state: RelationState, names: RelationType) -> &'static str {
    match (state, names) {
        (RelationState::Me, RelationType::User) => "the user",
        (RelationState::Me, RelationType::Group) => "one of the user's groups",
        (RelationState::Other, RelationType::User) => "somebody else",
        (RelationState::Other, RelationType::Group) => "another group",
        (RelationState::None, RelationType::User) => "nobody",
        (RelationState::None, RelationType::Group) => "no group",
    }
}

impl Display for Remedies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(kind) = &self.ask_about {
            write!(OneLine(f), "to find what would allow it, ask about a given `{kind}`")?;
            f.write_str("\n")?;
        }
        if self.least.is_empty() && self.assignments.is_empty() {
            return Ok(());
        }
        f.write_str("to allow it, do one of these\n")?;
        let texts = |steps: &[RemedyStep]| steps.iter().map(ToString::to_string).collect();
        let remedies = self.least.iter().map(|remedy| texts(&remedy.steps));
        let assignments = self.assignments.iter().map(|assignment| {
            let besides = assignment.besides.as_ref().map_or(&[][..], |it| &it.steps);
            let mut steps: Vec<String> = texts(besides);
            steps.insert(0, Assigning { assignment, admins: !self.admins.is_empty() }.to_string());
            steps
        });
        for (number, steps) in (1..).zip(remedies.chain(assignments)) {
            if let [step] = &steps[..] {
                writeln!(f, "  {number}. {step}")?;
                continue;
            }
            writeln!(f, "  {number}. all of this:")?;
            for step in steps {
                writeln!(f, "     - {step}")?;
            }
        }
        if !self.assignments.is_empty() && !self.admins.is_empty() {
            write!(OneLine(f), "  (admins: {})", names(&self.admins))?;
            f.write_str("\n")?;
        }
        Ok(())
    }
}

/// Returns a verb for setting a bound that lets more pass.
fn widening(form: BoundType, to: &Bound) -> &'static str {
    match (form, to) {
        (BoundType::AtMost, Bound::Limit(_)) => "raise",
        (BoundType::AtLeast, Bound::Limit(_)) => "lower",
        _ => "set",
    }
}

impl Display for RemedyStep {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        match self {
            RemedyStep::Restore(user) => write!(line, "end the suspension of user {user}"),
            RemedyStep::License(feature) => write!(line, "license the feature `{feature}`"),
            RemedyStep::Allow(permission) => write!(line, "allow this user {permission}"),
            RemedyStep::Lift(statement) => {
                let Statement { source, pattern, place, effect, .. } = statement;
                let effect = match effect {
                    Effect::Forbid => "forbid",
                    _ => "deny",
                };
                let whom = match source.source {
                    SourceName::Global => ", which every user has",
                    SourceName::User(_) => "",
                    _ => ", for all who have it",
                };
                write!(line, "remove {effect} `{pattern}` [{place}] from {source}{whom}")
            }
            RemedyStep::Revoke { source, takes } => {
                write!(line, "take {source} from this user")?;
                match takes {
                    0 => Ok(()),
                    takes => write!(line, ", which takes {} away", permissions(*takes)),
                }
            }
            RemedyStep::Widen { attribute, form, to } => {
                let verb = widening(*form, to);
                write!(line, "{verb} this user's bound on `{attribute}` to {}", bound(*form, to))
            }
            RemedyStep::WidenIn { assignment, attribute, form, to } => {
                let verb = widening(*form, to);
                write!(
                    line,
                    "{verb} the bound on `{attribute}` of the assignment {assignment} to {}",
                    bound(*form, to)
                )
            }
            RemedyStep::Prolong { assignment, from, until } => {
                let dates = dates(*from, *until).unwrap_or_else(|| "at any time".to_owned());
                write!(line, "let the assignment {assignment} hold {dates}")
            }
            RemedyStep::Cover { assignment, kind, name, form, to } => {
                let condition = condition(name, *form, to);
                write!(line, "let the assignment {assignment} cover each `{kind}` {condition}")
            }
            RemedyStep::Give { name, source, on } => {
                write!(line, "give this user {source} as the assignment `{name}`, only on each ")?;
                for (kind, conditions) in on.iter() {
                    write!(line, "`{kind}`")?;
                    for (name, bound) in conditions.iter() {
                        write!(line, " {}", condition(name, None, bound))?;
                    }
                }
                Ok(())
            }
            RemedyStep::Relate { relation, names, to } => {
                write!(line, "ask about an object whose `{relation}` is {}", noun(*to, *names))
            }
            RemedyStep::Value { attribute, form, to } => {
                write!(line, "ask about an object whose `{attribute}` is {}", bound(*form, to))
            }
        }
    }
}

impl Display for Assignment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Assigning { assignment: self, admins: true }.fmt(f)
    }
}

/// An assignment, and whether there are admins who may make it.
struct Assigning<'a> {
    assignment: &'a Assignment,
    admins: bool,
}

impl Display for Assigning<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Assignment { sources, replaces, brings, takes, widens, .. } = self.assignment;
        let mut line = OneLine(f);
        line.write_str("assign ")?;
        for (at, AssignedSource { source, .. }) in sources.iter().enumerate() {
            let separator = if at == 0 { "" } else { " and " };
            write!(line, "{separator}{source}")?;
        }
        if let Some(replaced) = replaces {
            write!(line, " in place of {replaced}")?;
        }
        match (brings, widens.is_empty()) {
            (0, false) => {}
            _ => write!(line, ": brings {}", permissions(*brings))?,
        }
        if !widens.is_empty() {
            let separator = if *brings > 0 { "," } else { ":" };
            let attributes = quoted(widens.iter().map(String::as_str));
            write!(line, "{separator} widens the bound on {attributes}")?;
        }
        if *takes > 0 {
            write!(line, ", takes {} away", permissions(*takes))?;
        }
        for AssignedSource { source, approvers, .. } in sources {
            match sources.len() {
                1 => line.write_str("; may be assigned by: ")?,
                _ => write!(line, "; {} may be assigned by: ", source.source)?,
            }
            match (approvers.is_empty(), self.admins) {
                (true, true) => line.write_str("admins")?,
                (true, false) => line.write_str("nobody but the host")?,
                (false, true) => write!(line, "{}, admins", names(approvers))?,
                (false, false) => line.write_str(&names(approvers))?,
            }
        }
        Ok(())
    }
}

impl Display for AccessRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let AccessRequest { user, action, object, reason, remedies, .. } = self;
        write!(f, "user {user} asks for {action}")?;
        if let Some(object) = object {
            write!(OneLine(f), " on a `{object}`")?;
        }
        writeln!(f, ", which {}", verdict(*reason))?;
        remedies.fmt(f)
    }
}

/// Some names, and how many more there are.
fn names(names: &[Named]) -> String {
    const NAMED: usize = 5;
    let mut texts: Vec<String> = names.iter().take(NAMED).map(ToString::to_string).collect();
    match names.len().saturating_sub(NAMED) {
        0 => {}
        1 => texts.push("1 other".to_owned()),
        more => texts.push(format!("{more} others")),
    }
    texts.join(", ")
}

fn permissions(count: usize) -> String {
    match count {
        1 => "1 permission".to_owned(),
        _ => format!("{count} permissions"),
    }
}
