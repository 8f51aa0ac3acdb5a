//! Credential files, and tokens with a form that can be checked.
