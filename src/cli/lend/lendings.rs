//! Loading what is wanted: grants for the policy, services for the sockets, lines for the
//! receipt.

use std::path::Path;
use std::sync::Arc;

use super::by_comment;
use super::secrets;
use super::settings::Settings;
use crate::agent::Service;
use crate::agent::service::Shared;
use crate::cli::audit::looking::Looking;
use crate::exit::Code;
use crate::gateway::{Tunnel, Upstreams};
use crate::hosts::HostScope;
use crate::keys::{LoadEnv, Secret};
use crate::policy::{Access, Grant};
use crate::receipt::{Lent, LentSecret};
use crate::secret::{Holder, HolderError, Way};
use crate::signer::{Identity, fingerprint};
use crate::ui::Failure;
use crate::wire::key_type;

/// One ssh id: its grants by index, and the identities that it offers with the grant of each.
struct Socket {
    id: String,
    grants: Vec<usize>,
    offered: Vec<(usize, Identity)>,
    /// Every grant with each of its identities: for the gateway the repository chooses the key.
    held: Vec<(usize, Identity)>,
    by_gateway: bool,
}

/// All that is lent.
pub(in crate::cli) struct Lendings {
    /// The grants, in the order of [`Settings::wanted`].
    pub(in crate::cli) grants: Vec<Grant>,
    /// What a person should know.
    pub(in crate::cli) warnings: Vec<String>,
    /// The texts of the key sources that were read, where somebody is to look for them.
    pub(in crate::cli) texts: Vec<Secret>,
    /// Where the key of each grant came from.
    sources: Vec<String>,
    sockets: Vec<Socket>,
    secrets: Vec<secrets::Loaded>,
}

impl Lendings {
    /// Loads every key and secret. The first that cannot be loaded stops it all: nothing has started
    /// yet. Where an audit follows, it learns what to look for; for a mask, the texts are kept.
    pub(in crate::cli) fn load(
        settings: &mut Settings,
        max_identities: usize,
        looking: Option<&mut Looking>,
        keep_texts: bool,
    ) -> Result<Self, Failure> {
        LoadEnv::with_process(None, |env| {
            env.kept = looking.as_ref().map(|_| Vec::new());
            env.kept_texts = keep_texts.then(Vec::new);
            let mut lendings = Self::load_from(settings, max_identities, env)?;
            lendings.texts = env.kept_texts.take().unwrap_or_default();
            if let Some(looking) = looking {
                env.kept.take().unwrap_or_default().iter().for_each(|parts| looking.secret(parts));
                lendings.grants.iter().flat_map(|grant| &grant.keys).for_each(|blob| looking.public(blob));
                let short = lendings.secrets.iter().filter(|secret| !looking.text(&secret.id, secret.text()));
                let short =
                    short.map(|secret| format!("the secret {} is too short for the audit to look for it", secret.id));
                lendings.warnings.extend(short.collect::<Vec<_>>());
            }
            Ok(lendings)
        })
    }

    fn load_from(settings: &mut Settings, max_identities: usize, env: &mut LoadEnv<'_>) -> Result<Self, Failure> {
        let mut warnings = Vec::new();
        let mut all = Vec::new();
        let mut sources = Vec::new();
        for wanted in &settings.wanted {
            env.passphrase_from.clone_from(&wanted.passphrase_from);
            let (loaded, source) = wanted.key.load(env)?;
            warnings.extend(loaded.warnings);
            if settings.by_comment {
                all.append(&mut by_comment::apart(wanted.clone(), loaded.identities));
            } else {
                all.push((wanted.clone(), loaded.identities));
            }
            sources.resize(all.len(), source);
        }
        if settings.by_comment {
            warnings.extend(settings.replace(all.iter().map(|(wanted, _)| wanted.clone()).collect())?);
        }
        let (grants, texts, sockets) = (Vec::new(), Vec::new(), Vec::new());
        let secrets = secrets::load(&settings.secrets, env)?;
        let mut lendings = Self { grants, warnings, texts, sources, sockets, secrets };
        for (index, (wanted, identities)) in all.into_iter().enumerate() {
            let scope = Settings::scope(&wanted);
            lendings.grants.push(Grant {
                keys: identities.iter().map(|identity| identity.blob.clone()).collect(),
                unbound: settings.hosts.unbound_allowed(&scope),
                scope,
                user: wanted.user.clone(),
                repos: wanted.repos.clone(),
                access: wanted.access,
                limits: wanted.limits,
            });
            lendings.offer(index, &wanted.id, settings.by_gateway(&wanted.id), identities);
        }
        lendings.cut(max_identities);
        // `default` first: it is the one that goes into SSH_AUTH_SOCK.
        lendings.sockets.sort_by_key(|socket| socket.id != crate::config::DEFAULT_ID);
        Ok(lendings)
    }

    fn offer(&mut self, grant: usize, id: &str, by_gateway: bool, identities: Vec<Identity>) {
        let at = self.sockets.iter().position(|socket| socket.id == id).unwrap_or_else(|| {
            let (grants, offered, held) = (Vec::new(), Vec::new(), Vec::new());
            self.sockets.push(Socket { id: id.to_owned(), grants, offered, held, by_gateway });
            self.sockets.len() - 1
        });
        let Some(socket) = self.sockets.get_mut(at) else { return };
        socket.grants.push(grant);
        for identity in identities {
            socket.held.push((grant, identity.clone()));
            // A key with two grants is offered once; the policy finds the grant that fits.
            if !socket.offered.iter().any(|(_, offered)| offered.blob == identity.blob) {
                socket.offered.push((grant, identity));
            }
        }
    }

