//! A macro that describes objects once, and the check of these against a catalogue.

use crate::document::{BoundType, RelationType};
use crate::engine::Engine;
#[cfg(feature = "sql")]
use crate::object::IdType;
use crate::object::{Described, FieldForm};
use crate::problem::{error_list, nearest, suggestion};
#[cfg(feature = "sql")]
use crate::sql::{Database, Ids, Mapping, Table};

/// Describes a host's object once: implements [`Object`](crate::object::Object) and
/// [`Described`](crate::object::Described) by one list of relations and attributes.
///
/// Each has the name and the form that the catalogue gives it (`user` or `group`; `one_of`,
/// `at_most`, `at_least`, `not_before`, `not_after` or `flag`), and an expression for its
/// value: ids of users or groups, or a text, an integer, a flag or a
/// [`Date`](crate::Date), which may be an `Option`. For [lists by SQL](crate::sql::Mapping::of),
/// a column of another name is named at the end, and so is one of ids that are no texts:
/// `as integers` or `as uuids`.
///
/// ```
/// use grantree::{Document, Engine, Policy};
///
/// struct Ticket {
///     requester: i64,
///     team: String,
///     cost: i64,
///     area: Option<String>,
/// }
///
/// grantree::object! {
///     impl Object for Ticket = "ticket" |ticket| {
///         requester: user = [ticket.requester], in "requester_id" as integers;
///         team: group = [&ticket.team];
///         cost: at_most = ticket.cost;
///         area: one_of = ticket.area.as_deref();
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{
///     "format": 1,
///     "catalogue": {
///         "objects": {"ticket": {
///             "relations": {"requester": "user", "team": "group"},
///             "attributes": {"cost": "at_most", "area": "one_of"}, "checks": ["cost"]}},
///         "permissions": [{"key": "edit", "object": "ticket", "scopes": [
///             {"key": "own", "when": {"requester": "me"}}]}]},
///     "users": {"7": {"allow": ["edit"], "bounds": {"ticket.cost": 100}}}
/// }"#;
/// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// // At start: all that the catalogue calls otherwise.
/// engine.check_kind_of::<Ticket>()?;
///
/// let ticket = |requester, cost| Ticket { requester, team: "it".into(), cost, area: None };
/// assert!(engine.check("7", "edit", &ticket(7, 80))?);
/// assert!(!engine.check("7", "edit", &ticket(7, 800))?);
/// assert!(!engine.check("7", "edit", &ticket(8, 80))?);
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! object {
    (
        impl Object for $type:ty = $kind:literal |$object:ident| {
            $($name:ident: $form:ident = $value:expr $(, in $column:literal $(as $ids:ident)?)?;)+
        }
    ) => {
        #[allow(unused_variables)]
        impl $crate::object::Object for $type {
            fn kind(&self) -> &str {
                $kind
            }
            fn relation(
                &self,
                name: &str,
                subject: &$crate::object::Subject<'_>,
            ) -> ::core::option::Option<$crate::object::RelationState> {
                let $object = self;
                $(if name == ::core::stringify!($name) {
                    return $crate::object!(@relation $form subject $value);
                })+
                ::core::option::Option::None
            }
            fn attribute(
                &self,
                name: &str,
            ) -> ::core::option::Option<$crate::object::Value<'_>> {
                let $object = self;
                $(if name == ::core::stringify!($name) {
                    return $crate::object!(@attribute $form $value);
                })+
                ::core::option::Option::None
            }
        }

        impl $crate::object::Described for $type {
            const KIND: &'static str = $kind;
            const FIELDS: &'static [$crate::object::Field] = &[$($crate::object::Field {
                name: ::core::stringify!($name),
                form: $crate::object!(@form $form),
                column: $crate::object!(@column $name $($column)?),
                ids: $crate::object!(@ids $($($ids)?)?),
            }),+];
        }
    };
    (@relation user $subject:ident $value:expr) => { $subject.users($value) };
    (@relation group $subject:ident $value:expr) => { $subject.groups($value) };
    (@relation $form:ident $subject:ident $value:expr) => { ::core::option::Option::None };
    (@attribute user $value:expr) => { ::core::option::Option::None };
    (@attribute group $value:expr) => { ::core::option::Option::None };
    (@attribute $form:ident $value:expr) => { $crate::object::IntoValue::into_value($value) };
    (@form user) => { $crate::object!(@relation_form User) };
    (@form group) => { $crate::object!(@relation_form Group) };
    (@form one_of) => { $crate::object!(@attribute_form OneOf) };
    (@form at_most) => { $crate::object!(@attribute_form AtMost) };
    (@form at_least) => { $crate::object!(@attribute_form AtLeast) };
    (@form not_before) => { $crate::object!(@attribute_form NotBefore) };
    (@form not_after) => { $crate::object!(@attribute_form NotAfter) };
    (@form flag) => { $crate::object!(@attribute_form Flag) };
    (@relation_form $of:ident) => {
        $crate::object::FieldForm::Relation($crate::document::RelationType::$of)
    };
    (@attribute_form $of:ident) => {
        $crate::object::FieldForm::Attribute($crate::document::BoundType::$of)
    };
    (@column $name:ident) => { ::core::stringify!($name) };
    (@column $name:ident $column:literal) => { $column };
    (@ids) => { $crate::object::IdType::Text };
    (@ids integers) => { $crate::object::IdType::Integer };
    (@ids uuids) => { $crate::object::IdType::Uuid };
}

