//! The game of users who attack a policy that is under `no_escalation` (design, section 5).
//!
//! One to three users, who are no admins and hold nothing that spares them comparisons, ask
//! for whatever changes the design has, also through the accounts that they add. In between
//! the host makes innocent ones: a licence lapses or is bought, an admin is unmade, a user is
//! restored, a role is given in good faith, be it one that the attackers edited or made, a
//! gate is opened, a forbid is lifted. The *twin* is the policy to which the host made the
//! same changes and the attackers none. Two laws are about what users can do at the end,
//! suspension left aside, and both follow from the design's rule, change by change: what a
//! change brings is within what the user had before, or within what the attacker had who asked
//! for it, and of both the laws hold by induction.
//!
//! **The strong law.** What a user may do with an object on a day, that user could do in the
//! twin at some time, or could have done there with the entry of an attacker in the place of
//! the user's own. (In the place, as the design compares scopes, and not whom `me` means.) It
//! holds under a licence that has every feature, and if the licence never changed, under
//! that one. It is asked of the users to whom the host gave nothing and from whom it took
//! nothing. For the others it is not true, and can't be: bounds, scopes and gates of ordinary
//! sources join, so a role that the host gives may widen what an attacker gave. Nor is it
//! true of an admin who is unmade, since under the rule an admin gains by nothing.
//!
//! **The weak law.** Whatever anybody has, in any capacity, at whatever level, in the twin one
//! of that user's or of an attacker's sources granted by itself, or implied by what it granted;
//! and whatever value passes a bound that one of the user's sources states passes one that such
//! a source stated there. So nothing can be planted behind a gate, a forbid or the licence, in
//! a source that nobody holds, or in what the next newcomer gets.
//!
//! Restrictions are left aside in the weak law, since the rule judges their removal "by what
//! becomes effective or granted, not by what another restriction still hides". For the same
//! reason the host neither adds to sources that may have been given to others meanwhile (an
//! empty role is anybody's to give), nor lifts a deny. And the host knows sources that were
//! renamed: otherwise two that change names would deceive it.

mod law;
mod moves;
mod shrink;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Instant;

use fastrand::Rng;
use grantree::change::{Actor, Change};
use grantree::{Document, Moment, Policy};
use serde_json::{Value, json};

use law::End;
use moves::{Board, Host, Move};
use support::random::dice::Dice;
use support::random::world::World;
use table::Table;

/// The number of games, unless `CASES` names another.
const GAMES: u64 = 1000;

/// The number of moves in a game.
const MOVES: usize = 60;

#[test]
fn attackers_gain_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|it| it.parse().ok());
    let (games, first) = (number("CASES").unwrap_or(GAMES), number("SEED").unwrap_or(0));
    let (mut tally, start) = (Tally::default(), Instant::now());
    for seed in first..first + games {
        let mut rng = Rng::with_seed(seed);
        let (mut table, mut game) = start_game(&mut rng, true);
        let moves = game.play(&mut rng, &mut table, &mut tally);
        if let Some(violation) = game.violation(&mut table.world, seed, 6, &mut tally.yes) {
            panic!("seed {seed}: {violation}{}", shrink::shrunk(table, moves, seed));
        }
    }
    println!("{games} games, {tally}, {:?}", start.elapsed());
    // Where all is refused, nothing is shown.
    let [made, asked] = tally.sum("attacker");
    assert!(made * 3 > asked && made > 12 * games, "{tally}");
    assert!(tally.sum("host")[0] > 4 * games && tally.yes > 20 * games, "{tally}");
}

/// The game can be won: if nothing forbids it, attackers gain.
#[test]
fn attackers_gain_where_escalation_is_no_matter() {
    let mut tally = Tally::default();
    let gains = (0..100).filter(|&seed| {
        let mut rng = Rng::with_seed(seed);
        let (mut table, mut game) = start_game(&mut rng, false);
        game.play(&mut rng, &mut table, &mut tally);
        game.violation(&mut table.world, seed, 4, &mut tally.yes).is_some()
    });
    let gains = gains.count();
    assert!(gains > 60, "{gains} of 100");
}

/// Sets tables until there is a valid policy on one.
fn start_game(rng: &mut Rng, no_escalation: bool) -> (Table, Game) {
    loop {
        let mut table = table::set(rng);
        table.policy["governance"]["no_escalation"] = json!(no_escalation);
        if let Some(game) = Game::new(&table.policy, &table.attackers) {
            return (table, game);
        }
    }
}

