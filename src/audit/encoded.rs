//! Encodings that keys are wrapped in, and the very keys that were lent.
