//! What a diff says, compared with the answers of the two engines.
//!
//! An object can be in few situations for one user before and after: for each
//! relation a pair of states, for each attribute whether it passes before and
//! after, on a day of a kind. Here all of them are tried, found without the
//! crate's help: relations by lists of names, attributes by values about every
//! bound and days about every fence, judged by the oracle.

use super::by_name::ByName;
use super::days::{around, ends};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use grantree::Document;
use grantree::diff::{
    BeforeAfter, Diff, Extent, Group, NameChange, PermissionChange, Presence, Shift,
};
use grantree::document::{RelationType, Statements};
use grantree::object::{DynamicObject, Value};
use grantree::{Date, Engine, Moment};
use serde_json::{Value as Json, json};

use super::case::{engine, value};
use super::oracle::Oracle;
use super::oracle::bound::passes;
use super::oracle::catalogue::Form;
use super::oracle::date::Today;
use super::oracle::person::Person;

/// How often things were found, so that tests can tell whether they try enough.
#[derive(Debug, Default)]
pub struct Tally {
    pub empty: u32,
    pub groups: u32,
    pub shifts: BTreeMap<String, u32>,
    pub objects: u64,
    pub sampled: u32,
}

/// What a relation may name, if the object carries it.
type Lists = Vec<Option<Vec<String>>>;

/// What an attribute may be, if the object has it.
type Values = Vec<Option<Value<'static>>>;

/// How many objects are tried at most for one permission of one user; if there are
/// more, this many are spread over all of them.
const MOST_OBJECTS: usize = 2000;

/// A diff is empty exactly if both engines answer every question alike, and all
/// that it says is true. The documents have the same catalogue.
pub fn a_diff_is_what_differs(before: &Document, after: &Document, tally: &mut Tally) -> Diff {
    let engines = [before, after].map(engine);
    let diff = engines[0].diff(&engines[1]);
    holds(&engines, [before, after], &diff, tally);
    diff
}

/// All that a diff of two engines says is true, and it leaves nothing out.
pub fn holds(engines: &[Engine; 2], documents: [&Document; 2], diff: &Diff, tally: &mut Tally) {
    assert!(diff.names.is_empty(), "{diff}");
    assert_eq!(diff.is_empty(), diff.groups.is_empty());
    tally.empty += u32::from(diff.is_empty());
    let oracles = documents.map(|document| Oracle::new(&value(document)));
    let names = documents.iter().flat_map(|document| document.users.iter());
    let names: BTreeSet<&str> = names.map(|(name, _)| name).collect();
    let mut told = 0;
    for user in names {
        let there = documents.map(|document| document.users.get(user).is_some());
        let groups: Vec<&Group> = diff
            .groups
            .iter()
            .filter(|group| group.users.names().any(|name| name == user))
            .collect();
        assert!(groups.len() < 2, "`{user}` is in two groups: {diff}");
        let group = groups.first().copied();
        assert_eq!(group.is_some(), diff.of(user).next().is_some());
        told += usize::from(group.is_some());
        match there {
            [true, true] => assert!(group.is_none_or(|it| it.presence == Presence::Stays)),
            [false, _] => assert!(group.is_some_and(|it| it.presence == Presence::New), "{diff}"),
            [_, false] => assert!(group.is_some_and(|it| it.presence == Presence::Gone), "{diff}"),
        }
        let known = RefCell::default();
        let people = [0, 1].map(|at| Person::of_document(oracles[at].policy(), user));
        let subject = Subject { user, engines, documents, oracles: &oracles, people, known };
        subject.settings(group);
        let has_assignments = |document: &Document| {
            document.users.get(user).is_some_and(|it| !it.assignments.is_empty())
        };
        if documents.into_iter().any(has_assignments) {
            continue;
        }
        for (path, node) in oracles[0].policy().catalogue.nodes() {
            if node.form != Form::Heading {
                subject.permission(path, group, tally);
            }
        }
    }
    assert_eq!(told, diff.groups.iter().map(|group| group.users.len()).sum::<usize>());
    tally.groups += diff.groups.len() as u32;
}

/// What was found of a permission: an object for which it is lost, one for which
/// it is gained, and whether there is one for which it is held before and after.
#[derive(Default)]
struct Found {
    lost: Option<String>,
    gained: Option<String>,
    kept: bool,
}

/// Whether a fence may be beyond the end of the calendar on that day.
fn is_late(today: Date) -> bool {
    today > "9999-12-22".parse().expect("a date")
}