    /// Keeps the first identities of each socket, and names the others.
    fn cut(&mut self, max_identities: usize) {
        // The gateway tries the identities of one grant alone, and has a cap of its own.
        for socket in self.sockets.iter_mut().filter(|socket| !socket.by_gateway) {
            let kept = max_identities.min(socket.offered.len());
            for (_, identity) in socket.offered.split_off(kept) {
                self.warnings.push(format!(
                    "{} {:?} is not offered: ssh id {} has {max_identities} identities already, and servers cut clients off (--max-identities)",
                    fingerprint(&identity.blob),
                    identity.comment,
                    socket.id
                ));
            }
        }
    }

    /// What each socket answers.
    pub(in crate::cli) fn services(
        &self,
        shared: &Arc<Shared>,
        upstreams: &Arc<Upstreams>,
    ) -> Result<Vec<Service>, Failure> {
        let service = |socket: &Socket| {
            if !socket.by_gateway {
                let identities = socket.offered.iter().map(|(_, identity)| identity.clone()).collect();
                return Ok(Service::new(Arc::clone(shared), socket.id.clone(), socket.grants.clone(), identities));
            }
            let mut nonce = [0; 16];
            rustix::rand::getrandom(&mut nonce, rustix::rand::GetRandomFlags::empty())
                .map_err(|error| Failure::new(Code::Lease, format!("failed to get random bytes: {error}")))?;
            let tunnel = Tunnel::new(
                Arc::clone(shared),
                socket.id.clone(),
                socket.grants.clone(),
                socket.held.clone(),
                Arc::clone(upstreams),
                nonce,
            );
            Ok(Service::gateway(Arc::clone(shared), socket.id.clone(), tunnel))
        };
        self.sockets.iter().map(service).collect()
    }

    /// Whether any socket is the gateway's.
    pub(in crate::cli) fn any_gateway(&self) -> bool {
        self.sockets.iter().any(|socket| socket.by_gateway)
    }

    /// Whether what a builder would fetch with its ssh id `default` (the first, where there is
    /// none of that name) goes through the gateway.
    pub(in crate::cli) fn git_by_gateway(&self) -> bool {
        self.sockets.first().is_some_and(|socket| socket.by_gateway)
    }

    /// Puts the secrets where builders can read them, if there are any; `folder` is the lease's.
    pub(in crate::cli) fn hold(&self, way: Way, folder: &Path) -> Result<Option<Holder>, HolderError> {
        let files: Vec<&Secret> = self.secrets.iter().map(|secret| &secret.file).collect();
        if files.is_empty() { Ok(None) } else { Holder::start(&files, way, folder).map(Some) }
    }

    /// The ids of the secrets, in their order.
    pub(in crate::cli) fn secret_ids(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|secret| secret.id.as_str())
    }

    /// What was lent as secrets, for summary and receipt.
    pub(in crate::cli) fn lent_secrets(&self) -> Vec<LentSecret> {
        self.secrets.iter().map(secrets::Loaded::lent).collect()
    }

    /// The word for the receipt.
    pub(in crate::cli) fn lending(&self) -> &'static str {
        match (self.any_gateway(), self.sockets.iter().all(|socket| socket.by_gateway)) {
            _ if self.sockets.is_empty() => "none",
            (false, _) => "agent",
            (true, true) => "gateway",
            (true, false) => "both",
        }
    }

    /// Id, blob and fingerprint of every identity, for the decision log.
    pub(in crate::cli) fn known(&self) -> Vec<(String, Vec<u8>, String)> {
        let of_socket = |socket: &Socket| -> Vec<(String, Vec<u8>, String)> {
            let offered = socket.offered.iter();
            offered.map(|(_, key)| (socket.id.clone(), key.blob.clone(), fingerprint(&key.blob))).collect()
        };
        self.sockets.iter().flat_map(of_socket).collect()
    }

    /// What was lent, for summary and receipt.
    pub(in crate::cli) fn lent(&self) -> Vec<Lent> {
        let line = |socket: &Socket, grant: usize, identity: &Identity| -> Option<Lent> {
            let source = self.sources.get(grant)?.clone();
            let grant = self.grants.get(grant)?;
            let hosts = match &grant.scope {
                HostScope::AllPinned => None,
                HostScope::Only(hosts) => Some(hosts.iter().map(ToString::to_string).collect()),
            };
            Some(Lent {
                id: socket.id.clone(),
                fingerprint: fingerprint(&identity.blob),
                kind: key_type(&identity.blob).unwrap_or("unknown").to_owned(),
                comment: identity.comment.clone(),
                source,
                hosts,
                unbound_hosts: grant.unbound.iter().map(ToString::to_string).collect(),
                user: grant.user.clone(),
                max_signatures: grant.limits.max_signatures,
                time_limit_seconds: grant.limits.time_limit.as_secs(),
                lending: if socket.by_gateway { "gateway" } else { "agent" },
                repos: (socket.by_gateway && !grant.repos.is_empty())
                    .then(|| grant.repos.iter().map(ToString::to_string).collect()),
                access: if socket.by_gateway && grant.access == Access::Read { "read" } else { "write" },
            })
        };
        let sockets = self.sockets.iter();
        let shown = |socket: &'_ Socket| if socket.by_gateway { socket.held.clone() } else { socket.offered.clone() };
        let lines =
            sockets.flat_map(|socket| shown(socket).into_iter().map(move |(grant, key)| line(socket, grant, &key)));
        lines.flatten().collect()
    }
}
