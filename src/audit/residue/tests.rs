//! What each recipe leaves, and what a stock image has that looks alike.

use super::*;
use crate::image::stream::Kind as EntryKind;

fn ids(found: &[Found]) -> Vec<&str> {
    found.iter().map(|found| found.rule).collect()
}

fn of_field(path: &str, value: &str) -> Vec<Found> {
    let mut found = Vec::new();
    field(path, value, &mut found);
    found
}

fn of_entry(path: &str, kind: EntryKind, length: u64) -> Vec<Found> {
    let mut found = Vec::new();
    entry(path.as_bytes(), &Entry { name: path.as_bytes(), length, kind, link: b"" }, &mut found);
    found
}

fn of_file(path: &str, text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let name = base(path.as_bytes());
    if Residue.names(path.as_bytes()) {
        Residue.at_file(&Text { bytes: text.as_bytes(), name, depth: 0 }, &mut found);
    }
    found
}

#[test]
fn what_recipes_write_into_instructions_is_noted() {
    let by = "history[3].created_by";
    for (path, value, rules) in [
        (by, "RUN |1 SSH_PRIVATE_KEY=hunter2hunter2 /bin/sh -c true # buildkit", &["secret-in-variable"][..]),
        (by, "ENV NPM_TOKEN=hunter2hunter2", &["secret-in-variable"]),
        (by, "/bin/sh -c #(nop)  ENV DB_PASSWORD=hunter2", &["secret-in-variable"]),
        (by, "RUN /bin/sh -c npm config set //npm.corp/:_authToken=hunter2", &["secret-in-variable"]),
        (by, "RUN /bin/sh -c docker login --password hunter2 r.corp", &["secret-in-variable"]),
        (by, "RUN export GITHUB_TOKEN='hunter2 x' && make", &["secret-in-variable"]),
        (by, "ARG SSH_PRIVATE_KEY", &["secret-build-argument"]),
        (by, "/bin/sh -c #(nop)  ARG NPM_TOKEN", &["secret-build-argument"]),
        (by, "RUN /bin/sh -c ssh-keyscan -H forge.corp >> /root/.ssh/known_hosts", &["ssh-keyscan"]),
        (by, "COPY id_rsa /root/.ssh/id_rsa # buildkit", &["key-file-named"]),
        (by, "RUN echo \"$SSH_PRIVATE_KEY\" > /root/.ssh/id_ed25519", &["key-file-named"]),
        (
            by,
            "RUN git clone -c core.sshCommand='ssh -o StrictHostKeyChecking=no' git@forge.corp:a",
            &["host-keys-not-checked"],
        ),
        (by, "RUN ssh -oStrictHostKeyChecking=accept-new git@forge.corp", &["host-keys-on-first-use"]),
        (by, "RUN echo 'StrictHostKeyChecking no\\n' >> /etc/ssh/ssh_config", &["host-keys-not-checked"]),
        (by, "RUN ssh -o UserKnownHostsFile=/dev/null git@forge.corp", &["host-keys-not-checked"]),
        (
            by,
            "RUN git config --global url.\"https://${TOKEN}@forge.corp/\".insteadOf git@forge.corp:",
            &["git-url-rewrite"],
        ),
        (by, "RUN SSH_AUTH_SOCK=/tmp/ssh-abcdefghij/agent.12 git fetch", &["agent-socket"]),
        ("config.Env.SSH_AUTH_SOCK", "/tmp/ssh-abcdefghij/agent.12", &["agent-socket"]),
        ("config.Env.GITHUB_TOKEN", "hunter2hunter2", &["secret-in-variable"]),
        ("config.Labels.deploy_token", "hunter2hunter2", &["secret-in-variable"]),
        ("predicate.invocation.parameters.args.build-arg:SSH_PRIVATE_KEY", "hunter2", &["secret-in-variable"]),
        ("config.Cmd[2]", "ssh -o StrictHostKeyChecking=no a.corp", &["host-keys-not-checked"]),
        ("dockerfile", "FROM a\n# ARG OLD_TOKEN\nARG MY_TOKEN\nRUN true\n", &["secret-build-argument"]),
    ] {
        let found = of_field(path, value);
        assert_eq!(ids(&found), rules, "{path} {value}");
        assert!(found.iter().all(|found| !found.message.contains("hunter2")), "{found:?}");
    }
}

