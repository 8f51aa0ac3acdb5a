//! Requests to a Vault server: where they go, who is trusted, and where they end.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::{HeaderValue, Response, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body};
use zeroize::Zeroizing;

use super::{MAX_ANSWER, VaultError, text};

/// The most bytes of `VAULT_CACERT`.
const MAX_CA_FILE: u64 = 1024 * 1024;

/// Someone who asks one server.
pub(super) struct Client {
    agent: Agent,
    /// `https://HOST[:PORT][/PATH]/v1/`
    base: String,
    namespace: Option<HeaderValue>,
    time: Duration,
    until: Instant,
}

impl Client {
    /// For the server that the environment names. All requests together end with `time`.
    pub(super) fn from_env(variable: &dyn Fn(&str) -> Option<OsString>, time: Duration) -> Result<Self, VaultError> {
        let address = text(variable, "VAULT_ADDR")?.ok_or(VaultError::NotSet)?;
        let (base, is_plain) = base(&address)?;
        let roots = match variable("VAULT_CACERT").filter(|path| !path.is_empty()) {
            Some(path) => RootCerts::Specific(Arc::new(certificates(&path)?)),
            None => RootCerts::PlatformVerifier,
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        let mut config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("valetkey/", env!("CARGO_PKG_VERSION")));
        if is_plain {
            // To this machine: a proxy would be another, and would see the token.
            config = config.proxy(None);
        }
        let namespace = text(variable, "VAULT_NAMESPACE")?;
        let namespace = namespace.map(|name| header(&name, "VAULT_NAMESPACE")).transpose()?;
        let agent = Agent::new_with_config(config.build());
        Ok(Self { agent, base, namespace, time, until: Instant::now() + time })
    }

    /// Reads a path with a token.
    pub(super) fn get(&self, path: &str, token: &str) -> Result<(u16, Zeroizing<Vec<u8>>), VaultError> {
        let token = header(token, "the token")?;
        let mut request = self.agent.get(format!("{}{path}", self.base)).header("x-vault-token", token);
        for (name, value) in self.headers() {
            request = request.header(name, value);
        }
        self.answer(request.config().timeout_global(Some(self.left()?)).build().call())
    }

    /// Sends JSON to a path, without a token.
    pub(super) fn post(&self, path: &str, json: &[u8]) -> Result<(u16, Zeroizing<Vec<u8>>), VaultError> {
        let mut request = self.agent.post(format!("{}{path}", self.base)).header("content-type", "application/json");
        for (name, value) in self.headers() {
            request = request.header(name, value);
        }
        self.answer(request.config().timeout_global(Some(self.left()?)).build().send(json))
    }

    fn headers(&self) -> impl Iterator<Item = (&'static str, HeaderValue)> {
        // What an agent or proxy of the server's own makes sure of: that no browser was tricked.
        let always = [("x-vault-request", HeaderValue::from_static("true"))];
        always.into_iter().chain(self.namespace.clone().map(|name| ("x-vault-namespace", name)))
    }

    fn left(&self) -> Result<Duration, VaultError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(VaultError::Silent(self.time.as_secs())) } else { Ok(left) }
    }

    fn answer(&self, sent: Result<Response<Body>, ureq::Error>) -> Result<(u16, Zeroizing<Vec<u8>>), VaultError> {
        let mut answer = sent.map_err(|error| self.failed(error))?;
        if answer.status().is_redirection() {
            return Err(VaultError::Redirect);
        }
        let status = answer.status().as_u16();
        let body =
            bounded(&mut answer.body_mut().as_reader()).map_err(|error| self.failed(ureq::Error::from(error)))?;
        if body.len() > MAX_ANSWER {
            return Err(VaultError::TooLong);
        }
        Ok((status, body))
    }

    fn failed(&self, error: ureq::Error) -> VaultError {
        match error {
            ureq::Error::Timeout(_) => VaultError::Silent(self.time.as_secs()),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                VaultError::Silent(self.time.as_secs())
            }
            // Of the connection: no request has got so far that its words could hold a token.
            error => VaultError::Unreachable(crate::wire::text::shown(error.to_string().as_bytes())),
        }
    }
}

