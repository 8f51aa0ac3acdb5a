//! PURE reading of files that set variables: `.env`, `.envrc`, Makefiles. Only the few variables that
//! tell Go, Git and cargo where to fetch are looked at: the others of such files are secrets.

use super::format::{Format, name};
use super::{Place, Reading};

/// `.env` and its like, `.envrc`, Makefiles.
pub(super) static FORMAT: Format = Format {
    name: "environment file",
    wants: |path| {
        let file = name(path);
        file == ".envrc"
            || file == ".env"
            || file.starts_with(".env.")
            || [".env", ".mk"].iter().any(|end| file.ends_with(end))
            || matches!(file, "Makefile" | "makefile" | "GNUmakefile")
    },
    read,
};

fn read(file: &str, text: &str, reading: &mut Reading) {
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let Some((name, value)) = line.split_once('=') else { continue };
        // `:=`, `?=`, `+=` of make.
        let name = name.trim_end_matches([':', '?', '+']).trim_end();
        let value = value.split(" #").next().unwrap_or(value).trim();
        let value =
            ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value);
        reading.across.variable(&Place::new(file, number + 1), name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_however_it_is_set() {
        for line in [
            "GOPRIVATE=h.example/*",
            "export GOPRIVATE=\"h.example/*\" # ours",
            "GOPRIVATE := h.example",
            "export GOPRIVATE ?= 'h.example'",
        ] {
            let mut reading = Reading::default();
            read("Makefile", &format!("TOKEN=x\n{line}\n"), &mut reading);
            let module = "require h.example/org/r v1.0.0\n";
            (crate::project::go_mod::MODULES.read)("go.mod", module, &mut reading);
            assert_eq!(reading.resolved().needs.len(), 1, "{line}");
        }
    }
}
