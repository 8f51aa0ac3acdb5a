//! `key-copied`: files with keys or credentials, copied by `COPY` and `ADD`.
//!
//! Whole folders of a build's context are `context-with-keys`'s, homes that one stage takes from another
//! are `folder-carried`'s.

use crate::check::dockerfile::{Argument, Dockerfile, Instruction, Stage};
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::key_files::{self, Sort};
use crate::check::rule::{Example, Rule};
use crate::check::scripts::{deletes, layer};
use crate::check::secret_text::{is_secret_name, literals_of_file, variables};
use crate::check::variables::{self, Variables};
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "key-copied",
    about: "a key or a file with credentials, copied into an image",
    why: "the layer of the COPY keeps the file for whoever has the image or its cache, also when a later step deletes it.",
    remedy: "leave it out: lend the key by a grant in valetkey.toml and `--mount=type=ssh,required=true`, and mount other credentials by `--mount=type=secret,id=…,target=…`",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nCOPY «id_rsa» /root/.ssh/id_rsa\nRUN npm ci && rm /root/.ssh/id_rsa\n"),
        Example::new("Dockerfile", "FROM a\nADD «keys/deploy_key» «.npmrc» ./\nCOPY [\"a\", \"b\"]\nCOPY --chown=app «.ssh» /home/app/.ssh\n"),
        Example::new("Dockerfile", "ARG KEY=id_ed25519\nFROM a\nARG KEY\nCOPY «${KEY}» /k\nARG FILE\nCOPY «$FILE» /root/.ssh/id_rsa\n"),
        Example::new("Dockerfile", "FROM a AS b\nRUN x\nFROM c\nCOPY --from=b «/root/.netrc» /root/\n"),
        Example::new("Dockerfile", "FROM a\nARG T_TOKEN\nCOPY «<<EOF» /root/.netrc\nmachine git.example.com login x password $T_TOKEN\nEOF\n"),
        Example::new("Dockerfile", "FROM a\nCOPY «.env» «pip.conf» ./\n")
            .beside(&[(".env", "DEBUG=1\nDB_PASSWORD=hunter2\n"), ("pip.conf", "[global]\nindex-url = https:§//ci:q8Zk2LmVw93nTbYd0RcX@py.corp/simple\n")]),
        Example::new("Dockerfile", "FROM a\nCOPY package.json .npmrc .env ca-bundle.pem ./\nCOPY id_rsa.pub known_hosts .env.example /x/\nCOPY ssh_config /root/.ssh/config\n")
            .beside(&[(".npmrc", "//npm.example.com/:_authToken=${NPM_TOKEN}\n"), (".env", "DEBUG=1\n"), ("ca-bundle.pem", "-----BEGIN CERTIFICATE-----\n")]),
        Example::new("Dockerfile", "FROM a\nCOPY . .\nADD https://repo.example.com/signing.key /etc/apt/keyrings/x.asc\nCOPY <<'EOF' /root/.npmrc\n//npm.example.com/:_authToken=${NPM_TOKEN}\nEOF\nRUN --mount=type=bind,source=.npmrc,target=/root/.npmrc npm ci\n"),
    ],
};

/// Copied keys of one file for which a step that deletes them is looked for.
const MAX_FOLLOWED: usize = 20;

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    let mut followed = 0;
    variables::each(&file.dockerfile, |index, stage, instruction, variables| {
        if !matches!(instruction.keyword.as_str(), "COPY" | "ADD") {
            return;
        }
        let Some((to, sources)) = instruction.words.split_last() else { return };
        let to = variables.expand(&to.text);
        let mut heredocs = instruction.heredocs.iter();
        for source in sources {
            let body = source.text.starts_with(b"<<").then(|| heredocs.next()).flatten();
            let held = match body {
                Some(body) => of_heredoc(source, &body.text, &to),
                None => of_source(source, &to, instruction, variables, file),
            };
            let Some((sort, name)) = held else { continue };
            let mut message = format!("{} holds {sort}, which stays in {}", shown(&name), layer(stage));
            let at = if to.ends_with(b"/") { [&to, file_name(&name)].concat() } else { to.clone() };
            followed += 1;
            if followed <= MAX_FOLLOWED
                && let Some(line) = deleted_later(&file.dockerfile, index, instruction, &at, file.text)
            {
                message = format!("{message}, though line {line} deletes it");
            }
            found.push(Found::new(source.span.clone(), message));
        }
    });
}

