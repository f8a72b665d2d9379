//! How a decision's cost grows, one dimension at a time, with the floor beside.
//!
//! Prints a table for each dimension and draws it, `target/sweeps/*.svg`. Name
//! dimensions to sweep only those: `cargo bench -p grantree-benches --bench sweep -- users`.

#[path = "../tests/support/floor.rs"]
mod floor;
#[path = "../tests/support/report.rs"]
mod report;
#[path = "../tests/support/workload.rs"]
mod workload;

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use grantree::{Engine, Policy, Stats};
use plotters::prelude::*;

use floor::{Beside, medians};
use report::{grouped, is_wanted, megabytes, print_table};
use workload::{Alike, ENTERPRISE, Shape};

/// A dimension, and the shape at a point of it; all else is at its middle value.
struct Sweep {
    name: &'static str,
    axis: &'static str,
    points: &'static [usize],
    shape: fn(usize) -> Shape,
}

const SWEEPS: [Sweep; 5] = [
    Sweep {
        name: "users",
        axis: "users",
        points: &[1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000],
        shape: |users| Shape { users, ..ENTERPRISE },
    },
    Sweep {
        name: "permissions",
        axis: "permissions",
        points: &[100, 300, 1_000, 3_000, 10_000, 20_000],
        shape: |permissions| Shape { permissions, ..ENTERPRISE },
    },
    Sweep {
        name: "roles",
        axis: "roles",
        points: &[10, 30, 100, 300, 1_000, 5_000],
        shape: |roles| Shape { roles, ..ENTERPRISE },
    },
    Sweep {
        name: "statements",
        axis: "statements of a profile and of a role, about",
        points: &[10, 30, 100, 300, 1_000],
        shape: |stated| {
            let one_in = ENTERPRISE.permissions / stated;
            Shape { one_in: (one_in, one_in), ..ENTERPRISE }
        },
    },
    Sweep {
        name: "combinations",
        axis: "combinations of sources that users have",
        points: &[10, 100, 1_000, 10_000, 100_000],
        shape: |count| Shape { alike: Alike::Combinations(count), ..ENTERPRISE },
    },
];

/// What was measured at a point.
struct Point {
    at: usize,
    stats: Stats,
    validate: Duration,
    compile: Duration,
    /// Floor and engine, in nanoseconds.
    handles: [f64; 2],
    /// Floor after two `std` maps, and engine.
    names: [f64; 2],
}

fn main() -> Result<(), Box<dyn Error>> {
    for sweep in SWEEPS.iter().filter(|sweep| is_wanted(sweep.name)) {
        let points: Vec<Point> = sweep.points.iter().map(|&at| measure(sweep, at)).collect();
        print(sweep, &points);
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("sweeps");
        std::fs::create_dir_all(&directory)?;
        let file = directory.join(format!("{}.svg", sweep.name));
        draw(sweep, &points, &file)?;
        println!("  {}", file.display());
    }
    Ok(())
}

fn measure(sweep: &Sweep, at: usize) -> Point {
    eprintln!("{}: {} …", sweep.name, grouped(at));
    let shape = (sweep.shape)(at);
    let document = workload::document(shape);
    let classes = workload::classes(&document);
    let begin = Instant::now();
    let policy = Policy::try_from(document).expect("a valid policy");
    let validate = begin.elapsed();
    let begin = Instant::now();
    let engine = Engine::new(&policy);
    let compile = begin.elapsed();
    let stats = engine.stats();
    let paths = workload::paths(shape.permissions);
    let beside = Beside::new(engine, &paths, classes);
    let (handles, names) = (beside.nanoseconds(), by_name(&beside, shape.users, &paths));
    Point { at, stats, validate, compile, handles, names }
}

/// What a decision by names takes: the floor after two `std` maps, and the engine.
fn by_name(beside: &Beside, users: usize, paths: &[String]) -> [f64; 2] {
    let names: Vec<String> = (0..users).map(|number| number.to_string()).collect();
    let users: HashMap<&str, u32> = names.iter().map(|name| &**name).zip(0..).collect();
    let permissions: HashMap<&str, u32> = paths.iter().map(|path| &**path).zip(0..).collect();
    let questions: Vec<(&str, &str)> = beside.numbers[..Beside::QUESTIONS / 4]
        .iter()
        .map(|&(user, permission)| (&*names[user as usize], &*paths[permission as usize]))
        .collect();
    let floor = |&&(user, permission): &&(&str, &str)| {
        beside.floor.can(users[user], permissions[permission])
    };
    let engine = |&&(user, permission): &&(&str, &str)| {
        beside.engine.check(user, permission, ()) == Ok(true)
    };
    medians([
        &mut || {
            black_box(black_box(&questions).iter().filter(floor).count());
        },
        &mut || {
            black_box(black_box(&questions).iter().filter(engine).count());
        },
    ])
    .map(|median| median.as_secs_f64() * 1e9 / questions.len() as f64)
}

fn print(sweep: &Sweep, points: &[Point]) {
    let heads = [
        sweep.name,
        "floor, ns",
        "handles, ns",
        "ratio",
        "floor by names",
        "names",
        "ratio",
        "rows",
        "rows, MB",
        "all but names, MB",
        "validate, ms",
        "compile, ms",
    ];
    let row = |point: &Point| {
        let Point { handles: [floor, handles], names: [floor_names, names], stats, .. } = point;
        let bytes = stats.row_bytes + stats.user_bytes + stats.fact_bytes;
        let milliseconds = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        vec![
            grouped(point.at),
            format!("{floor:.2}"),
            format!("{handles:.2}"),
            format!("{:.2}", handles / floor),
            format!("{floor_names:.0}"),
            format!("{names:.0}"),
            format!("{:.2}", names / floor_names),
            grouped(stats.rows),
            megabytes(stats.row_bytes),
            megabytes(bytes),
            milliseconds(point.validate),
            milliseconds(point.compile),
        ]
    };
    let title = format!("{}, and what a decision takes", sweep.axis);
    print_table(&title, &heads, &points.iter().map(row).collect::<Vec<_>>());
}

fn draw(sweep: &Sweep, points: &[Point], file: &Path) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(file, (720, 440)).into_drawing_area();
    root.fill(&WHITE)?;
    let x = |at: usize| at as f64;
    let most = points.iter().flat_map(|point| point.handles).fold(0.0, f64::max);
    let (first, last) = (x(sweep.points[0]), x(sweep.points[sweep.points.len() - 1]));
    let mut chart = ChartBuilder::on(&root)
        .caption("A decision on handles, and the floor", ("sans-serif", 18))
        .margin(16)
        .margin_right(40)
        .x_label_area_size(44)
        .y_label_area_size(52)
        .build_cartesian_2d((first..last).log_scale(), 0.0..most * 1.1)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc(sweep.axis)
        .y_desc("ns")
        .x_label_formatter(&|at| grouped(at.round() as usize))
        .draw()?;
    for (which, (name, colour)) in [("floor", BLACK), ("engine", BLUE)].into_iter().enumerate() {
        let line = points.iter().map(|point| (x(point.at), point.handles[which]));
        chart
            .draw_series(LineSeries::new(line, colour.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(TRANSPARENT)
        .draw()?;
    Ok(root.present()?)
}
