//! The question that `can` and `why` ask alike.

use grantree::Moment;
use grantree::object::DynamicObject;
use grantree::policy_test::{Given, Question};

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Ask {
    pub user: String,
    pub action: String,
    pub object: Option<DynamicObject>,
    pub today: Option<Moment>,
}

impl Ask {
    /// The user, action, object and day of a `can` or a `why`.
    pub fn of(question: &Question) -> Option<Ask> {
        match question.clone() {
            Question::Can { user, action, object, today, within: Given::Absent }
            | Question::Why { user, action, object, today, within: Given::Absent } => {
                let today = today.value().copied();
                Some(Ask { user: user.name().to_owned(), action, object, today })
            }
            _ => None,
        }
    }

    pub fn can(self) -> Question {
        let Ask { user, action, object, today } = self;
        Question::Can {
            user: user.into(),
            within: Given::Absent,
            action,
            object,
            today: today.into(),
        }
    }

    pub fn why(self) -> Question {
        let Ask { user, action, object, today } = self;
        Question::Why {
            user: user.into(),
            within: Given::Absent,
            action,
            object,
            today: today.into(),
        }
    }
}
