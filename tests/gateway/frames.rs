//! Tunnel frames: what is written is read, and nothing else is.

use valetkey::wire::tunnel::{
    CHUNK_HEAD, Chunks, Exec, Kind, MAGIC, MAX_COMMAND, MAX_NAME, MAX_PROTOCOL, MAX_READ, MAX_REASON, MAX_WRITE,
    Malformed, Request, Response, chunk_head,
};

const EXEC: Exec<'static> =
    Exec { user: b"git", host: b"forge", port: 22, command: b"git-upload-pack 'a/b'", protocol: b"version=2" };

fn written(request: &Request<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.write(&mut |part| bytes.extend_from_slice(part));
    bytes
}

fn answered(response: &Response<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    response.write(&mut |part| bytes.extend_from_slice(part));
    bytes
}

fn requests() -> [Request<'static>; 5] {
    let token = *b"0123456789abcdef";
    [
        Request::Open { token, exec: EXEC },
        Request::Write { token, offset: 7, eof: true, bytes: b"stdin" },
        Request::Read { token, ack: 1 << 40, hold: 1000 },
        Request::Close { token },
        Request::Ping,
    ]
}

#[test]
fn every_request_and_response_is_read_as_it_was_written() {
    for request in requests() {
        assert_eq!(Request::parse(&written(&request)), Ok(request));
    }
    for response in [
        Response::Opened,
        Response::Refused(b"no"),
        Response::Wrote(u64::MAX),
        Response::Data { offset: 3, chunks: b"\x01\0\0\0\x02ab" },
        Response::Closed,
        Response::Pong(9),
    ] {
        assert_eq!(Response::parse(&answered(&response)), Ok(response));
    }
}

#[test]
fn a_request_cut_anywhere_or_with_one_byte_more_is_none() {
    for request in requests() {
        let bytes = written(&request);
        // What is written ends with its message, so a shorter one is a write of fewer bytes.
        let fixed = if matches!(request, Request::Write { .. }) { bytes.len() - 5 } else { bytes.len() };
        for length in 0..fixed {
            assert_eq!(Request::parse(&bytes[..length]), Err(Malformed), "{request:?} cut at {length}");
        }
        if !matches!(request, Request::Write { .. }) {
            assert_eq!(Request::parse(&[bytes, vec![0]].concat()), Err(Malformed), "{request:?}");
        }
    }
}

#[test]
fn another_version_kind_or_flag_is_none() {
    let ping = written(&Request::Ping);
    for at in 0..MAGIC.len() {
        let mut other = ping.clone();
        other[at] ^= 1;
        assert_eq!(Request::parse(&other), Err(Malformed));
    }
    for kind in (0..=255).filter(|kind| !(1..=5).contains(kind)) {
        assert_eq!(Request::parse(&[&MAGIC[..], &[kind]].concat()), Err(Malformed), "{kind}");
    }
    for kind in (0..=255).filter(|kind| !(1..=6).contains(kind)) {
        assert_eq!(Response::parse(&[kind, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed), "{kind}");
    }
    let mut write = written(&requests()[1]);
    write[4 + 1 + 16 + 8] = 2;
    assert_eq!(Request::parse(&write), Err(Malformed), "neither the end nor not the end");
}

#[test]
fn every_field_is_read_at_its_limit_and_not_one_byte_past_it() {
    let token = [0; 16];
    let exec = |name: usize, command: usize, protocol: usize| {
        let (name, command, protocol) = (vec![b'a'; name], vec![b'c'; command], vec![b'p'; protocol]);
        let exec = Exec { user: &name, host: &name, port: 1, command: &command, protocol: &protocol };
        Request::parse(&written(&Request::Open { token, exec })).is_ok()
    };
    assert!(exec(MAX_NAME, MAX_COMMAND, MAX_PROTOCOL));
    assert!(!exec(MAX_NAME + 1, 1, 1) && !exec(1, MAX_COMMAND + 1, 1) && !exec(1, 1, MAX_PROTOCOL + 1));
    for (length, fits) in [(MAX_WRITE, true), (MAX_WRITE + 1, false)] {
        let bytes = vec![0; length];
        let request = Request::Write { token, offset: 0, eof: false, bytes: &bytes };
        assert_eq!(Request::parse(&written(&request)).is_ok(), fits, "{length}");
    }
    for (length, fits) in [(MAX_READ, true), (MAX_READ + 1, false)] {
        let chunks = vec![0; length];
        assert_eq!(Response::parse(&answered(&Response::Data { offset: 0, chunks: &chunks })).is_ok(), fits);
    }
    // A longer reason is cut where it is written.
    let reason = vec![b'x'; MAX_REASON + 1];
    assert_eq!(Response::parse(&answered(&Response::Refused(&reason))), Ok(Response::Refused(&reason[..MAX_REASON])));
    assert_eq!(Response::parse(&[&[2][..], &reason].concat()), Err(Malformed));
}

#[test]
fn a_length_that_is_larger_than_the_frame_reads_nothing_behind_it() {
    let mut open = written(&requests()[0]);
    for at in [21, 28, 41] {
        let mut other = open.clone();
        other[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(Request::parse(&other), Err(Malformed), "length at {at}");
    }
    open.truncate(21);
    assert_eq!(Request::parse(&open), Err(Malformed));
}

#[test]
fn chunks_come_out_one_by_one_and_a_damaged_one_is_the_last() {
    let chunk = |kind, bytes: &[u8]| [&chunk_head(kind, u32::try_from(bytes.len()).unwrap()), bytes].concat();
    let whole = [chunk(Kind::Stdout, b"out"), chunk(Kind::Stderr, b""), chunk(Kind::Exit, &[0, 0, 0, 9])].concat();
    let read: Vec<_> = Chunks::new(&whole).collect();
    assert_eq!(
        read,
        [Ok((Kind::Stdout, &b"out"[..])), Ok((Kind::Stderr, &b""[..])), Ok((Kind::Exit, &[0, 0, 0, 9][..]))]
    );
    for damaged in [
        whole[..whole.len() - 1].to_vec(),
        [&whole[..CHUNK_HEAD + 3], &[4, 0, 0, 0, 0]].concat(),
        [&whole[..CHUNK_HEAD + 3], &chunk(Kind::Exit, b"12345")[..]].concat(),
        [&whole[..CHUNK_HEAD + 3], &[1, 0xff, 0xff, 0xff, 0xff]].concat(),
    ] {
        let read: Vec<_> = Chunks::new(&damaged).collect();
        assert_eq!(read[0], Ok((Kind::Stdout, &b"out"[..])));
        assert_eq!(read.last(), Some(&Err(Malformed)), "{damaged:?}");
        assert_eq!(read.iter().filter(|chunk| chunk.is_err()).count(), 1);
    }
}
