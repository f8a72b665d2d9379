//! Questions that two policies answer differently.
//!
//! A diff proves *that* two policies differ. What a test needs is one question on which
//! they do: this searches for a simple one, and asks both, so that what it returns is
//! certain. The search is over few values, those at which answers change: of an
//! attribute, those on each side of every limit in the conditions compared; of a relation,
//! the user, the user's groups, names in terms and somebody else; of days, those at the
//! ends of terms and of fixed fences, and a week.

use super::edges::Edges;
use super::question::{before, day, set_of, who_can};
use super::{Answer, Given, Principal, Question, Step};
use crate::date::{Date, Moment};
use crate::diff::{Group, NameChange, NameKind, PermissionChange};
use crate::document::{Document, NamedUser, RelationType, UserEntry};
use crate::engine::{Engine, OwnedAsker};
use crate::filter::{Filter, Predicate};
use crate::object::{DynamicObject, Value};

/// The most objects to try for one permission on one day.
const MOST_OBJECTS: usize = 1 << 13;

/// Two policies, of which questions are asked.
pub(super) struct Compared<'e> {
    pub(super) before: &'e Engine,
    pub(super) after: &'e Engine,
    /// The days to try; first, none.
    pub(super) days: Vec<Option<Moment>>,
}

impl<'e> Compared<'e> {
    pub(super) fn new(before: &'e Engine, after: &'e Engine) -> Compared<'e> {
        let mut edges = Edges::default();
        for engine in [before, after] {
            edges.add(&Document::from(engine.policy()));
        }
        Compared { before, after, days: edges.days() }
    }

    /// Returns a step that the policy before passes and the other fails, for some user of a
    /// group of a diff.
    pub(super) fn step(
        &self,
        group: &Group,
        principal: impl Fn(&str) -> Principal,
    ) -> Option<Step> {
        let user = principal(group.users.names().next()?);
        let askers = self.askers(&user)?;
        let of_permissions = group.permissions.iter();
        let mut step = of_permissions.clone().find_map(|it| self.can(&user, &askers, it));
        step = step.or_else(|| of_permissions.clone().find_map(|it| self.without(&user, it)));
        step.or_else(|| {
            group.settings.iter().find_map(|it| {
                let setting = it.setting.name.clone();
                self.differs(Question::Setting { user: user.clone(), setting })
            })
        })
    }

    /// Returns a step that the policy before passes and the other fails, because only one of
    /// their catalogues has a name.
    pub(super) fn step_of_name(&self, it: &NameChange) -> Option<Step> {
        if it.kind != NameKind::Default {
            return None;
        }
        // An unknown user has the default.
        let (setting, _) = it.name.split_once(" = ").unwrap_or((&it.name, ""));
        self.differs(Question::Setting { user: "stranger".into(), setting: setting.to_owned() })
    }

    /// Returns a question whether the user may do this, if the answers differ.
    fn can(
        &self,
        user: &Principal,
        askers: &[OwnedAsker; 2],
        it: &PermissionChange,
    ) -> Option<Step> {
        let path = &it.permission.name;
        let levels = [&it.level].into_iter().flatten();
        let levels = levels.flat_map(|it| [&it.before, &it.after]).flatten();
        let mut actions = vec![path.clone()];
        actions.extend(levels.map(|level| format!("{path}:{level}")));
        actions.extend(self.thresholds(path));
        for action in actions {
            for &today in &self.days {
                let step = self.can_on(user, askers, &action, today);
                if step.is_some() {
                    return step;
                }
            }
        }
        None
    }

    fn can_on(
        &self,
        user: &Principal,
        askers: &[OwnedAsker; 2],
        action: &str,
        today: Option<Moment>,
    ) -> Option<Step> {
        let ask = |object: Option<DynamicObject>| {
            self.differs(Question::Can {
                user: user.clone(),
                within: Given::Absent,
                action: action.to_owned(),
                object,
                today: today.into(),
            })
        };
        let [before, after] = [self.before, self.after].map(|it| it.permission(action));
        let filters = match (before, after) {
            (Ok(before), Ok(after)) => {
                let [was, is] = askers.each_ref().map(OwnedAsker::asker);
                [was.filter(before, today), is.filter(after, today)]
            }
            // A name that only one of them knows.
            _ => return ask(None),
        };
        if filters[0] == filters[1] {
            return ask(None);
        }
        ask(None)
            .or_else(|| Objects::new(user.name(), &filters)?.find().and_then(|it| ask(Some(it))))
    }

    /// Returns a question without an object, if the answers differ.
    fn without(&self, user: &Principal, it: &PermissionChange) -> Option<Step> {
        let action = it.permission.name.clone();
        let (user, within) = (user.clone(), Given::Absent);
        let can_some = Question::CanSome {
            user: user.clone(),
            within: within.clone(),
            action: action.clone(),
        };
        let level = Question::Level {
            user: user.clone(),
            within: within.clone(),
            permission: action,
            object: None,
            today: Given::Absent,
        };
        let effective = Question::Effective { user, within, assignment: None };
        [can_some, level, effective].into_iter().find_map(|question| self.differs(question))
    }

    /// Returns a question with the answer before, if the one after is another.
    fn differs(&self, question: Question) -> Option<Step> {
        let [before, after] = [self.before, self.after].map(|it| question.ask(it));
        let [before, after] = [before, after].map(|it| it.unwrap_or(Answer::Error));
        (before != after).then_some(Step { question, expect: before })
    }

    fn askers(&self, user: &Principal) -> Option<[OwnedAsker; 2]> {
        let of = |engine| user.asker(engine, &Given::Absent).ok();
        Some([of(self.before)?, of(self.after)?])
    }

    /// Returns the thresholds of a graded permission.
    fn thresholds(&self, path: &str) -> Vec<String> {
        let catalogue = &self.before.policy().inner().catalogue;
        let of = |text: String| {
            text.strip_prefix(path).is_some_and(|it| it.starts_with(':')).then_some(text)
        };
        catalogue.thresholds().filter_map(of).collect()
    }
}