/// A difference between a described object and a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KindProblem {
    /// The catalogue has no such kind of object.
    #[error("no kind of object is named `{kind}`{}", suggestion(.nearest.as_deref()))]
    UnknownKind {
        /// The object's kind.
        kind: String,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// The kind has no such relation or attribute.
    #[error("`{kind}` has no relation or attribute `{name}`{}", suggestion(.nearest.as_deref()))]
    Unknown {
        /// The object's kind.
        kind: String,
        /// The name.
        name: String,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// The kind has a relation or attribute that the object does not carry, so that no
    /// question about it is answered yes.
    #[error("`{kind}` has `{name}`, which the object does not carry")]
    Lacking {
        /// The object's kind.
        kind: String,
        /// The name.
        name: String,
    },
    /// A relation or an attribute of another form.
    #[error("`{name}` of `{kind}` is `{declared}` in the catalogue, and `{described}` here")]
    Form {
        /// The object's kind.
        kind: String,
        /// The name.
        name: String,
        /// The form that the catalogue declares.
        declared: &'static str,
        /// The form that the object describes.
        described: &'static str,
    },
}

/// The differences between a described object and a catalogue, one or more.
#[derive(Clone, PartialEq, Eq)]
pub struct KindProblems(Vec<KindProblem>);

error_list!(KindProblems of KindProblem);

impl Engine {
    /// Checks that the catalogue declares a described object as it is: its kind, and each of
    /// its relations and attributes, by name and form.
    ///
    /// # Errors
    ///
    /// All differences, with the nearest names.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"ticket": {"relations": {"team": "group"}, "attributes": {"cost": "at_most"}}},
    /// #         "permissions": [{"key": "edit", "object": "ticket"}]}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// struct Ticket {
    ///     costs: i64,
    ///     team: String,
    /// }
    ///
    /// grantree::object! {
    ///     impl Object for Ticket = "ticket" |it| {
    ///         costs: at_most = it.costs;
    ///         team: user = [&it.team];
    ///     }
    /// }
    ///
    /// assert_eq!(engine.check_kind_of::<Ticket>().unwrap_err().to_string(), "\
    /// `ticket` has no relation or attribute `costs`; did you mean `cost`?
    /// `team` of `ticket` is `group` in the catalogue, and `user` here
    /// `ticket` has `cost`, which the object does not carry");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check_kind_of<T: Described>(&self) -> Result<(), KindProblems> {
        let problems = problems::<T>(self);
        if problems.is_empty() { Ok(()) } else { Err(KindProblems(problems)) }
    }
}

