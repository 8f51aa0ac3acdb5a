//! How an audit is shown. Sees findings only.