/// Outcomes of moves, by kind.
#[derive(Default)]
struct Tally {
    /// The number that were made, and of how many.
    moves: BTreeMap<String, [u64; 2]>,
    refused: BTreeMap<String, u64>,
    /// The answers at the end that were yes.
    yes: u64,
}

impl Tally {
    /// The moves by the host or by attackers: how many were made, of how many.
    fn sum(&self, by: &str) -> [u64; 2] {
        let moves = self.moves.iter().filter(|(kind, _)| kind.starts_with(by));
        moves.fold([0; 2], |[made, all], (_, [more, asked])| [made + more, all + asked])
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for by in ["attacker", "host"] {
            let [made, all] = self.sum(by);
            write!(f, "{made} of {all} moves by {by}, ")?;
        }
        write!(f, "{} times yes", self.yes)?;
        self.moves
            .iter()
            .try_for_each(|(kind, [made, all])| write!(f, "\n{made:8} of {all:8} {kind}"))?;
        self.refused.iter().try_for_each(|(rule, count)| write!(f, "\n{count:8} {rule}"))
    }
}

/// A game in which some moves were made.
pub struct Game {
    attackers: Vec<String>,
    controlled: Vec<String>,
    policy: Policy,
    /// The policies of the twin, one after each of the host's moves.
    twins: Vec<Policy>,
    /// The names in the game of the twin's sources.
    names: BTreeMap<(String, String), Option<String>>,
    /// The users of whom only the weak law is asked; `None` means all.
    mixed: Option<BTreeSet<String>>,
    same_licence: bool,
}

impl Game {
    fn new(policy: &Value, attackers: &[String]) -> Option<Game> {
        let document: Document = serde_json::from_value(policy.clone()).ok()?;
        let parsed = Policy::try_from(document).ok()?;
        let sources = ["profile", "role", "approval_group"].into_iter().flat_map(|kind| {
            let names = policy[&*format!("{kind}s")].as_object().into_iter().flatten();
            names.map(move |(name, _)| ((kind.to_owned(), name.clone()), Some(name.clone())))
        });
        Some(Game {
            attackers: attackers.to_vec(),
            controlled: attackers.to_vec(),
            twins: vec![parsed.clone()],
            policy: parsed,
            names: sources.collect(),
            mixed: Some(BTreeSet::new()),
            same_licence: true,
        })
    }

    /// Makes random moves, and returns them.
    fn play(&mut self, rng: &mut Rng, table: &mut Table, tally: &mut Tally) -> Vec<Move> {
        let Table { world, held, .. } = table;
        let (mut attacked, mut twin) = (json(&self.policy), json(self.twin()));
        // Nobody gives an attacker what spares comparisons.
        let is_sparing = attacked["governance"]["escalate"].is_array();
        let host = match rng.u8(..4) {
            0 | 1 => Host::Aloof,
            2 if !is_sparing => Host::Generous,
            _ => Host::Kind,
        };
        let mut moves = Vec::new();
        for _ in 0..MOVES {
            let hand = table::hand(rng);
            let mut dice = Dice::new(&hand);
            let today = dice.chance(75).then_some("2026-11-20T12:00");
            let is_active = |name: &&String| {
                let user = &attacked["users"][name.as_str()];
                user.is_object() && user["suspended"] != true
            };
            let active: Vec<String> = self.controlled.iter().filter(is_active).cloned().collect();
            let by_host = dice.chance(12) || active.is_empty();
            if active.is_empty()
                && !self.controlled.iter().any(|it| attacked["users"][it].is_object())
            {
                break;
            }
            let (actor, change) = if by_host {
                let board = Board::new([&twin, &attacked], world, &self.attackers);
                (None, board.host(&mut dice, host))
            } else {
                let actor = dice.pick(&active).clone();
                let board = Board::new([&attacked, &twin], world, &self.controlled);
                let change = board.attack(&mut dice, &actor, held);
                (Some(actor), change)
            };
            let one = Move { actor, change, today };
            let outcome = self.make(&one);
            let by = if by_host { "host" } else { "attacker" };
            let kind = one.change.as_object().and_then(|it| it.keys().next()).expect("a kind");
            let count = tally.moves.entry(format!("{by} {kind}")).or_default();
            count[1] += 1;
            match outcome {
                Ok(()) => {
                    count[0] += 1;
                    moves.push(one);
                    attacked = json(&self.policy);
                    if by_host {
                        twin = json(self.twin());
                    }
                }
                Err(rule) => *tally.refused.entry(rule).or_default() += 1,
            }
        }
        moves
    }

    fn twin(&self) -> &Policy {
        self.twins.last().expect("the first")
    }

