//! Smaller games that still break the law.

use serde_json::Value;

use super::Game;
use super::moves::Move;
use super::table::Table;

/// Leaves out of a game whatever its violation does not need, and prints it as a test
/// document.
pub fn shrunk(mut table: Table, mut moves: Vec<Move>, seed: u64) -> String {
    let mut told = String::new();
    loop {
        let before = (moves.len(), table.policy.to_string().len());
        let mut at = 0;
        while at < moves.len() {
            let mut fewer = moves.clone();
            fewer.remove(at);
            match replay(&table.policy.clone(), &mut table, &fewer, seed) {
                Some(violation) => (moves, told) = (fewer, violation),
                None => at += 1,
            }
        }
        let mut places = Vec::new();
        list(&table.policy, "", &mut places);
        for place in places.into_iter().rev() {
            let mut smaller = table.policy.clone();
            if remove(&mut smaller, &place)
                && let Some(violation) = replay(&smaller, &mut table, &moves, seed)
            {
                (table.policy, told) = (smaller, violation);
            }
        }
        if before == (moves.len(), table.policy.to_string().len()) {
            break;
        }
    }
    let steps: Vec<String> = moves.iter().map(step).collect();
    format!(
        "\n{told}\nattackers {:?}\n{{\"policy\": {},\n\"steps\": [\n{}\n]}}",
        table.attackers,
        table.policy,
        steps.join(",\n")
    )
}

fn step(one: &Move) -> String {
    let mut change = one.change.clone();
    if let Some(actor) = &one.actor {
        change["as"] = Value::from(actor.as_str());
    }
    if let Some(today) = one.today {
        change["today"] = Value::from(today);
    }
    format!("{{\"change\": {change}, \"expect\": \"applied\"}}")
}

/// Plays a game again; a move that is refused is no part of it.
fn replay(policy: &Value, table: &mut Table, moves: &[Move], seed: u64) -> Option<String> {
    if policy["governance"]["no_escalation"] != true {
        return None;
    }
    let mut game = Game::new(policy, &table.attackers)?;
    for one in moves {
        if game.make(one).is_err() {
            return None;
        }
    }
    game.violation(&mut table.world, seed, 40, &mut 0)
}

/// Lists the places of a document, those within a place after it.
fn list(value: &Value, place: &str, places: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, it)| (key.clone(), it)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(at, it)| (at.to_string(), it)).collect()
        }
        _ => return,
    };
    for (key, value) in inner {
        let key = key.replace('~', "~0").replace('/', "~1");
        let place = format!("{place}/{key}");
        places.push(place.clone());
        list(value, &place, places);
    }
}

fn remove(document: &mut Value, place: &str) -> bool {
    let Some((above, key)) = place.rsplit_once('/') else { return false };
    let key = key.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(above) {
        Some(Value::Object(map)) => map.remove(&key).is_some(),
        Some(Value::Array(list)) => {
            let at = key.parse().unwrap_or(usize::MAX);
            at < list.len() && {
                list.remove(at);
                true
            }
        }
        _ => false,
    }
}
