//! The commands.

use grantree::policy_test::{Coverage, Fate, Mutants, TestDocument};
use grantree::reach::Reach;
use grantree::roles::Similarity;
use grantree::{Document, Engine, Policy, User};
use serde::Serialize;

use crate::arguments::{about, policy, read, source};
use crate::output::Output;
use crate::{Arguments, Outcome, Result, help};

pub(crate) fn check(arguments: &Arguments, output: &Output) -> Result<Outcome> {
    if arguments.files.is_empty() {
        return Err("usage: grantree check POLICY...".into());
    }
    let mut found = false;
    for file in &arguments.files {
        let document: Document = read(file)?;
        if let Err(problems) = Policy::try_from(document) {
            found = true;
            println!("{}", output.bad(&about(file, &problems).to_string()));
        }
    }
    Ok(if_found(found))
}

pub(crate) fn test(arguments: &Arguments, output: &Output) -> Result<Outcome> {
    let given = arguments.value("--policy").map(policy).transpose()?;
    if arguments.files.is_empty() {
        return Err("usage: grantree test [--policy POLICY] FILE...".into());
    }
    let (mut passed, mut failed) = (0, 0);
    for file in &arguments.files {
        let document: TestDocument = read(file)?;
        let report = document.run(given.as_ref()).map_err(|error| about(file, &error))?;
        for failure in &report.failures {
            println!("{}", output.bad(&format!("{file}: {failure}")));
        }
        passed += report.passed;
        failed += report.failures.len();
    }
    let line = format!("{passed} passed, {failed} failed");
    println!("{}", if failed > 0 { output.bad(&line) } else { output.good(&line) });
    Ok(if_found(failed > 0))
}

/// Test documents, by the policy that they test.
fn tests(arguments: &Arguments, usage: &str) -> Result<Vec<(Policy, Vec<TestDocument>)>> {
    let given = arguments.value("--policy").map(policy).transpose()?;
    let (mut shared, mut all) = (Vec::new(), Vec::new());
    for file in &arguments.files {
        let mut document: TestDocument = read(file)?;
        match document.policy.take() {
            Some(own) => {
                let own = Policy::try_from(own).map_err(|problems| about(file, &problems))?;
                all.push((own, vec![document]));
            }
            None => shared.push(document),
        }
    }
    match given {
        Some(policy) if !shared.is_empty() => all.push((policy, shared)),
        None if !shared.is_empty() => {
            return Err("a document has no policy, and none was given".into());
        }
        _ => {}
    }
    if all.is_empty() {
        return Err(format!("usage: grantree {usage}").into());
    }
    Ok(all)
}

pub(crate) fn mutants(arguments: &Arguments, output: &Output) -> Result<Outcome> {
    let limit = arguments.number("--limit")?.unwrap_or(usize::MAX);
    let (mut killed, mut equivalent, mut survivors) = (0_usize, 0_usize, 0_usize);
    for (policy, documents) in tests(arguments, "mutants [--policy POLICY] FILE...")? {
        let mutants = Mutants::new(&policy, &documents)?;
        let all = mutants.size_hint().1.unwrap_or_default().min(limit);
        for (done, mutant) in mutants.take(limit).enumerate() {
            output.progress(done, all);
            let Fate::Survived(survivor) = &mutant.fate else {
                if mutant.fate == Fate::Equivalent {
                    equivalent += 1;
                } else {
                    killed += 1;
                }
                continue;
            };
            survivors += 1;
            output.done();
            if arguments.has("--json") {
                println!("{}", serde_json::to_string(&mutant)?);
                continue;
            }
            print!("{}", output.bad(&mutant.to_string()));
            if let Some(step) = &survivor.step {
                println!("  {}", serde_json::to_string(step)?);
            }
        }
    }
    output.done();
    let all = killed + equivalent + survivors;
    let line =
        format!("{all} mutants: {killed} killed, {equivalent} equivalent, {survivors} survived");
    if !arguments.has("--json") {
        println!("{}", if survivors > 0 { output.bad(&line) } else { output.good(&line) });
    }
    Ok(if_found(survivors > 0))
}

pub(crate) fn coverage(arguments: &Arguments, output: &Output) -> Result<Outcome> {
    let mut missed = false;
    for (policy, documents) in tests(arguments, "coverage [--policy POLICY] FILE...")? {
        let coverage = Coverage::new(&policy, &documents);
        let parts = [&coverage.statements, &coverage.scopes, &coverage.remedies];
        missed |= parts.iter().any(|part| !part.missed.is_empty());
        if arguments.has("--json") {
            print_json(&coverage)?;
        } else {
            for line in coverage.to_string().lines() {
                println!(
                    "{}",
                    if line.starts_with(' ') { output.bad(line) } else { line.to_owned() }
                );
            }
        }
    }
    Ok(if_found(missed))
}

pub(crate) fn lint(arguments: &Arguments, output: &Output) -> Result<Outcome> {
    let [file] = arguments.exactly("lint POLICY")?;
    let findings = policy(file)?.lint();
    if arguments.has("--json") {
        print_json(&findings)?;
    } else {
        for finding in &findings {
            println!("{}", output.bad(&finding.to_string()));
        }
    }
    Ok(if_found(!findings.is_empty()))
}

