//! The checker: recipes that put keys into images, trust any host, or fail without saying why.
//!
//! One file goes through a straight line: [`file`] says what kind it is → a reader of that kind
//! ([`dockerfile`], [`compose`], [`bake`], [`ci`]) gives instructions, [`script`]s and [`setting`]s with
//! their bytes → every rule of [`rules`] looks at those → [`ignore`] takes out what a person decided
//! to live with → a [`finding::Report`] → [`crate::report`], or [`fix`] changes the file.
//!
//! Pure but for [`around`], which asks the file system what lies in a build's folder, and [`walk`],
//! which finds the files. Nothing is run, fetched or evaluated.

pub mod address;
pub mod around;
pub mod bake;
pub mod ci;
pub mod ci_secret;
pub mod compose;
pub mod copied;
pub mod disk;
pub mod dockerfile;
pub mod fetch;
pub mod file;
pub mod finding;
pub mod fix;
pub mod ignore;
pub mod ignore_file;
pub mod key_files;
pub mod lines;
pub mod look;
pub mod mapped;
pub mod mount_faults;
pub mod page;
pub mod rule;
pub mod rules;
pub mod scalar;
pub mod script;
pub mod scripts;
pub mod secret_text;
pub mod setting;
pub mod sink;
pub mod token_store;
pub mod variables;
pub mod walk;
