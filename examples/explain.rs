//! One story from each of five products: somebody may not do something, for what
//! reason, and what would change that.

use std::error::Error;

use grantree::object::DynamicObject;
use grantree::{Document, Engine, Policy};

struct Story {
    policy: &'static str,
    title: &'static str,
    user: &'static str,
    action: &'static str,
    object: Option<DynamicObject>,
    today: Option<&'static str>,
}

fn stories() -> [Story; 5] {
    [
        Story {
            policy: include_str!("policies/connect.json"),
            title: "Connect: Quentin allocates jobs, and can't from the shelf",
            user: "quentin",
            action: "order_management.shelf.allocate",
            object: None,
            today: None,
        },
        Story {
            policy: include_str!("policies/drs.json"),
            title: "DRS: Colin changes the template of a job behind the planning fence",
            user: "colin",
            action: "user_interface_configuration.buttons.jobs.change_template",
            object: Some(
                DynamicObject::new("job")
                    .with_attribute("contract", "north_repairs")
                    .with_attribute("area", "north")
                    .with_attribute("archived", false)
                    .with_attribute("status", "planned")
                    .with_attribute("template", "repair")
                    .with_attribute("absolute_fence", "2026-11-23")
                    .with_attribute("relative_fence", "2026-11-23"),
            ),
            today: Some("2026-11-21"),
        },
        Story {
            policy: include_str!("policies/gruntify.json"),
            title: "Gruntify: Freya designs forms, and is told Permission Denied",
            user: "freya",
            action: "forms.manage",
            object: None,
            today: None,
        },
        Story {
            policy: include_str!("policies/orchestly.json"),
            title: "Orchestly: Sofia edits a job of the finance team",
            user: "sofia",
            action: "jobs.edit",
            object: Some(
                DynamicObject::new("job")
                    .with_relation("assignee", ["ulric"])
                    .with_relation("requester", ["connie"])
                    .with_relation("team", ["finance"]),
            ),
            today: None,
        },
        Story {
            policy: include_str!("policies/shipping.json"),
            title: "Shipping: Wendy ships with the main DHL credentials",
            user: "wendy",
            action: "carriers.dhl.ship",
            object: Some(
                DynamicObject::new("dhl_shipment").with_attribute("credentials", "dhl_main"),
            ),
            today: None,
        },
    ]
}

#[allow(missing_docs, reason = "the tests run it too")]
pub fn main() -> Result<(), Box<dyn Error>> {
    for story in stories() {
        let document: Document = serde_json::from_str(story.policy)?;
        let engine = Engine::new(&Policy::try_from(document)?);
        let (user, action) = (engine.user(story.user)?, engine.permission(story.action)?);
        let today = story.today.map(str::parse).transpose()?;
        let on = (story.object.as_ref(), today);

        println!("{}\n", story.title);
        print!("{}", engine.explain(user, action, on));
        println!("{}", engine.remedies(user, action, on));
    }
    Ok(())
}
