//! Compact documents, and others.

use std::cell::Cell;

use fastrand::Rng;
use grantree::problem::Limits;
use support::compact_laws::{
    compact_documents_are_read_alike, policies_are_revised_alike, written,
};

use crate::{CASES, check};

#[test]
fn compact_documents_are_read_as_others() {
    let rng = Cell::new(Rng::with_seed(1));
    let (read, made) = (Cell::new(0), Cell::new(0));
    check(CASES, |case, policy| {
        let mut rng = {
            let mut taken = rng.take();
            let fork = taken.fork();
            rng.set(taken);
            fork
        };
        let mut compared = 0;
        for one_in in [None, Some(200), Some(50)] {
            for _ in 0..3 {
                let text = written(&case.policy, &mut rng, one_in);
                let mut limits = Limits::default();
                for limit in [&mut limits.statements, &mut limits.users, &mut limits.name] {
                    if rng.usize(..4) == 0 {
                        *limit = rng.usize(..30);
                    }
                }
                let makes = compact_documents_are_read_alike(text.as_bytes(), limits);
                policies_are_revised_alike(policy, text.as_bytes());
                read.set(read.get() + 1);
                made.set(made.get() + usize::from(makes));
                compared += 1;
            }
        }
        Ok(compared)
    });
    assert!(made.get() * 10 > read.get(), "{} policies of {}", made.get(), read.get());
}
