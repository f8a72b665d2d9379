//! The shapes of records: a table of fields for each type of the document.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess};
use smallvec::SmallVec;

use super::compact::Users;
use super::values::{
    AnyAccepted, AnyBound, AnySettingValue, BOUND_TYPE, Boolean, ByPath, CivilDate, CivilMoment,
    Count, Days, Entries, FormatOne, Key, List, OptionalName, RELATION_TYPE, STANDS_FOR,
    SomeEntries, SomeList, SomeName, SomeText, Text, WEEKDAY,
};
use super::{Position, Seed, Shape};
use crate::date::{Date, Weekday};
use crate::document::{
    Assignment, Bundle, Catalogue, CompactDocument, Document, Edition, Governance, Group, Licence,
    NamedUser, NewUser, ObjectKind, PermissionNode, Role, Scope, Separation, Setting, Source,
    Statements, UserEntry,
};
use crate::names::HashSet;
use crate::problem::{ProblemKind, nearest};

/// The fields of a record.
pub(super) trait Fields: Default {
    const EXPECTED: &'static str;
    /// The fields that can't be absent.
    const REQUIRED: &'static [&'static str] = &[];

    fn names() -> Vec<&'static str>;

    /// Reads the value of that field; `false` if there is no such field, whose value
    /// must then still be read.
    fn field<'de, A>(
        &mut self,
        name: &str,
        at: Position<'_>,
        map: &mut A,
    ) -> Result<bool, A::Error>
    where
        A: MapAccess<'de>;
}

/// A record with the fields of this type.
pub(super) struct Record<T>(PhantomData<T>);

pub(super) fn record<T>() -> Record<T> {
    Record(PhantomData)
}

impl<T> Clone for Record<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Record<T> {}

impl<'de, T: Fields> Shape<'de> for Record<T> {
    type Out = T;
    const EXPECTED: &'static str = T::EXPECTED;

    fn map<A: MapAccess<'de>>(self, at: Position<'_>, mut map: A) -> Result<T, A::Error> {
        let mut out = T::default();
        let mut seen = SmallVec::<[Cow<'de, str>; 16]>::new();
        let mut unknown = HashSet::<Cow<'de, str>>::default();
        while let Some(key) = map.next_key_seed(Key)? {
            let place = at.place.key(&key);
            let inner = at.within(&place);
            if seen.contains(&key) || unknown.contains(&key) {
                inner.fault(ProblemKind::Duplicate { name: key.to_string() });
                map.next_value::<IgnoredAny>()?;
            } else if out.field(&key, inner, &mut map)? {
                seen.push(key);
            } else {
                inner.fault(ProblemKind::UnknownField {
                    name: key.to_string(),
                    nearest: nearest(&key, T::names()),
                });
                map.next_value::<IgnoredAny>()?;
                unknown.insert(key);
            }
        }
        for &name in T::REQUIRED {
            if !seen.iter().any(|key| key == name) {
                at.within(&at.place.key(name)).fault(ProblemKind::Missing);
            }
        }
        Ok(out)
    }
}