/// One user, before and after.
struct Subject<'a> {
    user: &'a str,
    engines: &'a [Engine; 2],
    documents: [&'a Document; 2],
    oracles: &'a [Oracle; 2],
    people: [Option<Person>; 2],
    /// The objects of each kind.
    known: RefCell<BTreeMap<Option<String>, Rc<Objects>>>,
}

/// Objects and days that may be treated differently; and whether some were left out.
type Objects = (Vec<(Option<DynamicObject>, Option<Moment>)>, bool);

impl Subject<'_> {
    fn settings(&self, group: Option<&Group>) {
        for (setting, _) in self.documents[0].catalogue.settings.iter() {
            let value = |at: usize| {
                self.engines[at].setting_by_name(self.user, setting).expect("a setting").cloned()
            };
            let told = group.and_then(|group| {
                group.settings.iter().find(|change| change.setting.name == setting)
            });
            let told = told.map(|change| (change.value.before.clone(), change.value.after.clone()));
            let differs = value(0) != value(1);
            assert_eq!(
                told,
                differs.then(|| (value(0), value(1))),
                "`{setting}` of `{}`",
                self.user
            );
        }
    }

    fn permission(&self, path: &str, group: Option<&Group>, tally: &mut Tally) {
        let user = self.user;
        let told = group.and_then(|group| {
            group.permissions.iter().find(|change| change.permission.name == path)
        });
        // All names that it is asked for by.
        let node = self.oracles[0].policy().catalogue.node(path);
        let mut names = vec![path.to_owned()];
        names.extend(node.levels.iter().skip(1).map(|level| format!("{path}:{level}")));
        let versus = |both: [bool; 2]| {
            (both[0] != both[1]).then_some(BeforeAfter { before: both[0], after: both[1] })
        };
        // What the diff says about it without an object.
        let can_some = |name: &str| {
            [0, 1].map(|at| {
                let engine = &self.engines[at];
                let action = engine.permission(name).expect("a permission");
                engine.user(user).is_ok_and(|user| engine.can_some(user, action))
            })
        };
        let effective = [0, 1].map(|at| {
            let engine = &self.engines[at];
            let held = engine.user(user).map(|user| engine.effective(user)).unwrap_or_default();
            held.into_iter().any(|held| held.path() == path)
        });
        let level = [0, 1]
            .map(|at| self.engines[at].level_by_name(user, path).ok().flatten().map(str::to_owned));
        if let Some(told) = told {
            assert_eq!(told.effective, versus(effective), "`{path}` of `{user}`");
            assert_eq!(told.can_some, versus(can_some(path)), "`{path}` of `{user}`");
            let said = told.level.clone().map(|level| [level.before, level.after]);
            assert_eq!(said, (level[0] != level[1]).then(|| level.clone()), "`{path}` of `{user}`");
        }
        let mut otherwise = effective[0] != effective[1] || level[0] != level[1];
        otherwise |= names.iter().any(|name| can_some(name)[0] != can_some(name)[1]);
        // What may be done.
        let mut found = [Found::default(), Found::default()];
        let known = self.objects(node.kind.as_deref());
        let (objects, sampled) = (&known.0, known.1);
        tally.sampled += u32::from(sampled);
        for name in &names {
            let actions = [0, 1].map(|at| self.engines[at].permission(name).expect("a permission"));
            for (object, today) in objects {
                tally.objects += 1;
                let [was, is] = [0, 1].map(|at| {
                    let engine = &self.engines[at];
                    let on = (object.as_ref(), *today);
                    engine.user(user).is_ok_and(|user| engine.can(user, actions[at], on))
                });
                let found = &mut found[usize::from(today.map(Moment::date).is_some_and(is_late))];
                found.kept |= was && is;
                let about = || format!("{name} on {object:?} on {today:?}");
                if was && !is {
                    found.lost.get_or_insert_with(about);
                }
                if is && !was {
                    found.gained.get_or_insert_with(about);
                }
            }
        }
        // The last days of the calendar only count where nothing else differs.
        let [most, late] = found;
        let Found { lost, gained, kept } = match (&most.lost, &most.gained) {
            (None, None) => Found { kept: late.kept || most.kept, ..late },
            _ => most,
        };
        let shift = match (&lost, &gained, kept) {
            (None, None, _) => Shift::Same,
            (None, Some(_), false) => Shift::Gained,
            (Some(_), None, false) => Shift::Lost,
            (None, Some(_), true) => Shift::More,
            (Some(_), None, true) => Shift::Fewer,
            _ => Shift::Other,
        };
        otherwise |= shift != Shift::Same;
        let said = told.map_or(Shift::Same, |told| told.shift);
        let found = format!("`{user}`: lost {lost:?}, gained {gained:?}, kept {kept}");
        if sampled {
            // What was found must be in the diff, which may also have what was not found.
            let loses = matches!(said, Shift::Lost | Shift::Fewer | Shift::Other);
            let gains = matches!(said, Shift::Gained | Shift::More | Shift::Other);
            assert!(lost.is_none() || loses, "{found}, but {said:?}");
            assert!(gained.is_none() || gains, "{found}, but {said:?}");
            assert!(!kept || !matches!(said, Shift::Gained | Shift::Lost), "{found}, but {said:?}");
        } else {
            assert_eq!(told.is_some(), otherwise, "`{path}`: {found}, told {told:?}");
            assert_eq!(shift, said, "`{path}`: {found}");
        }
        if let Some(told) = told {
            *tally.shifts.entry(format!("{said:?}")).or_default() += 1;
            Self::is_shown(told);
        }
    }

    /// The objects that are shown match what is said about them.
    fn is_shown(told: &PermissionChange) {
        let nothing = |extent: &Extent| *extent == Extent::Nothing;
        let BeforeAfter { before, after } = &told.on;
        match told.shift {
            Shift::Gained => assert!(!nothing(after), "{told:?}"),
            Shift::Lost => assert!(!nothing(before), "{told:?}"),
            Shift::More | Shift::Fewer | Shift::Other => {
                assert!(!nothing(before) && !nothing(after), "{told:?}");
            }
            Shift::Same => {}
        }
    }

    fn objects(&self, kind: Option<&str>) -> Rc<Objects> {
        let mut known = self.known.borrow_mut();
        let objects = known.entry(kind.map(str::to_owned));
        Rc::clone(objects.or_insert_with(|| Rc::new(self.new_objects(kind))))
    }

    fn new_objects(&self, kind: Option<&str>) -> Objects {
        let mut objects = vec![(None, None), (Some(DynamicObject::new("no such kind")), None)];
        let Some(kind) = kind else { return (objects, false) };
        let declared = self.documents[0].catalogue.objects.get(kind).expect("a kind");
        let relations: Vec<(&str, Vec<Option<Vec<String>>>)> =
            declared.relations.iter().map(|(name, names)| (name, self.lists(*names))).collect();
        let attributes: Vec<&str> = declared.attributes.iter().map(|(name, _)| name).collect();
        let mut count = 0;
        let mut all: Vec<(Option<Date>, Vec<Values>)> = Vec::new();
        let mut seen = BTreeSet::new();
        for today in self.days(kind) {
            let (signature, values): (Vec<_>, Vec<_>) =
                attributes.iter().map(|attribute| self.values(kind, attribute, today)).unzip();
            if seen.insert((today.is_some_and(is_late), signature)) {
                let each = relations.iter().map(|(_, lists)| lists.len());
                count += each.chain(values.iter().map(Vec::len)).product::<usize>();
                all.push((today, values));
            }
        }
        let step = count.div_ceil(MOST_OBJECTS).max(1);
        let mut at = 0;
        for (today, values) in &all {
            let sizes: Vec<usize> = relations
                .iter()
                .map(|(_, lists)| lists.len())
                .chain(values.iter().map(Vec::len))
                .collect();
            for number in 0..sizes.iter().product() {
                at += 1;
                if at % step != 0 {
                    continue;
                }
                let mut left: usize = number;
                let mut object = DynamicObject::new(kind);
                for (name, lists) in &relations {
                    if let Some(list) = &lists[left % lists.len()] {
                        object = object.with_relation(name, list.clone());
                    }
                    left /= lists.len();
                }
                for (attribute, values) in attributes.iter().zip(values) {
                    if let Some(value) = values[left % values.len()] {
                        object = object.with_attribute(attribute, value);
                    }
                    left /= values.len();
                }
                objects.push((Some(object), today.map(Moment::from)));
            }
        }
        (objects, step > 1)
    }

    /// Lists of names that a relation may have: one of each that are seen alike.
    fn lists(&self, names: RelationType) -> Lists {
        let mut known = vec!["nobody at all".to_owned()];
        match names {
            RelationType::User => known.push(self.user.to_owned()),
            RelationType::Group => {
                for document in self.documents {
                    known.extend(document.groups.iter().map(|(name, _)| name.to_owned()));
                    let users = document.users.iter();
                    known.extend(users.flat_map(|(_, user)| user.groups.clone()));
                }
            }
        }
        known.sort();
        known.dedup();
        let mut lists: Vec<Vec<String>> = vec![vec![]];
        lists.extend(known.iter().map(|name| vec![name.clone()]));
        for one in &known {
            lists.extend(known.iter().map(|other| vec![one.clone(), other.clone()]));
        }
        let mut seen = BTreeSet::new();
        lists.retain(|list| {
            let states = self.documents.map(|document| {
                let me = list.iter().any(|name| match names {
                    RelationType::User => name == self.user,
                    RelationType::Group => is_mine(document, self.user, name),
                });
                (list.is_empty(), me)
            });
            seen.insert(states)
        });
        std::iter::once(None).chain(lists.into_iter().map(Some)).collect()
    }

    /// The bounds on an attribute, before and after.
    fn bounds(&self, kind: &str, attribute: &str) -> [Vec<Json>; 2] {
        let name = format!("{kind}.{attribute}");
        self.people.each_ref().map(|person| {
            person.as_ref().map_or_else(Vec::new, |it| it.ordinary().own_bounds(&name))
        })
    }

    /// The values that scopes on a kind accept of an attribute.
    fn accepted(&self, kind: &str, attribute: &str) -> Vec<Json> {
        let nodes = self.oracles.iter().flat_map(|oracle| oracle.policy().catalogue.nodes());
        let on_kind = nodes.filter(|(_, node)| node.kind.as_deref() == Some(kind));
        let conditions = on_kind.flat_map(|(_, node)| &node.when);
        let accepted = conditions.filter(|(name, _)| name == attribute);
        accepted.map(|(_, accepted)| accepted.clone()).collect()
    }

    /// Values of an attribute on a day, one of each way to pass, with the ways.
    fn values(&self, kind: &str, attribute: &str, today: Option<Date>) -> (Vec<Vec<bool>>, Values) {
        const TEXTS: [&str; 6] = ["north", "south", "east", "west", "", "nowhere"];
        let form = &self.oracles[0].policy().catalogue.kinds[kind].attributes[attribute];
        let bounds = self.bounds(kind, attribute);
        let accepted = self.accepted(kind, attribute);
        let stated = || bounds.iter().flatten().chain(&accepted);
        let mut values = vec![None, Some(Value::Other)];
        values.extend(TEXTS.map(|text| Some(Value::Text(text))));
        values.extend([false, true].map(|flag| Some(Value::Boolean(flag))));
        let limits = stated().filter_map(Json::as_i64);
        let around_limits =
            limits.flat_map(|limit| [limit.saturating_sub(1), limit, limit.saturating_add(1)]);
        let integers = [i64::MIN, i64::MAX].into_iter().chain(around_limits);
        values.extend(integers.map(|integer| Some(Value::Integer(integer))));
        let about = today.into_iter().flat_map(|today| around(today, -8, 8));
        let fixed = stated().filter_map(date).flat_map(|date| around(date, -1, 1));
        let dates = about.chain(fixed).chain(ends());
        values.extend(dates.map(|date| Some(Value::Date(date))));
        let today = today.and_then(|today| Today::read(&today.to_string()));
        let mut seen = BTreeSet::new();
        values.retain(|value| {
            let value = value.map(as_json);
            let passes = |bound: &Json| passes(bound, form, value.as_ref(), today);
            let mut ways: Vec<bool> = bounds.iter().map(|it| it.iter().any(passes)).collect();
            ways.extend(accepted.iter().map(passes));
            seen.insert(ways)
        });
        (seen.into_iter().collect(), values)
    }

    /// Days about every fence on a kind, and no day.
    fn days(&self, kind: &str) -> Vec<Option<Date>> {
        let declared = self.documents[0].catalogue.objects.get(kind).expect("a kind");
        let stated = declared.attributes.iter().flat_map(|(attribute, _)| {
            let bounds = self.bounds(kind, attribute).into_iter().flatten();
            bounds.chain(self.accepted(kind, attribute))
        });
        let fences: Vec<Json> = stated.filter(Json::is_object).collect();
        if fences.iter().all(|fence| date(fence).is_some()) {
            return vec![None];
        }
        // No random fence goes further from today than that.
        let days = fences.iter().filter_map(date).flat_map(|date| around(date, -9, 9));
        let week = around("2000-01-01".parse().expect("a date"), 0, 7);
        let late = around(ends()[1], -20, 0);
        std::iter::once(None).chain(days.chain(week).chain(late).map(Some)).collect()
    }
}

