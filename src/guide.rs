//! Guides, in the order of need.
//!
//! 1. [`modelling`]: from screens and people to a catalogue, profiles, roles and
//!    assignments.
//! 2. [`users`]: users from a database or a token.
//! 3. [`identity`]: what a name means, and why none is used again.
//! 4. [`delegating`]: who may change what.
//! 5. [`persisting`]: storing a policy, several processes, new releases.
//! 6. [`requests`]: asking in the handlers of a web host.
//! 7. [`tenants`]: a policy for each customer.
//! 8. [`reviewing`]: editors, what a change would do, finding mistakes.
//! 9. [`testing`]: how a policy is tested, and five products as examples.
//! 10. [`porting`]: from casbin, Cedar, Salesforce, Azure and Moodle.
//! 11. [`costs`] and [`peers`]: measured, and how to measure again.
//! 12. [`contributing`]: tests, fuzzing, and how the crate is held to its design.

#[doc = include_str!("guide/modelling.md")]
pub mod modelling {}

#[doc = include_str!("guide/users.md")]
pub mod users {}

#[doc = include_str!("guide/identity.md")]
pub mod identity {}

#[doc = include_str!("guide/delegating.md")]
pub mod delegating {}

#[doc = include_str!("guide/persisting.md")]
pub mod persisting {}

#[doc = include_str!("guide/requests.md")]
pub mod requests {}

#[doc = include_str!("guide/tenants.md")]
pub mod tenants {}

#[doc = include_str!("guide/reviewing.md")]
pub mod reviewing {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/porting.md")]
pub mod porting {}

#[doc = include_str!("guide/costs.md")]
pub mod costs {}

#[doc = include_str!("guide/peers.md")]
pub mod peers {}

#[doc = include_str!("guide/contributing.md")]
pub mod contributing {}