    /// Makes a move, or returns the rule that refuses it.
    fn make(&mut self, one: &Move) -> Result<(), String> {
        let today: Option<Moment> = one.today.map(|today| today.parse().expect("a moment"));
        let read = |change: &Value| -> Result<Change, String> {
            serde_json::from_value(change.clone()).map_err(|error| format!("{error} {change}"))
        };
        let apply = |policy: &Policy, actor, change: &Value| {
            let applied = policy.apply_on(actor, &read(change)?, today);
            applied.map(|it| it.policy).map_err(|refusal| refusal.rule.code().to_owned())
        };
        match &one.actor {
            Some(actor) => {
                self.policy = apply(&self.policy, Actor::User(actor), &one.change)?;
                self.follow(&one.change);
            }
            None => {
                let twin = apply(self.twin(), Actor::Host, &one.change);
                // The host may give what only the attackers know of, but nothing else.
                let change = match &twin {
                    Ok(_) => self.renamed(&one.change).ok_or("gone")?,
                    Err(rule) if rule == "unknown" && self.is_new(&one.change) => {
                        one.change.clone()
                    }
                    Err(rule) => return Err(rule.clone()),
                };
                self.policy = apply(&self.policy, Actor::Host, &change)?;
                self.twins.extend(twin);
                self.mix(&one.change);
            }
        }
        Ok(())
    }

    /// Notes new accounts, and new names.
    fn follow(&mut self, change: &Value) {
        if let Some(user) = change["add_user"]["user"].as_str()
            && !self.controlled.iter().any(|it| it == user)
        {
            self.controlled.push(user.to_owned());
        }
        if let Some(user) = change["remove_user"]["user"].as_str()
            && self.controlled.len() > 1
        {
            self.controlled.retain(|it| it != user);
        }
        let gone = [("rename", change["rename"]["to"].as_str()), ("delete", None)];
        for (form, to) in gone {
            let source = change[form]["source"].as_object();
            for (kind, name) in source.into_iter().flatten() {
                for ((of, _), known) in &mut self.names {
                    if of == kind && known.as_deref() == name.as_str() {
                        *known = to.map(str::to_owned);
                    }
                }
            }
        }
    }

    /// Returns `true` if a change gives a source that the attackers made.
    fn is_new(&self, change: &Value) -> bool {
        let source = change["assign"]["source"].as_object();
        source.is_some_and(|source| {
            let mut names = self.names.iter();
            source.iter().all(|(kind, name)| {
                !names.any(|((of, _), known)| of == kind && known.as_deref() == name.as_str())
            })
        })
    }

    /// A change of the host with the present names of sources.
    fn renamed(&self, change: &Value) -> Option<Value> {
        let mut change = change.clone();
        for form in ["assign", "revoke", "edit"] {
            let source = change.get_mut(form).and_then(|it| it["source"].as_object_mut());
            for (kind, name) in source.into_iter().flatten().filter(|(kind, _)| *kind != "user") {
                let known = (kind.clone(), name.as_str()?.to_owned());
                *name = json!(self.names.get(&known)?.as_ref()?);
            }
        }
        Some(change)
    }

    /// Notes the users of whom not all of the law holds any more.
    fn mix(&mut self, change: &Value) {
        let (form, change) = change.as_object().and_then(|it| it.iter().next()).expect("a form");
        self.same_licence &= form != "set_licence";
        let user = match form.as_str() {
            "set_licence" | "set_suspended" | "add_user" | "remove_user" | "expire" => return,
            "edit" => change["source"]["user"].as_str(),
            _ => change["user"].as_str(),
        };
        match user {
            Some(user) if !self.attackers.iter().any(|it| it == user) => {
                self.mixed.iter_mut().for_each(|mixed| mixed.extend([user.to_owned()]));
            }
            _ => self.mixed = None,
        }
    }

    fn violation(
        &self,
        world: &mut World,
        seed: u64,
        samples: usize,
        yes: &mut u64,
    ) -> Option<String> {
        let twins: Vec<Value> = self.twins.iter().map(json).collect();
        let mut end = End {
            attacked: &json(&self.policy),
            twins: &twins,
            attackers: &self.attackers,
            world,
            mixed: self.mixed.as_ref(),
            same_licence: self.same_licence,
            yes: 0,
        };
        let violation = end.violation(&mut Rng::with_seed(seed), samples);
        *yes += end.yes;
        violation
    }
}

fn json(policy: &Policy) -> Value {
    serde_json::to_value(Document::from(policy)).expect("a document serializes")
}
