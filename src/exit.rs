//! Exit codes: the child's own where a child ran, and a small documented range for our own
//! failures, so that a script can tell "the build failed" from "valetkey never started it".

/// Why valetkey itself failed. The numbers are part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Everything that was asked for was done.
    Ok = 0,
    /// The command line or `valetkey.toml` could not be understood.
    Usage = 110,
    /// A key source is wrong, missing, locked or holds no usable key.
    Key = 111,
    /// A host is unknown, or its key does not match its pin.
    Host = 112,
    /// The build tool is too old for what was asked, or cannot take a lent key.
    Builder = 113,
    /// The lease could not be set up (socket, folder, limits of the system).
    Lease = 114,
    /// Something that valetkey promised could not be kept; a bug or a hostile system.
    Internal = 115,
    /// An audit or a check read everything it could, and found something.
    Findings = 116,
    /// An audit or a check found nothing, and could not read everything.
    NotAllRead = 117,
    /// The command was found and could not be executed (as in POSIX shells).
    NotExecutable = 126,
    /// The command was not found (as in POSIX shells).
    NotFound = 127,
}

/// The exit status of a child that was ended by signal `number`: 128 + n, as shells report it.
#[must_use]
pub fn of_signal(number: i32) -> u8 {
    u8::try_from(128 + number).unwrap_or(u8::MAX)
}