/// The date of a fence that has one.
fn date(fence: &Json) -> Option<Date> {
    fence["date"].as_str()?.parse().ok()
}

/// An attribute's value, as an object in a test document has it.
fn as_json(value: Value<'_>) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Integer(integer) => json!(integer),
        Value::Date(date) => json!(date.to_string()),
        Value::Boolean(flag) => json!(flag),
        Value::Other => json!(0.5),
    }
}

/// Whether a group counts as a user's.
fn is_mine(document: &Document, user: &str, group: &str) -> bool {
    let Some(user) = document.users.get(user) else { return false };
    let mut next = Some(group.to_owned());
    while let Some(group) = next {
        if user.groups.contains(&group) {
            return true;
        }
        next = document.groups.get(&group).and_then(|group| group.parent.clone());
    }
    false
}

/// A diff the other way round says the opposite.
pub fn a_diff_has_a_mirror(before: &Document, after: &Document) {
    let engines = [before, after].map(engine);
    let there = engines[0].diff(&engines[1]);
    let back = engines[1].diff(&engines[0]);
    assert_eq!(told(&there), told(&mirrored(back)));
}

fn turned<T>(BeforeAfter { before, after }: BeforeAfter<T>) -> BeforeAfter<T> {
    BeforeAfter { before: after, after: before }
}

