//! `--repos-from-comments`: what was asked for and loaded, with a grant of its own for each key whose
//! comment names a repository.

use crate::config::Wanted;
use crate::config::comment;
use crate::signer::Identity;

/// Takes the keys apart: those that name a repository first, each with a grant for it alone, and the
/// others with the grant as it was asked for.
pub(in crate::cli) fn apart(wanted: Wanted, identities: Vec<Identity>) -> Vec<(Wanted, Vec<Identity>)> {
    let mut apart: Vec<(Wanted, Vec<Identity>)> = Vec::new();
    let mut others = Vec::new();
    for identity in identities {
        let Some(named) = comment::named(&identity.comment) else {
            others.push(identity);
            continue;
        };
        let (hosts, repos) = (vec![named.host], vec![named.repository]);
        // A certificate stands behind its key, and has its comment.
        match apart.iter_mut().find(|(wanted, _)| wanted.hosts == hosts && wanted.repos == repos) {
            Some((_, same)) => same.push(identity),
            None => apart.push((Wanted { hosts, repos, user: named.user, ..wanted.clone() }, vec![identity])),
        }
    }
    if !others.is_empty() {
        apart.push((wanted, others));
    }
    apart
}
