//! The caller of a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use grantree::{Asker, Engine, OwnedAsker, Permission};

use crate::app::{Actions, App, now};
use crate::error::Failure;
use crate::ticket::Ticket;

/// The user of a request, and the version of the policy that answers it.
pub struct Caller {
    /// The user who is signed in, in whose name changes are made.
    pub user: String,
    /// The user as whom the pages are viewed: the same, as a rule.
    pub seen_as: String,
    asker: OwnedAsker,
}

impl Caller {
    /// Returns the user, to be asked.
    pub fn asker(&self) -> Asker<'_> {
        self.asker.asker()
    }

    /// Returns the engine of that version of the policy.
    pub fn engine(&self) -> &Engine {
        self.asker().engine()
    }

    /// Returns true if the user views the pages as somebody else.
    pub fn is_viewing_as(&self) -> bool {
        self.user != self.seen_as
    }

    /// Refuses who may not do this on a ticket.
    pub fn require(&self, action: Permission, ticket: &Ticket) -> Result<(), Failure> {
        let required = self.asker().require(action, (ticket, now()));
        required
            .map_err(|denied| Failure::Denied { denied, ticket: Some(Box::new(ticket.clone())) })
    }

    /// Refuses who may not do this at all: a screen, for one.
    pub fn require_some(&self, action: Permission) -> Result<(), Failure> {
        if self.asker().can_some(action) {
            return Ok(());
        }
        let required = self.asker().require(action, now());
        required.map_err(|denied| Failure::Denied { denied, ticket: None })
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Caller, Failure> {
        // A real host looks up a session here.
        let user = cookie(parts, "user").ok_or(Failure::NotSignedIn)?;
        let seen_as = cookie(parts, "view_as").unwrap_or_else(|| user.clone());
        let caller = Caller { asker: app.live.asker(&*seen_as), user, seen_as };
        if caller.is_viewing_as() {
            may_view_as(caller.engine(), &app.actions, &caller.user, &caller.seen_as)?;
            if !parts.method.is_safe() {
                return Err(Failure::OnlyViewing);
            }
        }
        Ok(caller)
    }
}

/// Refuses to show somebody's pages, unless that is somebody who may do no more.
pub fn may_view_as(
    engine: &Engine,
    actions: &Actions,
    user: &str,
    other: &str,
) -> Result<(), Failure> {
    let (user, other) = (engine.user(user)?, engine.user(other)?);
    let required = engine.asker(user).require(actions.view_as, now());
    required.map_err(|denied| Failure::Denied { denied, ticket: None })?;
    if engine.at_least(user, other) { Ok(()) } else { Err(Failure::MayDoMore) }
}

/// Returns the value of a cookie.
fn cookie(parts: &Parts, name: &str) -> Option<String> {
    let all = parts.headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs = all.flat_map(|cookies| cookies.split("; ")).filter_map(|it| it.split_once('='));
    pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value.to_owned())
}
