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

// The links are here and not in the pages, where those who read them as files would find
// them dead. Those from page to page are in both: of two definitions the first one counts.

/// [`can_actions`]: crate::Engine::can_actions
/// [`can_objects`]: crate::Engine::can_objects
/// [`can_some`]: crate::Engine::can_some
/// [`can`]: crate::Engine::can
/// [`explain`]: crate::Engine::explain
/// [`filter`]: crate::Engine::filter
/// [`level`]: crate::Engine::level
/// [`Policy::lint`]: crate::Policy::lint
/// [`remedies`]: crate::Engine::remedies
/// [adopted]: crate::PolicyBuilder::adopt
/// [delegating]: crate::guide::delegating
///
#[doc = include_str!("guide/modelling.md")]
pub mod modelling {}

/// [`Asker::within`]: crate::Asker::within
/// [`Engine::subject`]: crate::Engine::subject
/// [`UserEntry`]: crate::document::UserEntry
///
#[doc = include_str!("guide/users.md")]
pub mod users {}

/// [`Change::Rename`]: crate::change::Change
/// [`Engine::owns`]: crate::Engine::owns
/// [`Id`]: crate::object::Id
/// [`Permission`]: crate::Permission
/// [`Policy::lint`]: crate::Policy::lint
/// [`Subject::users`]: crate::object::Subject::users
/// [`User`]: crate::User
///
#[doc = include_str!("guide/identity.md")]
pub mod identity {}

/// [`Actor::Host`]: crate::change::Actor
/// [`Actor::User`]: crate::change::Actor
/// [`Engine::at_least`]: crate::Engine::at_least
/// [`Engine::violations`]: crate::Engine::violations
/// [`Remedies`]: crate::explain::Remedies
/// [test document]: crate::policy_test
/// [the design]: crate::design
///
#[doc = include_str!("guide/delegating.md")]
pub mod delegating {}

/// [`apply`]: crate::Policy::apply
/// [`AsyncJournal`]: crate::journal::AsyncJournal
/// [`catch_up`]: crate::Live::catch_up
/// [`commit_async`]: crate::Live::commit_async
/// [`commit_document_after`]: crate::Live::commit_document_after
/// [`CompactDocument`]: crate::document::CompactDocument
/// [`commit_document`]: crate::Live::commit_document
/// [`Journal`]: crate::journal::Journal
/// [`journal`]: crate::journal
/// [`Live::reload`]: crate::Live::reload
/// [`Live::update`]: crate::Live::update
/// [`Live`]: crate::Live
/// [`log_entry`]: crate::change::Applied::log_entry
/// [`Missing`]: crate::journal::JournalError::Missing
/// [`reload`]: crate::Live::reload
/// [`reopen`]: crate::Live::reopen
/// [`replay`]: crate::Live::replay
/// [`upgrade`]: crate::Live::upgrade
/// [entries]: crate::journal::LogEntry
/// [limits]: crate::problem::Limits
/// [reported]: crate::Revised::left_out
///
#[doc = include_str!("guide/persisting.md")]
pub mod persisting {}

/// [`Asker`]: crate::Asker
/// [`can_actions`]: crate::Asker::can_actions
/// [`can_some`]: crate::Asker::can_some
/// [`commit_async`]: crate::Live::commit_async
/// [`explain`]: crate::Asker::explain
/// [`filter`]: crate::Asker::filter
/// [`levels`]: crate::Asker::levels
/// [`Live::subject`]: crate::Live::subject
/// [`OwnedAsker`]: crate::OwnedAsker
/// [`persisting`]: crate::guide::persisting
/// [`Policy::permissions_source`]: crate::Policy::permissions_source
/// [`remedies`]: crate::Asker::remedies
/// [`require`]: crate::Asker::require
/// [`within`]: crate::Asker::within
/// [replaces]: crate::Live::replace_lineage
///
#[doc = include_str!("guide/requests.md")]
pub mod requests {}

/// [`Actor::Host`]: crate::change::Actor
/// [`Change::Import`]: crate::change::Change
/// [`Live::upgrade_to`]: crate::Live::upgrade_to
/// [`Live::upgrade`]: crate::Live::upgrade
/// [`Live`]: crate::Live
/// [`upgrade`]: crate::Policy::upgrade
/// [assignment]: crate::guide::modelling
/// [bundle]: crate::Policy::export
/// [persisting]: crate::guide::persisting
/// [shared]: crate::PolicyBuilder::catalogue_of
/// [subject]: crate::Engine::subject
///
#[doc = include_str!("guide/tenants.md")]
pub mod tenants {}

/// [`Applied::undo`]: crate::change::Applied::undo
/// [`Change::Edit`]: crate::change::Change
/// [`Change::Import`]: crate::change::Change
/// [`Engine::decide`]: crate::Engine::decide
/// [`Engine::diff`]: crate::Engine::diff
/// [`Engine::review`]: crate::Engine::review
/// [`Engine::what_if`]: crate::Engine::what_if
/// [`Policy::export`]: crate::Policy::export
/// [`Policy::lint`]: crate::Policy::lint
/// [`Policy::matrix`]: crate::Policy::matrix
/// [`Policy::replay`]: crate::Policy::replay
/// [`Policy::tree`]: crate::Policy::tree
/// [Notes]: crate::change::Note
///
#[doc = include_str!("guide/reviewing.md")]
pub mod reviewing {}

/// [`Coverage`]: crate::policy_test::Coverage
/// [`diff`]: crate::Engine::diff
/// [`Explorer`]: crate::testing::Explorer
/// [`laws`]: crate::testing::laws
/// [`Policy::fewer_roles`]: crate::Policy::fewer_roles
/// [`Policy::raises`]: crate::Policy::raises
/// [`Policy::reach`]: crate::Policy::reach
/// [`Policy::similar_sources`]: crate::Policy::similar_sources
/// [`Policy::unused_grants`]: crate::Policy::unused_grants
/// [`policy_test`]: crate::policy_test
/// [`Strategies`]: crate::testing::Strategies
/// [`TestDocument::mutants`]: crate::policy_test::TestDocument::mutants
/// [`testing::bench`]: crate::testing::bench
///
#[doc = include_str!("guide/testing.md")]
pub mod testing {}

/// [change log]: crate::Policy::replay
/// [governance]: crate::guide::delegating
/// [modelling]: crate::guide::modelling
/// [subject]: crate::Engine::subject
/// [tenants]: crate::guide::tenants
/// [test document]: crate::policy_test
///
#[doc = include_str!("guide/porting.md")]
pub mod porting {}

/// [`Asker`]: crate::Asker
///
#[doc = include_str!("guide/costs.md")]
pub mod costs {}

#[doc = include_str!("guide/peers.md")]
pub mod peers {}

/// [The design]: crate::design
///
#[doc = include_str!("guide/contributing.md")]
pub mod contributing {}
