//! The rules of the help desk in a browser.
//!
//! The page and this module talk by one buffer: the page asks for it by [`buffer`], writes JSON
//! into it, calls [`load`] or [`ask`], and reads the answer from its start. There is no other
//! state but the engine, and nothing unsafe but that the functions keep their names.

use std::cell::RefCell;
use std::collections::BTreeMap;

use grantree::object::DynamicObject;
use grantree::{Document, Engine, Moment, Policy};
use serde::{Deserialize, Serialize};

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// Questions about one object.
#[derive(Deserialize)]
struct Asked {
    user: String,
    today: Moment,
    object: DynamicObject,
    can: Vec<String>,
    levels: Vec<String>,
}

/// Their answers.
#[derive(Default, Serialize)]
struct Answers {
    can: BTreeMap<String, bool>,
    /// `null` of a permission that the user's part of the policy lacks: nothing is granted.
    levels: BTreeMap<String, Option<String>>,
}

/// Makes the buffer that long, and returns where it is.
#[unsafe(no_mangle)]
pub extern "C" fn buffer(length: usize) -> *const u8 {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(length, 0);
        buffer.as_ptr()
    })
}

/// Makes an engine of the document in the buffer. Returns 1 if it is one.
#[unsafe(no_mangle)]
pub extern "C" fn load() -> u32 {
    let document = BUFFER.with_borrow(|buffer| serde_json::from_slice::<Document>(buffer).ok());
    let policy = document.and_then(|document| Policy::try_from(document).ok());
    let engine = policy.as_ref().map(Engine::new);
    let is_loaded = engine.is_some();
    ENGINE.set(engine);
    is_loaded.into()
}

/// Answers the questions in the buffer, there. Returns the length of the answers.
#[unsafe(no_mangle)]
pub extern "C" fn ask() -> usize {
    let asked = BUFFER.with_borrow(|buffer| serde_json::from_slice::<Asked>(buffer).ok());
    let answers = ENGINE.with_borrow(|engine| Some(answers(engine.as_ref()?, &asked?)));
    let text = serde_json::to_vec(&answers.unwrap_or_default()).unwrap_or_default();
    BUFFER.with_borrow_mut(|buffer| {
        *buffer = text;
        buffer.len()
    })
}

fn answers(engine: &Engine, asked: &Asked) -> Answers {
    let on = (&asked.object, asked.today);
    let can = |action: &String| (action.clone(), engine.check(&asked.user, action, on) == Ok(true));
    let level = |path: &String| {
        let user = engine.user(&asked.user).ok()?;
        engine.level(user, engine.permission(path).ok()?, on).map(str::to_owned)
    };
    Answers {
        can: asked.can.iter().map(can).collect(),
        levels: asked.levels.iter().map(|path| (path.clone(), level(path))).collect(),
    }
}
