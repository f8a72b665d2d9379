//! Finds names that look alike.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use unicode_security::confusable_detection::skeleton;

use super::repeated::names;
use super::{Code, Linter};
use crate::catalogue::NodeId;
use crate::names::{HashMap, HashSet, is_hidden, keys};
use crate::policy::{SourceKind, SourceName};
use crate::problem::Place;

impl<'p> Linter<'p> {
    /// Reports names that look alike.
    pub(super) fn alike(&mut self) {
        let policy = self.policy;
        let catalogue = self.catalogue();
        for above in catalogue.nodes.iter().map(|(id, _)| Some(id)).chain([None]) {
            // Scopes and children share one key space.
            let ids: Vec<NodeId> = catalogue.children(above).collect();
            let key = |&id: &NodeId| {
                let path = &catalogue.node(id).path;
                path.rsplit_once('.').map_or(&**path, |(_, key)| key)
            };
            self.look(
                || ids.iter().map(key),
                |_, at| {
                    ids.get(at)
                        .map_or_else(String::new, |&id| format!("{}.key", catalogue.place(id)))
                },
            );
        }
        self.look(|| keys(&catalogue.kinds), |name, _| format!("catalogue.objects.{name}"));
        for (kind, of) in catalogue.document.objects.iter() {
            self.look(
                || names(&of.relations),
                |name, _| format!("catalogue.objects.{kind}.relations.{name}"),
            );
            self.look(
                || names(&of.attributes),
                |name, _| format!("catalogue.objects.{kind}.attributes.{name}"),
            );
        }
        self.look(|| keys(&catalogue.settings), |name, _| format!("catalogue.settings.{name}"));
        self.look(|| keys(&catalogue.editions), |name, _| format!("catalogue.editions.{name}"));
        for kind in SourceKind::ALL {
            self.look(
                || policy.sources.of(kind).map(|(_, name, _)| name),
                |name, _| kind.named(name).place(),
            );
        }
        self.look(
            || keys(&policy.groups.parents),
            |name, _| Place::Root.key("groups").name(name).to_string(),
        );
        self.look(
            || policy.users.iter().map(|(_, name, _)| name),
            |name, _| SourceName::User(name.to_owned()).place(),
        );
        self.features();
    }

    fn features(&mut self) {
        let policy = self.policy;
        let catalogue = self.catalogue();
        let of_nodes = catalogue.nodes.iter().filter_map(|(id, node)| {
            Some((node.feature.as_deref()?, format!("{}.feature", catalogue.place(id))))
        });
        let listed = |features: &'p [String], place: String| {
            let numbered = features.iter().enumerate();
            numbered.map(move |(at, feature)| (&**feature, format!("{place}[{at}]")))
        };
        let of_editions = catalogue.document.editions.iter().flat_map(|(edition, of)| {
            listed(&of.features, format!("catalogue.editions.{edition}.features"))
        });
        let licensed = listed(&policy.licence.stated().features, "licence.features".to_owned());
        let mut seen: HashSet<&str> = HashSet::default();
        let mut named: Vec<(&str, String)> = of_nodes.chain(of_editions).chain(licensed).collect();
        named.retain(|(feature, _)| seen.insert(feature));
        let place = |at: usize| named.get(at).map(|(_, place)| place.clone());
        let features = || named.iter().map(|(feature, _)| *feature);
        self.look(features, |_, at| place(at).unwrap_or_default());
    }

    /// Reports the names that look like an earlier one; all names are different.
    fn look<'n, N: Iterator<Item = &'n str>>(
        &mut self,
        names: impl Fn() -> N,
        place: impl Fn(&str, usize) -> String,
    ) {
        // There may be a million names, so at first only hashes of their looks are kept, and
        // sorted, which takes less than to look up each.
        let hasher = RandomState::default();
        let mut text = String::new();
        let mut hash = |look: Look, name: &str| {
            text.clear();
            look.each(name, |c| text.push(c));
            hasher.hash_one((look as u8, &*text))
        };
        let mut hashes: Vec<u64> = Vec::new();
        names().for_each(|name| hashes.extend(Look::BOTH.map(|look| hash(look, name))));
        hashes.sort_unstable();
        let pairs = hashes.windows(2);
        let repeated: HashSet<u64> =
            pairs.filter(|pair| pair.first() == pair.last()).flatten().copied().collect();
        drop(hashes);
        if repeated.is_empty() {
            return;
        }
        let mut first: HashMap<u64, &str> = HashMap::default();
        for (at, name) in names().enumerate() {
            let mut like = None;
            for look in Look::BOTH {
                let hash = hash(look, name);
                if !repeated.contains(&hash) {
                    continue;
                }
                let other = *first.entry(hash).or_insert(name);
                // Equal hashes are no proof.
                if other != name && look.of(name) == look.of(other) {
                    like.get_or_insert(other);
                }
            }
            if let Some(other) = like {
                let message = format!("`{name}` looks like `{other}`{}", spelling(name, other));
                let advice = "check that both are intended, and rename one of them";
                let names = vec![other.to_owned(), name.to_owned()];
                self.find(Code::LookAlike, place(name, at), message, advice, names);
            }
        }
    }
}