#[test]
fn what_stock_images_and_right_recipes_have_is_not_noted() {
    let by = "history[3].created_by";
    for (path, value) in [
        ("config.Env.PATH", "/usr/local/sbin:/usr/local/bin"),
        ("config.Env.GPG_KEY", "E3FF2839C048B25C084DEBE9B26995E310250568"),
        ("config.Env.MYSQL_RANDOM_ROOT_PASSWORD", "yes"),
        ("config.Env.DB_PASSWORD", ""),
        ("config.Env.DB_PASSWORD_FILE", "/run/secrets/db"),
        ("config.Env.NPM_TOKEN", "/run/secrets/npm"),
        ("config.Env.NPM_TOKEN", "${NPM_TOKEN}"),
        ("config.Env.NPM_TOKEN", "changeme"),
        ("config.Env.AUTH_TOKEN", "https://auth.corp/token"),
        ("config.Labels.org.opencontainers.image.description", "ARG TOKEN=hunter2 and ssh-keyscan a, COPY id_rsa"),
        ("config.Cmd[0]", "bash"),
        (by, "CMD [\"python3\"]"),
        (by, "/bin/sh -c #(nop) ADD file:1fb3d7a8a2ee in / "),
        (by, "RUN /bin/sh -c apt-get install -y git openssh-client # buildkit"),
        (by, "ENV PYTHON_GET_PIP_SHA256=dfe9fd5c28dc98b5ac17979a953ea550cec37ae1b47a5116007395bfacff2ab9"),
        (by, "RUN --mount=type=secret,id=npm NPM_TOKEN=$(cat /run/secrets/npm) npm ci"),
        (by, "RUN --mount=type=secret,id=id_rsa,target=/root/.ssh/id_rsa git clone git@forge.corp:a"),
        (by, "RUN NPM_TOKEN=\"$NPM_TOKEN\" npm ci"),
        (by, "ARG VERSION=1.2.3"),
        (by, "COPY id_rsa.pub /srv/id_rsa.pub"),
        (by, "RUN ssh -o StrictHostKeyChecking=yes a.corp"),
        (by, "RUN rm -f /usr/bin/ssh-keyscan"),
        (by, "RUN git config --global url.https://forge.corp/.insteadOf git@forge.corp:"),
        ("sbom.files[3].fileName", "/usr/bin/ssh-keyscan"),
        ("sbom.files[4].fileName", "usr/lib/python3/secrets.py"),
    ] {
        assert_eq!(ids(&of_field(path, value)), [""; 0], "{path} {value}");
    }
}

#[test]
fn a_token_that_has_its_own_rule_is_not_said_again_for_its_variable() {
    let token = crate::audit::secrets::made::checked("ghp_", 1);
    assert_eq!(ids(&of_field("config.Env.GITHUB_TOKEN", &token)), [""; 0]);
}

#[test]
fn names_that_recipes_leave_behind_are_noted() {
    use EntryKind::{File, Folder, Special};
    for (path, kind, length, rule) in [
        ("root/.ssh", Folder, 0, "ssh-folder"),
        ("home/a/.ssh/", Folder, 0, "ssh-folder"),
        ("root/.ssh/known_hosts", File, 100, "known-hosts"),
        ("root/.ssh/known_hosts.old", File, 100, "known-hosts"),
        ("etc/ssh/ssh_known_hosts", File, 100, "known-hosts"),
        ("root/.ssh/.wh.id_rsa", File, 0, "key-file-removed"),
        ("app/.wh.deploy_key", File, 0, "key-file-removed"),
        ("app/.wh.ci-deploy-key.pem", File, 0, "key-file-removed"),
        ("root/.wh..ssh", File, 0, "key-file-removed"),
        ("root/.ssh/.wh..wh..opq", File, 0, "key-file-removed"),
        ("root/.ssh/id_ed25519", File, 0, "key-file-removed"),
        ("tmp/ssh-abcdefghij/agent.12", Special, 0, "agent-socket"),
        ("tmp/ssh-Q7mKw2abcdef", Folder, 0, "agent-socket"),
        ("run/buildkit/ssh_agent.0", File, 0, "agent-socket"),
    ] {
        assert_eq!(ids(&of_entry(path, kind, length)), [rule], "{path}");
    }
}

