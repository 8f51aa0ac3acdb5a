//! Exec requests: a repository's name can mean one repository alone, and what the server gets is
//! understood in the same way again.

use valetkey::gateway::exec_request::{BadExec, ExecRequest, MAX_PATH};

pub(crate) fn check(data: &[u8]) {
    let parsed = match ExecRequest::parse(data) {
        Ok(parsed) => parsed,
        Err(error) => {
            let said = error.to_string();
            assert!(said.len() < 1024 && !said.contains(char::is_control), "{said:?}");
            assert_eq!(error == BadExec::Shell, data.is_empty());
            return;
        }
    };
    let name = &parsed.repository;
    assert!(!name.is_empty() && name.len() <= MAX_PATH && !name.starts_with('-'), "{name:?}");
    assert!(name.bytes().all(|byte| byte.is_ascii_graphic()), "{name:?}");
    assert!(
        !name.contains(['\'', '"', '`', '\\', '$', ';', '&', '|', '<', '>', '(', ')', '*', '?', '#', '!']),
        "{name:?}"
    );
    assert!(name.split('/').all(|part| !part.is_empty() && part != "." && part != ".."), "{name:?}");
    assert!(!name.replace("%20", "").contains('%'), "{name:?}");

    let command = parsed.command();
    let again = ExecRequest::parse(command.as_bytes()).expect("what is sent is understood");
    assert_eq!(again, parsed);
    assert_eq!(again.command(), command);
    assert!(command.len() <= data.len() + 2, "nothing but quotes is added");
}
