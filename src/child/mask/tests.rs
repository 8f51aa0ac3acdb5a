use super::*;

fn mask(patterns: &[&[u8]]) -> Mask {
    Mask::new(patterns.iter().map(|pattern| Zeroizing::new(pattern.to_vec())).collect())
}

/// In pieces of these sizes, over and over.
fn masked(mask: &Mask, bytes: &[u8], sizes: &[usize]) -> Vec<u8> {
    let (mut mask, mut out, mut rest) = (mask.clone(), Vec::new(), bytes);
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, behind) = rest.split_at((*size).min(rest.len()));
        mask.push(piece, &mut out);
        rest = behind;
    }
    mask.finish(&mut out);
    out
}

/// By the definition, and slowly: what any pattern covers is gone.
fn by_definition(patterns: &[&[u8]], bytes: &[u8]) -> Vec<u8> {
    let mut of = vec![0; bytes.len()];
    for pattern in patterns.iter().filter(|pattern| pattern.len() >= MIN_PATTERN) {
        for at in 0..bytes.len() {
            if bytes[at..].starts_with(pattern) {
                of[at..at + pattern.len()].fill(1);
            }
        }
    }
    let mut out = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        match (of[at], at > 0 && of[at - 1] == 1) {
            (0, _) => out.push(*byte),
            (_, false) => out.extend(MASKED),
            (_, true) => {}
        }
    }
    out
}

#[track_caller]
fn is_masked(patterns: &[&[u8]], bytes: &[u8], expected: &[u8]) {
    let mask = mask(patterns);
    assert_eq!(by_definition(patterns, bytes), expected);
    for first in 0..=bytes.len() {
        for second in [1, 2, 3, 5, 7, bytes.len()] {
            let out = masked(&mask, bytes, &[first.max(1), second]);
            assert_eq!(out, expected, "{} cut at {first} and every {second}", String::from_utf8_lossy(bytes));
        }
    }
}

#[test]
fn a_secret_is_replaced_wherever_the_stream_is_cut() {
    is_masked(&[b"hunter2"], b"", b"");
    is_masked(&[b"hunter2"], b"hunter2", b"***");
    is_masked(&[b"hunter2"], b"the hunter2 of hunter, hunte", b"the *** of hunter, hunte");
    is_masked(&[b"hunter2"], b"hunter2hunter2 hunter2\n", b"*** ***\n");
    is_masked(&[b"hunter2"], b"hunhunter2unter2", b"hun***unter2");
    is_masked(&[], b"anything", b"anything");
}

#[test]
fn of_secrets_that_overlap_or_contain_one_another_nothing_is_left() {
    is_masked(&[b"abcdef", b"defghi"], b"-abcdefghi-defghi-", b"-***-***-");
    is_masked(&[b"secret", b"secret-and-more", b"and-mo"], b"secret-and-more secret-and-mor", b"*** ***-***r");
    is_masked(&[b"aaaaaa"], b"aaaaaaaaab", b"***b");
    is_masked(&[b"aaaaaa", b"aaaaaaab"], b"aaaaaaaaabaaaaa", b"***aaaaa");
    is_masked(&[b"abcabcabd"], b"abcabcabcabd", b"abc***");
}

#[test]
fn nul_ansi_codes_and_bytes_that_are_no_text_are_bytes_like_any_other() {
    is_masked(&[b"\0\0\0\0\0\0\x01"], b"x\0\0\0\0\0\0\0\x01\0\0", b"x\0***\0\0");
    is_masked(&[b"\x1b[31mred\x1b[0m"], b"\x1b[31mred\x1b[0m\x1b[31m", b"***\x1b[31m");
    is_masked(&[b"\xff\xfe\x80\xc3\x28\n"], b"\xff\xff\xfe\x80\xc3\x28\n\xc3", b"\xff***\xc3");
}

#[test]
fn secrets_of_few_letters_in_any_order_go_as_the_definition_says() {
    let mut state = 1_u64;
    let mut letter = |of: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b'a' + ((state >> 33) % of) as u8
    };
    for round in 0..400 {
        let of = 1 + round % 3;
        let patterns: Vec<Vec<u8>> =
            (0..1 + round % 7).map(|i| (0..4 + (i + round) % 9).map(|_| letter(of)).collect()).collect();
        let patterns: Vec<&[u8]> = patterns.iter().map(Vec::as_slice).collect();
        let bytes: Vec<u8> = (0..60).map(|_| letter(of)).collect();
        let (mask, expected) = (mask(&patterns), by_definition(&patterns, &bytes));
        for sizes in [[1, 1], [2, 3], [7, 1], [8, 9], [60, 60]] {
            assert_eq!(masked(&mask, &bytes, &sizes), expected, "{patterns:?} in {bytes:?} by {sizes:?}");
        }
    }
}

#[test]
fn nothing_is_held_back_but_the_beginning_of_a_secret() {
    let mut mask = mask(&[b"hunter2"]);
    let mut out = Vec::new();
    for (given, shown) in [
        ("progress 12%", "progress 12%"),
        ("\r", "progress 12%\r"),
        ("hun", "progress 12%\r"),
        ("t", "progress 12%\r"),
        ("er", "progress 12%\r"),
        ("!", "progress 12%\rhunter!"),
        ("hunter2", "progress 12%\rhunter!***"),
    ] {
        mask.push(given.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), shown);
    }
}

