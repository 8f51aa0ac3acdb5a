//! The order of decisions on one sign request, in one place.

use crate::hosts::{Fingerprint, HostScope, Hosts, KeyOwner};
use crate::policy::{Grant, Reason, Standing};
use crate::signer::{RSA_SHA2_256, RSA_SHA2_512};
use crate::wire::agent::SignRequest;
use crate::wire::certificate::certifies;
use crate::wire::key_type;
use crate::wire::text::shown;
use crate::wire::userauth::Login;

/// The only service that an SSH login is for (RFC 4254 section 1).
const SERVICE: &[u8] = b"ssh-connection";

/// What is known of host keys. Pure: a table that was loaded before.
pub trait HostKeys {
    /// Whose key this is, seen from `scope`, at `now` (seconds since 1970).
    fn owner(&self, scope: &HostScope, key: &[u8], now: u64) -> KeyOwner;
    /// How a person knows this host key (`SHA256:…`).
    fn fingerprint(&self, key: &[u8]) -> String;
}

impl HostKeys for Hosts {
    fn owner(&self, scope: &HostScope, key: &[u8], now: u64) -> KeyOwner {
        Self::owner(self, scope, key, now)
    }

    fn fingerprint(&self, key: &[u8]) -> String {
        Fingerprint::of(key).to_string()
    }
}

/// What the host of an allowed login is known to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostSeen {
    /// The login is bound to a pinned key of this host.
    Bound(String),
    /// The login is unbound: nobody can see which host it is for.
    NotVisible,
}

/// A login that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Index of the grant that allows it, and whose budget it takes from.
    pub grant: usize,
    /// Where it goes.
    pub host: HostSeen,
}

/// What is to happen with a sign request.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Sign it.
    Allow(Allowed),
    /// Refuse it, and say why.
    Refuse(Reason),
}

/// Judges one sign request against the grants of a socket. `grants` are pairs of the index
/// in the lease and the grant; `now` is seconds since 1970, for host certificates.
pub fn judge<'g>(
    grants: impl Iterator<Item = (usize, &'g Grant)>,
    hosts: &dyn HostKeys,
    standing: &Standing,
    now: u64,
    request: &SignRequest<'_>,
) -> Verdict {
    let mut grants = grants.filter(|(_, grant)| grant.covers(request.key)).peekable();
    if grants.peek().is_none() {
        return Verdict::Refuse(Reason::KeyNotLent);
    }
    let login = match login(request) {
        Ok(login) => login,
        Err(reason) => return Verdict::Refuse(reason),
    };
    let mut refusal = Reason::KeyNotLent;
    for (index, grant) in grants {
        match judge_grant(index, grant, hosts, standing, now, &login) {
            Ok(host) => return Verdict::Allow(Allowed { grant: index, host }),
            Err(reason) if reason.depth() >= refusal.depth() => refusal = reason,
            Err(_) => {}
        }
    }
    Verdict::Refuse(refusal)
}

/// What holds for every grant: the signed data is a login with the very key that was asked
/// for or a certificate of it, to the one service, by an algorithm that fits key and flags.
///
/// ssh logs in with a certificate by asking for a signature of its plain key, where the agent
/// lists that too.
fn login<'a>(request: &SignRequest<'a>) -> Result<Login<'a>, Reason> {
    let login = Login::parse(request.data)?;
    if login.key != request.key && !certifies(login.key, request.key) {
        return Err(Reason::KeyMismatch);
    }
    if login.service != SERVICE {
        return Err(Reason::Service(shown(login.service)));
    }
    if !algorithm_fits(login.algorithm, login.key, request.flags) {
        return Err(Reason::Algorithm(shown(login.algorithm)));
    }
    Ok(login)
}