/// What a source holds, and what it is called.
fn of_source(
    source: &Argument,
    to: &[u8],
    instruction: &Instruction,
    variables: &Variables<'_>,
    file: &File<'_>,
) -> Option<(&'static str, Vec<u8>)> {
    let name = variables.expand(&source.text);
    if memchr::memmem::find(&name, b"://").is_some() || name.starts_with(b"<<") {
        return None;
    }
    let from = instruction.flag("from");
    if from.is_none() && key_files::is_folder(&name) {
        return Some(("private keys", name));
    }
    let context = |name: &[u8]| std::str::from_utf8(name).ok().map(|path| path.trim_start_matches("./").to_owned());
    let sort = match context(&name).filter(|_| from.is_none()) {
        Some(path) => key_files::of_context(&path, file.around.files),
        None => key_files::by_name(&name),
    };
    // A file with another name, or a variable, that is called as a key where it arrives.
    let is_key_there = key_files::by_name(to) == Some(Sort::Key) && !name.ends_with(b".pub");
    sort.or(is_key_there.then_some(Sort::Key)).map(|sort| (sort.words(), name))
}

/// What a heredoc holds that becomes a file with the name of a key or of credentials.
fn of_heredoc(source: &Argument, body: &[u8], to: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let sort = key_files::by_name(to)?;
    let is_put_in = !source.text.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'\\'));
    let names_secret = is_put_in && variables(body).iter().any(|name| is_secret_name(name));
    let path = String::from_utf8_lossy(to);
    let holds = names_secret || !literals_of_file(path.trim_start_matches('/'), body).is_empty();
    holds.then(|| (sort.words(), to.to_vec()))
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// The line of a step behind the instruction, of its stage or of one built from it, that deletes the file.
fn deleted_later(
    file: &Dockerfile,
    index: usize,
    instruction: &Instruction,
    path: &[u8],
    text: &[u8],
) -> Option<usize> {
    let is_of = |at: usize, stage: &Stage| at == index || stage.parent == Some(index);
    let stages = file.stages.iter().enumerate().filter(|(at, stage)| is_of(*at, stage)).map(|(_, stage)| stage);
    let behind = stages.flat_map(|stage| &stage.instructions).filter(|step| step.span.start > instruction.span.end);
    let command = behind.flat_map(|step| &step.commands).find(|command| deletes(command, path))?;
    Some(text.get(..command.span.start)?.iter().filter(|byte| **byte == b'\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::around::{Around, Given};
    use crate::check::file::Kind;
    use crate::hosts::pins::Hosts;

    fn messages(text: &str) -> Vec<String> {
        let (files, hosts) = (Given::default(), Hosts::builtin());
        let around = Around { files: &files, hosts: &hosts };
        let file = File::read("Dockerfile", text.as_bytes(), Kind::Dockerfile, &around).unwrap();
        let mut found = Vec::new();
        check(&file, &mut found);
        found.into_iter().map(|found| found.message).collect()
    }

    #[test]
    fn a_message_says_where_the_key_stays_and_which_line_deletes_it_in_vain() {
        for (text, said) in [
            ("FROM a\nCOPY id_rsa /k/\n", "id_rsa holds a private key, which stays in a layer of the image"),
            (
                "FROM a\nCOPY id_rsa /k/\nRUN x\nRUN y \\\n && rm -f /k/id_rsa\n",
                "id_rsa holds a private key, which stays in a layer of the image, though line 5 deletes it",
            ),
            (
                "FROM a AS b\nCOPY id_rsa /k/\nFROM c\nRUN rm /k/id_rsa\n",
                "id_rsa holds a private key, which stays in the builder's cache, and in every cache that is exported",
            ),
            (
                "FROM a AS b\nCOPY id_rsa /k/\nFROM b\nRUN rm -r /k\n",
                "id_rsa holds a private key, which stays in a layer of the image, though line 4 deletes it",
            ),
            (
                "FROM a\nRUN rm /k/id_rsa\nCOPY id_rsa /k/\n",
                "id_rsa holds a private key, which stays in a layer of the image",
            ),
        ] {
            assert_eq!(messages(text), [said], "{text}");
        }
    }

    #[test]
    fn what_deletes_a_key_is_looked_for_to_the_limit_and_no_further() {
        let text = format!("FROM a\n{}RUN rm /k\n", "COPY id_rsa /k\n".repeat(MAX_FOLLOWED + 1));
        let said: Vec<bool> = messages(&text).iter().map(|message| message.contains("though line")).collect();
        assert!(said.iter().take(MAX_FOLLOWED).all(|said| *said) && said.last() == Some(&false), "{said:?}");
    }
}
