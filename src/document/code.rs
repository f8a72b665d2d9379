//! Documents written in code.

use super::{Assignment, Map, PermissionNode, Role, Source, Statements, UserEntry};

impl PermissionNode {
    /// Makes a node with that key.
    ///
    /// ```
    /// use grantree::document::PermissionNode;
    ///
    /// let orders = PermissionNode {
    ///     label: Some("Orders".into()),
    ///     ..PermissionNode::new("orders").with_children(["quotes", "export"])
    /// };
    /// assert_eq!(orders.children[1].key, "export");
    /// ```
    pub fn new(key: impl Into<String>) -> PermissionNode {
        PermissionNode { key: key.into(), ..PermissionNode::default() }
    }

    /// Adds nodes below it.
    #[must_use]
    pub fn with_children(
        mut self,
        children: impl IntoIterator<Item: Into<PermissionNode>>,
    ) -> PermissionNode {
        self.children.extend(children.into_iter().map(Into::into));
        self
    }
}

impl From<&str> for PermissionNode {
    /// A node with that key.
    fn from(key: &str) -> PermissionNode {
        PermissionNode::new(key)
    }
}

impl Statements {
    /// Makes statements that allow these patterns, and say nothing else.
    pub fn allowing(patterns: impl IntoIterator<Item: Into<String>>) -> Statements {
        let allow = patterns.into_iter().map(Into::into).collect();
        Statements { allow, ..Statements::default() }
    }
}

impl From<Statements> for Source {
    fn from(statements: Statements) -> Source {
        Source { statements, ..Source::default() }
    }
}

impl From<Source> for Role {
    fn from(source: Source) -> Role {
        Role { source, ..Role::default() }
    }
}

impl From<Statements> for Role {
    fn from(statements: Statements) -> Role {
        Source::from(statements).into()
    }
}

impl From<Statements> for UserEntry {
    fn from(statements: Statements) -> UserEntry {
        UserEntry { statements, ..UserEntry::default() }
    }
}

impl From<Statements> for Assignment {
    fn from(statements: Statements) -> Assignment {
        Assignment { statements, ..Assignment::default() }
    }
}

impl<N: Into<String>, V, const LENGTH: usize> From<[(N, V); LENGTH]> for Map<V> {
    fn from(entries: [(N, V); LENGTH]) -> Map<V> {
        entries.into_iter().collect()
    }
}