pub(crate) fn can(arguments: &Arguments, output: &Output) -> Result<Outcome> {
    let [file, user, action] = arguments.exactly("can POLICY USER ACTION")?;
    let engine = Engine::new(&policy(file)?);
    let (object, today) = (arguments.object()?, arguments.today()?);
    let user = asker(&engine, user);
    let yes = engine.can(user, engine.permission(action)?, (object.as_ref(), today));
    println!("{}", if yes { output.good("yes") } else { output.bad("no") });
    Ok(if_found(!yes))
}

pub(crate) fn why(arguments: &Arguments, _: &Output) -> Result<Outcome> {
    let [file, user, action] = arguments.exactly("why POLICY USER ACTION")?;
    let engine = Engine::new(&policy(file)?);
    let (object, today) = (arguments.object()?, arguments.today()?);
    let user = asker(&engine, user);
    let (action, on) = (engine.permission(action)?, (object.as_ref(), today));
    let explanation = engine.explain(user, action, on);
    if arguments.has("--json") {
        print_json(&explanation)?;
    } else {
        print!("{explanation}");
        if !explanation.allowed() {
            print!("{}", engine.remedies(user, action, on));
        }
    }
    Ok(if_found(!explanation.allowed()))
}

pub(crate) fn who(arguments: &Arguments) -> Result<Outcome> {
    let [file, action] = arguments.exactly("who POLICY ACTION")?;
    let engine = Engine::new(&policy(file)?);
    let (object, today) = (arguments.object()?, arguments.today()?);
    for user in engine.who_can(engine.permission(action)?, (object.as_ref(), today)) {
        println!("{user}");
    }
    Ok(Outcome::Fine)
}

pub(crate) fn decide(arguments: &Arguments) -> Result<Outcome> {
    let [file, user, action] = arguments.exactly("decide POLICY USER ACTION")?;
    let engine = Engine::new(&policy(file)?);
    let (object, today) = (arguments.object()?, arguments.today()?);
    let user = asker(&engine, user);
    let decision = engine.decide(user, engine.permission(action)?, (object.as_ref(), today));
    print_json(&decision)?;
    Ok(if_found(!decision.allowed))
}

pub(crate) fn review(arguments: &Arguments) -> Result<Outcome> {
    let [file] = arguments.exactly("review POLICY")?;
    let engine = Engine::new(&policy(file)?);
    let review = engine.review(arguments.today()?);
    if arguments.has("--json") {
        print_json(&review)?;
    } else if arguments.has("--csv") {
        print!("{}", review.csv());
    } else {
        print!("{review:#}");
    }
    Ok(Outcome::Fine)
}

pub(crate) fn matrix(arguments: &Arguments) -> Result<Outcome> {
    let (file, sources) =
        arguments.files.split_first().ok_or("usage: grantree matrix POLICY [SOURCE...]")?;
    let policy = policy(file)?;
    let mut wanted = sources.iter().map(|it| source(it)).collect::<Result<Vec<_>>>()?;
    if wanted.is_empty() {
        wanted = policy.sources();
    }
    let matrix = policy.matrix(wanted)?;
    if arguments.has("--json") {
        print_json(&matrix)?;
    } else if arguments.has("--csv") {
        print!("{}", matrix.to_csv());
    } else {
        print!("{matrix}");
    }
    Ok(Outcome::Fine)
}

pub(crate) fn tree(arguments: &Arguments) -> Result<Outcome> {
    let [file, of] = arguments.exactly("tree POLICY SOURCE")?;
    let tree = policy(file)?.tree(source(of)?)?;
    if arguments.has("--json") {
        print_json(&tree)?;
    } else {
        print!("{tree}");
    }
    Ok(Outcome::Fine)
}

pub(crate) fn diff(arguments: &Arguments) -> Result<Outcome> {
    let [before, after] = arguments.exactly("diff BEFORE AFTER")?;
    let diff = Engine::new(&policy(before)?).diff(&Engine::new(&policy(after)?));
    if arguments.has("--json") {
        print_json(&diff)?;
    } else {
        print!("{diff}");
    }
    Ok(if_found(!diff.is_empty()))
}

pub(crate) fn reach(arguments: &Arguments, output: &Output) -> Result<Outcome> {
    if let [file] = &*arguments.files {
        let raises = policy(file)?.raises();
        if arguments.has("--json") {
            print_json(&raises)?;
            return Ok(if_found(!raises.is_empty()));
        }
        for raise in &raises {
            println!("{}", output.bad(&raise.users.join(", ")));
            for way in &raise.ways {
                println!("  gets {}", way.permissions.join(", "));
                way.changes.iter().for_each(|change| println!("    by {change}"));
            }
            if !raise.unknown.is_empty() {
                println!("  not proved out of reach: {}", raise.unknown.join(", "));
            }
        }
        if raises.is_empty() {
            println!("{}", output.good("nobody can raise themselves"));
        }
        return Ok(if_found(!raises.is_empty()));
    }
    let [file, user, action] = arguments.exactly("reach POLICY [USER ACTION --by ACTOR...]")?;
    let actors: Vec<&str> = arguments.all("--by").iter().map(String::as_str).collect();
    let reach = policy(file)?.reach(&actors, user, action)?;
    match &reach {
        _ if arguments.has("--json") => print_json(&reach)?,
        Reach::Never => println!("{}", output.good("never")),
        Reach::So(changes) => {
            println!("{}", output.bad("so"));
            changes.iter().for_each(|change| println!("  {change}"));
        }
        Reach::Unknown { tried } => {
            println!("{}", output.bad(&format!("unknown, after {tried} changes tried")));
        }
    }
    Ok(if_found(reach != Reach::Never))
}

