//! `vault:` against a real server (OpenBao): every way to log in, every reason not to get a key,
//! and TLS.

use valetkey_integration::{Finished, Key, Run, Vault, valetkey};

const SOURCE: &str = "vault:secret/ci/deploy#key";

/// A server with a key at `secret/ci/deploy`.
fn with_key(vault: Vault) -> (Vault, Key) {
    let key = Key::ed25519("from the vault");
    vault.put("ci/deploy", &key.path());
    (vault, key)
}

/// Lends what a source names, with these variables.
fn lend(vault: &Vault, source: &str, variables: &[(&str, &str)]) -> Finished {
    let home = tempfile::tempdir().expect("a home");
    let script = "env; ssh-add -l";
    let run = Run::new(valetkey()).args(["run", "--no-config", "--key", source, "--", "sh", "-c", script]);
    let run = run.env("VAULT_ADDR", vault.address()).env("HOME", home.path()).within(home.path());
    variables.iter().fold(run, |run, (name, value)| run.env(name, value)).finish()
}

/// The key came, and nothing that opens the server reached the command.
#[track_caller]
fn lent(finished: Finished, key: &Key, secrets: &[&str]) {
    let finished = finished.expect_code(0).expect(&key.fingerprint());
    secrets.iter().fold(finished, |finished, secret| finished.expect_not(secret));
}

#[track_caller]
fn refused(finished: Finished, words: &str, secrets: &[&str]) {
    let finished = finished.expect_code(111).expect(words);
    secrets.iter().fold(finished, |finished, secret| finished.expect_not(secret));
}

/// A token with a policy that reads this path.
fn token(vault: &Vault, path: &str) -> String {
    let policy = vault.file("policy.hcl", &format!("path \"{path}\" {{ capabilities = [\"read\"] }}"));
    vault.bao(["policy", "write", "reader", policy.to_str().expect("a path")]);
    let token = vault.bao(["token", "create", "-field=token", "-policy=reader", "-ttl=10m"]).stdout;
    token.trim().to_owned()
}

#[test]
fn a_token_reads_what_its_policy_allows_and_each_reason_has_its_own_words() {
    let (vault, key) = with_key(Vault::up());
    let token = token(&vault, "secret/data/ci/*");
    let secrets = [token.as_str()];
    let with = |source: &str, token: &str| lend(&vault, source, &[("VAULT_TOKEN", token)]);
    lent(with(SOURCE, &token), &key, &secrets);
    vault.put("other", &key.path());
    refused(with("vault:secret/other#key", &token), "the server denies it (403)", &secrets);
    refused(with(SOURCE, "s.not-a-token"), "the server denies it (403)", &["s.not-a-token"]);
    refused(with("vault:secret/ci/none#key", &token), "the server has no secret at this path", &secrets);
    refused(with("vault:secret/ci/deploy#none", &token), "the secret has no such field", &secrets);
    let number = vault.file("number.json", "{\"key\": 5}");
    vault.bao(["kv", "put", "-mount=secret", "ci/number", &format!("@{}", number.display())]);
    refused(with("vault:secret/ci/number#key", &token), "the field is no text", &secrets);
    vault.put("ci/gone", &key.path());
    vault.bao(["kv", "delete", "-mount=secret", "ci/gone"]);
    refused(with("vault:secret/ci/gone#key", &token), "the newest version of this secret is deleted", &secrets);
    vault.bao(["kv", "undelete", "-mount=secret", "-versions=1", "ci/gone"]);
    lent(with("vault:secret/ci/gone#key", &token), &key, &secrets);
    vault.bao(["kv", "destroy", "-mount=secret", "-versions=1", "ci/gone"]);
    refused(with("vault:secret/ci/gone#key", &token), "the newest version of this secret is deleted", &secrets);
    vault.bao(["secrets", "enable", "-version=1", "-path=old", "kv"]);
    vault.bao(["kv", "put", "-mount=old", "ci", &format!("key=@{}", key.path().display())]);
    refused(with("vault:old/ci#key", vault.root()), "the server has no secret at this path", &[vault.root()]);
    vault.bao(["secrets", "enable", "-version=2", "-path=team/kv", "kv"]);
    vault.bao(["kv", "put", "-mount=team/kv", "a b/c", &format!("key=@{}", key.path().display())]);
    lent(with("vault:team/kv//a b/c#key", vault.root()), &key, &[vault.root()]);
    vault.bao(["operator", "seal"]);
    refused(with(SOURCE, &token), "the server is sealed", &secrets);
}

