//! Colours of the forms for a terminal (ECMA-48, "select graphic rendition").

pub(in crate::report) const RED: &str = "1;31";
pub(in crate::report) const YELLOW: &str = "33";
pub(in crate::report) const CYAN: &str = "36";
pub(in crate::report) const GREEN: &str = "32";
pub(in crate::report) const BOLD: &str = "1";
pub(in crate::report) const DIM: &str = "2";