/// Returns a question whose answer yes shows why that of another is no: one about a user who
/// may do what nobody should.
pub(super) fn counterexample(question: &Question, engine: &Engine) -> Option<Question> {
    match question {
        Question::Never { action, object, today, except } => {
            let day = day(today).ok()?;
            let users = who_can(engine, action, object, day).ok()?;
            let except = set_of(except);
            let user = users.into_iter().find(|user| !except.contains(user))?;
            let (user, within, action) = (user.into(), Given::Absent, action.clone());
            Some(match object.clone() {
                None => Question::CanSome { user, within, action },
                object => Question::Can { user, within, action, object, today: today.clone() },
            })
        }
        Question::NoNewAccess { baseline, except } => {
            let before = before(baseline).ok()?;
            let (diff, except) = (before.diff(engine), set_of(except));
            let compared = Compared::new(&before, engine);
            diff.groups.iter().find_map(|group| {
                let user = Principal::from(group.others(&except).next()?);
                let askers = compared.askers(&user)?;
                let mut steps = group.gains().filter_map(|it| compared.can(&user, &askers, it));
                let step = steps.find(|step| step.expect != Answer::Boolean(true))?;
                Some(step.question)
            })
        }
        _ => None,
    }
}

/// The objects at which two filters for the same user may differ.
struct Objects<'f> {
    filters: &'f [Filter; 2],
    kind: &'f str,
    relations: Vec<(&'f str, Vec<Option<Vec<String>>>)>,
    attributes: Vec<(&'f str, Vec<Option<Value<'f>>>)>,
}

impl<'f> Objects<'f> {
    fn new(user: &str, filters: &'f [Filter; 2]) -> Option<Objects<'f>> {
        let kind = filters.iter().find_map(|filter| filter.kind())?;
        let mut objects = Objects { filters, kind, relations: Vec::new(), attributes: Vec::new() };
        let mut groups: Vec<&String> = filters.iter().flat_map(Filter::groups).collect();
        groups.sort_unstable();
        groups.dedup();
        let me = |names| match names {
            RelationType::User => vec![user.to_owned()],
            RelationType::Group => groups.iter().map(|&it| it.clone()).collect(),
        };
        for filter in filters {
            let predicates = filter.definitions().iter().chain([filter.predicate()]);
            predicates.for_each(|it| objects.collect(it, &me));
        }
        Some(objects)
    }

    /// Collects what a predicate asks for, and the values around each limit.
    fn collect(&mut self, predicate: &'f Predicate, me: &impl Fn(RelationType) -> Vec<String>) {
        match predicate {
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().for_each(|part| self.collect(part, me));
            }
            Predicate::Relation { name, names, .. } => {
                self.relate(name, &me(*names), &[]);
            }
            Predicate::Names { name, names, any_of } => self.relate(name, &me(*names), any_of),
            Predicate::OneOf { attribute, values } => {
                self.values(attribute, values.iter().map(|it| Value::Text(it)));
                self.values(attribute, [Value::Text("another")]);
            }
            Predicate::AtMost { attribute, value } => {
                let around = [*value, value.saturating_add(1)];
                self.values(attribute, around.map(Value::Integer));
            }
            Predicate::AtLeast { attribute, value } => {
                let around = [*value, value.saturating_sub(1)];
                self.values(attribute, around.map(Value::Integer));
            }
            Predicate::NotBefore { attribute, date } => self.dates(attribute, *date, -1),
            Predicate::NotAfter { attribute, date } => self.dates(attribute, *date, 1),
            Predicate::Flag { attribute, .. } => {
                self.values(attribute, [true, false].map(Value::Boolean));
            }
            Predicate::All | Predicate::None | Predicate::Bound { .. } | Predicate::Defined(_) => {}
        }
    }

