//! Tunnel frames: every request and response comes back as it went in, and nothing that is cut,
//! longer, beyond a limit or of another version is taken for one.

use valetkey::wire::tunnel::{
    CHUNK_HEAD, Chunks, Exec, Kind, MAGIC, MAX_COMMAND, MAX_NAME, MAX_PROTOCOL, MAX_READ, MAX_REASON, MAX_WRITE,
    Malformed, Request, Response, Token,
};
use valetkey::wire::tunnel_host::chunk_head;

const TOKEN: Token = *b"sixteen random b";
const EXEC: Exec<'static> = Exec {
    user: b"git",
    host: b"git.example.com",
    port: 2222,
    command: b"git-upload-pack 'org/repo.git'",
    protocol: b"version=2",
};

fn request(request: &Request<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.write(&mut |part| bytes.extend_from_slice(part));
    bytes
}

fn response(response: &Response<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    response.write(&mut |part| bytes.extend_from_slice(part));
    bytes
}

fn requests() -> Vec<Request<'static>> {
    let empty = Exec { user: b"", host: b"", port: 0, command: b"", protocol: b"" };
    vec![
        Request::Open { token: TOKEN, exec: EXEC },
        Request::Open { token: [0; 16], exec: empty },
        Request::Open { token: [255; 16], exec: Exec { port: u32::MAX, command: b"\0\xff'\n", ..EXEC } },
        Request::Write { token: TOKEN, offset: 0, eof: false, bytes: b"" },
        Request::Write { token: TOKEN, offset: u64::MAX, eof: true, bytes: b"0000" },
        Request::Read { token: TOKEN, ack: 1 << 40, piece: 7, hold: 1000 },
        Request::Read { token: TOKEN, ack: 0, piece: u64::MAX, hold: u32::MAX },
        Request::Close { token: TOKEN },
        Request::Ping,
    ]
}

fn responses() -> Vec<Response<'static>> {
    vec![
        Response::Opened,
        Response::Refused(b""),
        Response::Refused(b"gitlab.com/org/other is not granted"),
        Response::Wrote(0),
        Response::Wrote(u64::MAX),
        Response::Data { piece: 7, chunks: b"" },
        Response::Data { piece: u64::MAX, chunks: &[1, 0, 0, 0, 1, 9] },
        Response::Closed,
        Response::Pong(3),
    ]
}

#[test]
fn every_request_and_response_comes_back_as_it_went_in() {
    for one in requests() {
        assert_eq!(Request::parse(&request(&one)), Ok(one));
    }
    for one in responses() {
        assert_eq!(Response::parse(&response(&one)), Ok(one));
    }
}

/// Requests that end with bytes of a length of their own: a cut makes another of the same kind.
fn is_open_ended(one: &Request<'_>) -> bool {
    matches!(one, Request::Write { .. })
}

#[test]
fn a_request_that_is_cut_anywhere_is_none() {
    for one in requests() {
        let bytes = request(&one);
        let fixed = if is_open_ended(&one) { MAGIC.len() + 1 + 16 + 8 + 1 } else { bytes.len() };
        for length in 0..fixed {
            assert_eq!(Request::parse(&bytes[..length]), Err(Malformed), "{one:?} cut to {length}");
        }
    }
}

#[test]
fn a_request_with_bytes_behind_it_is_none() {
    for one in requests().iter().filter(|one| !is_open_ended(one)) {
        for more in [&[0][..], &[255], &MAGIC] {
            let bytes = [request(one), more.to_vec()].concat();
            assert_eq!(Request::parse(&bytes), Err(Malformed), "{one:?} and {more:?}");
        }
    }
}

#[test]
fn a_response_that_is_cut_or_longer_is_none() {
    for one in responses() {
        let bytes = response(&one);
        let (fixed, open_ended) = match one {
            Response::Refused(_) => (1, true),
            Response::Data { .. } => (9, true),
            _ => (bytes.len(), false),
        };
        for length in 0..fixed {
            assert_eq!(Response::parse(&bytes[..length]), Err(Malformed), "{one:?} cut to {length}");
        }
        let longer = [bytes, vec![0]].concat();
        assert_eq!(Response::parse(&longer).is_ok(), open_ended, "{one:?}");
    }
}

