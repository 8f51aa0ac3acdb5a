//! Fast tests: in process, with real ssh tools where they matter, without any engine.

mod keys {
    mod agent;
    mod certificates;
    mod containers;
    mod encrypted;
    mod files;
    mod keychain;
    mod lookalikes;
    mod made;
    mod mutations;
    mod pasted;
    mod prompt;
    mod secrecy;
    mod session;
    mod signatures;
    mod upstream;
    mod world;
}