fn problems<T: Described>(engine: &Engine) -> Vec<KindProblem> {
    let kinds = &engine.policy().catalogue().objects;
    let kind = || T::KIND.to_owned();
    let Some(declared) = kinds.get(T::KIND) else {
        let nearest = nearest(T::KIND, kinds.iter().map(|(name, _)| name));
        return vec![KindProblem::UnknownKind { kind: kind(), nearest }];
    };
    let relations = declared.relations.iter();
    let relations = relations.map(|(name, of)| (name, FieldForm::Relation(*of)));
    let attributes = declared.attributes.iter();
    let attributes = attributes.map(|(name, of)| (name, FieldForm::Attribute(*of)));
    let all: Vec<(&str, FieldForm)> = relations.chain(attributes).collect();
    let mut problems = Vec::new();
    for field in T::FIELDS {
        let name = field.name.to_owned();
        match all.iter().find(|(known, _)| *known == field.name) {
            None => {
                let nearest = nearest(field.name, all.iter().map(|(known, _)| *known));
                problems.push(KindProblem::Unknown { kind: kind(), name, nearest });
            }
            Some(&(_, form)) if form != field.form => {
                let (declared, described) = (word(form), word(field.form));
                problems.push(KindProblem::Form { kind: kind(), name, declared, described });
            }
            Some(_) => {}
        }
    }
    let lacking = all.iter().filter(|(name, _)| T::FIELDS.iter().all(|it| it.name != *name));
    problems.extend(lacking.map(|(name, _)| {
        let name = (*name).to_owned();
        KindProblem::Lacking { kind: kind(), name }
    }));
    problems
}

/// The word for a form in a catalogue.
fn word(form: FieldForm) -> &'static str {
    match form {
        FieldForm::Relation(RelationType::User) => "user",
        FieldForm::Relation(RelationType::Group) => "group",
        FieldForm::Attribute(BoundType::OneOf) => "one_of",
        FieldForm::Attribute(BoundType::AtMost) => "at_most",
        FieldForm::Attribute(BoundType::AtLeast) => "at_least",
        FieldForm::Attribute(BoundType::NotBefore) => "not_before",
        FieldForm::Attribute(BoundType::NotAfter) => "not_after",
        FieldForm::Attribute(BoundType::Flag) => "flag",
    }
}

#[cfg(feature = "sql")]
impl Mapping {
    /// Makes the mapping of a described object, each attribute and each relation to its column.
    /// A relation that is elsewhere, such as in a join table, is mapped again.
    ///
    /// ```
    /// use grantree::sql::{Database, Ids, Mapping};
    ///
    /// struct Ticket {
    ///     requester: i64,
    ///     watchers: Vec<i64>,
    ///     cost: i64,
    /// }
    ///
    /// grantree::object! {
    ///     impl Object for Ticket = "ticket" |ticket| {
    ///         requester: user = [ticket.requester], in "requester_id" as integers;
    ///         watcher: user = &ticket.watchers;
    ///         cost: at_most = ticket.cost;
    ///     }
    /// }
    ///
    /// let tickets = Mapping::of::<Ticket>(Database::Sqlite, "tickets")
    ///     .relation("watcher", Ids::join_table("watchers", [("ticket", "id")], "user").integers());
    /// # let _ = tickets;
    /// ```
    pub fn of<T: Described>(database: Database, table: impl Into<Table>) -> Mapping {
        let mapping = Mapping::new(database, T::KIND, table);
        T::FIELDS.iter().fold(mapping, |mapping, field| match field.form {
            FieldForm::Relation(_) => {
                let ids = Ids::column(field.column);
                let ids = match field.ids {
                    IdType::Text => ids,
                    IdType::Integer => ids.integers(),
                    IdType::Uuid => ids.uuids(),
                };
                mapping.relation(field.name, ids)
            }
            FieldForm::Attribute(_) => mapping.attribute(field.name, field.column),
        })
    }
}
