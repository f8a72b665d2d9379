//! An auditor's questions about a policy: who may do what and by which source,
//! which source says what, what is probably a mistake, what a planned change would do
//! to whom, and which objects of a list somebody may touch.
//!
//! ```sh
//! cargo run --release --example audit
//! ```

use std::error::Error;

use grantree::change::{Actor, Change};
use grantree::object::DynamicObject;
use grantree::{Document, Engine, Policy, SourceName};

const POLICY: &str = include_str!("policies/connect.json");

/// The plan: buyers approve more, and no longer cancel anything.
const PLANNED: &str = r#"{"edit": {"source": {"approval_group": "buyers"}, "ops": [
    {"bound": {"attribute": "purchase_order.value", "bound": 10000}},
    {"clear": "modules.purchasing.purchase_orders.cancel"}]}}"#;

/// Audits a policy.
///
/// # Errors
///
/// When the policy is invalid, or has other names.
pub fn main() -> Result<(), Box<dyn Error>> {
    let policy = Policy::try_from(serde_json::from_str::<Document>(POLICY)?)?;
    let engine = Engine::new(&policy);

    who_can(&engine)?;
    matrix(&policy)?;
    lint(&policy);
    what_if(&engine)?;
    filter(&engine)?;
    Ok(())
}

/// Who may approve a purchase order of this value?
fn who_can(engine: &Engine) -> Result<(), Box<dyn Error>> {
    let approve = engine.permission("modules.purchasing.purchase_orders.approve")?;
    for value in [2_000, 8_000] {
        let order = DynamicObject::new("purchase_order").with_attribute("value", value);
        let names = engine.who_can(approve, &order).join(", ");
        println!("£{value} may be approved by {names}");
    }
    println!("some order or other:");
    for admission in engine.who_can_by_source(approve, ()) {
        let ways: Vec<String> = admission.sources.iter().map(ToString::to_string).collect();
        println!("  {}: {}", ways.join(" and "), admission.users.join(", "));
    }
    println!();
    Ok(())
}

/// What do these two say about purchasing? For a person here; for a spreadsheet there
/// is [`to_csv`](grantree::matrix::Matrix::to_csv).
fn matrix(policy: &Policy) -> Result<(), Box<dyn Error>> {
    let groups = ["buyers", "directors"].map(str::to_owned).map(SourceName::ApprovalGroup);
    let mut matrix = policy.matrix(groups)?;
    matrix.rows.retain(|row| row.path.starts_with("modules.purchasing."));
    println!("Purchasing, by approval group:\n{matrix}");
    Ok(())
}

/// What is probably a mistake?
fn lint(policy: &Policy) {
    println!("To be looked at:");
    for finding in policy.lint() {
        println!("  {finding}");
    }
    println!();
}

/// What would the planned change do, and to whom?
fn what_if(engine: &Engine) -> Result<(), Box<dyn Error>> {
    let planned: Change = serde_json::from_str(PLANNED)?;
    let what_if = engine.what_if(Actor::Host, &planned)?;
    println!("The planned change:\n{}", what_if.diff);
    // For a ticket, or a review in another program: the same as data.
    let data = serde_json::to_string(&what_if.diff)?;
    println!("(as data: {} bytes)\n", data.len());

    // Once it is made, the outcome can be compared with the plan.
    let made = engine.policy().apply(Actor::Host, &planned)?;
    assert_eq!(engine.diff(&engine.updated(&made.policy)), what_if.diff);
    Ok(())
}

/// Which of the purchase orders on a page may this supervisor approve?
fn filter(engine: &Engine) -> Result<(), Box<dyn Error>> {
    let filter = engine.filter(
        engine.user("sam")?,
        engine.permission("modules.purchasing.purchase_orders.approve")?,
        None,
    );
    println!("sam approves {filter}");
    let page = [900, 2_500, 2_501]
        .map(|value| DynamicObject::new("purchase_order").with_attribute("value", value));
    for order in page.iter().filter(|order| filter.matches(order)) {
        println!("  {order}");
    }
    Ok(())
}
