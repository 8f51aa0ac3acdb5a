//! (being written)

pub mod upstream;
