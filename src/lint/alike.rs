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
            let node_keys = ids.iter().map(|&id| {
                let path = &catalogue.node(id).path;
                path.rsplit_once('.').map_or(&**path, |(_, key)| key)
            });
            self.look(node_keys, |_, at| {
                ids.get(at).map_or_else(String::new, |&id| format!("{}.key", catalogue.place(id)))
            });
        }
        self.look(keys(&catalogue.kinds), |name, _| format!("catalogue.objects.{name}"));
        for (kind, of) in catalogue.document.objects.iter() {
            self.look(names(&of.relations), |name, _| {
                format!("catalogue.objects.{kind}.relations.{name}")
            });
            self.look(names(&of.attributes), |name, _| {
                format!("catalogue.objects.{kind}.attributes.{name}")
            });
        }
        self.look(keys(&catalogue.settings), |name, _| format!("catalogue.settings.{name}"));
        self.look(keys(&catalogue.editions), |name, _| format!("catalogue.editions.{name}"));
        for kind in SourceKind::ALL {
            self.look(policy.sources.of(kind).map(|(_, name, _)| name), |name, _| {
                kind.named(name).place()
            });
        }
        self.look(keys(&policy.groups.parents), |name, _| {
            Place::Root.key("groups").name(name).to_string()
        });
        self.look(policy.users.iter().map(|(_, name, _)| name), |name, _| {
            SourceName::User(name.to_owned()).place()
        });
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
        let features = named.iter().map(|(feature, _)| *feature);
        self.look(features, |_, at| place(at).unwrap_or_default());
    }

    /// Reports the names that look like an earlier one; all names are different.
    fn look<'n>(
        &mut self,
        names: impl Iterator<Item = &'n str>,
        place: impl Fn(&str, usize) -> String,
    ) {
        // A name is kept as a hash: there may be a million.
        let hasher = RandomState::default();
        let mut first: HashMap<(u8, u64), &str> = HashMap::default();
        for (at, name) in names.enumerate() {
            let mut like = None;
            for (kind, key) in (0..).zip(looks(name)) {
                let other = *first.entry((kind, hasher.hash_one(&key))).or_insert(name);
                // Equal hashes are no proof.
                if other != name && looks(other).get(usize::from(kind)) == Some(&key) {
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

/// Returns a name as it is read and as it is seen: two names are alike if they agree in
/// either.
///
/// As read, case is ignored, and `-`, `_`, points and spaces are equal. To the eye,
/// letters of different scripts and digits may have the same shape (the skeletons
/// of Unicode Technical Standard 39).
fn looks(name: &str) -> [String; 2] {
    let shown = || name.chars().filter(|&c| !is_hidden(c));
    let separated = |c: char| match c {
        '-' | '_' | '.' => ' ',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    let read: String = shown().flat_map(char::to_lowercase).map(separated).collect();
    let read = read.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let shown: String = shown().collect();
    // Most names are plain, and computing skeletons takes long.
    let shape = if shown.is_ascii() {
        shown.bytes().filter_map(|byte| SHAPES.get(usize::from(byte))).map(|it| &**it).collect()
    } else {
        skeleton(&shown).collect()
    };
    [read, shape]
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
        let (a, b) = (looks(a), looks(b));
        a[0] == b[0] || a[1] == b[1]
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
    }
}