#[test]
fn an_approle_logs_in_and_a_wrong_secret_does_not() {
    let (vault, key) = with_key(Vault::up());
    let _ = token(&vault, "secret/data/ci/*");
    for place in ["approle", "machines"] {
        vault.bao(["auth", "enable", &format!("-path={place}"), "approle"]);
        vault.bao(["write", &format!("auth/{place}/role/ci"), "token_policies=reader", "token_ttl=1m"]);
        let field = |args: &[&str]| vault.bao(args).stdout.trim().to_owned();
        let role = field(&["read", "-field=role_id", &format!("auth/{place}/role/ci/role-id")]);
        let secret = field(&["write", "-f", "-field=secret_id", &format!("auth/{place}/role/ci/secret-id")]);
        let with = |secret: &str| {
            let place = format!("auth/{place}");
            let variables =
                [("VAULT_ROLE_ID", role.as_str()), ("VAULT_SECRET_ID", secret), ("VAULT_AUTH_PATH", &place)];
            lend(&vault, SOURCE, &variables)
        };
        lent(with(&secret), &key, &[&secret]);
        refused(with("hunter2"), "the server refuses the login", &["hunter2"]);
    }
}

#[test]
fn a_jwt_of_a_ci_system_logs_in_and_one_of_another_signer_does_not() {
    let (vault, key) = with_key(Vault::up());
    let _ = token(&vault, "secret/data/ci/*");
    // What a CI system does: RS256 over base64url of header and claims.
    let sign = |name: &str| {
        let script = "set -e; openssl genrsa -out \"$1.pem\" 2048 2>&1; openssl rsa -in \"$1.pem\" -pubout -out \"$1.pub\" 2>&1
            url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
            now=$(date +%s)
            text=$(printf '{\"alg\":\"RS256\",\"typ\":\"JWT\"}' | url).$(printf '{\"sub\":\"job\",\"aud\":\"valetkey\",\"iat\":%s,\"exp\":%s}' $now $((now + 600)) | url)
            printf %s.%s \"$text\" \"$(printf %s \"$text\" | openssl dgst -sha256 -sign \"$1.pem\" -binary | url)\" >\"$1.jwt\"";
        let file = vault.file(name, "");
        Run::new("sh").args(["-c", script, "sh"]).arg(&file).succeed();
        let read = |kind: &str| std::fs::read_to_string(file.with_extension(kind)).expect("a file");
        (file.with_extension("pub"), read("jwt"))
    };
    let (public, jwt) = sign("ci");
    let (_, forged) = sign("other");
    vault.bao(["auth", "enable", "jwt"]);
    vault.bao(["write", "auth/jwt/config", &format!("jwt_validation_pubkeys=@{}", public.display())]);
    let role =
        ["role_type=jwt", "bound_audiences=valetkey", "user_claim=sub", "bound_subject=job", "token_policies=reader"];
    vault.bao([&["write", "auth/jwt/role/ci"], &role[..]].concat());
    let with = |jwt: &str| lend(&vault, SOURCE, &[("VAULT_JWT_ROLE", "ci"), ("VAULT_JWT", jwt)]);
    lent(with(&jwt), &key, &[&jwt]);
    refused(with(&forged), "the server refuses the login", &[&forged]);
}

#[test]
fn a_namespace_is_asked_where_one_is_named() {
    let vault = Vault::up();
    let key = Key::ed25519("of a namespace");
    vault.bao(["namespace", "create", "team"]);
    vault.bao(["secrets", "enable", "-namespace=team", "-version=2", "-path=secret", "kv"]);
    let text = format!("key=@{}", key.path().display());
    vault.bao(["kv", "put", "-namespace=team", "-mount=secret", "ci/deploy", &text]);
    let with = |more: &[(&str, &str)]| lend(&vault, SOURCE, &[&[("VAULT_TOKEN", vault.root())], more].concat());
    lent(with(&[("VAULT_NAMESPACE", "team")]), &key, &[vault.root()]);
    refused(with(&[]), "the server has no secret at this path", &[vault.root()]);
}

#[test]
fn a_server_with_an_authority_of_its_own_is_trusted_by_that_alone() {
    let (vault, key) = with_key(Vault::with_tls());
    let authority = vault.authority();
    let authority = authority.to_str().expect("a path");
    let with = |more: &[(&str, &str)]| lend(&vault, SOURCE, &[&[("VAULT_TOKEN", vault.root())], more].concat());
    lent(with(&[("VAULT_CACERT", authority)]), &key, &[vault.root()]);
    refused(with(&[]), "the server cannot be reached", &[vault.root()]);
    let other = Vault::with_tls();
    let other = other.authority();
    refused(
        with(&[("VAULT_CACERT", other.to_str().expect("a path"))]),
        "the server cannot be reached",
        &[vault.root()],
    );
}
