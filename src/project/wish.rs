//! PURE: what is needed, a repository at a time, and whether grants cover it.

use std::collections::BTreeMap;

use super::address::Same;
use super::{Address, Over, Place, Reading};
use crate::config::Wanted;

/// One repository that is needed over SSH, with every place that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which; the spelling of the first place.
    pub address: Address,
    /// Where it is said, and what it is there.
    pub places: Vec<(Place, String)>,
    /// Whether every place reads it over HTTPS first, so that a public one needs no key.
    pub tries_https: bool,
}

/// The repositories that are needed over SSH, in the order in which they were found.
#[must_use]
pub fn over_ssh(reading: &Reading) -> Vec<Wish> {
    wishes(reading, |over| over == Over::Ssh)
}

/// The repositories that are read over another protocol, for which no key can be lent.
#[must_use]
pub fn over_others(reading: &Reading) -> Vec<Wish> {
    wishes(reading, |over| over != Over::Ssh)
}

fn wishes(reading: &Reading, fits: impl Fn(Over) -> bool) -> Vec<Wish> {
    let mut at: BTreeMap<Same, usize> = BTreeMap::new();
    let mut wishes: Vec<Wish> = Vec::new();
    for need in reading.needs.iter().filter(|need| fits(need.address.over)) {
        let index = *at.entry(need.address.same()).or_insert(wishes.len());
        let place = (need.place.clone(), need.what.clone());
        match wishes.get_mut(index) {
            Some(wish) => {
                wish.tries_https &= need.tries_https;
                if !wish.places.contains(&place) {
                    wish.places.push(place);
                }
            }
            None => {
                wishes.push(Wish { address: need.address.clone(), places: vec![place], tries_https: need.tries_https })
            }
        }
    }
    wishes
}

impl Wish {
    /// Whether one of these grants lends a key for it.
    #[must_use]
    pub fn is_covered(&self, grants: &[Wanted]) -> bool {
        grants.iter().any(|grant| covers(grant, &self.address))
    }
}

/// Whether a grant lends a key for this repository.
#[must_use]
pub fn covers(grant: &Wanted, address: &Address) -> bool {
    let Ok(host) = address.host_name() else { return false };
    let user = address.user.as_deref().unwrap_or(crate::policy::grant::DEFAULT_USER);
    (grant.hosts.is_empty() || grant.hosts.contains(&host))
        && grant.user == user
        && (grant.repos.is_empty() || grant.repos.iter().any(|repo| repo.matches(&host.host, &address.repository)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn wished(urls: &[(&str, bool)]) -> Vec<Wish> {
        let mut reading = Reading::default();
        for (line, (url, tries_https)) in urls.iter().enumerate() {
            let place = Place::new("a", line + 1);
            if *tries_https { reading.git_or_https(place, "x", url) } else { reading.git(place, "x", url) }
        }
        over_ssh(&reading.resolved())
    }

    #[test]
    fn the_places_of_one_repository_are_together() {
        let wishes = wished(&[
            ("git@github.com:Org/a.git", true),
            ("git@h.example:o/b", false),
            ("ssh://git@github.com/org/a", true),
            ("https://h.example/o/c", false),
        ]);
        let lines = |wish: &Wish| wish.places.iter().map(|(place, _)| place.line).collect::<Vec<_>>();
        assert_eq!(wishes.iter().map(lines).collect::<Vec<_>>(), [vec![1, 3], vec![2]]);
        assert!(wishes[0].tries_https);
        // Where one place needs a key, the repository does.
        assert!(!wished(&[("git@github.com:o/a", true), ("git@github.com:o/a", false)])[0].tries_https);
    }

    #[test]
    fn a_grant_covers_its_host_account_and_repositories_and_no_others() {
        let covered = |grant: &str, url: &str| {
            let config =
                crate::config::parse(&format!("[[grant]]\nkey = \"env:K\"\n{grant}"), Path::new("/p/valetkey.toml"));
            wished(&[(url, false)])[0].is_covered(&config.unwrap().grants)
        };
        for (grant, url) in [
            ("", "git@h.example:o/r"),
            ("host = \"h.example\"", "git@h.example:o/r"),
            ("host = \"h.example\"\nrepos = [\"o/r\"]", "ssh://h.example/o/r.git"),
            ("host = \"h.example:2222\"\nrepos = [\"o/*\"]", "ssh://git@h.example:2222/o/r.git"),
            ("host = \"github.com\"\nrepos = [\"O/R\"]", "git@github.com:o/r"),
            ("user = \"me\"", "me@h.example:o/r"),
        ] {
            assert!(covered(grant, url), "{grant} {url}");
        }
        for (grant, url) in [
            ("host = \"i.example\"", "git@h.example:o/r"),
            ("host = \"h.example\"", "ssh://git@h.example:2222/o/r"),
            ("host = \"h.example\"\nrepos = [\"o/s\"]", "git@h.example:o/r"),
            ("host = \"h.example\"\nrepos = [\"O/R\"]", "git@h.example:o/r"),
            ("", "me@h.example:o/r"),
            ("user = \"me\"", "git@h.example:o/r"),
        ] {
            assert!(!covered(grant, url), "{grant} {url}");
        }
    }
}