/// At most one byte more than [`MAX_ANSWER`], in memory that never moves.
fn bounded(from: &mut dyn io::Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; MAX_ANSWER + 1]);
    let mut length = 0;
    while let Some(free) = bytes.get_mut(length..).filter(|free| !free.is_empty()) {
        match from.read(free) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// A header's value that no log shows.
fn header(value: &str, name: &'static str) -> Result<HeaderValue, VaultError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| VaultError::Unsendable(name))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What every request's URL begins with, and whether it is plain HTTP.
fn base(address: &str) -> Result<(String, bool), VaultError> {
    let uri: Uri = address.parse().map_err(|_| VaultError::Address)?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or(VaultError::Address)?;
    if uri.query().is_some() || address.contains(['@', '#']) {
        return Err(VaultError::Address);
    }
    let is_plain = match uri.scheme_str() {
        Some("https") => false,
        Some("http") if is_loopback(host) => true,
        Some("http") => return Err(VaultError::PlainHttp),
        _ => return Err(VaultError::Address),
    };
    Ok((format!("{}/v1/", address.trim_end_matches('/')), is_plain))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn certificates(path: &OsString) -> Result<Vec<ureq::tls::Certificate<'static>>, VaultError> {
    let mut pem = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_CA_FILE + 1).read_to_end(&mut pem));
    read.map_err(|_| VaultError::CaCertificate)?;
    if pem.len() as u64 > MAX_CA_FILE {
        return Err(VaultError::CaCertificate);
    }
    let found: Result<Vec<_>, _> = ureq::tls::parse_pem(&pem).collect();
    let found = found.map_err(|_| VaultError::CaCertificate)?;
    let certificates: Vec<_> = found
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() { Err(VaultError::CaCertificate) } else { Ok(certificates) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_tls_or_to_this_machine_and_nowhere_else() {
        for (address, expected) in [
            ("https://vault.example.com:8200", Ok(("https://vault.example.com:8200/v1/", false))),
            ("https://example.com/vault/", Ok(("https://example.com/vault/v1/", false))),
            ("http://127.0.0.1:8200", Ok(("http://127.0.0.1:8200/v1/", true))),
            ("http://localhost:8200/", Ok(("http://localhost:8200/v1/", true))),
            ("http://[::1]:8200", Ok(("http://[::1]:8200/v1/", true))),
            ("http://vault.example.com", Err(VaultError::PlainHttp)),
            ("http://127.0.0.1.example.com", Err(VaultError::PlainHttp)),
            ("http://localhost.example.com", Err(VaultError::PlainHttp)),
            ("http://10.0.0.1:8200", Err(VaultError::PlainHttp)),
            ("http://127.0.0.1@example.com", Err(VaultError::Address)),
            ("https://user@example.com", Err(VaultError::Address)),
            ("https://example.com/?a=b", Err(VaultError::Address)),
            ("https://example.com/#a", Err(VaultError::Address)),
            ("unix:///run/vault", Err(VaultError::Address)),
            ("ftp://example.com", Err(VaultError::Address)),
            ("vault.example.com", Err(VaultError::Address)),
            ("/v1", Err(VaultError::Address)),
        ] {
            let found = base(address);
            let expected = expected.map(|(base, plain)| (base.to_owned(), plain));
            assert_eq!(found, expected, "{address}");
        }
    }

    #[test]
    fn an_answer_is_read_to_its_limit_and_one_byte_past_it() {
        for (given, read) in
            [(0, 0), (MAX_ANSWER, MAX_ANSWER), (MAX_ANSWER + 1, MAX_ANSWER + 1), (MAX_ANSWER + 2, MAX_ANSWER + 1)]
        {
            let body = bounded(&mut io::repeat(b'x').take(given as u64)).expect("memory can be read");
            assert_eq!(body.len(), read);
        }
    }

    #[test]
    fn a_file_of_authorities_at_the_limit_is_read_and_a_longer_or_other_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        let made = std::process::Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=ca", "-keyout", "/dev/null", "-out"])
            .arg(&path)
            .output();
        assert!(made.expect("openssl is needed for this test").status.success());
        let one = std::fs::read(&path).expect("a file");
        let read = |text: &[u8]| {
            std::fs::write(&path, text).expect("written");
            certificates(&path.clone().into_os_string()).map(|found| found.len())
        };
        assert_eq!(read(&[&one[..], &one].concat()), Ok(2));
        let mut full = one.clone();
        full.resize(usize::try_from(MAX_CA_FILE).expect("small"), b'\n');
        assert_eq!(read(&full), Ok(1));
        full.push(b'\n');
        for text in [&full[..], b"", b"x", &one[..one.len() / 2]] {
            assert_eq!(read(text), Err(VaultError::CaCertificate));
        }
    }
}
