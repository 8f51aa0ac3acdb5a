use super::*;

fn shown(text: &str) -> Vec<String> {
    let words = |words: &[Word]| {
        words.iter().map(|word| format!("<{}>", String::from_utf8_lossy(&word.text))).collect::<String>()
    };
    let show = |command: &Command| {
        let redirects = command.redirects.iter().map(|redirect| {
            format!(" {}{}", String::from_utf8_lossy(&redirect.operator), words(std::slice::from_ref(&redirect.target)))
        });
        let redirects = redirects.collect::<String>();
        let joint = match command.joint {
            Joint::End => "",
            Joint::And => " &&",
            Joint::Or => " ||",
            Joint::Pipe => " |",
            Joint::Next => " ;",
            Joint::Background => " &",
        };
        let depth = "^".repeat(command.depth);
        format!("{depth}{}{}{redirects}{joint}", words(&command.assignments), words(&command.words))
    };
    read(&Mapped::whole(text.as_bytes(), 0), &[]).iter().map(show).collect()
}

#[test]
fn a_script_is_read_as_a_shell_reads_it() {
    for (text, commands) in [
        ("a b && c|d;e||f&g", vec!["<a><b> &&", "<c> |", "<d> ;", "<e> ||", "<f> &", "<g>"]),
        ("a 'b c'\"d \\\"e\" f\\ g ''", vec!["<a><b cd \"e><f g><>"]),
        ("A=b C= d E=f", vec!["<A=b><C=><d><E=f>"]),
        ("a >b 2>>c <d >& e &>f 2>&1", vec!["<a> ><b> 2>><c> <<d> >&<e> &><f> 2>&<1>"]),
        ("a # b\nc#d", vec!["<a> ;", "<c#d>"]),
        ("a \\\n b", vec!["<a><b>"]),
        ("if a; then b; fi", vec!["<a> ;", "<b> ;"]),
        ("! a && { b; }", vec!["<a> &&", "<b> ;"]),
        ("(a; b) && c", vec!["<a> ;", "<b>", "<c>"]),
        ("a $(b \"c)\" $(d)) e", vec!["<a><$(b \"c)\" $(d))><e>", "^<b><c)><$(d)>", "^^<d>"]),
        ("a \"$(b)\" `c`", vec!["<a><$(b)><`c`>", "^<b>", "^<c>"]),
        ("a <(b) c", vec!["<a><<(b)><c>", "^<b>"]),
        ("sh -c 'a; b' c", vec!["<sh><-c><a; b><c>", "^<a> ;", "^<b>"]),
        ("sudo bash -ec \"a\"", vec!["<sudo><bash><-ec><a>", "^<a>"]),
        ("cat <<E >f\nx $y\nE\nz", vec!["<cat> <<<E> ><f> ;", "<z>"]),
        ("cat <<E | tee f\nx\nE\nz", vec!["<cat> <<<E> |", "<tee><f> ;", "<z>"]),
        ("sh <<-E\n\ta\n\tE\nz", vec!["<sh> <<-<E> ;", "^<a> ;", "<z>"]),
        ("a <<<b", vec!["<a> <<<<b>"]),
        ("a 'never ends", vec!["<a><never ends>"]),
        ("a $(never ends", vec!["<a><$(never ends>", "^<never><ends>"]),
        ("f() { a; }", vec!["<f>", "<a> ;"]),
        ("a ${{ b.c }}-d \"${{ e }}\" ${{", vec!["<a><${{ b.c }}-d><${{ e }}><${{>"]),
        ("a\\", vec!["<a>"]),
        ("", vec![]),
        (";;;", vec![]),
    ] {
        assert_eq!(shown(text), commands, "{text:?}");
    }
}

#[test]
fn words_and_commands_know_their_bytes_and_variables() {
    let text = "FOO=1 curl -H \"X: ${TOKEN:-a}\" '$no' $A_b > out && next";
    let commands = read(&Mapped::whole(text.as_bytes(), 100), &[]);
    let spans: Vec<&str> =
        commands.iter().map(|command| &text[command.span.start - 100..command.span.end - 100]).collect();
    assert_eq!(spans, ["FOO=1 curl -H \"X: ${TOKEN:-a}\" '$no' $A_b > out", "next"]);
    let variables: Vec<&[u8]> = commands[0].all_words().flat_map(|word| &word.variables).map(Vec::as_slice).collect();
    assert_eq!(variables, [&b"TOKEN"[..], b"A_b"]);
    let header = &commands[0].args()[1];
    assert_eq!(&text[header.span.start - 100..header.span.end - 100], "\"X: ${TOKEN:-a}\"");
}

#[test]
fn the_program_behind_sudo_env_and_the_like_is_the_program() {
    for text in ["sudo -E /usr/bin/git x", "env A=b git x", "A=b exec git x", "timeout 5m git x", "time git x"] {
        let commands = read(&Mapped::whole(text.as_bytes(), 0), &[]);
        assert_eq!((commands[0].program(), commands[0].args().len()), (&b"git"[..], 1), "{text}");
    }
}

#[test]
fn heredocs_of_a_dockerfile_stand_elsewhere() {
    let body = Mapped::whole(b"ssh-keyscan h\n", 50);
    let commands = read(&Mapped::whole(b"<<EOF", 4), std::slice::from_ref(&body));
    assert_eq!(commands[1].program(), b"ssh-keyscan");
    assert_eq!(commands[1].span, 50..63);
    let commands = read(&Mapped::whole(b"cat <<EOF > x", 4), std::slice::from_ref(&body));
    assert_eq!((commands.len(), &commands[0].redirects[0].body), (1, &Some(body)));
}

#[test]
fn scripts_in_scripts_are_followed_to_the_limit_and_no_deeper() {
    let nested = |levels: usize| format!("{}a{}", "x $(".repeat(levels), ")".repeat(levels));
    let deepest = |levels: usize| {
        let commands = read(&Mapped::whole(nested(levels).as_bytes(), 0), &[]);
        commands.iter().any(|command| command.program() == b"a")
    };
    assert_eq!((deepest(MAX_DEPTH), deepest(MAX_DEPTH + 1)), (true, false));
}

#[test]
fn commands_are_read_to_the_limit_and_no_further() {
    let count = |lines: usize| read(&Mapped::whole("a\n".repeat(lines).as_bytes(), 0), &[]).len();
    assert_eq!((count(MAX_COMMANDS), count(MAX_COMMANDS + 1)), (MAX_COMMANDS, MAX_COMMANDS));
}

#[test]
fn an_expression_is_one_word_to_the_limit_and_no_further() {
    let words = |length: usize| {
        let text = format!("${{{{{}}}}}", " ".repeat(length - 5));
        read(&Mapped::whole(text.as_bytes(), 0), &[])[0].words.len()
    };
    assert_eq!((words(1_024), words(1_025)), (1, 2));
}