    fn dates(&mut self, attribute: &'f str, date: Date, beyond: i64) {
        let around = [Some(date), date.plus_days(beyond)].into_iter().flatten();
        self.values(
            attribute,
            around.filter(|it| (0..=9999).contains(&it.year())).map(Value::Date),
        );
    }

    fn relate(&mut self, name: &'f str, me: &[String], terms: &[String]) {
        let at = self.relations.iter().position(|(known, _)| *known == name);
        let at = at.unwrap_or_else(|| {
            let none = [Some(vec!["somebody else".to_owned()]), Some(Vec::new()), None];
            self.relations.push((name, none.to_vec()));
            self.relations.len().saturating_sub(1)
        });
        let Some((_, values)) = self.relations.get_mut(at) else { return };
        for one in terms.iter().chain(me) {
            let both = me.iter().filter(|it| *it != one).map(|it| vec![one.clone(), it.clone()]);
            for names in both.chain([vec![one.clone()]]) {
                if !values.contains(&Some(names.clone())) {
                    // Before those that name nobody.
                    values.insert(0, Some(names));
                }
            }
        }
    }

    fn values(&mut self, name: &'f str, values: impl IntoIterator<Item = Value<'f>>) {
        let at = self.attributes.iter().position(|(known, _)| *known == name);
        let at = at.unwrap_or_else(|| {
            self.attributes.push((name, vec![None]));
            self.attributes.len().saturating_sub(1)
        });
        let Some((_, known)) = self.attributes.get_mut(at) else { return };
        for value in values {
            if !known.contains(&Some(value)) {
                known.insert(known.len().saturating_sub(1), Some(value));
            }
        }
    }

    /// Returns the first of the objects that one of the filters matches and the other does
    /// not.
    fn find(&self) -> Option<DynamicObject> {
        let sizes = self.relations.iter().map(|(_, values)| values.len());
        let sizes: Vec<usize> =
            sizes.chain(self.attributes.iter().map(|(_, values)| values.len())).collect();
        let mut chosen = vec![0; sizes.len()];
        for _ in 0..MOST_OBJECTS {
            let object = self.object(&chosen);
            if self.filters[0].matches(&object) != self.filters[1].matches(&object) {
                return Some(object);
            }
            if !next(&mut chosen, &sizes) {
                return None;
            }
        }
        None
    }

    fn object(&self, chosen: &[usize]) -> DynamicObject {
        let mut object = DynamicObject::new(self.kind);
        let mut chosen = chosen.iter();
        for ((name, values), at) in self.relations.iter().zip(&mut chosen) {
            if let Some(Some(names)) = values.get(*at) {
                object = object.with_relation(name, names);
            }
        }
        for ((name, values), at) in self.attributes.iter().zip(chosen) {
            if let Some(Some(value)) = values.get(*at) {
                object = object.with_attribute(name, *value);
            }
        }
        object
    }
}

/// Counts on, the first place fastest; `false` after the last number.
fn next(chosen: &mut [usize], sizes: &[usize]) -> bool {
    for (at, size) in chosen.iter_mut().zip(sizes) {
        *at = at.saturating_add(1);
        if *at < *size {
            return true;
        }
        *at = 0;
    }
    false
}

/// A user of the policy, or one whom it does not have.
pub(super) fn subject(name: &str, entry: &UserEntry) -> Principal {
    Principal::Subject(Box::new(NamedUser { name: name.to_owned(), entry: entry.clone() }))
}
