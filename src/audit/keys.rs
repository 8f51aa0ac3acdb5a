//! Private keys of every kind, recognised by their structure.
