//! `secret-in-file`: keys and tokens that stand in the file itself.

use std::ops::Range;

use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::check::secret_text::literals;
use crate::check::setting::Kind;

pub(super) const RULE: Rule = Rule {
    id: "secret-in-file",
    about: "a key or token that stands in the file",
    why: "whoever reads the repository has it, now and in every commit that holds it; and the build puts it into the image.",
    remedy: "revoke it where it was made; keep the new one in a keychain or the CI's secrets, and let valetkey.toml name that place",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new("Dockerfile", "FROM a\nRUN curl «https:§//ci:q8Zk2LmVw93nTbYd0RcX@files.corp»/a.tar.gz\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nCOPY <<EOF /etc/a.conf\nurl = «https:§//ci:q8Zk2LmVw93nTbYd0RcX@files.corp»/a\nEOF\n",
        ),
        Example::new(
            "compose.yaml",
            "services:\n  a:\n    image: a\n    environment:\n      FEED: «https:§//ci:q8Zk2LmVw93nTbYd0RcX@files.corp»/a\n",
        ),
        Example::new(
            "docker-bake.hcl",
            "variable \"FEED\" {\n  default = \"«https:§//ci:q8Zk2LmVw93nTbYd0RcX@files.corp»/a\"\n}\n",
        ),
        Example::new(".github/workflows/a.yml", "env:\n  FEED: «https:§//ci:q8Zk2LmVw93nTbYd0RcX@files.corp»/a\n"),
        Example::new(".gitlab-ci.yml", "a:\n  script:\n    - curl «https:§//ci:q8Zk2LmVw93nTbYd0RcX@files.corp»/a\n"),
        Example::new(
            "Dockerfile",
            "FROM a\nRUN curl https:§//user:password@files.corp/ https://ci:$TOKEN@files.corp/\nRUN echo ghp_your_token_here\n",
        ),
        Example::new(
            "Dockerfile",
            "FROM a@sha256:5d2f9c8a1b7e4f3d6c0b9a8e7f6d5c4b3a291807f6e5d4c3b2a1908f7e6d5c4b\nARG A=https:§//ci:q8Zk2LmVw93nTbYd0RcX@files.corp/a\n",
        ),
    ],
};

/// Findings of one file: more help nobody.
const MAX_FOUND: usize = 1_000;

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    // Those that are given to a build are said by rules that know what becomes of them.
    let of_builds = file.settings.iter().filter(|setting| setting.kind != Kind::Variable);
    let mut of_builds: Vec<&Range<usize>> = of_builds.map(|setting| &setting.span).collect();
    of_builds.sort_by_key(|span| span.start);
    let is_of_builds = |span: &Range<usize>| {
        let before = of_builds.partition_point(|of| of.start <= span.start);
        before.checked_sub(1).and_then(|last| of_builds.get(last)).is_some_and(|of| span.end <= of.end)
    };
    let mut seen: Vec<Range<usize>> = Vec::new();
    let mut add = |span: Range<usize>, kind: &str| {
        let is_new = !seen.iter().any(|known| known.start < span.end && span.start < known.end);
        if seen.len() >= MAX_FOUND {
            file.cut();
        } else if is_new && !is_of_builds(&span) {
            seen.push(span.clone());
            found.push(Found::new(span, format!("{kind} stands in the file")));
        }
    };
    for literal in literals(file.text) {
        add(literal.at..literal.at + literal.length.max(1), &literal.message);
    }
    // What is continued on the next line is whole only where the lines are joined.
    for (_, instruction) in file.dockerfile.instructions() {
        if file.text.get(instruction.span.clone()).is_some_and(|text| !text.contains(&b'\n')) {
            continue;
        }
        for literal in literals(&instruction.rest.text) {
            let length = literal.length.max(1);
            add(instruction.rest.span(literal.at..literal.at + length), &literal.message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::secrets::made;
    use crate::check::around::{Around, Given};
    use crate::check::file::kind_of_name;
    use crate::hosts::pins::Hosts;

    /// What is found in the text, `@` put in the place of the secret.
    fn found(name: &str, text: &str, secret: &str) -> Vec<String> {
        let (files, hosts) = (Given::default(), Hosts::builtin());
        let around = Around { files: &files, hosts: &hosts };
        let text = text.replace('@', secret);
        let file = File::read(name, text.as_bytes(), kind_of_name(name).unwrap(), &around).unwrap();
        let mut found = Vec::new();
        check(&file, &mut found);
        assert!(found.iter().all(|found| !found.message.contains(&secret[6..20])), "{found:?}");
        found.into_iter().map(|found| text[found.at].to_owned()).collect()
    }

    #[test]
    fn a_token_is_found_wherever_it_stands_and_never_shown() {
        let token = made::checked("ghp_", 7);
        for (name, text) in [
            ("Dockerfile", "FROM a\nRUN echo @ | docker login\n"),
            ("Dockerfile", "FROM a\n# @\nRUN x\n"),
            ("Dockerfile", "FROM a\nRUN cat <<EOF > x\n@\nEOF\n"),
            ("compose.yaml", "services: {a: {environment: {T: \"@\"}}}\n"),
            (".github/workflows/a.yml", "jobs: {a: {steps: [{with: {token: @}}]}}\n"),
            (".gitlab-ci.yml", "variables:\n  T: @\n"),
        ] {
            assert_eq!(found(name, text, &token), [token.as_str()], "{text}");
        }
        let (one, two) = token.split_at(20);
        assert_eq!(found("Dockerfile", "FROM a\nRUN echo @ x\n", &format!("{one}\\\n{two}")).len(), 1);
    }

    #[test]
    fn a_private_key_is_found_in_a_heredoc_a_block_of_yaml_and_an_escaped_text() {
        let key = ssh_key::PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&[7; 32]));
        let pem = key.to_openssh(ssh_key::LineEnding::LF).unwrap().to_string();
        let pem = pem.trim_end();
        for (name, text) in [
            ("Dockerfile", "FROM a\nCOPY <<EOF /root/.ssh/id_ed25519\n@\nEOF\n".to_owned()),
            ("Dockerfile", format!("FROM a\nRUN printf '{}' > k\n", pem.replace('\n', "\\n"))),
            (".gitlab-ci.yml", format!("variables:\n  K: |\n    {}\n", pem.replace('\n', "\n    "))),
        ] {
            assert_eq!(found(name, &text, pem).len(), 1, "{text}");
        }
    }

    #[test]
    fn secrets_are_named_to_the_limit_and_no_further() {
        let token = made::checked("ghp_", 7);
        let count = |lines: usize| found("Dockerfile", &"# @\n".repeat(lines), &token).len();
        assert_eq!((count(MAX_FOUND), count(MAX_FOUND + 1)), (MAX_FOUND, MAX_FOUND));
    }
}
