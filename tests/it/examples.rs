//! The examples run to their end.

#[path = "../../examples/audit.rs"]
mod audit;
#[path = "../../examples/explain.rs"]
mod explain;
#[path = "../../examples/live.rs"]
mod live;
#[path = "../../examples/quickstart.rs"]
mod quickstart;

#[test]
fn examples_run() {
    quickstart::main().expect("the quickstart");
    explain::main().expect("the explanations");
    live::main().expect("the live policy");
    audit::main().expect("the audit");
}
