//! `valetkey host list`.

use crate::exit::Code;
use crate::hosts::{Hosts, Listed, Source};
use crate::ui::{self, Failure};

/// One key as `--json` shows it. Fields are only ever added.
#[derive(serde::Serialize)]
struct Row {
    host: String,
    r#type: Option<String>,
    fingerprint: String,
    source: &'static str,
    origin: String,
    binds: &'static str,
    authority: bool,
    revoked: bool,
}

impl From<Listed> for Row {
    fn from(listed: Listed) -> Self {
        Self {
            host: listed.names,
            r#type: listed.key_type,
            fingerprint: listed.fingerprint.to_string(),
            source: match listed.source {
                Source::BuiltIn => "built-in",
                Source::Stored => "stored",
                Source::Config => "config",
                Source::KnownHosts => "known_hosts",
            },
            origin: listed.origin,
            binds: listed.binds.word(),
            authority: listed.authority,
            revoked: listed.revoked,
        }
    }
}

/// Prints every pin.
pub(super) fn run(hosts: &Hosts, json: bool) -> Result<(), Failure> {
    let rows: Vec<Row> = hosts.listed().into_iter().map(Row::from).collect();
    if json {
        let text = serde_json::to_string_pretty(&rows);
        let text = text.map_err(|error| Failure::new(Code::Internal, format!("failed to write JSON: {error}")))?;
        ui::line(&text);
        return Ok(());
    }
    let host_width = width(&rows, |row| &row.host);
    let type_width = width(&rows, |row| row.r#type.as_deref().unwrap_or("?"));
    for row in &rows {
        let kind = row.r#type.as_deref().unwrap_or("?");
        let state = match (row.revoked, row.authority) {
            (true, _) => "  REVOKED",
            (false, true) => "  signs host certificates",
            (false, false) => "",
        };
        ui::line(&format!(
            "{:host_width$}  {kind:type_width$}  {}  {:8}  binds={}{state}",
            row.host, row.fingerprint, row.source, row.binds
        ));
    }
    Ok(())
}

/// The widest column that is still worth lining up.
fn width(rows: &[Row], column: impl Fn(&Row) -> &str) -> usize {
    rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0).min(45)
}