#[test]
fn names_that_any_image_has_are_not_noted() {
    use EntryKind::{File, Folder, Link};
    for (path, kind, length) in [
        ("etc/ssh", Folder, 0),
        ("etc/ssh/ssh_config", File, 1650),
        ("etc/ssl/certs/.wh.Old_CA.pem", File, 0),
        ("etc/ssl/certs/a.pem", Link, 0),
        ("usr/share/doc/openssh-client/known_hosts", File, 10),
        ("root/.ssh/id_rsa.pub", File, 0),
        ("root/.ssh/id_rsa", File, 1800),
        ("root/.ssh/known_hosts", File, 0),
        ("usr/lib/python3/ssh_agent.py", File, 10),
        ("tmp/ssh-build", Folder, 0),
        ("usr/.wh..wh..opq", File, 0),
    ] {
        assert_eq!(ids(&of_entry(path, kind, length)), [""; 0], "{path}");
    }
}

#[test]
fn files_of_a_known_form_are_read_without_their_comments() {
    for (path, text, rules) in [
        ("root/.ssh/config", "Host *\n  StrictHostKeyChecking no\n", &["host-keys-not-checked"][..]),
        ("root/.ssh/config", "Host a\n  IdentityFile ~/.ssh/id_rsa\n", &["ssh-identity-file"]),
        ("etc/ssh/ssh_config", "stricthostkeychecking=\"accept-new\"\n", &["host-keys-on-first-use"]),
        ("etc/ssh/ssh_config.d/a.conf", "UserKnownHostsFile /dev/null\r\n", &["host-keys-not-checked"]),
        ("app/run.sh", "#!/bin/sh\nssh -o StrictHostKeyChecking=no a.corp\n", &["host-keys-not-checked"]),
        ("root/.gitconfig", "[core]\n\tsshCommand = ssh -o StrictHostKeyChecking=no\n", &["host-keys-not-checked"]),
        (
            "root/.bash_history",
            "export NPM_TOKEN=hunter2hunter2\nssh-keyscan a.corp\n",
            &["secret-in-variable", "ssh-keyscan"],
        ),
        (
            "etc/ssh/ssh_config",
            "Host *\n#   StrictHostKeyChecking ask\n#  IdentityFile ~/.ssh/id_rsa\n    SendEnv LANG\n",
            &[],
        ),
        ("etc/ssh/ssh_config", "# StrictHostKeyChecking no\n  #UserKnownHostsFile /dev/null\n", &[]),
        (
            "app/run.sh",
            "# ssh -o StrictHostKeyChecking=no\nTOKEN=hunter2hunter2\ntrue # StrictHostKeyChecking=no\n",
            &[],
        ),
        ("usr/share/doc/a/README", "StrictHostKeyChecking no\n", &[]),
        ("etc/foo.conf", "StrictHostKeyChecking no\n", &[]),
        ("app/config", "StrictHostKeyChecking no\n", &[]),
    ] {
        assert_eq!(ids(&of_file(path, text)), rules, "{path} {text}");
    }
}

#[test]
fn a_field_of_nothing_but_secrets_has_as_many_findings_as_the_limit_and_no_more() {
    let text = |count: usize| (0..count).map(|n| format!("A{n}_TOKEN=hunter2 ")).collect::<String>();
    assert_eq!(of_field("history[0].created_by", &text(MOST)).len(), MOST);
    assert_eq!(of_field("history[0].created_by", &text(MOST + 1)).len(), MOST);
}

#[test]
fn a_field_that_is_cut_anywhere_or_is_noise_breaks_no_rule() {
    let text = "RUN --token=\"a url.\"https://a:$b@c.d/\".insteadOf StrictHostKeyChecking=\" /tmp/ssh-abcdefghij/agent.1 --password ";
    for cut in 0..=text.len() {
        of_field("history[0].created_by", &text[..cut]);
    }
    for seed in 0..200 {
        let noise = crate::audit::secrets::made::body(300, seed, b"ab=\"'- $:/@.\n#tokenTOKENARG");
        of_field("config.Env.A_TOKEN", &noise);
    }
}

#[test]
fn a_long_field_takes_no_more_time_than_its_length_says() {
    // What would be quadratic would take minutes.
    for part in [
        "TOKEN=",
        "A_TOKEN=\"",
        "StrictHostKeyChecking ",
        "StrictHostKeyChecking # ",
        "insteadOf://a:b@",
        "ARG ",
        " ",
        "/tmp/ssh-",
        "--password ",
        "-",
        "id_rsa=",
    ] {
        let value = part.repeat((1 << 17) / part.len());
        of_field("history[0].created_by", &value);
    }
}
