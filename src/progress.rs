//! Progress of a long-running operation.

/// The progress of a long-running operation, reported now and then and at its end.
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
    /// The number of items done.
    pub done: usize,
    /// The number of items in total.
    pub total: usize,
}

impl Progress {
    /// Reports it regularly: many times a second, but not for each item.
    pub(crate) fn report_regularly(self, report: &mut dyn FnMut(Progress)) {
        if self.done > 0 && self.done.is_multiple_of(1 << 13) {
            report(self);
        }
    }
}