/// Implements [`Fields`]: each field with the shape of its value, and the part
/// of the record, if any, that has further fields.
macro_rules! fields {
    (
        $type:ty, $expected:literal $(, required $required:tt)?;
        $($name:literal => $($field:ident).+: $shape:expr,)*
        $(.. $part:ident: $part_type:ty)?
    ) => {
        impl Fields for $type {
            const EXPECTED: &'static str = $expected;
            $(const REQUIRED: &'static [&'static str] = &$required;)?

            fn names() -> Vec<&'static str> {
                #[allow(unused_mut, reason = "used where a part has fields of its own")]
                let mut names = vec![$($name),*];
                $(names.extend(<$part_type>::names());)?
                names
            }

            fn field<'de, A>(
                &mut self,
                name: &str,
                at: Position<'_>,
                map: &mut A,
            ) -> Result<bool, A::Error>
            where
                A: MapAccess<'de>,
            {
                match name {
                    $($name => self.$($field).+ = map.next_value_seed(Seed(at, $shape))?,)*
                    _ => {
                        $(return self.$part.field(name, at, map);)?
                        #[allow(unreachable_code, reason = "reached where there is no part")]
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    };
}

fields! {
    Document, "a policy document",
    required ["format", "catalogue"];
    "$schema" => schema: SomeText,
    "format" => format: FormatOne,
    "catalogue" => catalogue: record::<Catalogue>(),
    "licence" => licence: record::<Licence>(),
    "global" => global: record::<Statements>(),
    "default_profile" => default_profile: OptionalName,
    "profiles" => profiles: Entries(record::<Source>()),
    "roles" => roles: Entries(record::<Role>()),
    "approval_groups" => approval_groups: Entries(record::<Source>()),
    "groups" => groups: Entries(record::<Group>()),
    "users" => users: Entries(record::<UserEntry>()),
    "governance" => governance: record::<Governance>(),
}

fields! {
    CompactDocument, "a policy document",
    required ["format", "catalogue"];
    "users" => users: Users,
    .. document: Document
}

fields! {
    Catalogue, "a catalogue";
    "permissions" => permissions: List(record::<PermissionNode>()),
    "objects" => objects: Entries(record::<ObjectKind>()),
    "settings" => settings: Entries(record::<Setting>()),
    "editions" => editions: Entries(record::<Edition>()),
}

fields! {
    PermissionNode, "a permission", required ["key"];
    "key" => key: Text,
    "label" => label: SomeText,
    "description" => description: SomeText,
    "heading" => heading: Boolean,
    "feature" => feature: OptionalName,
    "object" => object: OptionalName,
    "checks" => checks: List(Text),
    "levels" => levels: SomeList(List(Text)),
    "requires" => requires: List(Text),
    "implies" => implies: List(Text),
    "was" => was: List(Text),
    "scopes" => scopes: List(record::<Scope>()),
    "children" => children: List(record::<PermissionNode>()),
}

fields! {
    Scope, "a scope", required ["key", "when"];
    "key" => key: Text,
    "label" => label: SomeText,
    "description" => description: SomeText,
    "when" => when: Entries(AnyAccepted),
    "requires" => requires: List(Text),
    "implies" => implies: List(Text),
    "was" => was: List(Text),
}

fields! {
    ObjectKind, "an object kind";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "relations" => relations: Entries(RELATION_TYPE),
    "attributes" => attributes: Entries(BOUND_TYPE),
    "checks" => checks: List(Text),
    "stands_for" => stands_for: STANDS_FOR,
}

fields! {
    Setting, "a setting";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "values" => values: SomeList(List(AnySettingValue)),
    "default" => default: AnySettingValue,
}

fields! {
    Edition, "an edition";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "includes" => includes: List(Text),
    "features" => features: List(Text),
}

fields! {
    Licence, "a licence";
    "edition" => edition: OptionalName,
    "features" => features: List(Text),
}

fields! {
    Statements, "statements";
    "allow" => allow: List(Text),
    "except" => except: List(Text),
    "deny" => deny: List(Text),
    "forbid" => forbid: List(Text),
    "levels" => levels: ByPath(Text),
    "bounds" => bounds: ByPath(AnyBound),
    "settings" => settings: Entries(AnySettingValue),
}

/// The fields of a fence, of which some combinations are one.
#[derive(Default)]
pub(super) struct FenceParts {
    pub(super) date: Option<Date>,
    pub(super) plus_days: Option<i64>,
    pub(super) next: Option<Weekday>,
}

fields! {
    FenceParts, "a date bound";
    "date" => date: CivilDate,
    "plus_days" => plus_days: Days,
    "next" => next: WEEKDAY,
}

fields! {
    Source, "a source";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "template" => template: Boolean,
    "protected" => protected: Boolean,
    "assignable_by" => assignable_by: SomeList(List(Text)),
    .. statements: Statements
}

fields! {
    Role, "a role";
    "includes" => includes: List(Text),
    "unique" => unique: Boolean,
    "demoted_to" => demoted_to: OptionalName,
    .. source: Source
}

fields! {
    Group, "a group";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "parent" => parent: OptionalName,
}

fields! {
    UserEntry, "a user";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "profile" => profile: OptionalName,
    "roles" => roles: List(Text),
    "approval_groups" => approval_groups: List(Text),
    "groups" => groups: List(Text),
    "admin" => admin: Boolean,
    "suspended" => suspended: Boolean,
    "assignments" => assignments: Entries(record::<Assignment>()),
    .. statements: Statements
}

fields! {
    Assignment, "an assignment";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "roles" => roles: List(Text),
    "approval_groups" => approval_groups: List(Text),
    "on" => on: SomeEntries(Entries(Entries(AnyBound))),
    "from" => from: CivilMoment,
    "until" => until: CivilMoment,
    "allow" => statements.allow: List(Text),
    "except" => statements.except: List(Text),
    "deny" => statements.deny: List(Text),
    "forbid" => statements.forbid: List(Text),
    "levels" => statements.levels: ByPath(Text),
    "bounds" => statements.bounds: ByPath(AnyBound),
}

fields! {
    NamedUser, "a user with a name", required ["name"];
    "name" => name: Text,
    .. entry: UserEntry
}

fields! {
    NewUser, "a new user", required ["user"];
    "user" => user: Text,
    "profile" => profile: SomeName,
    .. rest: UserEntry
}

fields! {
    Bundle, "a bundle";
    "profiles" => profiles: Entries(record::<Source>()),
    "roles" => roles: Entries(record::<Role>()),
    "approval_groups" => approval_groups: Entries(record::<Source>()),
}

fields! {
    Governance, "governance";
    "permissions" => permissions: Entries(List(Text)),
    "no_escalation" => no_escalation: Boolean,
    "protect_superiors" => protect_superiors: Boolean,
    "escalate" => escalate: List(Text),
    "bind" => bind: List(Text),
    "separation" => separation: List(record::<Separation>()),
}

fields! {
    Separation, "a separation", required ["name", "permissions", "at_most"];
    "name" => name: Text,
    "label" => label: SomeText,
    "description" => description: SomeText,
    "permissions" => permissions: List(Text),
    "at_most" => at_most: Count,
}
