//! Every file of the corpus of the readers' fuzz target, through the very function that is fuzzed.

use crate::replay::replay;

#[path = "../../integration/fuzz/targets/project.rs"]
mod project;

/// Places where a file is cut: a whole lock file takes some milliseconds without optimisation. The
/// fuzz target itself cuts anywhere.
const CUTS: usize = 40;

#[test]
fn every_file_of_a_project_in_the_corpus_holds() {
    replay("project", CUTS, project::check);
}