fn mirrored(diff: Diff) -> Diff {
    let presence = |presence| match presence {
        Presence::Stays => Presence::Stays,
        Presence::New => Presence::Gone,
        Presence::Gone => Presence::New,
    };
    let mut mirrored = diff;
    for NameChange { presence: known, .. } in &mut mirrored.names {
        *known = presence(*known);
    }
    for group in &mut mirrored.groups {
        group.presence = presence(group.presence);
        for change in &mut group.permissions {
            change.shift = match change.shift {
                Shift::Gained => Shift::Lost,
                Shift::Lost => Shift::Gained,
                Shift::More => Shift::Fewer,
                Shift::Fewer => Shift::More,
                same => same,
            };
            change.on = turned(change.on.clone());
            change.effective = change.effective.map(turned);
            change.level = change.level.take().map(turned);
            change.can_some = change.can_some.map(turned);
        }
        for change in &mut group.settings {
            change.value = turned(change.value.clone());
        }
    }
    mirrored
}

/// All that a diff says, in an order of its own.
fn told(diff: &Diff) -> BTreeSet<String> {
    let mut told: BTreeSet<String> = diff.names.iter().map(|name| format!("{name:?}")).collect();
    for group in &diff.groups {
        let mut names: Vec<&str> = group.users.names().collect();
        names.sort_unstable();
        let mut lines: Vec<String> =
            group.permissions.iter().map(|change| format!("{change:?}")).collect();
        lines.sort();
        let mut settings: Vec<String> =
            group.settings.iter().map(|change| format!("{change:?}")).collect();
        settings.sort();
        told.insert(format!("{:?} {names:?} {lines:?} {settings:?}", group.presence));
    }
    told
}

