use super::*;

/// The tree as JSON would have it, without places.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::Scalar(text, _) => format!("{text:?}"),
        Value::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(",")),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}:{}", shown(key), shown(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
    }
}

fn one(text: &str) -> Node {
    yaml(text).unwrap().swap_remove(0)
}

#[test]
fn the_four_formats_give_the_same_tree() {
    let tree = r#"{"a":{"b":["1","x y"]}}"#;
    assert_eq!(shown(&one("a:\n  b:\n    - 1\n    - x y\n")), tree);
    assert_eq!(shown(&json(r#"{"a": {"b": [1, "x y"]}}"#).unwrap()), tree);
    assert_eq!(shown(&toml("[a]\nb = [1, 'x y']\n").unwrap()), tree);
    assert_eq!(shown(&hcl("a {\n  b = [1, \"x y\"]\n}\n").unwrap()), tree);
}

#[test]
fn every_value_and_name_knows_its_bytes() {
    let spans = |text: &str, node: &Node| {
        let (key, value) = node.entries().last().unwrap().clone();
        (text[key.span].to_owned(), text[value.span].to_owned())
    };
    let text = "ä: 1\nkey: \"vä l\" # c\n";
    assert_eq!(spans(text, &one(text)), ("key".into(), "\"vä l\"".into()));
    let long = format!("{}: 1\nkey: val\n", "ä".repeat(700));
    assert_eq!(spans(&long, &one(&long)), ("key".into(), "val".into()));
    for (text, value) in [
        ("key: 'it''s #1' # c\n", "'it''s #1'"),
        ("key: \"a\\\" # b\" # c\n", "\"a\\\" # b\""),
        ("key: a#b c # c\n\n", "a#b c"),
        ("key: a b\n# c\n", "a b"),
        ("{key: a b }", "a b"),
        ("key: [a, b] # c\n", "[a, b"),
        // Of a block: from the first byte of what it says.
        ("key: |\n  a\n  b # c\n", "a\n  b # c\n"),
        ("key: |-\n\n    a\n\n# c\n", "a\n\n"),
    ] {
        assert_eq!(spans(text, &one(text)), ("key".into(), value.into()), "{text}");
    }
    let text = "{\"ä\": 1, \"key\": \"val\"}";
    assert_eq!(spans(text, &json(text).unwrap()), ("\"key\"".into(), "\"val\"".into()));
    let text = "a = 'ä'\nkey = \"val\"\n";
    assert_eq!(spans(text, &toml(text).unwrap()), ("key".into(), "\"val\"".into()));
    let text = "a = \"ä\"\nkey = \"${v}l\"\n";
    assert_eq!(spans(text, &hcl(text).unwrap()), ("key".into(), "\"${v}l\"".into()));
    assert_eq!((line_at("a\nb\nc", 0), line_at("a\nb\nc", 2), line_at("a\nb\nc", 99)), (1, 2, 3));
}

#[test]
fn aliases_and_merges_of_yaml_are_what_they_stand_for() {
    let node = one("base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: *b\nthree: {<<: [*b, {z: 4}]}\n");
    assert_eq!(shown(node.get("one").unwrap()), r#"{"y":"3","x":"1"}"#);
    assert_eq!(shown(node.get("two").unwrap()), r#"{"x":"1","y":"2"}"#);
    assert_eq!(shown(node.get("three").unwrap()), r#"{"x":"1","y":"2","z":"4"}"#);
}

#[test]
fn several_documents_and_tags_of_yaml_are_read() {
    let documents = yaml("a: 1\n---\nb: !reference [x, y]\n").unwrap();
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[1].get("b").unwrap().tag.as_deref(), Some("reference"));
}

#[test]
fn blocks_of_hcl_are_maps_by_their_labels_and_may_come_twice() {
    let node = hcl("target \"a\" { x = 1 }\ntarget \"b\" { x = f(1) }\n").unwrap();
    let targets: Vec<_> = node.all("target").map(shown).collect();
    assert_eq!(targets, [r#"{"a":{"x":"1"}}"#, r#"{"b":{"x":"f(1)"}}"#]);
}

#[test]
fn what_is_not_of_its_format_is_refused_with_its_line() {
    let line = |error| match error {
        DocumentError::Syntax { line, .. } => line,
        other => panic!("{other:?}"),
    };
    assert_eq!(line(yaml("a: 1\nb: [\n").unwrap_err()), 3);
    assert_eq!(line(json("{\n\"a\": }\n").unwrap_err()), 2);
    assert_eq!(line(toml("a = 1\nb = \n").unwrap_err()), 2);
    assert_eq!(line(hcl("a = 1\nb = \n").unwrap_err()), 2);
    assert!(yaml("a: &a [*a]\n").is_err());
    assert!(json("").is_err());
}

#[test]
fn values_at_the_deepest_level_are_read_and_one_level_more_is_refused() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(yaml(&nested(MAX_DEPTH)).is_ok());
    assert!(matches!(yaml(&nested(MAX_DEPTH + 1)), Err(DocumentError::Deep { line: 1 })));
    assert!(json(&nested(MAX_DEPTH + 1)).is_ok());
    assert!(matches!(json(&nested(MAX_DEPTH + 2)), Err(DocumentError::Deep { line: 1 })));
    assert!(toml(&format!("a = {}", nested(MAX_DEPTH))).is_ok());
    assert!(matches!(toml(&format!("a = {}", nested(MAX_DEPTH + 1))), Err(DocumentError::Deep { line: 1 })));
    for levels in [MAX_DEPTH + 2, 100_000] {
        assert!(yaml(&nested(levels)).is_err());
        assert!(json(&nested(levels)).is_err());
        assert!(toml(&format!("a = {}", nested(levels))).is_err());
        assert!(hcl(&format!("a = {}", nested(levels))).is_err());
    }
}

#[test]
fn a_few_lines_that_stand_for_billions_of_values_are_refused() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(yaml(&bomb), Err(DocumentError::Many));
    // By merges: each has all names of the ones before.
    let mut bomb = String::from("a0: &a0 {x: y}\n");
    for level in 1..10_000 {
        bomb.push_str(&format!("a{level}: &a{level} {{<<: *a{}, k{level}: v}}\n", level - 1));
    }
    assert_eq!(yaml(&bomb), Err(DocumentError::Many));
    // By depth: every alias lies one deeper.
    let mut bomb = String::from("a0: &a0 [x]\n");
    for level in 1..200 {
        bomb.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(matches!(yaml(&bomb), Err(DocumentError::Deep { .. })));
}

#[test]
fn a_text_at_the_largest_size_is_read_and_one_byte_more_is_refused() {
    let of = |size: usize| format!("# {}", "x".repeat(size - 2));
    assert!(toml(&of(MAX_SIZE)).is_ok());
    let large = of(MAX_SIZE + 1);
    assert_eq!(toml(&large), Err(DocumentError::Large));
    assert_eq!(yaml(&large), Err(DocumentError::Large));
    assert_eq!(json(&large), Err(DocumentError::Large));
    assert_eq!(hcl(&large), Err(DocumentError::Large));
}
