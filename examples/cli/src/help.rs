//! The help of each command, with an example.

pub(crate) const ALL: &str = "\
grantree: test, explain and compare authorization policies

  check POLICY…                     problems of policies, each with its place
  test [--policy POLICY] FILE…      run test documents
  mutants [--policy POLICY] FILE…   edits of a policy that no step notices
  coverage [--policy POLICY] FILE…  statements, scopes and remedies that steps exercise
  lint POLICY                       statements that are valid but probably mistakes
  can POLICY USER ACTION            yes or no
  why POLICY USER ACTION            the reasons, and what would help
  who POLICY ACTION                 the users who may
  decide POLICY USER ACTION         a decision, as an audit log records it
  review POLICY                     what each user may do, by which sources, until when
  matrix POLICY [SOURCE…]           sources side by side
  tree POLICY SOURCE                one source, as tick boxes
  diff BEFORE AFTER                 what users gain and lose
  reach POLICY [USER ACTION --by ACTOR…]
                                    what users could come to do by changes of their own
  roles POLICY                      roles that are alike, or could be fewer
  schema document|change|test       a JSON Schema, for editors
  completions bash|zsh|fish         a script for the shell
  help COMMAND                      more about a command, with an example

Documents are JSON, or YAML or TOML by the ending of their names. Exits with 0 if all is
well, 1 if there are findings, 2 if something could not be read.";

/// The names of the commands.
pub(crate) const COMMANDS: [&str; 18] = [
    "check",
    "test",
    "mutants",
    "coverage",
    "lint",
    "can",
    "why",
    "who",
    "decide",
    "review",
    "matrix",
    "tree",
    "diff",
    "reach",
    "roles",
    "schema",
    "completions",
    "help",
];

pub(crate) fn of(command: &str) -> Option<String> {
    let text = match command {
        "check" => "\
check POLICY…: prints every problem of the policies, each with its place.

  grantree check policy.yaml",
        "test" => "\
test [--policy POLICY] FILE…: runs test documents, of their own policy or the one given.
Prints each step whose answer is not the expected one, and how many passed and failed.

  grantree test --policy examples/policies/connect.json tests/corpus/products/connect.json",
        "mutants" => "\
mutants [--policy POLICY] [--limit N] [--json] FILE…: edits the policy in one place after
another, and prints the edits that no step notices, who gains or loses what by them, and a
step that would notice. With --limit, only the first N edits; with --json, a line each.

  grantree mutants --policy examples/policies/shipping.json tests/corpus/products/shipping.json",
        "coverage" => "\
coverage [--policy POLICY] [--json] FILE…: prints the statements that decide no answer of a
step, the scopes that let no object of a step through, and the permissions that steps find
denied and never allowed.

  grantree coverage --policy examples/policies/drs.json tests/corpus/products/drs.json",
        "lint" => "\
lint [--json] POLICY: prints statements that are valid but probably mistakes.

  grantree lint policy.json",
        "can" => "\
can POLICY USER ACTION [--object OBJECT] [--today DAY]: prints yes or no, and exits with 1
for no. An object is a file, or JSON.

  grantree can policy.json bob jobs.edit --object '{\"kind\": \"job\", \"attributes\": {\"region\": \"north\"}}'",
        "why" => "\
why POLICY USER ACTION [--object OBJECT] [--today DAY] [--json]: prints the reasons for a
decision and, of a no, what would turn it into a yes. Exits with 1 for no.

  grantree why policy.json bob orders.export",
        "who" => "\
who POLICY ACTION [--object OBJECT] [--today DAY]: prints the users who may do this, on the
object or on some object.

  grantree who policy.json orders.approve",
        "decide" => "\
decide POLICY USER ACTION [--object OBJECT] [--today DAY]: prints a decision as a line of JSON,
as a host's audit log records it. Exits with 1 for no.

  grantree decide policy.json bob orders.export",
        "review" => "\
review POLICY [--today DAY] [--csv] [--json]: prints what each user may do, by which sources and
until when. Given a day, assignments that ended before it are left out.

  grantree review policy.json --csv > review.csv",
        "matrix" => "\
matrix POLICY [--csv] [--json] [SOURCE…]: prints what sources state of every permission, side
by side. A source is `global`, or a name as in `role:clerk`; without any, all profiles, roles
and approval groups.

  grantree matrix policy.json role:clerk role:lead --csv",
        "tree" => "\
tree POLICY SOURCE [--json]: prints one source as a tree of tick boxes.

  grantree tree policy.json profile:planner",
        "diff" => "\
diff BEFORE AFTER [--json]: prints what each user gains and loses between two policies.
Exits with 1 if there is anything.

  grantree diff old.json new.json",
        "reach" => "\
reach POLICY [--json]: prints the users who could raise themselves by changes that governance
lets them make, and how. Exits with 1 if there is anybody.
reach POLICY USER ACTION --by ACTOR… : tells if that user could ever do that if the actors
made any changes: `never`, or the changes, or `unknown`. Exits with 1 unless never.

  grantree reach policy.json
  grantree reach policy.json nina billing --by oscar --by ursula",
        "roles" => "\
roles POLICY [--near N] [--used FILE] [--json] [--document]: prints sources that grant the same,
one of which contains the other, or that differ in up to N permissions; and a smaller set of
roles that changes nobody's answers, if there is one. With --document, only the policy that has
these. FILE is a list of [user, permission], of what was used: then grants are printed, too, that
no holder used. Exits with 1 if there is anything.

  grantree roles policy.json --near 2
  grantree roles policy.json --used last-year.json",
        "schema" => "\
schema document|change|test: prints the JSON Schema of policies, of changes or of test
documents. An editor checks and completes a document whose `$schema` names it.

  grantree schema document > policy.schema.json",
        "completions" => "\
completions bash|zsh|fish: prints a script that completes commands and files.

  source <(grantree completions bash)",
        "help" => ALL,
        _ => return None,
    };
    Some(text.to_owned())
}
