//! Limits on the size of a document.

/// Limits on the size of a document; an excess is a problem with a place, like any
/// other.
///
/// A document may come from anybody. Within these limits, everything made from one
/// takes time and memory roughly in proportion to it, but for a bit for each permission
/// that each combination of sources takes, among users of whom many have statements of
/// their own. [What it costs](crate::guide::costs) says of each call what it takes in terms
/// of what is in the policy, and a test holds it to that. The defaults are far above
/// the size of any hand-written policy, and safe to keep;
/// [`PolicyBuilder::limits`](crate::PolicyBuilder::limits) takes others.
///
/// ```
/// use grantree::problem::Limits;
/// use grantree::{Document, Policy};
///
/// let text = r#"{"format": 1, "catalogue": {}, "users": {"ann": {}, "bob": {}}}"#;
/// let document: Document = serde_json::from_str(text).unwrap();
/// let mut limits = Limits::default();
/// limits.users = 1;
/// let problems = Policy::builder().limits(limits).build(document).unwrap_err();
/// assert_eq!(problems.to_string(), "users: too many users: the limit is 1");
/// ```
///
/// Other quantities are limited elsewhere, or need no limit:
///
/// - The length of a document: the host knows it before reading.
/// - Lists and maps nest at most 134 deep when a document is read.
/// - [`Engine::filter`](crate::Engine::filter),
///   [`Engine::remedies`](crate::Engine::remedies) and
///   [`Engine::diff`](crate::Engine::diff) spend a limited effort on short
///   answers, and say where that shows. A diff also has a
///   [greatest length](crate::diff#what-is-left-out).
/// - Problems are reported until their places take 64 MiB; one more problem then
///   says that there are others.
/// - Changes are held to the limits on users, sources, groups and names, but do
///   not count statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The greatest number of permissions, counting scopes and levels: 1,048,576 by
    /// default.
    pub permissions: usize,
    /// The greatest depth of the tree of permissions: 66 by default, which is also the
    /// most that can be set.
    pub depth: usize,
    /// The greatest number of dependencies, over all permissions together: 4,194,304 by
    /// default. Counted are the entries that a scope takes over from its scoped node,
    /// for a permission on an object the permissions with scopes or checks to which it
    /// answers, and in a document that is adopted the permissions that take the place of
    /// former paths.
    ///
    /// Each permission has few, unless hundreds require each other in a chain.
    pub dependencies: usize,
    /// The greatest number of profiles, of roles and of approval groups: 1,048,576 of
    /// each by default.
    pub sources: usize,
    /// The greatest number of statements, over all sources together: 67,108,864 by
    /// default.
    pub statements: usize,
    /// The greatest number of groups, named or declared: 16,777,216 by default.
    pub groups: usize,
    /// The greatest number of users: 16,777,216 by default; 67,108,864 is the most that can
    /// be set.
    pub users: usize,
    /// The greatest length of a name in bytes: 131,072 by default.
    pub name: usize,
    /// The greatest length of the path of a permission or an attribute, in bytes: 4,096
    /// by default.
    pub path: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            permissions: 1 << 20,
            depth: 66,
            dependencies: 1 << 22,
            sources: 1 << 20,
            statements: 1 << 26,
            groups: 1 << 24,
            users: 1 << 24,
            name: 1 << 17,
            path: 1 << 12,
        }
    }
}
