//! How much a document may hold.

/// How much a document may hold: what is beyond it is a problem with a place,
/// like any other.
///
/// A document may come from anybody. All that is made of one takes time and
/// memory about in proportion to it, within these limits. The defaults are far
/// above what policies hold that people write, and safe to leave as they are;
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
/// assert_eq!(problems.to_string(), "users: more than 1 users");
/// ```
///
/// What has no limit here has one elsewhere, or needs none:
///
/// - How long a document is, the host sees before it reads it.
/// - Lists and maps within each other nest 134 deep at most, when a document is
///   read.
/// - [`Engine::filter`](crate::Engine::filter),
///   [`Engine::mends`](crate::Engine::mends) and
///   [`Engine::diff`](crate::Engine::diff) spend a limited effort on short
///   answers, and say where that shows.
/// - Problems are told until their places take 64 MiB; that there are more is one
///   more.
/// - Changes are held to the limits on users, sources, groups and names, but do
///   not count statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many permissions there may be, scopes and levels among them:
    /// 1,048,576 by default.
    pub permissions: usize,
    /// How many levels the tree of permissions may have: 66 by default, and at
    /// most.
    pub depth: usize,
    /// How many entries there may be in the lists of what permissions answer to,
    /// of all permissions together: what a scope has from its scoped node, and
    /// what has scopes or checks and decides with a permission on an object.
    /// 4,194,304 by default.
    ///
    /// There are few for each permission, but where hundreds require each other
    /// in a chain.
    pub dependencies: usize,
    /// How many profiles there may be, and roles, and approval groups: 1,048,576
    /// of each by default.
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
