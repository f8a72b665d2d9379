//! The help desk in a real browser: Chromium and its driver, as Debian has them.
//!
//! Without them it is left out. With `SCREENSHOTS=1` it also takes the pictures of the README.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use jiff::{ToSpan, Zoned};
use serde_json::json;

type Tested = Result<(), Box<dyn Error>>;

/// A process that ends with the test.
struct Process(Child);

impl Process {
    /// Starts a process, and waits for the line in which it says where it listens.
    fn start(command: &mut Command, marker: &str) -> Result<(Process, String), Box<dyn Error>> {
        let mut process = Process(command.stdout(Stdio::piped()).spawn()?);
        let output = process.0.stdout.take().ok_or("no output")?;
        for line in BufReader::new(output).lines() {
            if let Some((_, rest)) = line?.split_once(marker) {
                return Ok((process, rest.trim_end_matches('.').to_owned()));
            }
        }
        Err(format!("it never said `{marker}`").into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A browser of one user, at one process of the application.
struct Browser {
    client: Client,
    site: String,
}

impl Browser {
    async fn start(driver: &str, site: &str) -> Result<Browser, Box<dyn Error>> {
        // Root has no sandbox, and containers have little shared memory.
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            "--window-size=1000,720",
        ];
        let options = json!({"goog:chromeOptions": {"args": arguments}});
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(options.as_object().cloned().unwrap_or_default())
            .connect(driver)
            .await?;
        Ok(Browser { client, site: site.to_owned() })
    }

    async fn open(&self, path: &str) -> Tested {
        Ok(self.client.goto(&format!("{}{path}", self.site)).await?)
    }

    async fn sign_in(&self, user: &str) -> Tested {
        self.open("/sign_in").await?;
        self.press(&format!("button[value={user}]")).await
    }

    async fn find(&self, css: &str) -> Result<Element, Box<dyn Error>> {
        let wait = self.client.wait().at_most(Duration::from_secs(10));
        Ok(wait.for_element(Locator::Css(css)).await?)
    }

    async fn has(&self, css: &str) -> Result<bool, Box<dyn Error>> {
        Ok(!self.client.find_all(Locator::Css(css)).await?.is_empty())
    }

    async fn press(&self, css: &str) -> Tested {
        Ok(self.find(css).await?.click().await?)
    }

    async fn follow(&self, link: &str) -> Tested {
        let wait = self.client.wait().at_most(Duration::from_secs(10));
        Ok(wait.for_element(Locator::LinkText(link)).await?.click().await?)
    }

    async fn fill(&self, name: &str, value: &str) -> Tested {
        let input = serde_json::to_value(self.find(&format!("input[name={name}]")).await?)?;
        let set = "arguments[0].value = arguments[1]; \
            arguments[0].dispatchEvent(new Event('input', {bubbles: true}))";
        self.client.execute(set, vec![input, value.into()]).await?;
        Ok(())
    }

    async fn run(&self, script: &str) -> Result<serde_json::Value, Box<dyn Error>> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Returns true if the application has an engine for the browser.
    async fn has_engine(&self) -> Result<bool, Box<dyn Error>> {
        let found = self.run("return fetch('/browser.wasm').then((it) => it.ok)").await?;
        if found == false {
            println!("left out: the engine for the browser could not be built");
        }
        Ok(found == true)
    }

    /// Waits until the page says something, and returns all that it says.
    async fn says(&self, text: &str) -> Result<String, Box<dyn Error>> {
        let mut said = String::new();
        for _ in 0..100 {
            // While a page is being replaced there is none.
            if let Ok(main) = self.find("main").await
                && let Ok(text) = main.text().await
            {
                said = text;
            }
            if said.contains(text) {
                return Ok(said);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("no `{text}` in `{said}`").into())
    }

    async fn picture(&self, name: &str) -> Tested {
        let picture = self.client.screenshot().await?;
        let folder = if std::env::var_os("SCREENSHOTS").is_some() {
            concat!(env!("CARGO_MANIFEST_DIR"), "/screenshots")
        } else {
            env!("CARGO_TARGET_TMPDIR")
        };
        Ok(std::fs::write(Path::new(folder).join(name).with_extension("png"), picture)?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_desk_works_in_a_browser() -> Tested {
    let mut driver = Command::new("chromedriver");
    let Ok((_driver, port)) = Process::start(driver.arg("--port=0"), "successfully on port ")
    else {
        println!("left out: there is no chromedriver");
        return Ok(());
    };
    let driver = format!("http://127.0.0.1:{port}");

    let database = Path::new(env!("CARGO_TARGET_TMPDIR")).join("helpdesk.db");
    let _ = std::fs::remove_file(&database);
    let mut helpdesk = Command::new(env!("CARGO_BIN_EXE_helpdesk"));
    helpdesk.arg("0").arg(&database);
    let (_here, here) = Process::start(&mut helpdesk, " serves ")?;
    let (_there, there) = Process::start(&mut helpdesk, " serves ")?;

    let office = Browser::start(&driver, &here).await?;
    let north = Browser::start(&driver, &there).await?;
    let tested = walk(&office, &north).await;
    if tested.is_err() {
        office.picture("office-at-failure").await?;
        north.picture("north-at-failure").await?;
    }
    office.client.close().await?;
    north.client.close().await?;
    tested
}

/// All pages, in the order of a story: `office` and `north` are at two processes.
async fn walk(office: &Browser, north: &Browser) -> Tested {
    lists_and_fields(north).await?;
    denied_and_requested(north).await?;
    approved_with_limits(office, north).await?;
    out_of_bounds(north).await?;
    viewed_as_somebody(office).await?;
    ticked_and_undone(office).await
}

async fn lists_and_fields(north: &Browser) -> Tested {
    // Each sees the tickets of a filter in SQL.
    north.sign_in("cleo").await?;
    let list = north.says("Change of address").await?;
    assert!(!list.contains("Charged twice"), "{list}");
    north.open("/tickets/3").await?;
    north.says("may not").await?;

    north.sign_in("ada").await?;
    north.says("every ticket where assignee is me or team is me").await?;
    assert!(!north.has("nav a[href='/people']").await?);
    north.picture("list").await?;

    // One field is hidden, two are read-only, one can be written.
    north.follow("The parcel came without its lid").await?;
    north.find("input[name=subject][readonly]").await?;
    assert!(!north.has("input[name=phone]").await?);
    north.picture("ticket").await?;
    north.fill("note", "A new lid is on its way").await?;
    // Whatever a browser sends, only what may be written is.
    north.fill("subject", "Forged").await?;
    north.press(".fields button").await?;
    north.find("input[name=note][value='A new lid is on its way']").await?;
    north.find("input[name=subject][value='The parcel came without its lid']").await?;

    north.fill("text", "Sorry! It will be there tomorrow.").await?;
    north.press("form[action$=answer] button").await?;
    north.says("ada: Sorry!").await?;
    Ok(())
}

async fn denied_and_requested(north: &Browser) -> Tested {
    north.press("a[href*='tickets.close']").await?;
    let why = north.says("because it is not granted").await?;
    assert!(why.contains("decided by lea, rita"), "{why}");
    north.picture("why").await?;
    north.press("button[value=closer]").await?;
    north.says("Ticket 1").await?;
    Ok(())
}

async fn approved_with_limits(office: &Browser, north: &Browser) -> Tested {
    office.sign_in("lea").await?;
    office.follow("Requests").await?;
    let preview = office.says("asks for Closer").await?;
    assert!(preview.contains("gains Close tickets.close"), "{preview}");
    office.fill("team", "north").await?;
    let end = Zoned::now().checked_add(20.days())?.date().to_string();
    office.fill("until", &end).await?;
    office.picture("request").await?;
    office.press("button[value=approved]").await?;
    office.says("Nobody asks for anything").await?;

    // The other process has it without a restart, and the open page notices.
    north.find("#changed:not([hidden])").await?;
    north.follow("Reload").await?;
    north.press("form[action$=close] button").await?;
    north.says("assigned to ada, closed").await?;

    office.follow("People").await?;
    let people = office.says("Ending within 30 days").await?;
    assert!(people.contains(&format!("closer, only team north, until {end}")), "{people}");
    assert!(people.contains("loses tickets.close"), "{people}");
    office.picture("assignment").await?;

    // Nobody looks through the eyes of somebody who may do more.
    assert!(!office.has("button[name=user][value=rita]").await?);
    Ok(())
}

async fn out_of_bounds(north: &Browser) -> Tested {
    north.sign_in("ben").await?;
    north.follow("Charged twice").await?;
    // The engine in the browser says so at once, where it could be built.
    let refund = "form[action$=refund] button";
    north.fill("amount", "250").await?;
    if north.has_engine().await? {
        north.find(&format!("body[data-asked] {refund}[disabled]")).await?;
        north.fill("amount", "50").await?;
        north.find(&format!("{refund}:not([disabled])")).await?;
        north.fill("amount", "250").await?;
        north.find(&format!("{refund}[disabled]")).await?;
        north.find("input[name=note]:not([readonly])").await?;
        north.find("input[name=subject][readonly]").await?;
    }
    // Sent in spite of it: the server decides.
    north.run("document.querySelector('form[action$=refund]').submit()").await?;
    north.follow("Why, and what would help?").await?;
    north.says("100").await?;
    north.open("/tickets/3").await?;
    north.fill("amount", "50").await?;
    north.press("form[action$=refund] button").await?;
    north.says("refunded 50").await?;
    Ok(())
}

async fn viewed_as_somebody(office: &Browser) -> Tested {
    office.open("/people").await?;
    office.press("button[name=user][value=ben]").await?;
    let list = office.says("Charged twice").await?;
    assert!(!list.contains("Change of address"), "{list}");
    office.follow("Charged twice").await?;
    office.press(".fields button").await?;
    office.says("nothing can be changed while you view as somebody else").await?;
    office.open("/tickets").await?;
    office.press(".banner button").await?;
    office.says("Give a role").await?;
    Ok(())
}

async fn ticked_and_undone(office: &Browser) -> Tested {
    office.sign_in("rita").await?;
    office.follow("Profiles").await?;
    office.follow("Agent").await?;
    // A tick brings what it needs, and shows whom it concerns before it is saved.
    office.press("button[title='people.roles']").await?;
    let preview = office.says("Ada, agent in the north").await?;
    assert!(preview.contains("gains People people"), "{preview}");
    office.press("button[title='tickets.answer.team']").await?;
    office.says("tickets.answer.team").await?;
    office.press("button[title='tickets.fields.note'][value*=read_only]").await?;
    let preview = office.says("loses").await?;
    assert!(preview.contains("loses some of Internal note"), "{preview}");
    office.client.set_window_size(1000, 1000).await?;
    office.picture("profile").await?;
    office.client.set_window_size(1000, 720).await?;
    office.press("button[name=save]").await?;
    office.says("held by 2").await?;

    office.follow("Log").await?;
    office.says("people.roles").await?;
    office.picture("log").await?;
    office.press("form[action$=undo] button").await?;
    office.says("all rules").await?;
    office.open("/profiles/agent").await?;
    office.find("button[title='people.roles'][value*=allow]").await?;
    Ok(())
}
