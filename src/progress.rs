//! How far a long task has come.

/// How far a long task has come, reported now and then and at its end.
///
/// ```
/// # use grantree::{Document, Policy, Progress};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {},
/// #     "users": {"ann": {}, "bob": {}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let mut bar = Progress { done: 0, total: 0 };
/// Policy::validate(Document::from(&policy), |progress| bar = progress)?;
/// assert_eq!(bar, Progress { done: 2, total: 2 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How much is done.
    pub done: usize,
    /// How much there is to do.
    pub total: usize,
}

impl Progress {
    /// Reports it regularly: many times a second, but not for each thing done.
    pub(crate) fn tell_now_and_then(self, tell: &mut dyn FnMut(Progress)) {
        if self.done > 0 && self.done.is_multiple_of(1 << 13) {
            tell(self);
        }
    }
}