/// Engines that share what they can are compared as engines that share nothing.
pub fn what_is_shared_makes_no_difference(engines: &[Engine; 2], documents: [&Document; 2]) {
    let shared = engines[0].diff(&engines[1]);
    let apart = documents.map(engine);
    assert_eq!(told(&shared), told(&apart[0].diff(&apart[1])));
}

/// Two policies over one catalogue: the other has the sources of the first, some
/// of them exchanged for one another.
pub fn exchanged(document: &Document, by: usize) -> Document {
    let mut other = document.clone();
    let mut bodies: Vec<Statements> = Vec::new();
    bodies.push(document.global.clone());
    bodies.extend(document.profiles.iter().map(|(_, source)| source.statements.clone()));
    bodies.extend(document.roles.iter().map(|(_, role)| role.source.statements.clone()));
    bodies.extend(document.users.iter().map(|(_, user)| user.statements.clone()));
    let body = |at: usize| bodies[(at * (by % 3 + 1) + by) % bodies.len()].clone();
    if by.is_multiple_of(4) {
        other.global = body(0);
    }
    for (at, (name, _)) in document.roles.iter().enumerate() {
        if (at + by).is_multiple_of(2) {
            other.roles.get_mut(name).expect("a role").source.statements = body(at + 1);
        }
    }
    for (at, (name, _)) in document.users.iter().enumerate() {
        let user = other.users.get_mut(name).expect("a user");
        match (at + by) % 4 {
            0 => user.statements = body(at + 2),
            1 => user.groups.reverse(),
            2 => user.roles.reverse(),
            _ => {
                user.groups.pop();
            }
        }
    }
    other
}
