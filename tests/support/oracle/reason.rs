//! Reasons (section 7).

/// A reason for an answer. Those for a denial stand in the order of section 7: "the first
/// of these that applies", and "of several capacities the one that comes furthest in this
/// list".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    UnknownUser,
    Suspended,
    Unlicensed,
    Forbidden,
    Denied,
    NotGranted,
    Gated,
    ObjectRequired,
    WrongKind,
    OutOfTerms,
    NoScope,
    OutOfBounds,
    GatedOnObject,
    Admin,
    Granted,
}

impl Reason {
    /// The code that a question `why` is answered with.
    pub fn code(self) -> &'static str {
        match self {
            Reason::UnknownUser => "unknown_user",
            Reason::Suspended => "suspended",
            Reason::Unlicensed => "unlicensed",
            Reason::Forbidden => "forbidden",
            Reason::Denied => "denied",
            Reason::NotGranted => "not_granted",
            Reason::Gated | Reason::GatedOnObject => "gated",
            Reason::ObjectRequired => "object_required",
            Reason::WrongKind => "wrong_kind",
            Reason::OutOfTerms => "out_of_terms",
            Reason::NoScope => "no_scope",
            Reason::OutOfBounds => "out_of_bounds",
            Reason::Admin => "admin",
            Reason::Granted => "granted",
        }
    }

    /// Returns `true` if the answer is yes.
    pub fn is_yes(self) -> bool {
        self >= Reason::Admin
    }
}
