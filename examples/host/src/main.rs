//! A help desk: a small web application to copy from.
//!
//! ```sh
//! cargo run --manifest-path examples/host/Cargo.toml [PORT] [DATABASE]
//! ```
//!
//! Start it twice, with another port, and both processes follow one log of changes.

mod app;
mod caller;
mod error;
mod journal;
mod layout;
mod pages;
mod ticket;

use std::error::Error;
use std::path::PathBuf;

use tokio::net::TcpListener;

use crate::app::App;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().map_or(Ok(3000), |port| port.parse())?;
    let database = arguments
        .next()
        .map_or_else(|| std::env::temp_dir().join("grantree-helpdesk.db"), PathBuf::from);
    let app = App::open(&database)?;
    tokio::spawn(app.clone().follow());
    // Loopback only: anybody may sign in as anybody.
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("{} serves http://{}", database.display(), listener.local_addr()?);
    axum::serve(listener, pages::router().with_state(app)).await?;
    Ok(())
}
