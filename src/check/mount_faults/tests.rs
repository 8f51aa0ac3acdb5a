use super::*;
use crate::check::dockerfile::read;

fn messages(flag: &str) -> Vec<String> {
    let text = format!("FROM a\nRUN {flag} x\n");
    let file = read(text.as_bytes());
    let mounts = &file.stages[0].instructions[1].mounts;
    mounts.iter().flat_map(faults).map(|fault| format!("{}: {}", &text[fault.at], fault.message)).collect()
}

#[test]
fn what_an_engine_takes_has_no_fault() {
    for flag in [
        "--mount=type=ssh,required=true",
        "--mount=type=SSH,id=,mode=0666,uid=0,gid=0",
        "--mount=type=ssh,ro --mount=type=ssh,target=/tmp/x.sock,required",
        "--mount=type=secret,target=/a/t --mount=type=secret,id=t,env=TOKEN",
        "--mount=type=secret,src=t,mode=400,required=1",
        "--mount=type=cache,target=/x,sharing=locked,id=a,uid=1",
        "--mount=target=. --mount=from=b,source=x,dst=/y,rw",
        "--mount=type=tmpfs,target=/x,size=1g",
        "--mount=type=$KIND,nothing=known --mount=type=ssh,uid=$UID",
        "--mount=type=bind,z,target=/x --mount=type=cache,U,target=/x",
        "--mount=\"type=ssh\" --mount=type=\"ssh\"",
    ] {
        assert_eq!(messages(flag), [""; 0], "{flag}");
    }
}

#[test]
fn what_an_engine_refuses_or_ignores_is_a_fault_of_its_field() {
    for (flag, message) in [
        ("--mount=type=ssh,", ",: there is nothing behind a comma, and the builder refuses that"),
        ("--mount=type=shs", "type=shs: shs is no type of mount, and the builder refuses it"),
        ("--mount=ssh", "ssh: ssh says no value, and the builder refuses that"),
        ("--mount=type=ssh,requird=true", "requird=true: requird is no field of a mount, and the builder refuses it"),
        ("--mount=type=ssh,required=yes", "required=yes: yes is no true or false, and the builder refuses it"),
        (
            "--mount=required,type=ssh",
            "required: the builder refuses required for a mount of type bind; its type stands in front of it",
        ),
        ("--mount=type=ssh,source=x", "source=x: the builder refuses source for a mount of type ssh"),
        ("--mount=type=ssh,size=1", "size=1: the builder refuses size for a mount of type ssh"),
        ("--mount=type=ssh,sharing=locked", "sharing=locked: the builder refuses sharing for a mount of type ssh"),
        ("--mount=type=ssh,mode=0888", "mode=0888: 0888 is no octal number, and the builder refuses it"),
        ("--mount=type=ssh,uid=app", "uid=app: app is no number, and the builder refuses it"),
        ("--mount=type=ssh,env=A", "env=A: env does nothing for an ssh mount"),
        ("--mount=type=ssh,target=a", "target=a: a is no path from /: SSH_AUTH_SOCK holds nowhere else"),
        ("--mount=type=ssh,type=secret,id=t", "type=secret: type is there twice, and the last one counts"),
        ("--mount=type=bind,mode=0644", "mode=0644: the builder refuses mode for a mount of type bind"),
        (
            "--mount=type=cache,sharing=lokced",
            "sharing=lokced: lokced is no way of sharing, and the builder refuses it",
        ),
        ("--mount=type=secret,id=t,from=x", "from=x: the builder refuses from for a mount of type secret"),
        ("--mount=type=secret,id=t,env", "env: env says no value, and the builder refuses that"),
        ("--mount=type=secret,id=t,env=", "env=: the variable has no name, and the step fails"),
        (
            "--mount=type=secret,required=true",
            "--mount=type=secret,required=true: a secret without id, and the builder refuses that",
        ),
        (
            "--mount=type=secret,id=t,src=t",
            "--mount=type=secret,id=t,src=t: a secret with id and source, and the builder takes one of them",
        ),
        (
            "--mount=\"type=ssh, required\"",
            "--mount=\"type=ssh, required\": there is a blank behind a comma, and the builder refuses that",
        ),
    ] {
        assert_eq!(messages(flag), [message], "{flag}");
    }
}

#[test]
fn a_word_that_was_probably_meant_is_at_most_two_letters_away() {
    for (word, meant) in [
        ("shs", Some("ssh")),
        ("shh", Some("ssh")),
        ("ssh;", Some("ssh")),
        ("secrets", Some("secret")),
        ("sercet", Some("secret")),
        ("volume", None),
        ("x", None),
        ("", None),
    ] {
        assert_eq!(near(word, &TYPES), meant, "{word}");
    }
    assert_eq!(near("requird", &FIELDS), Some("required"));
    assert_eq!(distance(&"a".repeat(33), "ssh"), 32);
    assert_eq!((distance("ca", "ac"), distance("abc", "abc"), distance("", "abc")), (1, 0, 3));
}

#[test]
fn fields_are_looked_at_to_the_limit_and_no_further() {
    let faulty = |before: usize| {
        let names: String = (0..before).map(|number| format!("mode=$A{number},")).collect();
        !messages(&format!("--mount={names}nothing")).is_empty()
    };
    assert_eq!((faulty(MAX_FIELDS - 1), faulty(MAX_FIELDS)), (true, false));
}
