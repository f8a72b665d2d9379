//! A macro that names permissions once.

use std::fmt::Write;

use crate::names::HashSet;
use crate::policy::{PermissionForm, Policy};

/// Declares a struct of permissions, each with its path: a program names them there and
/// nowhere else.
///
/// It has a function `new`, which looks all of them up in an engine and returns an error with
/// all unknown names, and a constant `PATHS`, with which a test can hold the names to a
/// catalogue. Make it when the program starts; handles stay valid for later versions of the
/// policy, and `are_of` tells, in an assertion, that they are not of another one.
///
/// ```
/// use grantree::{Document, Engine, Policy};
///
/// grantree::permissions! {
///     /// The permissions that this program asks for.
///     pub struct Actions {
///         /// To be asked by `can`.
///         edit: "jobs.edit",
///         /// To be asked by `level`.
///         title: "jobs.fields.title",
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [{"key": "jobs", "children": [
///         {"key": "edit"},
///         {"key": "fields", "heading": true, "children": [
///             {"key": "title", "levels": ["hidden", "read_only", "read_write"]}]}]}]},
///     "users": {"7": {"allow": ["jobs", "jobs.edit"]}}
/// }"#;
/// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let actions = Actions::new(&engine)?;
/// let user = engine.user(7)?;
/// assert!(engine.can(user, actions.edit, ()));
/// assert_eq!(engine.level(user, actions.title, ()), Some("hidden"));
/// assert_eq!(Actions::PATHS[1], ("title", "jobs.fields.title"));
/// debug_assert!(actions.are_of(&engine));
/// // The level of each field of a form, beside its name in `PATHS`.
/// assert_eq!(engine.asker(user).levels(&actions.all(), ()), [None, Some("hidden")]);
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! permissions {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$of_field:meta])* $field:ident: $path:literal),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        $visibility struct $name {
            $($(#[$of_field])* $visibility $field: $crate::Permission,)+
        }

        #[allow(dead_code)]
        impl $name {
            /// The fields, each with its path.
            $visibility const PATHS: &'static [(&'static str, &'static str)] =
                &[$((::core::stringify!($field), $path)),+];

            /// Looks up all of them.
            ///
            /// # Errors
            ///
            /// All names that the catalogue lacks.
            $visibility fn new(
                engine: &$crate::Engine,
            ) -> ::core::result::Result<$name, $crate::UnknownNames> {
                let [$($field),+] = engine.permissions([$($path),+])?;
                ::core::result::Result::Ok($name { $($field),+ })
            }

            /// Returns whether all of them are handles of an engine's policy: see
            /// `grantree::Engine::owns`.
            $visibility fn are_of(&self, engine: &$crate::Engine) -> bool {
                self.all().into_iter().all(|permission| engine.owns(permission))
            }

            /// Returns all of them, in the order of the fields.
            $visibility fn all(&self) -> [$crate::Permission; $name::PATHS.len()] {
                [$(self.$field),+]
            }
        }
    };
}

/// The words of Rust that no field can be named by.
const KEYWORDS: &str = " _ as async await break const continue crate dyn else enum extern false fn \
    for gen if impl in let loop match mod move mut pub ref return self Self static struct super \
    trait true type union unsafe use where while abstract become box do final macro override priv \
    try typeof unsized virtual yield ";

impl Policy {
    /// Returns the source of a file that names every permission of the catalogue by
    /// [`permissions!`](crate::permissions!): a misspelt name does not compile then.
    ///
    /// A test keeps the file as the catalogue is, or a build script writes it:
    ///
    /// ```no_run
    /// # let policy: grantree::Policy = serde_json::from_str("").unwrap();
    /// // #[test]
    /// fn permissions_are_those_of_the_catalogue(policy: &grantree::Policy) {
    ///     let (file, text) = ("src/permissions.rs", policy.permissions_source("Permissions"));
    ///     if std::fs::read_to_string(file).ok().as_deref() != Some(&text) {
    ///         std::fs::write(file, text).unwrap();
    ///         panic!("{file} was out of date, and is written anew");
    ///     }
    /// }
    /// ```
    ///
    /// A field is named by the path, with `_` for points and hyphens.
    ///
    /// ```
    /// # use grantree::{Document, Policy};
    /// # let text = r#"{"format": 1, "catalogue": {"permissions": [
    /// #     {"key": "orders", "label": "Orders", "children": [{"key": "re-open"}, {"key": "type"}]},
    /// #     {"key": "type"}]}}"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// assert_eq!(policy.permissions_source("Permissions"), "\
    /// grantree::permissions! {
    ///     /// Every permission of the catalogue.
    ///     pub struct Permissions {
    ///         orders: \"orders\",
    ///         orders_re_open: \"orders.re-open\",
    ///         orders_type: \"orders.type\",
    ///         type_: \"type\",
    ///     }
    /// }
    /// ");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn permissions_source(&self, name: &str) -> String {
        let mut source = format!(
            "grantree::permissions! {{\n    /// Every permission of the catalogue.\n    pub struct {name} {{\n"
        );
        let mut fields: HashSet<String> = HashSet::default();
        for permission in self.permissions() {
            if permission.form() == PermissionForm::Heading {
                continue;
            }
            let path = permission.path();
            let mut field = path.replace(['.', '-'], "_");
            if field.starts_with(|first: char| first.is_ascii_digit()) {
                field.insert(0, '_');
            }
            while KEYWORDS.contains(&format!(" {field} ")) || !fields.insert(field.clone()) {
                field.push('_');
            }
            // Writing to a string does not fail.
            let _ = writeln!(source, "        {field}: \"{path}\",");
        }
        source.push_str("    }\n}\n");
        source
    }
}
