//! Questions by names, for tests. An unknown user is nobody.

use grantree::document::SettingValue;
use grantree::explain::Explanation;
use grantree::filter::Filter;
use grantree::object::Target;
use grantree::{Engine, Moment, Reason, Unknown, User};

pub trait ByName {
    fn known_user(&self, name: &str) -> User;
    fn filter_by_name(
        &self,
        user: &str,
        action: &str,
        today: Option<Moment>,
    ) -> Result<Filter, Unknown>;
    fn explain_by_name<T: Target>(
        &self,
        user: &str,
        action: &str,
        on: T,
    ) -> Result<Explanation, Unknown>;
    fn level_by_name(&self, user: &str, permission: &str) -> Result<Option<&str>, Unknown>;
    fn setting_by_name(&self, user: &str, setting: &str) -> Result<Option<&SettingValue>, Unknown>;
}

impl ByName for Engine {
    fn known_user(&self, name: &str) -> User {
        self.user(name).unwrap_or(User::NOBODY)
    }

    fn filter_by_name(
        &self,
        user: &str,
        action: &str,
        today: Option<Moment>,
    ) -> Result<Filter, Unknown> {
        Ok(self.filter(self.known_user(user), self.permission(action)?, today))
    }

    /// An object of an unknown kind is an error, as in `check`.
    fn explain_by_name<T: Target>(
        &self,
        user: &str,
        action: &str,
        on: T,
    ) -> Result<Explanation, Unknown> {
        let (action, name) = (self.permission(action)?, action);
        self.check(user, name, on)?;
        let mut explanation = self.explain(self.known_user(user), action, on);
        if explanation.reason == Reason::UnknownUser {
            user.clone_into(&mut explanation.user.name);
        }
        Ok(explanation)
    }

    fn level_by_name(&self, user: &str, permission: &str) -> Result<Option<&str>, Unknown> {
        Ok(self.level(self.known_user(user), self.permission(permission)?, ()))
    }

    fn setting_by_name(&self, user: &str, setting: &str) -> Result<Option<&SettingValue>, Unknown> {
        self.setting(self.known_user(user), setting)
    }
}
