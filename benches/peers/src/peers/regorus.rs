//! regorus: Rego compiled to bytecode, over data loaded once.

use std::collections::BTreeMap;

use regorus::Value;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;

use super::Peer;
use crate::world::{self, ACTIONS, Flat, OnJob, SCOPES, World};

const ENTRY: &str = "data.peers.allow";

/// A machine with its program and data.
struct Machine {
    machine: RegoVM,
    /// The keys of an input, allocated once.
    keys: Vec<Value>,
}

impl Machine {
    fn new(policy: &str, data: Value, keys: &[&str]) -> Machine {
        let mut engine = regorus::Engine::new();
        engine.add_policy("peers.rego".to_owned(), policy.to_owned()).expect("a valid policy");
        let compiled = engine.compile_with_entrypoint(&ENTRY.into()).expect("a rule that is there");
        let program = Compiler::compile_from_policy(&compiled, &[ENTRY]).expect("a valid policy");
        let mut machine = RegoVM::new();
        machine.load_program(program);
        machine.set_data(data).expect("data beside the rules");
        Machine { machine, keys: keys.iter().map(|&key| Value::from(key)).collect() }
    }

    fn allows(&mut self, input: &[Value]) -> bool {
        self.machine.set_input(object(self.keys.iter().cloned().zip(input.iter().cloned())));
        self.machine.execute().expect("a decision") == Value::Bool(true)
    }
}

/// Roles resolved at the question.
pub struct Roles {
    machine: Machine,
    paths: Paths,
}

impl Peer<Flat> for Roles {
    const NAME: &'static str = "regorus, roles apart";
    const MODEL: &'static str = "bytecode over sets of what sources grant, indexed; each user's \
        sources are looked through at the question";
    type Question = [Value; 2];

    fn build(world: &World) -> Roles {
        let paths = Paths::new(world);
        let named = |sources: &[Vec<usize>], name: &str| -> Vec<(Value, Value)> {
            let sources = sources.iter().enumerate();
            sources
                .map(|(number, grants)| (Value::from(format!("{name}{number}")), paths.set(grants)))
                .collect()
        };
        let (profiles, roles) = (named(&world.profiles, "profile"), named(&world.roles, "role"));
        let users = world.users.iter().enumerate().map(|(number, user)| {
            let roles = user.roles.iter().map(|&role| &roles[role]);
            let sources = roles.chain([&profiles[user.profile]]).map(|(name, _)| name.clone());
            let entry = fields([
                ("sources", Value::from(Vec::from_iter(sources))),
                ("own", paths.set(&user.own)),
                ("admin", Value::from(user.admin)),
            ]);
            (Value::from(world::User::name(number)), entry)
        });
        let users = object(users);
        let needs = world.permissions.iter().zip(&paths.0);
        let needs = object(needs.map(|(it, path)| (path.clone(), paths.0[it.needs].clone())));
        let grants = object(profiles.into_iter().chain(roles));
        let policy = "package peers
            default allow := false
            allow if data.users[input.user].admin
            allow if {
                granted(input.permission)
                granted(data.needs[input.permission])
            }
            granted(permission) if data.users[input.user].own[permission]
            granted(permission) if {
                some source in data.users[input.user].sources
                data.grants[source][permission]
            }";
        let data = fields([("users", users), ("needs", needs), ("grants", grants)]);
        Roles { machine: Machine::new(policy, data, &["user", "permission"]), paths }
    }

    fn question(&self, _: &World, it: Flat) -> [Value; 2] {
        [Value::from(world::User::name(it.user)), self.paths.0[it.permission].clone()]
    }

    fn answer(&mut self, question: &[Value; 2]) -> bool {
        self.machine.allows(question)
    }
}

/// What each user holds, resolved before.
pub struct Merged {
    machine: Machine,
    paths: Paths,
    actions: [Value; 4],
}

impl Merged {
    fn new(world: &World, policy: &str, keys: &[&str]) -> Merged {
        let paths = Paths::new(world);
        let actions = ACTIONS.map(Value::from);
        let held = (0..world.users.len()).map(|user| {
            let held: Vec<usize> = world.held(user).collect();
            (Value::from(world::User::name(user)), paths.set(&held))
        });
        let held = object(held);
        let scopes = actions.iter().map(|action| {
            let scopes = SCOPES.map(|scope| {
                (
                    scope.key(),
                    Value::from(format!("{}.{}", action.as_string().expect("a text"), scope.key())),
                )
            });
            (action.clone(), fields(scopes))
        });
        let data = fields([("held", held), ("actions", object(scopes))]);
        Merged { machine: Machine::new(policy, data, keys), paths, actions }
    }
}

impl Peer<Flat> for Merged {
    const NAME: &'static str = "regorus, merged";
    const MODEL: &'static str =
        "bytecode over what each user holds, roles and needs resolved before; data loaded once";
    type Question = [Value; 2];

    fn build(world: &World) -> Merged {
        let policy = "package peers
            default allow := false
            allow if data.held[input.user][input.permission]";
        Merged::new(world, policy, &["user", "permission"])
    }

    fn question(&self, _: &World, it: Flat) -> [Value; 2] {
        [Value::from(world::User::name(it.user)), self.paths.0[it.permission].clone()]
    }

    fn answer(&mut self, question: &[Value; 2]) -> bool {
        self.machine.allows(question)
    }
}

impl Peer<OnJob> for Merged {
    const NAME: &'static str = "regorus, merged";
    const MODEL: &'static str =
        "one rule for each scope; what the job and the user are comes with the request";
    type Question = [Value; 6];

    fn build(world: &World) -> Merged {
        let policy = "package peers
            default allow := false
            allow if data.held[input.user][data.actions[input.action].any]
            allow if {
                input.assignee == input.user
                data.held[input.user][data.actions[input.action].assigned]
            }
            allow if {
                input.requester == input.user
                data.held[input.user][data.actions[input.action].requested]
            }
            allow if {
                input.team == input.my_team
                data.held[input.user][data.actions[input.action].team]
            }";
        let keys = ["user", "my_team", "action", "assignee", "requester", "team"];
        Merged::new(world, policy, &keys)
    }

    fn question(&self, world: &World, it: OnJob) -> [Value; 6] {
        let job = &world.jobs[it.job];
        let id = |id: u32| Value::from(id.to_string());
        [
            Value::from(world::User::name(it.user)),
            Value::from(world.users[it.user].team),
            self.actions[it.action].clone(),
            job.assignee.map_or(Value::Null, id),
            id(job.requester),
            Value::from(job.team),
        ]
    }

    fn answer(&mut self, question: &[Value; 6]) -> bool {
        self.machine.allows(question)
    }
}

/// The permissions' paths, each allocated once.
struct Paths(Vec<Value>);

impl Paths {
    fn new(world: &World) -> Paths {
        Paths(world.permissions.iter().map(|it| Value::from(&*it.path)).collect())
    }

    /// A set in which Rego looks up faster than in an array.
    fn set(&self, numbers: &[usize]) -> Value {
        object(numbers.iter().map(|&number| (self.0[number].clone(), Value::from(true))))
    }
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Value {
    object(fields.into_iter().map(|(key, value)| (Value::from(key), value)))
}

fn object(entries: impl IntoIterator<Item = (Value, Value)>) -> Value {
    Value::from(BTreeMap::from_iter(entries))
}