fn judge_grant(
    index: usize,
    grant: &Grant,
    hosts: &dyn HostKeys,
    standing: &Standing,
    now: u64,
    login: &Login<'_>,
) -> Result<HostSeen, Reason> {
    // A certificate that was not lent could come from any authority, the attacker's included.
    if !grant.covers(login.key) {
        return Err(Reason::KeyMismatch);
    }
    if login.user != grant.user.as_bytes() {
        return Err(Reason::User { user: shown(login.user), granted: grant.user.clone() });
    }
    let host = match login.host_key {
        Some(key) => match hosts.owner(&grant.scope, key, now) {
            KeyOwner::Granted(name) => HostSeen::Bound(name),
            KeyOwner::OtherHost(name) => return Err(Reason::OtherHost(name)),
            KeyOwner::Revoked(name) => return Err(Reason::RevokedHostKey(name)),
            KeyOwner::Unknown => return Err(Reason::UnknownHost(hosts.fingerprint(key))),
        },
        None if grant.unbound.is_empty() => return Err(Reason::Unbound),
        None => HostSeen::NotVisible,
    };
    if standing.elapsed >= grant.limits.time_limit {
        return Err(Reason::Expired(grant.limits.time_limit.as_secs()));
    }
    if standing.signatures(index) >= grant.limits.max_signatures {
        return Err(Reason::Budget(grant.limits.max_signatures));
    }
    Ok(host)
}