pub(crate) fn roles(arguments: &Arguments, output: &Output) -> Result<Outcome> {
    let [file] = arguments.exactly("roles POLICY [--near N] [--used FILE]")?;
    let policy = policy(file)?;
    let near = arguments.number("--near")?.unwrap_or(0);
    let similar = policy.similar_sources(near);
    let fewer = policy.fewer_roles();
    if arguments.has("--document") {
        let fewer = fewer.ok_or("no smaller set of roles was found")?;
        print_json(&fewer.document)?;
        return Ok(Outcome::Fine);
    }
    let used: Option<Vec<(String, String)>> = arguments.value("--used").map(read).transpose()?;
    let used = used
        .map(|used| policy.unused_grants(used.iter().map(|(user, action)| (&**user, &**action))));
    let found = !similar.is_empty() || fewer.is_some() || used.iter().any(|it| !it.is_empty());
    if arguments.has("--json") {
        let fewer = fewer.map(
            |it| serde_json::json!({"before": it.before, "after": it.after, "roles": it.roles}),
        );
        print_json(&serde_json::json!({"similar": similar, "fewer": fewer, "unused": used}))?;
        return Ok(if_found(found));
    }
    for it in &similar {
        let (one, other) = (&it.one, &it.other);
        let line = match it.similarity {
            Similarity::Same => format!("{one} grants the same as {other}"),
            Similarity::Contained => {
                format!("{one} is contained in {other}, which grants {} more", it.only_other.len())
            }
            Similarity::Near => format!(
                "{one} and {other} differ in {} permissions: {}",
                it.only_one.len() + it.only_other.len(),
                [&*it.only_one, &*it.only_other].concat().join(", "),
            ),
        };
        println!("{}", output.bad(&line));
    }
    if let Some(fewer) = &fewer {
        let line = format!("{} roles could be {}:", fewer.before, fewer.after);
        println!("{}", output.bad(&line));
        for role in &fewer.roles {
            let new = if role.is_new { " (new)" } else { "" };
            println!("  {}{new}: {} users, {}", role.name, role.users, role.permissions.join(", "));
        }
    }
    for it in used.iter().flatten() {
        let all = if it.all { "nothing that it grants" } else { "not all that it grants" };
        println!("{}", output.bad(&format!("of {}, {all} is used", it.source)));
        println!("  unused: {}", it.permissions.join(", "));
    }
    if !found {
        println!("{}", output.good("no roles to spare were found"));
    }
    Ok(if_found(found))
}

pub(crate) fn schema(arguments: &Arguments) -> Result<Outcome> {
    let schema = match arguments.exactly("schema document|change|test")? {
        ["document"] => grantree::schema::DOCUMENT,
        ["change"] => grantree::schema::CHANGE,
        ["test"] => grantree::schema::TEST_DOCUMENT,
        _ => return Err("usage: grantree schema document|change|test".into()),
    };
    print!("{schema}");
    Ok(Outcome::Fine)
}

pub(crate) fn completions(arguments: &Arguments) -> Result<Outcome> {
    let commands = help::COMMANDS.join(" ");
    match arguments.exactly("completions bash|zsh|fish")? {
        ["bash"] => println!(
            "_grantree() {{\n  if [ \"$COMP_CWORD\" = 1 ]; then\n    COMPREPLY=($(compgen -W \"{commands}\" -- \"$2\"))\n  else\n    COMPREPLY=($(compgen -f -- \"$2\"))\n  fi\n}}\ncomplete -o filenames -F _grantree grantree"
        ),
        ["zsh"] => println!(
            "#compdef grantree\nif (( CURRENT == 2 )); then\n  compadd {commands}\nelse\n  _files\nfi"
        ),
        ["fish"] => println!("complete -c grantree -n __fish_use_subcommand -f -a \"{commands}\""),
        _ => return Err("usage: grantree completions bash|zsh|fish".into()),
    }
    Ok(Outcome::Fine)
}

/// The user of a name. Whom the policy does not know may do nothing, and it may be a slip.
fn asker(engine: &Engine, name: &str) -> User {
    engine.user(name).unwrap_or_else(|unknown| {
        eprintln!("{unknown}");
        User::NOBODY
    })
}

fn if_found(found: bool) -> Outcome {
    if found { Outcome::Found } else { Outcome::Fine }
}

fn print_json(value: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}