#[test]
fn a_frame_of_another_version_or_kind_is_none() {
    let good = request(&Request::Ping);
    assert!(Request::parse(&good).is_ok());
    for at in 0..MAGIC.len() {
        for flip in 1..=255 {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            assert_eq!(Request::parse(&bytes), Err(Malformed));
        }
    }
    for kind in (0..=255).filter(|kind| !(1..=5).contains(kind)) {
        let bytes = [&MAGIC[..], &[kind], &[0; 64]].concat();
        assert_eq!(Request::parse(&bytes), Err(Malformed), "request {kind}");
        assert_eq!(Request::parse(&bytes[..5]), Err(Malformed), "request {kind}");
    }
    for kind in (0..=255).filter(|kind| !(1..=6).contains(kind)) {
        assert_eq!(Response::parse(&[kind]), Err(Malformed), "response {kind}");
        assert_eq!(Response::parse(&[kind, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed), "response {kind}");
    }
    assert_eq!(Response::parse(&[]), Err(Malformed));
}

#[test]
fn the_end_of_stdin_is_said_by_one_and_by_nothing_else() {
    let at = MAGIC.len() + 1 + 16 + 8;
    let mut bytes = request(&Request::Write { token: TOKEN, offset: 0, eof: true, bytes: b"x" });
    assert_eq!(bytes[at], 1);
    for other in 2..=255 {
        bytes[at] = other;
        assert_eq!(Request::parse(&bytes), Err(Malformed), "{other}");
    }
}

#[test]
fn every_field_is_taken_at_its_limit_and_refused_one_past_it() {
    let long = vec![b'a'; MAX_COMMAND + 1];
    type Set = for<'a> fn(Exec<'a>, &'a [u8]) -> Exec<'a>;
    let fields: [(usize, Set); 4] = [
        (MAX_NAME, |exec, value| Exec { user: value, ..exec }),
        (MAX_NAME, |exec, value| Exec { host: value, ..exec }),
        (MAX_COMMAND, |exec, value| Exec { command: value, ..exec }),
        (MAX_PROTOCOL, |exec, value| Exec { protocol: value, ..exec }),
    ];
    for (limit, set) in fields {
        for (length, taken) in [(limit, true), (limit + 1, false)] {
            let open = Request::Open { token: TOKEN, exec: set(EXEC, &long[..length]) };
            assert_eq!(Request::parse(&request(&open)).is_ok(), taken, "{length}");
        }
    }
    let long = vec![b'a'; MAX_READ + 1];
    for (length, taken) in [(MAX_WRITE, true), (MAX_WRITE + 1, false)] {
        let write = Request::Write { token: TOKEN, offset: 0, eof: false, bytes: &long[..length] };
        assert_eq!(Request::parse(&request(&write)).is_ok(), taken, "{length}");
    }
    for (length, taken) in [(MAX_READ, true), (MAX_READ + 1, false)] {
        let data = Response::Data { piece: 0, chunks: &long[..length] };
        assert_eq!(Response::parse(&response(&data)).is_ok(), taken, "{length}");
    }
    // The host cuts a reason off; a frame with a longer one is none.
    let written = response(&Response::Refused(&long[..MAX_REASON + 1]));
    assert_eq!(Response::parse(&written), Ok(Response::Refused(&long[..MAX_REASON])));
    assert_eq!(Response::parse(&[&written[..], b"a"].concat()), Err(Malformed));
}

#[test]
fn a_length_of_four_gigabytes_is_refused_by_what_is_there() {
    let bytes = [&MAGIC[..], &[1], &TOKEN, &[255; 4]].concat();
    assert_eq!(Request::parse(&bytes), Err(Malformed));
    assert_eq!(Chunks::new(&[1, 255, 255, 255, 255]).collect::<Vec<_>>(), [Err(Malformed)]);
}

#[test]
fn chunks_come_out_whole_and_a_damaged_head_ends_them() {
    let good = [
        &chunk_head(Kind::Stdout, 2)[..],
        b"ab",
        &chunk_head(Kind::Stderr, 0),
        &chunk_head(Kind::Exit, 4),
        &[0, 0, 0, 7],
    ]
    .concat();
    let all = [Ok((Kind::Stdout, &b"ab"[..])), Ok((Kind::Stderr, b"")), Ok((Kind::Exit, &[0, 0, 0, 7]))];
    assert_eq!(Chunks::new(&good).collect::<Vec<_>>(), all);
    assert_eq!(Chunks::new(b"").next(), None);

    // Cut anywhere: whole chunks first, then one error, then nothing.
    let ends = [CHUNK_HEAD + 2, 2 * CHUNK_HEAD + 2, good.len()];
    for length in 1..good.len() {
        let whole = ends.iter().filter(|&&end| end <= length).count();
        let damaged = usize::from(!ends.contains(&length));
        let found: Vec<_> = Chunks::new(&good[..length]).collect();
        assert_eq!(found.len(), whole + damaged, "{length}");
        assert_eq!(found.last().unwrap().is_err(), damaged == 1, "{length}");
    }
    for damaged in [
        &[0, 0, 0, 0, 0][..],
        &[4, 0, 0, 0, 0],
        &[255, 0, 0, 0, 1, 7],
        // A status of three bytes, and one of five.
        &[3, 0, 0, 0, 3, 0, 0, 0],
        &[3, 0, 0, 0, 5, 0, 0, 0, 0, 0],
        &[3, 0, 0, 0, 0],
    ] {
        let bytes = [&chunk_head(Kind::Stdout, 1)[..], b"x", damaged, &good].concat();
        let found: Vec<_> = Chunks::new(&bytes).collect();
        assert_eq!(found, [Ok((Kind::Stdout, &b"x"[..])), Err(Malformed)], "{damaged:?}");
    }
}