#[test]
fn a_pattern_of_the_fewest_bytes_is_masked_and_one_byte_fewer_is_not() {
    is_masked(&[&b"1234567"[..MIN_PATTERN]], b"-123456-", b"-***-");
    is_masked(&[&b"1234567"[..MIN_PATTERN - 1]], b"-12345-", b"-12345-");
    let texts = [&b"12345\n"[..], b"123456\n", b""];
    let (mask, short) = Mask::of_texts(texts, &[]);
    assert_eq!((mask.is_empty(), short), (false, 2));
    assert_eq!(Mask::of_texts([], &[]).1, 0);
}

#[test]
fn a_text_is_masked_in_every_form_and_at_every_place_of_longer_base64() {
    let token = b"to/ken+with \"marks\" of {its} own & more~";
    let (mask, short) = Mask::of_texts([&token[..]], &[]);
    assert_eq!(short, 0);
    let is_gone = |bytes: &[u8]| {
        let out = masked(&mask, bytes, &[1000]);
        assert!(out.starts_with(b"x") && out.ends_with(b"x") && out.len() <= 2 + MASKED.len() + 4, "{out:?}");
    };
    let around = |form: &[u8]| [b"x", form, b"x"].concat();
    is_gone(&around(token));
    for forms in [crate::keys::written::percent(token), crate::keys::written::json(token)] {
        forms.iter().for_each(|form| is_gone(&around(form)));
    }
    let base64 = crate::keys::written::base64;
    is_gone(&around(&base64(token)));
    is_gone(&around(&base64(&[&token[..], b"\n"].concat())));
    for before in 0..6 {
        let long = base64(&[&vec![b'.'; before], &token[..], b"..."].concat());
        for long in [long.to_vec(), crate::keys::written::url_safe(&long).to_vec()] {
            let out = masked(&mask, &long, &[1000]);
            assert!(out.windows(3).any(|three| three == MASKED), "{before}");
            // What is left stands for what lies around it, and for a few bits at its ends.
            assert!(out.len() <= MASKED.len() + (before + 3) * 4 / 3 + 6, "{before}: {out:?}");
        }
    }
}

#[test]
fn all_of_a_long_secret_in_one_line_is_masked_with_little_held_back() {
    let text: Vec<u8> = (0..500 * 1024_u32)
        .flat_map(|i| format!("{:x}", i.wrapping_mul(2_654_435_761)).into_bytes())
        .take(500 * 1024)
        .collect();
    let (mask, _) = Mask::of_texts([text.as_slice()], &[]);
    let bytes = [b"before ", text.as_slice(), b" behind"].concat();
    assert_eq!(masked(&mask, &bytes, &[64 * 1024]), b"before *** behind");
    let mut held = mask.clone();
    let mut out = Vec::new();
    for piece in bytes.chunks(1000) {
        held.push(piece, &mut out);
        assert!(held.held.len() < 2 * forms::PIECE);
    }
}

#[test]
fn what_is_public_stays_and_the_rest_of_its_text_goes() {
    let public = Zeroizing::new(b"ssh-x AAAApublic-part-of-a-key".to_vec());
    let (mask, _) = Mask::of_texts([&b"AAAApublic-part\nsecret-part"[..]], std::slice::from_ref(&public));
    assert_eq!(masked(&mask, &public, &[100]), public.as_slice());
    assert_eq!(masked(&mask, b"AAAApublic-part secret-part", &[100]), b"AAAApublic-part ***");
}

#[test]
fn a_mask_prints_nothing_of_its_secrets() {
    assert_eq!(format!("{:?}", mask(&[b"hunter2"])), "Mask { patterns: 1, .. }");
}

#[test]
fn letters_that_a_secret_begins_with_go_out_where_nothing_follows_and_the_rest_of_it_does_not() {
    for (held, goes) in [("s", true), ("se", true), ("sec", true), ("secr", false), ("secre", false)] {
        let (mut mask, mut out) = (mask(&[b"secret-token"]), Vec::new());
        mask.push(b"step ", &mut out);
        mask.push(held.as_bytes(), &mut out);
        assert_eq!((out.as_slice(), mask.has_to_release()), (&b"step "[..], goes), "{held}");
        mask.release(&mut out);
        let shown = if goes { held } else { "" };
        assert_eq!(out, format!("step {shown}").as_bytes());
        assert!(!mask.has_to_release());
        let mut more = mask.clone();
        let mut secret = out.clone();
        for byte in &b"secret-token and more"[held.len()..] {
            more.push(&[*byte], &mut secret);
        }
        more.finish(&mut secret);
        assert_eq!(secret, format!("step {shown}*** and more").as_bytes());
        mask.push(b"ond", &mut out);
        mask.finish(&mut out);
        assert_eq!(out, format!("step {held}ond").as_bytes(), "no secret after all");
    }
}

#[test]
fn a_secret_that_comes_slowly_shows_its_first_letters_at_most() {
    let (mut mask, mut out) = (mask(&[b"secret-token"]), Vec::new());
    for byte in b"a secret-token and more" {
        mask.push(&[*byte], &mut out);
        mask.release(&mut out);
    }
    mask.finish(&mut out);
    assert_eq!(out, b"a sec*** and more");
}

#[test]
fn what_a_secret_has_covered_is_not_released() {
    let (mut mask, mut out) = (mask(&[b"secret-s", b"sx-and-more"]), Vec::new());
    mask.push(b"secret-s", &mut out);
    mask.release(&mut out);
    assert_eq!(out, MASKED);
    mask.push(b"x-and-more", &mut out);
    mask.finish(&mut out);
    assert_eq!(out, MASKED, "both, as one");
}