/// Whether the signature algorithm belongs to the key's type and the request's flags: for
/// RSA one of the two of RFC 8332 with its own flag, for all others the key type itself.
fn algorithm_fits(algorithm: &[u8], key: &[u8], flags: u32) -> bool {
    let Some(key_type) = key_type(key) else { return false };
    match key_type {
        "ssh-rsa" => match algorithm {
            b"rsa-sha2-256" => flags == RSA_SHA2_256,
            b"rsa-sha2-512" => flags == RSA_SHA2_512,
            _ => false,
        },
        "ssh-rsa-cert-v01@openssh.com" => match algorithm {
            b"rsa-sha2-256-cert-v01@openssh.com" => flags == RSA_SHA2_256,
            b"rsa-sha2-512-cert-v01@openssh.com" => flags == RSA_SHA2_512,
            _ => false,
        },
        "ssh-dss" | "ssh-dss-cert-v01@openssh.com" => false,
        other => algorithm == other.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::Limits;
    use crate::policy::reason::NotALoginText;
    use crate::wire::certificate::tests::certificate;
    use crate::wire::put_string;
    use crate::wire::userauth::tests::signed_data;

    /// Host keys by name: `host:NAME`, `revoked:NAME`.
    struct Named(&'static [&'static str]);

    impl HostKeys for Named {
        fn owner(&self, _: &HostScope, key: &[u8], _: u64) -> KeyOwner {
            let text = std::str::from_utf8(key).unwrap();
            match text.split_once(':') {
                Some(("host", name)) if self.0.contains(&name) => KeyOwner::Granted(name.into()),
                Some(("host", name)) => KeyOwner::OtherHost(name.into()),
                Some(("revoked", name)) => KeyOwner::Revoked(name.into()),
                _ => KeyOwner::Unknown,
            }
        }

        fn fingerprint(&self, _: &[u8]) -> String {
            "SHA256:x".into()
        }
    }

    fn key(kind: &str) -> Vec<u8> {
        let mut blob = Vec::new();
        put_string(&mut blob, kind.as_bytes());
        put_string(&mut blob, b"public");
        blob
    }

    fn grant() -> Grant {
        Grant {
            keys: vec![key("ssh-ed25519"), key("ssh-rsa")],
            scope: HostScope::AllPinned,
            unbound: vec![crate::hosts::HostName { host: "github.com".into(), port: 22 }],
            user: "git".into(),
            repos: Vec::new(),
            access: crate::policy::Access::Read,
            limits: Limits::default(),
        }
    }

    fn verdict(grant: &Grant, standing: &Standing, key: &[u8], data: &[u8], flags: u32) -> Verdict {
        let grants = [grant];
        judge(grants.into_iter().enumerate(), &Named(&["forge"]), standing, 0, &SignRequest { key, data, flags })
    }

    fn of_login(user: &str, service: &str, host_key: Option<&str>) -> Verdict {
        let key = key("ssh-ed25519");
        let data = signed_data(user.as_bytes(), service.as_bytes(), b"ssh-ed25519", &key, host_key.map(str::as_bytes));
        verdict(&grant(), &Standing::new(1), &key, &data, 0)
    }

    fn refused(reason: Reason) -> Verdict {
        Verdict::Refuse(reason)
    }

    #[test]
    fn a_login_bound_to_a_granted_host_is_allowed() {
        let allowed = Allowed { grant: 0, host: HostSeen::Bound("forge".into()) };
        assert_eq!(of_login("git", "ssh-connection", Some("host:forge")), Verdict::Allow(allowed));
    }

    #[test]
    fn an_unbound_login_is_allowed_only_where_a_host_cannot_bind() {
        let allowed = Allowed { grant: 0, host: HostSeen::NotVisible };
        assert_eq!(of_login("git", "ssh-connection", None), Verdict::Allow(allowed));
        let binding = Grant { unbound: vec![], ..grant() };
        let key = key("ssh-ed25519");
        let data = signed_data(b"git", b"ssh-connection", b"ssh-ed25519", &key, None);
        assert_eq!(verdict(&binding, &Standing::new(1), &key, &data, 0), refused(Reason::Unbound));
    }

    #[test]
    fn another_user_service_or_host_is_refused_with_its_reason() {
        assert_eq!(
            of_login("root", "ssh-connection", None),
            refused(Reason::User { user: "root".into(), granted: "git".into() })
        );
        assert_eq!(of_login("git", "ssh-userauth", None), refused(Reason::Service("ssh-userauth".into())));
        assert_eq!(of_login("git", "ssh-connection", Some("host:other")), refused(Reason::OtherHost("other".into())));
        assert_eq!(
            of_login("git", "ssh-connection", Some("revoked:forge")),
            refused(Reason::RevokedHostKey("forge".into()))
        );
        assert_eq!(of_login("git", "ssh-connection", Some("x")), refused(Reason::UnknownHost("SHA256:x".into())));
    }

    #[test]
    fn a_user_name_that_begins_with_the_granted_one_is_another_user() {
        assert!(matches!(of_login("git\0", "ssh-connection", None), Verdict::Refuse(Reason::User { .. })));
        assert!(matches!(of_login("gi", "ssh-connection", None), Verdict::Refuse(Reason::User { .. })));
    }

    #[test]
    fn the_key_inside_must_be_the_key_asked_for() {
        let asked = key("ssh-ed25519");
        let data = signed_data(b"git", b"ssh-connection", b"ssh-rsa", &key("ssh-rsa"), None);
        assert_eq!(verdict(&grant(), &Standing::new(1), &asked, &data, 0), refused(Reason::KeyMismatch));
    }

    #[test]
    fn a_lent_certificate_of_the_key_asked_for_logs_in_and_any_other_does_not() {
        let asked = key("ssh-ed25519");
        let (lent, planted) = (certificate("ssh-ed25519", b"public"), {
            let mut other = certificate("ssh-ed25519", b"public");
            *other.last_mut().unwrap() = 2;
            other
        });
        let of_another_key = certificate("ssh-ed25519", b"others");
        let keys = vec![asked.clone(), lent.clone(), of_another_key.clone()];
        let grant = Grant { keys, ..grant() };
        let login = |inside: &[u8], algorithm: &[u8], asked: &[u8]| {
            let data = signed_data(b"git", b"ssh-connection", algorithm, inside, None);
            verdict(&grant, &Standing::new(1), asked, &data, 0)
        };
        let algorithm = b"ssh-ed25519-cert-v01@openssh.com";
        assert!(matches!(login(&lent, algorithm, &asked), Verdict::Allow(_)));
        assert!(matches!(login(&lent, algorithm, &lent), Verdict::Allow(_)));
        assert_eq!(login(&planted, algorithm, &asked), refused(Reason::KeyMismatch));
        assert_eq!(login(&of_another_key, algorithm, &asked), refused(Reason::KeyMismatch));
        assert_eq!(login(&asked, b"ssh-ed25519", &lent), refused(Reason::KeyMismatch));
        assert_eq!(login(&lent, b"ssh-ed25519", &asked), refused(Reason::Algorithm("ssh-ed25519".into())));
    }

    #[test]
    fn a_key_of_no_grant_is_refused_before_the_data_is_looked_at() {
        let other = key("ecdsa-sha2-nistp256");
        assert_eq!(verdict(&grant(), &Standing::new(1), &other, b"SSHSIG", 0), refused(Reason::KeyNotLent));
    }

    #[test]
    fn a_file_signature_is_refused() {
        let verdict = verdict(&grant(), &Standing::new(1), &key("ssh-ed25519"), b"SSHSIG\0\0\0\x03git", 0);
        assert_eq!(verdict, refused(Reason::NotALogin(NotALoginText::Sshsig)));
    }

    #[test]
    fn rsa_signs_with_sha2_by_the_flag_that_the_login_names_and_never_with_sha1() {
        let rsa = key("ssh-rsa");
        for (algorithm, flags, allowed) in [
            ("rsa-sha2-256", 2, true),
            ("rsa-sha2-512", 4, true),
            ("rsa-sha2-256", 4, false),
            ("rsa-sha2-512", 2, false),
            ("rsa-sha2-512", 6, false),
            ("rsa-sha2-512", 0, false),
            ("ssh-rsa", 0, false),
            ("ssh-rsa", 2, false),
            ("ssh-ed25519", 2, false),
        ] {
            let data = signed_data(b"git", b"ssh-connection", algorithm.as_bytes(), &rsa, None);
            let verdict = verdict(&grant(), &Standing::new(1), &rsa, &data, flags);
            assert_eq!(matches!(verdict, Verdict::Allow(_)), allowed, "{algorithm} {flags}: {verdict:?}");
        }
    }

    #[test]
    fn the_last_signature_of_the_budget_is_given_and_the_next_is_refused() {
        let key = key("ssh-ed25519");
        let data = signed_data(b"git", b"ssh-connection", b"ssh-ed25519", &key, None);
        let mut standing = Standing::new(1);
        for _ in 0..63 {
            standing.take(0);
        }
        assert!(matches!(verdict(&grant(), &standing, &key, &data, 0), Verdict::Allow(_)));
        standing.take(0);
        assert_eq!(verdict(&grant(), &standing, &key, &data, 0), refused(Reason::Budget(64)));
    }

    #[test]
    fn the_time_limit_ends_a_grant() {
        let key = key("ssh-ed25519");
        let data = signed_data(b"git", b"ssh-connection", b"ssh-ed25519", &key, None);
        let mut standing = Standing::new(1);
        standing.elapsed = Duration::from_secs(3599);
        assert!(matches!(verdict(&grant(), &standing, &key, &data, 0), Verdict::Allow(_)));
        standing.elapsed = Duration::from_secs(3600);
        assert_eq!(verdict(&grant(), &standing, &key, &data, 0), refused(Reason::Expired(3600)));
    }

    #[test]
    fn of_two_grants_for_one_key_the_one_that_fits_allows() {
        let key = key("ssh-ed25519");
        let data = signed_data(b"deploy", b"ssh-connection", b"ssh-ed25519", &key, None);
        let (first, second) = (grant(), Grant { user: "deploy".into(), ..grant() });
        let grants = [&first, &second];
        let verdict = judge(
            grants.into_iter().enumerate(),
            &Named(&[]),
            &Standing::new(2),
            0,
            &SignRequest { key: &key, data: &data, flags: 0 },
        );
        assert_eq!(verdict, Verdict::Allow(Allowed { grant: 1, host: HostSeen::NotVisible }));
    }
}
