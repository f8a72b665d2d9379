//! The fuzz targets on inputs that are at hand, on any toolchain.

use std::fs;
use std::path::Path;

use fastrand::Rng;

use crate::files::{CORPUS, POLICIES};
use support::targets;

#[test]
fn documents_that_are_at_hand() {
    let files = fs::read_dir(POLICIES).expect("the policies");
    let texts = files.map(|file| fs::read(file.expect("a file").path()).expect("a policy"));
    assert_eq!(texts.inspect(|text| targets::document(text)).count(), 5);
}

/// A target's seeds, from which fuzzing starts: each reaches something that no
/// other does, and past findings are among them.
fn seeds(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(CORPUS).join("fuzz").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort_unstable();
    assert!(files.len() >= 10, "{target} has {} seeds", files.len());
    for file in files {
        println!("{}", file.display());
        check(&fs::read(file).expect("a seed"));
    }
}

macro_rules! run_seeds {
    ($($(#[$if:meta])? $target:ident,)*) => {$(
        $(#[$if])?
        #[test]
        fn $target() {
            seeds(stringify!($target), targets::$target);
        }
    )*};
}

run_seeds! {
    document,
    agree,
    changes,
    apply,
    filters,
    explain,
    #[cfg(feature = "sql")]
    sql,
}

#[test]
fn random_bytes_as_changes() {
    let mut rng = Rng::with_seed(5);
    for _ in 0..60 {
        let bytes: Vec<u8> = (0..rng.usize(..4_000)).map(|_| rng.u8(..)).collect();
        targets::changes(&bytes);
    }
}

#[test]
fn random_bytes_as_cases() {
    let mut rng = Rng::with_seed(3);
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..rng.usize(..4_000)).map(|_| rng.u8(..)).collect();
        targets::agree(&bytes);
    }
}
