//! What an image carries, read as a stream: never extracted, never held whole.
//!
//! [`stream`] is a reader whose every byte a [`stream::Sink`] sees in windows; [`tar`] says which
//! entry a byte belongs to; [`inner`] opens archives inside of entries; [`layer`] decompresses
//! one layer and takes its digests; [`manifest`] (pure) says how layers make an image;
//! [`source`] is where all of it comes from. Knows nothing of keys.

pub mod archive;
pub mod digest;
pub mod inner;
pub mod layer;
pub mod limits;
pub mod manifest;
pub mod registry;
pub mod source;
pub mod stream;
pub mod tar;
