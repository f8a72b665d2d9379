//! What may cost more than in proportion to the document, and why.

/// Calls on some shapes of documents that may cost more, for each pair of, say, a user and a
/// permission.
pub struct Exception {
    /// Parts of the names of the shapes, separated by `|`; all if empty.
    pub shapes: &'static str,
    /// The same of the calls.
    pub calls: &'static str,
    pub allocations: f64,
    pub bytes: f64,
    /// True if the time is not looked at.
    pub time: bool,
    pub reason: &'static str,
}

/// Shapes in which users have many combinations of sources, of many permissions.
const TABLES: &str =
    "an allow each|a deny each|a role each|one with many roles|all alike|roles that deny";

pub const EXCEPTIONS: [Exception; 19] = [
    Exception {
        shapes: "",
        calls: "matrix of all",
        allocations: 0.0,
        bytes: 0.0,
        time: true,
        reason: "a matrix has a cell for each permission and source",
    },
    Exception {
        shapes: "an assignment with many conditions",
        calls: "filter",
        allocations: 0.0,
        bytes: 24.0,
        time: false,
        reason: "conditions are compared with each other, with a budget",
    },
    Exception {
        shapes: "roles that deny",
        calls: "lint",
        allocations: 0.0,
        bytes: 160.0,
        time: true,
        reason: "the sources that grant a permission are looked for among all",
    },
    Exception {
        shapes: "",
        calls: "review",
        allocations: 30.0,
        bytes: 4_000.0,
        time: true,
        reason: "a review lists each permission of each user, and the sources that grant it",
    },
    Exception {
        shapes: "one with many scopes",
        calls: "review",
        allocations: 320.0,
        bytes: 60_000.0,
        time: true,
        reason: "the same, where each of many sources grants each permission",
    },
    Exception {
        shapes: "",
        calls: "unused_grants|extract",
        allocations: 4.0,
        bytes: 800.0,
        time: true,
        reason: "the unused permissions of each source are listed; what an extract leaves out is \
                 compared with known names, with a budget",
    },
    Exception {
        shapes: "",
        calls: "coverage",
        allocations: 40.0,
        bytes: 12_000.0,
        time: true,
        reason: "answers to each user are explained, and each gate on the way by itself",
    },
    Exception {
        shapes: "",
        calls: "undo: ",
        allocations: 12.0,
        bytes: 4_000.0,
        time: true,
        reason: "each of the changes that take one back is made, and makes a version",
    },
    Exception {
        shapes: "",
        calls: "diff|what_if",
        allocations: 8.0,
        bytes: 800.0,
        time: true,
        reason: "a diff lists up to 131,072 changes",
    },
    Exception {
        shapes: "",
        calls: "remedies|access_request",
        allocations: 300.0,
        bytes: 30_000.0,
        time: true,
        reason: "a search for remedies has a budget, which small documents do not use up",
    },
    Exception {
        shapes: "",
        calls: "actor: ",
        allocations: 0.0,
        bytes: 160.0,
        time: true,
        reason: "what each combination of sources may do is compared as sets of permissions, \
                 before and after, under two licences; and of each, implications and gates are \
                 followed",
    },
    Exception {
        shapes: "scopes",
        calls: "actor: ",
        allocations: 30.0,
        bytes: 2_000.0,
        time: true,
        reason: "permissions on objects that somebody gains are compared one by one",
    },
    Exception {
        shapes: TABLES,
        calls: "Engine::new|updated|violations|who_can_by_source|test document|lint",
        allocations: 0.0,
        bytes: 160.0,
        time: true,
        reason: "of each combination of sources, implications and gates are followed",
    },
    Exception {
        shapes: TABLES,
        calls: "host: |revise|why|at_least|explain|tree|adopt|can",
        allocations: 0.0,
        bytes: 12.0,
        time: true,
        reason: "sources are merged, each with those that it includes, as sets of permissions",
    },
    Exception {
        shapes: "one with many scopes|one with many levels",
        calls: "explain|tree|lint|who_can_by_source on an object",
        allocations: 80.0,
        bytes: 10_000.0,
        time: true,
        reason: "each scope is explained with all that sources say of it: here all say something \
                 of all scopes",
    },
    Exception {
        shapes: "one with many scopes|one with many levels",
        calls: "who_can_by_source",
        allocations: 200.0,
        bytes: 40_000.0,
        time: true,
        reason: "the same for each combination of sources",
    },
    Exception {
        shapes: "one with many assignments",
        calls: "actor: ",
        allocations: 10.0,
        bytes: 4_000.0,
        time: true,
        reason: "each capacity of a user is compared with each before",
    },
    Exception {
        shapes: "a role each, in a chain",
        calls: "who_can_by_source",
        allocations: 3.0,
        bytes: 1_000.0,
        time: true,
        reason: "all sources that let users in are listed, and here each user has other ones",
    },
    Exception {
        shapes: "a deny each",
        calls: "explain",
        allocations: 1.0,
        bytes: 200.0,
        time: false,
        reason: "up to 64 permissions are listed that imply each on the way",
    },
];
