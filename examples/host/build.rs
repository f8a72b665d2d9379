//! Builds the rules for the browser, if this toolchain can: `rustup target add
//! wasm32-unknown-unknown`. Without them the pages ask the server only.

use std::path::Path;
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

fn main() -> std::io::Result<()> {
    for path in ["browser/Cargo.toml", "browser/src", "../../Cargo.toml", "../../src"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let folder = std::env::var("OUT_DIR").unwrap_or_default();
    let folder = Path::new(&folder);
    // A folder of its own, since the one of this build is locked.
    let built = folder.join("browser");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--locked", "--target", TARGET])
        .args(["--manifest-path", "browser/Cargo.toml"])
        .arg("--target-dir")
        .arg(&built)
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()?;
    let module = folder.join("browser").join(TARGET).join("release/helpdesk_browser.wasm");
    if built.status.success() {
        std::fs::copy(module, folder.join("browser.wasm"))?;
    } else {
        println!("cargo::warning=no rules for the browser: rustup target add {TARGET}");
        std::fs::write(folder.join("browser.wasm"), [])?;
    }
    Ok(())
}
