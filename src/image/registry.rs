//! An image in a registry, by OCI's distribution-spec 1.1 ("Pull"): every platform of an index.
//!
//! Manifests are fetched first, because they name the rest; blobs are then read as streams, by
//! several threads, like files of a layout. Plain HTTP is for loopback alone. Credentials are
//! those that docker keeps for the registry; they go to it and to the token server that it
//! names, over TLS or loopback, and never along with a redirect.

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;
use ureq::http::{Response, StatusCode};
use zeroize::Zeroizing;

use super::digest::Digest;
use super::limits::{MAX_DOCUMENT, MAX_DOCUMENTS, MAX_INDEX_DEPTH, MAX_MANIFESTS};
use super::manifest::{Descriptor, Manifest, Media};
use super::source::{MAX_BLOBS, Opener, Place, Source, SourceError};

mod credentials;

/// How long a registry may take to connect, and how long it may be silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a token server's answer.
const MAX_TOKEN: u64 = 64 * 1024;
/// What a registry may answer with (distribution-spec, "Pulling manifests").
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A place in a registry: `HOST[:PORT]/NAME[:TAG][@DIGEST]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry, with its port where it has one.
    pub host: String,
    /// The repository.
    pub name: String,
    /// A tag or a digest.
    pub version: String,
}

impl Reference {
    /// What stands behind `registry://`. Names are checked as the distribution-spec has them, so
    /// that nothing in one can become another part of a URL.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, rest) = text.split_once('/')?;
        let (rest, digest) = rest.split_once('@').map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
        let (name, tag) = rest.rsplit_once(':').map_or((rest, "latest"), |(name, tag)| (name, tag));
        let host_is_one = !host.is_empty()
            && host.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b':' | b'[' | b']'));
        let name_is_one = name.split('/').all(|part| {
            part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'_' | b'-'))
                && part.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        });
        let tag_is_one = !tag.is_empty()
            && tag.len() <= 128
            && tag.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-'));
        let digest_is_one = digest.is_none_or(|digest| Digest::parse(digest).is_some());
        (host_is_one && name_is_one && tag_is_one && digest_is_one).then(|| Self {
            host: host.to_owned(),
            name: name.to_owned(),
            version: digest.unwrap_or(tag).to_owned(),
        })
    }

    fn is_loopback(&self) -> bool {
        let host = match self.host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => self.host.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    fn base(&self) -> String {
        let scheme = if self.is_loopback() { "http" } else { "https" };
        format!("{scheme}://{}/v2/{}", self.host, self.name)
    }
}

/// A registry that may be read by several threads.
pub struct Registry {
    agent: Agent,
    reference: Reference,
    /// The header that the registry wants, once it was asked for.
    authorization: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({}/{})", self.reference.host, self.reference.name)
    }
}

/// Fetches the manifests of an image, and gives the places of its blobs: a layout with an
/// index of one.
///
/// # Errors
/// [`SourceError::Registry`] when the image itself cannot be had. What one of its manifests
/// names and the registry does not have is a place that cannot be opened.
pub fn open(text: &str) -> Result<Source, SourceError> {
    let failed = |reason: String| SourceError::Registry { image: text.to_owned(), reason };
    let reference = Reference::parse(text).ok_or_else(|| failed("this is no HOST/NAME:TAG".into()))?;
    let mut registry = Registry { agent: agent().map_err(&failed)?, reference, authorization: None };
    let first = registry.log_in().and_then(|()| registry.manifest(&registry.reference.version)).map_err(&failed)?;
    if let Some(digest) = Digest::parse(&registry.reference.version)
        && digest != Digest::of(&first.0)
    {
        return Err(failed(format!("the registry's answer has the digest {}", Digest::of(&first.0))));
    }
    let registry = Arc::new(registry);
    let mut found = Found { places: Vec::new(), seen: HashSet::new(), manifests: 0, kept: 0 };
    let root = serde_json::json!({ "schemaVersion": 2, "manifests": [{
        "mediaType": first.1, "digest": Digest::of(&first.0).to_string(), "size": first.0.len(),
        "annotations": { "io.containerd.image.name": text },
    }]});
    found.memory("index.json".into(), root.to_string().into_bytes());
    found.document(&registry, first.0, 0);
    Ok(Source::Places(found.places))
}

