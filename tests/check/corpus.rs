//! Every file of the corpus of the checker's fuzz target, through the very function that is fuzzed.

use crate::replay::replay;

#[path = "../../integration/fuzz/targets/check.rs"]
mod check;

/// Places where a file is cut: each is checked and mended some times over.
const CUTS: usize = 60;

#[test]
fn every_file_of_the_corpus_holds() {
    replay("check", CUTS, check::check);
}