/// A way to look at a name: two names are alike if they agree in either.
#[derive(Clone, Copy)]
enum Look {
    /// As it is read: case is ignored, and `-`, `_`, points and spaces are equal.
    Read,
    /// As it is seen: to the eye, letters of different scripts and digits may have the same
    /// shape (the skeletons of Unicode Technical Standard 39).
    Seen,
}

impl Look {
    const BOTH: [Look; 2] = [Look::Read, Look::Seen];

    /// Passes on the characters that a name has in this way.
    fn each(self, name: &str, mut pass: impl FnMut(char)) {
        match self {
            Look::Read => {
                let (mut is_any, mut is_separated) = (false, false);
                let mut pass_lower = |c: char| {
                    if matches!(c, '-' | '_' | '.') || c.is_whitespace() {
                        is_separated = is_any;
                        return;
                    }
                    if std::mem::take(&mut is_separated) {
                        pass(' ');
                    }
                    is_any = true;
                    pass(c);
                };
                for c in name.chars().filter(|&c| !is_hidden(c)) {
                    if c.is_ascii() {
                        pass_lower(c.to_ascii_lowercase());
                    } else {
                        c.to_lowercase().for_each(&mut pass_lower);
                    }
                }
            }
            // Most names are plain, and computing skeletons takes long.
            Look::Seen if name.is_ascii() => {
                let shown = name.bytes().filter(|&byte| !byte.is_ascii_control());
                let all = &*SHAPES;
                let shapes = shown.filter_map(|byte| all.get(usize::from(byte)));
                shapes.flat_map(|shape| shape.chars()).for_each(pass);
            }
            Look::Seen => {
                let shown: String = name.chars().filter(|&c| !is_hidden(c)).collect();
                skeleton(&shown).for_each(pass);
            }
        }
    }

    fn of(self, name: &str) -> String {
        let mut text = String::new();
        self.each(name, |c| text.push(c));
        text
    }
}

/// The skeletons of the ASCII characters, none of which depends on its neighbours.
static SHAPES: LazyLock<Vec<String>> = LazyLock::new(|| {
    (0..128).map(|byte: u8| skeleton(char::from(byte).encode_utf8(&mut [0; 4])).collect()).collect()
});

/// Returns the spelling of two names, with escapes, unless both are plain ASCII.
fn spelling(name: &str, other: &str) -> String {
    let plain = |name: &str| name.is_ascii() && !name.contains(is_hidden);
    if plain(name) && plain(other) {
        return String::new();
    }
    let spelled = |c: char| {
        if plain(c.encode_utf8(&mut [0; 4])) {
            c.to_string()
        } else {
            c.escape_unicode().to_string()
        }
    };
    let spell = |name: &str| name.chars().map(spelled).collect::<String>();
    format!(" (`{}` and `{}`)", spell(name), spell(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(a: &str, b: &str) -> bool {
        Look::BOTH.iter().any(|look| look.of(a) == look.of(b))
    }

    #[test]
    fn names_look_alike_in_case_separators_and_shape() {
        assert!(alike("Order-Clerk", "order_clerk"));
        assert!(alike("paypal", "p\u{430}ypal"));
        assert!(alike("user1", "userl"));
        assert!(alike("anna", "an\u{200b}na"));
        assert!(!alike("clerk1", "clerk2"));
        assert!(!alike("lead", "leads"));
        assert!(!alike("ab-1", "a-b1"));
        assert!(alike("-ab--1_", "ab 1"));
    }
}