fn agent() -> Result<Agent, String> {
    let tls = ureq::tls::TlsConfig::builder()
        .provider(ureq::tls::TlsProvider::Rustls)
        .root_certs(ureq::tls::RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE))
        .user_agent(concat!("valetkey/", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(Agent::new_with_config(config))
}

/// What was found of an image so far.
struct Found {
    places: Vec<Place>,
    seen: HashSet<String>,
    manifests: usize,
    /// Bytes of all manifests.
    kept: u64,
}

impl Found {
    /// Keeps a manifest; past [`MAX_DOCUMENTS`] it is one that cannot be read.
    fn memory(&mut self, name: String, bytes: Vec<u8>) {
        let size = bytes.len() as u64;
        self.kept = self.kept.saturating_add(size);
        let opener = if self.kept > MAX_DOCUMENTS {
            Opener::Failed(format!("the manifests have more than {} MiB", MAX_DOCUMENTS >> 20))
        } else {
            Opener::Memory(bytes.into())
        };
        self.places.push(Place { name, size, link: None, opener });
    }

    /// A manifest or an index, and all that it names.
    fn document(&mut self, registry: &Arc<Registry>, bytes: Vec<u8>, depth: usize) {
        let digest = Digest::of(&bytes);
        let parsed: Result<Manifest, _> = serde_json::from_slice(&bytes);
        self.memory(format!("blobs/sha256/{}", digest.hex()), bytes);
        // What is no manifest is said when the documents are read.
        let Ok(manifest) = parsed else { return };
        for descriptor in manifest.manifests.iter().flatten().chain(&manifest.config).chain(&manifest.layers) {
            // What is left out is missing when the manifests are followed, and said to be.
            if self.kept > MAX_DOCUMENTS || self.places.len() >= MAX_BLOBS {
                return;
            }
            if !self.seen.insert(descriptor.digest.clone()) {
                continue;
            }
            let Some(digest) = Digest::parse(&descriptor.digest) else { continue };
            if Media::of(&descriptor.media_type) != Media::Manifest {
                self.blob(registry, descriptor, digest);
                continue;
            }
            self.manifests += 1;
            if self.manifests > MAX_MANIFESTS || depth >= MAX_INDEX_DEPTH {
                continue;
            }
            match registry.manifest(&descriptor.digest) {
                Ok((bytes, _)) => self.document(registry, bytes, depth + 1),
                Err(reason) => self.places.push(Place {
                    name: format!("blobs/sha256/{}", digest.hex()),
                    size: descriptor.size,
                    link: None,
                    opener: Opener::Failed(reason),
                }),
            }
        }
    }

    fn blob(&mut self, registry: &Arc<Registry>, descriptor: &Descriptor, digest: Digest) {
        self.places.push(Place {
            name: format!("blobs/sha256/{}", digest.hex()),
            size: descriptor.size,
            link: None,
            opener: Opener::Registry(Arc::clone(registry), digest),
        });
    }
}

impl Registry {
    /// Asks for a token where the registry wants one (RFC 9110, §11.6.1; the token protocol of
    /// Docker's registry).
    fn log_in(&mut self) -> Result<(), String> {
        let scheme = if self.reference.is_loopback() { "http" } else { "https" };
        let answer = self.get(&format!("{scheme}://{}/v2/", self.reference.host), "*/*")?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(());
        }
        let challenge =
            answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let basic = credentials::of(&self.reference.host);
        let (kind, parameters) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if kind.eq_ignore_ascii_case("basic") {
            self.authorization = Some(basic.ok_or("it wants a login, and docker knows none: docker login")?);
            return Ok(());
        }
        let parameter = |name: &str| {
            parameters.split(',').find_map(|part| {
                let (key, value) = part.trim().split_once('=')?;
                (key == name).then(|| value.trim_matches('"').to_owned())
            })
        };
        let realm = parameter("realm").ok_or("it wants a kind of login that is not known")?;
        let is_safe = realm.starts_with("https://") || self.reference.is_loopback() && realm.starts_with("http://");
        if !is_safe {
            return Err("it wants the login over plain HTTP".into());
        }
        let service = parameter("service").unwrap_or_default();
        let mut request = self
            .agent
            .get(&realm)
            .query("service", service)
            .query("scope", format!("repository:{}:pull", self.reference.name));
        if let Some(basic) = &basic {
            request = request.header("authorization", basic.as_str());
        }
        let mut answer = request.call().map_err(|error| error.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("its token server answers {}", answer.status()));
        }
        #[derive(Deserialize)]
        struct Token {
            #[serde(default)]
            token: Zeroizing<String>,
            #[serde(default)]
            access_token: Zeroizing<String>,
        }
        let mut text = Zeroizing::new(Vec::new());
        answer.body_mut().as_reader().take(MAX_TOKEN).read_to_end(&mut text).map_err(|error| error.to_string())?;
        // Not the parser's words: they could repeat a part of the token.
        let token: Token = serde_json::from_slice(&text).map_err(|_| "its token server's answer is no JSON")?;
        let token = if token.token.is_empty() { token.access_token } else { token.token };
        self.authorization = Some(Zeroizing::new(format!("Bearer {}", token.as_str())));
        Ok(())
    }

    fn get(&self, url: &str, accept: &str) -> Result<Response<ureq::Body>, String> {
        let mut request = self.agent.get(url).header("accept", accept);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization.as_str());
        }
        request.call().map_err(|error| error.to_string())
    }

    /// A manifest's bytes and media type.
    fn manifest(&self, version: &str) -> Result<(Vec<u8>, String), String> {
        let mut answer = self.get(&format!("{}/manifests/{version}", self.reference.base()), ACCEPT)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("the registry answers {} for its manifest", answer.status()));
        }
        let media = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim().to_owned();
        let mut bytes = Vec::new();
        answer
            .body_mut()
            .as_reader()
            .take(MAX_DOCUMENT + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        if bytes.len() as u64 > MAX_DOCUMENT {
            return Err(format!("its manifest is longer than {} MiB", MAX_DOCUMENT >> 20));
        }
        Ok((bytes, media))
    }

    /// A blob's bytes, as they come.
    ///
    /// # Errors
    /// The registry's answer, where it is no blob.
    pub fn blob(&self, digest: Digest) -> io::Result<Box<dyn Read + Send>> {
        let url = format!("{}/blobs/{digest}", self.reference.base());
        let answer = self.get(&url, "*/*").map_err(io::Error::other)?;
        if answer.status() != StatusCode::OK {
            return Err(io::Error::other(format!("the registry answers {}", answer.status())));
        }
        Ok(Box::new(answer.into_body().into_reader()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_and_what_could_be_another_url_is_refused() {
        let of = |text: &str| Reference::parse(text).map(|found| (found.host, found.name, found.version));
        let is = |host: &str, name: &str, version: &str| Some((host.to_owned(), name.to_owned(), version.to_owned()));
        let digest = format!("sha256:{}", "0".repeat(64));
        assert_eq!(of("127.0.0.1:5000/app:1.2"), is("127.0.0.1:5000", "app", "1.2"));
        assert_eq!(of("ghcr.io/org/app"), is("ghcr.io", "org/app", "latest"));
        assert_eq!(of(&format!("h/app:1@{digest}")), is("h", "app", &digest));
        for wrong in [
            "app",
            "h/",
            "/app",
            "h/../x",
            "h/a?b",
            "h/a#b",
            "h/a:b/c d",
            "u@h/a",
            "h/A",
            "h/a@sha256:0",
            "h/a:",
            "h/a//b",
            "h\n/a",
        ] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn manifests_at_the_limit_are_kept_and_one_byte_more_is_not() {
        for (more, kept) in [(0, true), (1, false)] {
            let mut found = Found { places: Vec::new(), seen: HashSet::new(), manifests: 0, kept: MAX_DOCUMENTS - 10 };
            found.memory("a".into(), vec![b' '; 10 + more]);
            assert_eq!(matches!(found.places[0].opener, Opener::Memory(_)), kept, "{more}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for (host, loopback) in [
            ("127.0.0.1:5000", true),
            ("127.9.9.9", true),
            ("localhost:5000", true),
            ("[::1]:5000", true),
            ("localhost.example.com", false),
            ("10.0.0.1", false),
            ("127.0.0.1.example.com", false),
        ] {
            let reference = Reference { host: host.into(), name: "a".into(), version: "b".into() };
            assert_eq!(reference.is_loopback(), loopback, "{host}");
            assert_eq!(reference.base().starts_with("http://"), loopback, "{host}");
        }
    }
}
