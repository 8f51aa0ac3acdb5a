//! Who asks a Vault server: a token that is there, or one that a login gives.
//!
//! Owns the order: `VAULT_TOKEN`, AppRole, JWT, and last what `vault login` left in the home
//! folder, because what is set for this run is meant more than what lies about.

use zeroize::Zeroizing;

use super::super::file::{self, FileError};
use super::super::source::{escaped, is_path};
use super::{Server, Text, VaultError, answer};

/// The most bytes of the file with a token. A batch token has some hundred.
pub(super) const MAX_TOKEN: usize = 8 * 1024;
/// Where the command line tools leave a token.
const TOKEN_FILE: &str = ".vault-token";

impl Server<'_> {
    /// The token to read with.
    pub(super) fn token(&self) -> Result<Text, VaultError> {
        if let Some(token) = self.text("VAULT_TOKEN")? {
            return Ok(token);
        }
        if let Some((role, secret)) = self.pair("VAULT_ROLE_ID", "VAULT_SECRET_ID")? {
            return self.log_in("approle", [("role_id", &role), ("secret_id", &secret)]);
        }
        if let Some((role, jwt)) = self.pair("VAULT_JWT_ROLE", "VAULT_JWT")? {
            return self.log_in("jwt", [("role", &role), ("jwt", &jwt)]);
        }
        let file = self.home.map(|home| home.join(TOKEN_FILE)).ok_or(VaultError::NoToken)?;
        let secret = match file::read(&file, MAX_TOKEN) {
            Err(FileError::Missing) => return Err(VaultError::NoToken),
            read => read.map_err(VaultError::TokenFile)?,
        };
        if secret.expose().len() > MAX_TOKEN {
            return Err(VaultError::TokenTooLong);
        }
        let token = std::str::from_utf8(secret.expose()).map_err(|_| VaultError::Unsendable("the token"))?.trim();
        if token.is_empty() { Err(VaultError::NoToken) } else { Ok(Zeroizing::new(token.to_owned())) }
    }

    /// Two variables that are worth nothing alone.
    fn pair(&self, first: &'static str, second: &'static str) -> Result<Option<(Text, Text)>, VaultError> {
        match (self.text(first)?, self.text(second)?) {
            (Some(one), Some(other)) => Ok(Some((one, other))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(VaultError::HalfALogin(first, second)),
            (None, Some(_)) => Err(VaultError::HalfALogin(second, first)),
        }
    }

    fn log_in(&self, method: &str, fields: [(&str, &Text); 2]) -> Result<Text, VaultError> {
        let place = self.text("VAULT_AUTH_PATH")?.unwrap_or_else(|| Zeroizing::new(method.to_owned()));
        // As `vault auth list` shows it: with a slash behind, and `auth/` as in an API path.
        let place = place.trim_end_matches('/');
        let place = place.strip_prefix("auth/").unwrap_or(place);
        if !is_path(place) {
            return Err(VaultError::Unsendable("VAULT_AUTH_PATH"));
        }
        // JSON writes a character with six at most; a body that grew would leave copies behind.
        let most: usize = fields.iter().map(|(name, value)| 6 * (name.len() + value.len() + 1)).sum();
        let mut body = Zeroizing::new(Vec::with_capacity(most));
        let write = |body: &mut Vec<u8>, text: &str| serde_json::to_writer(body, text);
        for (at, (name, value)) in fields.into_iter().enumerate() {
            body.extend_from_slice(if at == 0 { b"{" } else { b"," });
            let written = write(&mut body, name).and_then(|()| {
                body.push(b':');
                write(&mut body, value)
            });
            written.map_err(|_| VaultError::Garbled)?;
        }
        body.push(b'}');
        let (status, answer) = self.http.post(&format!("auth/{}/login", escaped(place)), &body)?;
        match status {
            200 => answer::token(&answer),
            503 => Err(VaultError::Sealed),
            status => Err(VaultError::Login(status)),
        }
    }
}
