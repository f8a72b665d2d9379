//! A macro that names permissions once.

/// Declares a struct of permissions, each with its path: a program names them there and
/// nowhere else.
///
/// It has a function `new`, which looks all of them up in an engine and returns an error with
/// all unknown names, and a constant `PATHS`, with which a test can hold the names to a
/// catalogue. Make it when the program starts; handles stay valid for later versions of the
/// policy.
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
        }
    };
}
