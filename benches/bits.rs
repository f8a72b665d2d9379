//! The cost of the bit library's own operators, compared with loops over its raw words.
//!
//! This is why the crate's sets work by words (`src/bits.rs`).

use std::hint::black_box;

use bitvec::order::Lsb0;
use bitvec::vec::BitVec;
use criterion::{Criterion, criterion_group, criterion_main};
use fastrand::Rng;

type Bits = BitVec<u64, Lsb0>;

const BITS: usize = 4096;

fn random(rng: &mut Rng) -> Bits {
    (0..BITS).map(|_| rng.bool()).collect()
}

fn union_by_words(set: &mut Bits, other: &Bits) {
    for (word, &other) in set.as_raw_mut_slice().iter_mut().zip(other.as_raw_slice()) {
        *word |= other;
    }
}

fn ones_by_words(set: &Bits) -> impl Iterator<Item = usize> {
    set.as_raw_slice().iter().enumerate().flat_map(|(at, &word)| {
        let mut left = word;
        std::iter::from_fn(move || {
            let bit = (left != 0).then(|| at * 64 + left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(bit)
        })
    })
}

fn bits(criterion: &mut Criterion) {
    let mut rng = Rng::with_seed(5);
    let (set, other) = (random(&mut rng), random(&mut rng));
    let (mut own, mut words) = (set.clone(), set.clone());
    own |= &other;
    union_by_words(&mut words, &other);
    assert_eq!(own, words);
    assert!(set.iter_ones().eq(ones_by_words(&set)));

    let mut group = criterion.benchmark_group("4,096 bits");
    group.bench_function("union, operator", |bencher| {
        bencher.iter(|| *black_box(&mut own) |= black_box(&other));
    });
    group.bench_function("union, words", |bencher| {
        bencher.iter(|| union_by_words(black_box(&mut words), black_box(&other)));
    });
    group.bench_function("ones, operator", |bencher| {
        bencher.iter(|| black_box(&set).iter_ones().sum::<usize>());
    });
    group.bench_function("ones, words", |bencher| {
        bencher.iter(|| ones_by_words(black_box(&set)).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, bits);
criterion_main!(benches);
