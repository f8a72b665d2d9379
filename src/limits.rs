//! How much a document may hold.

/// How much a document may hold; any excess is a problem with a place, like any
/// other.
///
/// A document may come from anybody. Within these limits, whatever is made from one
/// takes time and memory roughly in proportion to it. The defaults are far above
/// what any hand-written policy holds, and safe to keep;
/// [`Policy::validate_within`](crate::Policy::validate_within) takes others.
///
/// ```
/// use grantree::{Document, Limits, Policy};
///
/// let text = r#"{"format": 1, "catalogue": {}, "users": {"ann": {}, "bob": {}}}"#;
/// let document: Document = serde_json::from_str(text).unwrap();
/// let mut limits = Limits::default();
/// limits.users = 1;
/// let problems = Policy::validate_within(document, &limits, |_| {}).unwrap_err();
/// assert_eq!(problems.to_string(), "users: too many users: the limit is 1");
/// ```
///
/// What has no limit here has one elsewhere, or needs none:
///
/// - The length of a document: the host knows it before reading.
/// - Lists and maps nest at most 134 deep when a document is read.
/// - [`Engine::filter`](crate::Engine::filter),
///   [`Engine::remedies`](crate::Engine::remedies) and
///   [`Engine::diff`](crate::Engine::diff) spend a limited effort on short
///   answers, and say where that shows.
/// - Problems are reported until their places take 64 MiB; one more problem then
///   says that there are others.
/// - Changes are held to the limits on users, sources, groups and names, but do
///   not count statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many permissions there may be, scopes and levels among them:
    /// 1,048,576 by default.
    pub permissions: usize,
    /// How many levels the tree of permissions may have: 66 by default, which is also
    /// the most.
    pub depth: usize,
    /// How many entries there may be in the lists of what permissions depend on, all
    /// permissions together: what a scope takes over from its scoped node, and
    /// permissions with scopes or checks to which a permission on an object answers.
    /// 4,194,304 by default.
    ///
    /// Each permission has few, unless hundreds require each other in a chain.
    pub dependencies: usize,
    /// How many profiles, roles and approval groups there may be: 1,048,576 of each by
    /// default.
    pub sources: usize,
    /// How many statements there may be, in all sources together: 67,108,864 by
    /// default.
    pub statements: usize,
    /// How many groups there may be, named or declared: 16,777,216 by default.
    pub groups: usize,
    /// How many users there may be: 16,777,216 by default.
    pub users: usize,
    /// How many bytes a name may have: 131,072 by default.
    pub name: usize,
    /// How many bytes the path of a permission or an attribute may have: 4,096 by
    /// default.
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
